#include "cli/live_policy.h"

#include "cli/complain.h"
#include "report/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SUBJECTS = 20000, /* results that are kept */
    MOST_BYTES = 1 << 20,
    LINE_BYTES = 1000,
};

static const struct sw_hash_key *hash_key = &sw_hash_fixed_key;

const char *sw_live_policy_file(const struct sw_settings *settings)
{
    bool file = settings->policy && strcmp(settings->policy, "default") != 0;
    return file ? settings->policy : NULL;
}

/* --- what a session breaks --- */

static void put_detail(struct sw_writer *out, const struct sw_judgement *j)
{
    const char *between = " (";
    if (j->user.len > 0) {
        sw_writer_text(out, between);
        sw_page_escape(out, j->user, false);
        between = ", ";
    }
    if (j->finding != SW_FINDING_COUNT) {
        sw_writer_format(out, "%s%s", between, sw_finding_info(j->finding)->id);
        between = ", ";
    }
    if (j->measured) {
        sw_writer_text(out, between);
        (void)sw_audit_put_measure(j->rule, j->value, out);
        between = ", ";
    }
    if (j->frame != 0) {
        sw_writer_format(out, "%sframe %llu", between, (unsigned long long)j->frame);
        between = ", ";
    }
    sw_writer_text(out, between[0] == ',' ? ")" : "");
}

static void hear(void *ctx, const struct sw_judgement *j)
{
    struct sw_live_policy *p = ctx;
    const struct sw_rule_info *info = sw_rule_info(j->rule);
    if (j->rule == SW_RULE_FAILURE_RATE_MAX) /* no single session breaks it */
        return;
    p->counts.sessions[j->rule][j->mark]++;
    if (j->mark != SW_MARK_FAILED)
        return;
    if (sw_writer_span(&p->remarks).len > 0)
        sw_writer_char(&p->remarks, '\n');
    sw_writer_format(&p->remarks, "%s = %s: %s", info->key, j->demand->text, info->broken);
    put_detail(&p->remarks, j);
}

struct sw_span sw_live_policy_judge(struct sw_live_policy *p, const struct sw_fact *fact)
{
    struct sw_fact of_rules = *fact;
    if (!p->policy)
        return (struct sw_span){NULL, 0};
    sw_writer_clear(&p->remarks);
    of_rules.part = SW_FACT_BUT_CLIENT; /* no rule is about clients, and they are many */
    sw_audit_add(p->audit, &of_rules);
    return sw_writer_span(&p->remarks);
}

/* "192.0.2.10 -> 198.51.100.25:587 (mx.example.org)" */
static void put_ends(struct sw_live_policy *p, const struct sw_fact *fact, struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    bool named = fact->server_name.len > 0 && !p->style.no_names;
    sw_veil_address(&p->veil, fact->client, fact->ip_version, ip);
    sw_writer_format(out, "%s -> ", ip);
    if (fact->has_server) {
        sw_veil_address(&p->veil, fact->server, fact->ip_version, ip);
        sw_writer_format(out, fact->ip_version == 6 ? "[%s]:%u" : "%s:%u", ip, fact->server_port);
    }
    if (!named)
        return;
    sw_writer_text(out, fact->has_server ? " (" : "");
    sw_writer_put(out, sw_veil_name(&p->veil, fact->server_name));
    sw_writer_text(out, fact->has_server ? ")" : "");
}

void sw_live_policy_say(struct sw_live_policy *p, const struct sw_fact *fact,
                        const struct sw_session *session)
{
    struct sw_span rest = sw_writer_span(&p->remarks);
    char time[SW_TIME_TEXT_BYTES];
    struct sw_writer line;
    if (rest.len == 0)
        return;
    sw_veil_session(&p->veil, session);
    (void)sw_time_format(fact->start_ns, 0, time);
    sw_writer_open_memory(&line);
    while (rest.len > 0) {
        size_t end = sw_span_index(rest, '\n');
        sw_writer_clear(&line);
        sw_writer_format(&line, "policy broken: %s  ", time);
        put_ends(p, fact, &line);
        sw_writer_text(&line, "  ");
        sw_writer_put(&line, sw_veil_text(&p->veil, sw_span_sub(rest, 0, end)));
        struct sw_span whole = sw_writer_span(&line);
        sw_complain("%.*s", (int)(whole.len < LINE_BYTES ? whole.len : (size_t)LINE_BYTES),
                    (const char *)whole.ptr);
        rest = sw_span_from(rest, end + 1);
    }
    sw_writer_release(&line);
}

/* --- which policy is in force --- */

/* False: none is. */
static bool put_in_force(struct sw_live_policy *p, struct sw_policy *policy)
{
    struct sw_audit *audit = policy ? sw_audit_new(policy, SUBJECTS) : NULL;
    if (!audit) {
        sw_policy_free(policy);
        return false;
    }
    sw_audit_listen(audit, hear, p);
    sw_audit_free(p->audit);
    sw_policy_free(p->policy);
    p->audit = audit;
    p->policy = policy;
    for (int i = 0; i < SW_RULE_COUNT; i++)
        p->counts.demanded[i] = sw_policy_rule_text(policy, (enum sw_rule)i) != NULL;
    return true;
}

/* All that there is to read, at most `room`; SIZE_MAX: errno says why not. */
static size_t read_all(int fd, char *out, size_t room)
{
    size_t used = 0;
    while (used < room) {
        ssize_t n = read(fd, out + used, room - used);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return SIZE_MAX;
        used += n > 0 ? (size_t)n : 0;
    }
    return used;
}

/* NULL: *status says why, or is good, and the text is that of the policy in force. */
static struct sw_policy *read_file(struct sw_live_policy *p, int fd, struct sw_status *status)
{
    const char *path = p->settings->policy;
    struct sw_policy *policy = NULL;
    char *text = malloc(MOST_BYTES);
    size_t length = text ? read_all(fd, text, MOST_BYTES) : 0;
    *status = sw_status_ok();
    if (!text)
        *status = sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
    else if (length == SIZE_MAX)
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, strerror(errno));
    else if (length == MOST_BYTES)
        *status = sw_status_make(SW_USAGE, 0, "%s: longer than 1 MB; this is no policy", path);
    if (status->code == SW_OK) {
        struct sw_span all = sw_span_make(text, length);
        uint64_t hash = sw_hash_bytes(hash_key, all);
        if (!p->policy || hash != p->text_hash)
            policy = sw_policy_parse(path, all, status);
        if (policy)
            p->text_hash = hash;
    }
    free(text);
    return policy;
}

bool sw_live_policy_start(struct sw_live_policy *p, const struct sw_settings *settings,
                          const struct sw_report_style *style)
{
    struct sw_status status = sw_status_ok();
    *p = (struct sw_live_policy){.settings = settings, .style = *style, .counts = {.good = true}};
    sw_writer_open_memory(&p->remarks);
    sw_veil_init(&p->veil, style->anonymize, style->veil_key);
    if (!settings->policy)
        return true;
    struct sw_policy *policy = NULL;
    if (sw_live_policy_file(settings)) {
        int fd = open(settings->policy, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", settings->policy, strerror(errno));
        else
            policy = read_file(p, fd, &status);
        if (fd >= 0)
            (void)close(fd);
    } else {
        policy = sw_policy_read(settings->policy, &status);
    }
    if (policy && put_in_force(p, policy))
        return true;
    sw_complain("%s", status.code != SW_OK ? status.message : "out of memory");
    return false;
}

/* --- how it stands --- */

/* How each rule stands; the audit goes on: a copy of it is finished. NULL: nothing was judged. */
static struct sw_audit *finish_copy(const struct sw_live_policy *p)
{
    bool any = p->audit && sw_audit_totals(p->audit)->sessions > 0;
    struct sw_audit *copy = any ? sw_audit_new(p->policy, SUBJECTS) : NULL;
    if (!copy)
        return NULL;
    sw_audit_merge(copy, p->audit);
    if (sw_audit_finish(copy))
        return copy;
    sw_audit_free(copy);
    return NULL;
}

void sw_live_policy_write(struct sw_live_policy *p, const struct sw_report_style *style,
                          struct sw_writer *out)
{
    struct sw_audit *copy = finish_copy(p);
    struct sw_writer own;
    if (!copy)
        return;
    sw_writer_open_memory(&own);
    sw_audit_write_policy(copy, style, out ? out : &own);
    struct sw_span text = sw_writer_span(&own);
    if (!out)
        (void)fwrite(text.ptr, 1, text.len, stderr);
    sw_writer_release(&own);
    sw_audit_free(copy);
}

bool sw_live_policy_broken(const struct sw_live_policy *p)
{
    struct sw_audit *copy = p->broken ? NULL : finish_copy(p);
    bool broken = p->broken || (copy && sw_audit_failed(copy));
    sw_audit_free(copy);
    return broken;
}

/* --- another policy --- */

void sw_live_policy_reload(struct sw_live_policy *p, int fd, int error)
{
    const char *path = p->settings->policy;
    struct sw_status status;
    struct sw_policy *policy = NULL;
    if (fd < 0)
        status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, strerror(error));
    else
        policy = read_file(p, fd, &status);
    p->counts.good = status.code == SW_OK;
    p->counts.reloads[p->counts.good]++;
    if (!p->counts.good)
        sw_complain("%s; the policy that was read before stays in force", status.message);
    if (!policy) /* or it is unchanged */
        return;
    bool any = sw_audit_totals(p->audit)->sessions > 0;
    sw_complain("%s: the policy was changed and is in force from here on%s", path,
                any ? "; until now:" : "");
    sw_live_policy_write(p, &p->style, NULL);
    p->broken = sw_live_policy_broken(p);
    if (!put_in_force(p, policy))
        sw_complain("%s: out of memory", path);
}

void sw_live_policy_release(struct sw_live_policy *p)
{
    sw_audit_free(p->audit);
    sw_policy_free(p->policy);
    sw_writer_release(&p->remarks);
    sw_veil_release(&p->veil);
}
