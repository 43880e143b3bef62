/*
 * audit.c - what the formats of an audit share: the table of them, and how subjects, examples and
 * measures are written.
 */
#include "report/audit.h"

#include "base/time.h"
#include "report/view.h"

#include <inttypes.h>

extern const struct sw_audit_format sw_audit_text;
extern const struct sw_audit_format sw_audit_json;
extern const struct sw_audit_format sw_audit_junit;
extern const struct sw_audit_format sw_audit_html;

static const struct sw_audit_format *const formats[] = {
    &sw_audit_text,
    &sw_audit_json,
    &sw_audit_junit,
    &sw_audit_html,
};

const struct sw_audit_format *sw_audit_format(size_t index)
{
    return index < sizeof(formats) / sizeof(formats[0]) ? formats[index] : NULL;
}

void sw_audit_write(const struct sw_audit_format *format, const struct sw_audit *audit,
                    const struct sw_report_style *style, const struct sw_audit_source *source,
                    struct sw_writer *out)
{
    struct sw_veil veil;
    sw_veil_init(&veil, style->anonymize, style->veil_key);
    struct sw_audit_view view = {audit, style, &veil, out, source};
    format->write(&view);
    sw_veil_release(&veil);
}

static void put_server(const struct sw_audit_view *view, const struct sw_subject *subject,
                       struct sw_span name, struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    char plain[SW_ADDRESS_TEXT_BYTES] = "";
    if (subject->ip_version != 0) {
        sw_address_format(subject->address, subject->ip_version, plain);
        sw_veil_address(view->veil, subject->address, subject->ip_version, ip);
        sw_writer_format(out, subject->ip_version == 6 && subject->port ? "[%s]" : "%s", ip);
        if (subject->port != 0) /* a host that was never reached has none */
            sw_writer_format(out, ":%u", subject->port);
    }
    bool same = subject->ip_version != 0 && sw_span_eq(name, sw_span_str(plain));
    if (name.len == 0 || view->style->no_names || same)
        return;
    sw_writer_text(out, subject->ip_version != 0 ? " (" : "");
    sw_writer_put(out, sw_veil_name(view->veil, name));
    sw_writer_text(out, subject->ip_version != 0 ? ")" : "");
}

void sw_audit_put_subject(const struct sw_audit_view *view, const struct sw_subject *subject,
                          struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    struct sw_span nothing = {NULL, 0};
    switch (subject->kind) {
    case SW_SUBJECT_SERVER:
        put_server(view, subject, subject->name, out);
        break;
    case SW_SUBJECT_CLIENT:
        sw_veil_address(view->veil, subject->address, subject->ip_version, ip);
        sw_writer_text(out, ip);
        break;
    case SW_SUBJECT_USER:
        if (subject->name.len > 0)
            sw_writer_put(out, sw_veil_name(view->veil, subject->name));
        else
            sw_writer_text(out, "(user name not seen)");
        sw_writer_text(out, " at ");
        put_server(view, subject, nothing, out);
        break;
    case SW_SUBJECT_CERTIFICATE:
        if (subject->name.len > 0)
            sw_writer_put(out, sw_veil_text(view->veil, subject->name));
        else
            sw_writer_text(out, "(no subject)");
        /* the same name is on many */
        if (subject->sha256 && !view->veil->on)
            sw_writer_format(out, " (SHA-256 %.12s...)", subject->sha256);
        break;
    case SW_SUBJECT_KINDS:
        break;
    }
}

const char *sw_audit_kind_words(enum sw_subject_kind kind, uint64_t count)
{
    static const char *const words[SW_SUBJECT_KINDS][2] = {
        [SW_SUBJECT_SERVER] = {"server", "servers"},
        [SW_SUBJECT_CLIENT] = {"client", "clients"},
        [SW_SUBJECT_USER] = {"user", "users"},
        [SW_SUBJECT_CERTIFICATE] = {"certificate", "certificates"},
    };
    return words[kind][count != 1];
}

void sw_audit_put_times(int64_t first_ns, int64_t last_ns, struct sw_writer *out)
{
    char first[SW_TIME_TEXT_BYTES];
    char last[SW_TIME_TEXT_BYTES];
    (void)sw_time_format(first_ns, 0, first);
    (void)sw_time_format(last_ns, 0, last);
    sw_writer_text(out, first);
    if (strcmp(first, last) != 0)
        sw_writer_format(out, ", last %s", last);
}

void sw_audit_put_repeated(uint64_t count, struct sw_writer *out)
{
    sw_writer_format(out,
                     "%" PRIu64 " session%s seen in more than one capture and counted each time; "
                     "a history (--db) counts each once.",
                     count, count == 1 ? " was" : "s were");
}

void sw_audit_put_problems(const struct sw_problem_counts *problems, const char *before,
                           struct sw_writer *out)
{
    const char *between = before;
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (problems->sessions[i] == 0)
            continue;
        struct sw_span name =
            sw_span_str(sw_certificate_problem_name((enum sw_certificate_problem)i));
        if (sw_span_starts(name, SW_SPAN_LIT("certificate-")))
            name = sw_span_from(name, strlen("certificate-"));
        sw_writer_text(out, between);
        for (size_t c = 0; c < name.len; c++)
            sw_writer_format(out, "%c", name.ptr[c] == '-' ? ' ' : name.ptr[c]);
        sw_writer_format(out, " %" PRIu64, problems->sessions[i]);
        between = ", ";
    }
}

struct sw_span sw_audit_file(const struct sw_audit_view *view, const char *file)
{
    return sw_view_file(file, view->veil);
}

void sw_audit_put_example(const struct sw_audit_view *view, const struct sw_example *example,
                          struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_writer_format(out, "frame %" PRIu64 " of ", example->frame);
    sw_writer_put(out, sw_audit_file(view, example->file));
    if (example->ip_version == 0)
        return;
    sw_veil_address(view->veil, example->client, example->ip_version, ip);
    sw_writer_format(out, " (client %s)", ip);
}

bool sw_audit_put_measure(enum sw_rule rule, int64_t value, struct sw_writer *out)
{
    char duration[SW_VIEW_DURATION_BYTES];
    const char *version;
    switch (sw_rule_info(rule)->value) {
    case SW_RULE_VALUE_VERSION:
        version = tls_version_name((uint16_t)value);
        sw_writer_text(out, version ? version : "an unknown version");
        return true;
    case SW_RULE_VALUE_DAYS:
        sw_writer_format(out, "%" PRId64 " day%s", value, value == 1 || value == -1 ? "" : "s");
        return true;
    case SW_RULE_VALUE_DURATION:
        sw_view_duration(value, duration);
        sw_writer_text(out, duration);
        return true;
    case SW_RULE_VALUE_PERCENT:
        sw_writer_format(out, "%" PRId64 ".%" PRId64 " %%", value / 10000, value / 1000 % 10);
        return true;
    default:
        return false;
    }
}

static uint64_t measured(const struct sw_audit_row *result)
{
    return result->count - result->marks[SW_MARK_UNMEASURABLE];
}

static void put_counts(const struct sw_audit_row *result, struct sw_writer *out)
{
    uint64_t n = result->mark == SW_MARK_WAIVED ? result->marks[SW_MARK_WAIVED]
                                                : result->marks[SW_MARK_FAILED];
    uint64_t all = measured(result);
    if (result->mark == SW_MARK_PASSED)
        sw_writer_format(out, "%" PRIu64 " session%s", all, all == 1 ? "" : "s");
    else if (result->mark == SW_MARK_UNMEASURABLE)
        sw_writer_format(out, "not to be seen in %" PRIu64 " session%s", result->count,
                         result->count == 1 ? "" : "s");
    else
        sw_writer_format(out, "%" PRIu64 " of %" PRIu64 " session%s", n, all, all == 1 ? "" : "s");
}

/* When the sessions were, of which some broke the rule; not when it was broken. */
static void put_span(const struct sw_audit_row *result, struct sw_writer *out)
{
    char first[SW_TIME_TEXT_BYTES];
    char last[SW_TIME_TEXT_BYTES];
    if (result->first_ns == SW_TIME_NONE)
        return;
    (void)sw_time_format(result->first_ns, 0, first);
    (void)sw_time_format(result->last_ns, 0, last);
    if (strcmp(first, last) == 0)
        sw_writer_format(out, " at %s", first);
    else
        sw_writer_format(out, " from %s to %s", first, last);
}

void sw_audit_put_reason(const struct sw_audit_view *view, const struct sw_audit_row *result,
                         struct sw_writer *out)
{
    put_counts(result, out);
    put_span(result, out);
    if (result->has_worst) {
        sw_writer_text(out, result->rule == SW_RULE_FAILURE_RATE_MAX ? ", " : ", worst ");
        (void)sw_audit_put_measure(result->rule, result->worst, out);
    }
    if (result->problems && result->mark != SW_MARK_PASSED)
        sw_audit_put_problems(result->problems, ": ", out);
    if (result->mark == SW_MARK_WAIVED && result->waiver) {
        sw_writer_format(out, "; waived until %s (", result->waiver->until);
        sw_writer_put(out, sw_veil_text(view->veil, sw_span_str(result->waiver->reason)));
        sw_writer_text(out, ")");
    }
    sw_writer_text(out, "; for example ");
    sw_audit_put_example(view, &result->example, out);
}

const char *sw_audit_since_words(const struct sw_audit_view *view)
{
    return strcmp(view->source->since, "last") == 0 ? "the last run" : view->source->since;
}

const char *sw_audit_no_change(const struct sw_audit_view *view)
{
    const struct sw_diff *diff = view->source->diff;
    if (sw_diff_sessions(diff, true) == 0)
        return "nothing to compare: no session began since then";
    if (sw_diff_sessions(diff, false) == 0)
        return "nothing to compare with: no session began before";
    return "nothing changed";
}

void sw_audit_put_change(const struct sw_audit_view *view, const struct sw_change *change,
                         struct sw_writer *out)
{
    static const struct {
        const char *lead, *middle;
    } words[] = {
        [SW_CHANGE_FAILS] = {"no mail gets through now: ", ""},
        [SW_CHANGE_WORKS] = {"mail gets through again; before it was ", ""},
        [SW_CHANGE_CERTIFICATE] = {"shows another certificate: ", "; before it was "},
        [SW_CHANGE_LOST] = {"offers this no more: ", ""},
        [SW_CHANGE_GAINED] = {"offers this now: ", ""},
        [SW_CHANGE_TLS_LOWER] = {"agrees on a lower version of TLS: ", "; before it was "},
        [SW_CHANGE_CLEAR_LOGIN] = {"passwords are sent without encryption now", ""},
    };
    sw_writer_text(out, words[change->kind].lead);
    sw_writer_put(out, sw_veil_text(view->veil, change->what));
    sw_writer_text(out, words[change->kind].middle);
    sw_writer_put(out, sw_veil_text(view->veil, change->before));
}

size_t sw_audit_group_end(const struct sw_audit *audit, size_t begin)
{
    const struct sw_audit_row *first = sw_audit_row(audit, begin);
    const struct sw_audit_row *r;
    size_t end = begin;
    while ((r = sw_audit_row(audit, end)) && r->is_rule == first->is_rule &&
           (r->is_rule ? r->rule == first->rule : r->finding == first->finding))
        end++;
    return end;
}
