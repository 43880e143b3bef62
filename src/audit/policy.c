/*
 * policy.c - reads a policy line by line, and strictly: a rule that is misspelled would be a rule
 * that nobody keeps.
 */
#include "audit/policy_inside.h"

#include "base/time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLICY_BYTES = 1 << 20, ARENA_BYTES = 4 << 20 };

static const struct sw_rule_info rules[SW_RULE_COUNT] = {
#define SW_RULE(symbol, key, value, subject, example, demand, broken)                              \
    [SW_RULE_##                                                                                    \
        symbol] = {key, SW_RULE_VALUE_##value, SW_SUBJECT_##subject, example, demand, broken},
#include "audit/rule.def"
#undef SW_RULE
};

static const char default_text[] =
    "# The policy that is built in: --policy default. Copy it, change it, and name the copy.\n"
    "[policy]\n"
    "name = smtpwhy default\n"
    "\n"
    "[rules]\n"
    "clear-text-login = forbid\n"
    "clear-text-mail = allow          # mail between servers is often not encrypted\n"
    "starttls = require\n"
    "tls-version-min = 1.2\n"
    "certificate = require\n"
    "certificate-days-min = 14\n"
    "greeting-delay-max = 30s\n"
    "failure-rate-max = 20%\n"
    "finding-max = high               # fails on what is worse: critical\n"
    "forbid-finding = aud-open-relay-suspected, aud-auth-brute-force\n";

const struct sw_rule_info *sw_rule_info(enum sw_rule rule)
{
    return &rules[rule];
}

const char *sw_subject_kind_name(enum sw_subject_kind kind)
{
    static const char *const names[] = {[SW_SUBJECT_SERVER] = "server",
                                        [SW_SUBJECT_CLIENT] = "client",
                                        [SW_SUBJECT_USER] = "user",
                                        [SW_SUBJECT_CERTIFICATE] = "certificate"};
    return names[kind];
}

const char *sw_policy_default_text(void)
{
    return default_text;
}

/* What is being read. */
struct reader {
    struct sw_policy *policy;
    const char *file;
    unsigned line;
    struct sw_policy_section *section; /* the open section: this one, */
    struct sw_waiver *waiver;          /* or this one, */
    bool about;                        /* or [policy]; or none yet */
    struct sw_status *status;
};

static bool refuse(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct reader *r, const char *format, ...)
{
    char what[280];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    *r->status = sw_status_make(SW_USAGE, 0, "%s:%u: %s", r->file, r->line, what);
    return false;
}

static int shown(struct sw_span text)
{
    return (int)(text.len < 60 ? text.len : 60);
}

static bool refuse_value(struct reader *r, struct sw_span key, struct sw_span item,
                         const char *wrong)
{
    return refuse(r, "%.*s: '%.*s' %s", shown(key), (const char *)key.ptr, shown(item),
                  (const char *)item.ptr, wrong);
}

static const char *keep(struct reader *r, struct sw_span text)
{
    struct sw_span copy = sw_arena_copy(&r->policy->arena, text);
    const char *kept = sw_arena_printf(&r->policy->arena, "%.*s", (int)copy.len,
                                       (const char *)(copy.ptr ? copy.ptr : text.ptr));
    return kept ? kept : "";
}

/* One that demands nothing would pass whatever is looked at. */
static bool finish_rules(struct reader *r)
{
    const struct sw_policy_section *section = r->section;
    bool demanding = false;
    for (int i = 0; i < SW_RULE_COUNT; i++)
        demanding = demanding || section->demands[i].given;
    r->line = section->line;
    return demanding ||
           refuse(r, "[rules%s%s] names no rule; 'smtpwhy audit --help policy' shows all",
                  section->title[0] ? " " : "", section->title);
}

/* A waiver without a reason or an end would never be looked at again. */
static bool finish_section(struct reader *r)
{
    const struct sw_waiver *w = r->waiver;
    if (r->section)
        return finish_rules(r);
    if (!w)
        return true;
    bool names_rule = w->by_finding;
    for (int i = 0; i < SW_RULE_COUNT; i++)
        names_rule = names_rule || w->rules[i];
    r->line = w->line;
    if (!names_rule)
        return refuse(r, "the waiver names no 'rule' and no 'finding'");
    if (!w->until)
        return refuse(r, "the waiver has no end; write for example until = 2027-01-31");
    if (!w->reason)
        return refuse(r, "the waiver has no 'reason'");
    return true;
}

static bool open_section(struct reader *r, struct sw_span head)
{
    struct sw_policy *policy = r->policy;
    struct sw_span title = sw_span_trim(head);
    struct sw_span kind = sw_span_word(&title);
    unsigned line = r->line;
    title = sw_span_trim(title);
    if (!finish_section(r))
        return false;
    r->line = line;
    r->section = NULL;
    r->waiver = NULL;
    r->about = sw_span_eq(kind, sw_span_str("policy")) && title.len == 0;
    if (r->about)
        return true;
    if (sw_span_eq(kind, sw_span_str("rules"))) {
        struct sw_policy_section *section = SW_ARENA_NEW(&policy->arena, struct sw_policy_section);
        if (!section)
            return refuse(r, "the policy is too long");
        *(policy->sections ? &policy->last_section->next : &policy->sections) = section;
        policy->last_section = r->section = section;
        section->title = keep(r, title);
        section->line = line;
        return true;
    }
    if (!sw_span_eq(kind, sw_span_str("waiver")))
        return refuse(r,
                      "there is no section [%.*s]; sections are [policy], [rules], [rules "
                      "TITLE] and [waiver TITLE]",
                      shown(kind), (const char *)kind.ptr);
    struct sw_waiver *waiver = SW_ARENA_NEW(&policy->arena, struct sw_waiver);
    if (!waiver)
        return refuse(r, "the policy is too long");
    *(policy->waivers ? &policy->last_waiver->next : &policy->waivers) = waiver;
    policy->last_waiver = r->waiver = waiver;
    waiver->title = keep(r, title);
    waiver->line = line;
    waiver->index = policy->waiver_count++;
    return true;
}

static enum sw_rule rule_by_key(struct sw_span key)
{
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        if (sw_span_eq(key, sw_span_str(rules[i].key)))
            return (enum sw_rule)i;
    }
    return SW_RULE_COUNT;
}

/* The keys that say whom a section is about. *taken is false for any other key. */
static bool take_scope(struct reader *r, struct sw_scope *scope, struct sw_span key,
                       struct sw_span value, bool *taken)
{
    const struct {
        const char *key;
        enum sw_pattern_kind kind;
        struct sw_pattern **list;
    } lists[] = {{"client", SW_PATTERN_NETWORK, &scope->clients},
                 {"server", SW_PATTERN_HOST, &scope->servers},
                 {"user", SW_PATTERN_NAME, &scope->users}};
    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (!sw_span_eq(key, sw_span_str(lists[i].key)))
            continue;
        struct sw_span item = value;
        const char *wrong = "";
        *taken = true;
        return sw_policy_read_patterns(&r->policy->arena, value, lists[i].kind, lists[i].list,
                                       &item, &wrong) ||
               refuse_value(r, key, item, wrong);
    }
    *taken = false;
    return true;
}

static bool unknown_key(struct reader *r, struct sw_span key, const char *section)
{
    return refuse(r, "there is no key '%.*s' in %s; 'smtpwhy audit --help policy' shows all",
                  shown(key), (const char *)key.ptr, section);
}

/* What there is one of: the second would silently take the place of the first. */
static bool refuse_second(struct reader *r, struct sw_span key)
{
    return refuse(r, "%.*s stands twice in one section", shown(key), (const char *)key.ptr);
}

static bool take_rule(struct reader *r, struct sw_span key, struct sw_span value)
{
    bool taken = false;
    if (!take_scope(r, &r->section->scope, key, value, &taken) || taken)
        return taken && r->status->code == SW_OK;
    enum sw_rule rule = rule_by_key(key);
    struct sw_span item = value;
    const char *wrong = "";
    if (rule == SW_RULE_COUNT)
        return unknown_key(r, key, "[rules]");
    if (r->section->demands[rule].given)
        return refuse_second(r, key);
    return sw_policy_read_demand(&r->policy->arena, rule, value, &r->section->demands[rule], &item,
                                 &wrong) ||
           refuse_value(r, key, item, wrong);
}

static bool take_waived_rules(struct reader *r, struct sw_span key, struct sw_span value)
{
    struct sw_span item = {NULL, 0};
    while (sw_span_item(&value, &item)) {
        enum sw_rule rule = rule_by_key(item);
        if (rule == SW_RULE_COUNT)
            return refuse_value(r, key, item, "is no rule");
        r->waiver->rules[rule] = true;
    }
    return true;
}

static bool take_until(struct reader *r, struct sw_span key, struct sw_span value)
{
    if (r->waiver->until)
        return refuse_second(r, key);
    r->waiver->until = keep(r, value);
    if (sw_time_parse(r->waiver->until, &r->waiver->until_ns) != 0)
        return refuse_value(r, key, value, "is no date; write for example 2027-01-31");
    return true;
}

static bool take_waiver(struct reader *r, struct sw_span key, struct sw_span value)
{
    struct sw_waiver *waiver = r->waiver;
    bool taken = false;
    struct sw_span item = value;
    const char *wrong = "";
    if (!take_scope(r, &waiver->scope, key, value, &taken) || taken)
        return taken && r->status->code == SW_OK;
    if (sw_span_eq(key, sw_span_str("rule")))
        return take_waived_rules(r, key, value);
    if (sw_span_eq(key, sw_span_str("until")))
        return take_until(r, key, value);
    if (sw_span_eq(key, sw_span_str("finding"))) {
        waiver->by_finding = true;
        return sw_policy_read_findings(value, waiver->findings, &item, &wrong) ||
               refuse_value(r, key, item, wrong);
    }
    if (!sw_span_eq(key, sw_span_str("reason")))
        return unknown_key(r, key, "[waiver]");
    if (waiver->reason)
        return refuse_second(r, key);
    waiver->reason = keep(r, value);
    return true;
}

static bool take_key(struct reader *r, struct sw_span key, struct sw_span value)
{
    if (value.len == 0)
        return refuse(r, "'%.*s' has no value", shown(key), (const char *)key.ptr);
    if (r->section)
        return take_rule(r, key, value);
    if (r->waiver)
        return take_waiver(r, key, value);
    if (!r->about)
        return refuse(r, "a key before the first section; begin with [rules]");
    if (!sw_span_eq(key, sw_span_str("name")))
        return unknown_key(r, key, "[policy]");
    r->policy->name = keep(r, value);
    return true;
}

/* Without the comment: '#' or ';' at the beginning, or behind a blank. */
static struct sw_span without_comment(struct sw_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        bool begins = i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t';
        if (begins && (line.ptr[i] == '#' || line.ptr[i] == ';'))
            return sw_span_sub(line, 0, i);
    }
    return line;
}

static bool take_line(struct reader *r, struct sw_span line)
{
    line = sw_span_trim(without_comment(line));
    if (line.len == 0)
        return true;
    for (size_t i = 0; i < line.len; i++) {
        if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
            return refuse(r, "a control character; this is no policy");
    }
    if (line.ptr[0] == '[') {
        if (line.ptr[line.len - 1] != ']')
            return refuse(r, "a section's head ends with ']'");
        return open_section(r, sw_span_sub(line, 1, line.len - 2));
    }
    size_t equals = sw_span_index(line, '=');
    if (equals == line.len || equals == 0)
        return refuse(r, "neither [section] nor key = value");
    return take_key(r, sw_span_trim(sw_span_sub(line, 0, equals)),
                    sw_span_trim(sw_span_from(line, equals + 1)));
}

static bool read_lines(struct reader *r, struct sw_span text)
{
    if (sw_span_starts(text, SW_SPAN_LIT("\xef\xbb\xbf"))) /* what Windows editors begin with */
        text = sw_span_from(text, 3);
    while (text.len > 0) {
        size_t end = sw_span_index(text, '\n');
        r->line++;
        if (!take_line(r, sw_span_sub(text, 0, end)))
            return false;
        text = sw_span_from(text, end + 1);
    }
    if (!finish_section(r))
        return false;
    if (r->policy->sections)
        return true;
    *r->status = sw_status_make(SW_USAGE, 0, "%s: the policy has no [rules]", r->file);
    return false;
}

static bool is_for_everybody(const struct sw_scope *scope)
{
    return !scope->clients && !scope->servers && !scope->users;
}

static void note_what_always_decides(struct sw_policy *policy)
{
    const struct sw_policy_section *section;
    SW_EACH(section, policy->sections) {
        for (int i = 0; i < SW_RULE_COUNT; i++) {
            if (section->demands[i].given)
                policy->always[i] = is_for_everybody(&section->scope) ? &section->demands[i] : NULL;
        }
    }
}

struct sw_policy *sw_policy_parse(const char *name, struct sw_span text, struct sw_status *status)
{
    struct sw_policy *policy = calloc(1, sizeof(*policy));
    *status = sw_status_ok();
    if (!policy) {
        *status = sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
        return NULL;
    }
    sw_arena_init(&policy->arena, ARENA_BYTES, NULL);
    struct reader reader = {.policy = policy, .file = name, .status = status};
    policy->name = sw_arena_strdup(&policy->arena, name);
    if (read_lines(&reader, text) && !policy->arena.exhausted && policy->name) {
        note_what_always_decides(policy);
        return policy;
    }
    if (policy->arena.exhausted)
        *status = sw_status_make(SW_USAGE, 0, "%s: the policy is too long", name);
    sw_policy_free(policy);
    return NULL;
}

struct sw_policy *sw_policy_read(const char *path, struct sw_status *status)
{
    if (strcmp(path, "default") == 0)
        return sw_policy_parse("default", sw_span_str(default_text), status);
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(POLICY_BYTES) : NULL;
    size_t length = text ? fread(text, 1, POLICY_BYTES, file) : 0;
    struct sw_policy *policy = NULL;
    if (!file || (text && ferror(file)))
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, strerror(errno));
    else if (!text)
        *status = sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
    else if (length == POLICY_BYTES)
        *status = sw_status_make(SW_USAGE, 0, "%s: longer than 1 MB; this is no policy", path);
    else
        policy = sw_policy_parse(path, sw_span_make(text, length), status);
    free(text);
    if (file)
        (void)fclose(file);
    return policy;
}

void sw_policy_free(struct sw_policy *policy)
{
    if (!policy)
        return;
    sw_arena_release(&policy->arena);
    free(policy);
}

const char *sw_policy_name(const struct sw_policy *policy)
{
    return policy->name;
}

const struct sw_waiver *sw_policy_waivers(const struct sw_policy *policy)
{
    return policy->waivers;
}
