/*
 * audit_json.c - an audit as JSON Lines: one object for each result of a rule, each finding at each
 * subject, each certificate, and a summary, last.
 */
#include "report/audit.h"
#include "report/json_writer.h"

#include "base/time.h"

static void put_subject(const struct sw_audit_view *view, struct sw_json *json,
                        const struct sw_subject *subject)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    bool shown = !view->veil->on;
    sw_json_object(json, "subject");
    sw_json_text(json, "kind", sw_subject_kind_name(subject->kind));
    if (subject->ip_version != 0)
        sw_veil_address(view->veil, subject->address, subject->ip_version, ip);
    sw_json_text(json, "ip", subject->ip_version != 0 ? ip : NULL);
    sw_json_some(json, "port", subject->port);
    if (subject->name.len == 0)
        sw_json_null(json, "name");
    else if (subject->kind == SW_SUBJECT_CERTIFICATE)
        sw_json_wire(json, "name", sw_veil_text(view->veil, subject->name));
    else
        sw_json_wire(json, "name", sw_veil_name(view->veil, subject->name));
    sw_json_text(json, "sha256", shown ? subject->sha256 : NULL);
    sw_json_end_object(json);
}

static void put_when(struct sw_json *json, uint64_t count, int64_t first_ns, int64_t last_ns)
{
    sw_json_number(json, "sessions", count);
    sw_json_time(json, "first_seen", first_ns, 6);
    sw_json_time(json, "last_seen", last_ns, 6);
}

static void put_example(const struct sw_audit_view *view, struct sw_json *json,
                        const struct sw_example *example)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    char id[17];
    sw_json_object(json, "example");
    sw_json_wire(json, "file", sw_audit_file(view, example->file));
    sw_json_some(json, "frame", example->frame);
    sw_veil_id(view->veil, example->session, id);
    sw_json_text(json, "session", id);
    if (example->ip_version != 0)
        sw_veil_address(view->veil, example->client, example->ip_version, ip);
    sw_json_text(json, "client", example->ip_version != 0 ? ip : NULL);
    sw_json_end_object(json);
}

static void put_measure(struct sw_json *json, const char *key, const struct sw_audit_row *r,
                        int64_t value, bool known)
{
    struct sw_writer text;
    sw_writer_open_memory(&text);
    if (known && sw_audit_put_measure(r->rule, value, &text))
        sw_json_wire(json, key, sw_writer_span(&text));
    else
        sw_json_null(json, key);
    sw_writer_release(&text);
}

static void put_rule(const struct sw_audit_view *view, struct sw_json *json,
                     const struct sw_audit_row *r)
{
    const struct sw_policy *policy = sw_audit_policy(view->audit);
    sw_json_text(json, "type", "audit-rule");
    sw_json_number(json, "schema", 1);
    sw_json_text(json, "rule", sw_rule_info(r->rule)->key);
    sw_json_text(json, "demand", sw_policy_rule_text(policy, r->rule));
    sw_json_text(json, "result", sw_mark_name(r->mark));
    put_subject(view, json, &r->subject);
    put_when(json, r->count, r->first_ns, r->last_ns);
    for (int i = 0; i < SW_MARKS; i++) {
        static const char *const keys[] = {[SW_MARK_PASSED] = "passed",
                                           [SW_MARK_FAILED] = "failed",
                                           [SW_MARK_WAIVED] = "waived",
                                           [SW_MARK_UNMEASURABLE] = "not_measurable"};
        sw_json_number(json, keys[i], r->marks[i]);
    }
    put_measure(json, "worst", r, r->worst, r->has_worst);
    put_measure(json, "limit", r, r->limit, true);
    sw_json_text(json, "waiver", r->waiver ? r->waiver->title : NULL);
    put_example(view, json, &r->example);
}

static void put_finding(const struct sw_audit_view *view, struct sw_json *json,
                        const struct sw_audit_row *r)
{
    sw_json_text(json, "type", "audit-finding");
    sw_json_number(json, "schema", 1);
    sw_json_text(json, "finding", sw_finding_info(r->finding)->id);
    sw_json_text(json, "severity", sw_severity_name(r->severity));
    put_subject(view, json, &r->subject);
    put_when(json, r->count, r->first_ns, r->last_ns);
    put_example(view, json, &r->example);
}

static void put_lines(const struct sw_audit_view *view, struct sw_json *json, struct sw_span lines)
{
    sw_json_array(json, "names");
    while (lines.len > 0) {
        size_t end = sw_span_index(lines, '\n');
        sw_json_wire(json, NULL, sw_veil_name(view->veil, sw_span_sub(lines, 0, end)));
        lines = sw_span_from(lines, end + 1);
    }
    sw_json_end_array(json);
}

static void put_certificate(const struct sw_audit_view *view, struct sw_json *json,
                            const struct sw_seen_certificate *c)
{
    struct sw_subject subject = {
        .kind = SW_SUBJECT_CERTIFICATE, .name = c->subject, .sha256 = c->sha256};
    subject.ip_version = c->server.ip_version;
    subject.port = c->server.port;
    memcpy(subject.address, c->server.address, sizeof(subject.address));
    sw_json_text(json, "type", "audit-certificate");
    sw_json_number(json, "schema", 1);
    put_subject(view, json, &subject);
    sw_json_wire(json, "issuer", sw_veil_text(view->veil, c->issuer));
    put_lines(view, json, c->names);
    sw_json_text(json, "not_before", c->not_before && c->not_before[0] ? c->not_before : NULL);
    sw_json_text(json, "not_after", c->not_after && c->not_after[0] ? c->not_after : NULL);
    sw_json_array(json, "problems");
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems.sessions[i] > 0)
            sw_json_text(json, NULL, sw_certificate_problem_name((enum sw_certificate_problem)i));
    }
    sw_json_end_array(json);
    sw_json_object(json, "problem_sessions");
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems.sessions[i] > 0)
            sw_json_number(json, sw_certificate_problem_name((enum sw_certificate_problem)i),
                           c->problems.sessions[i]);
    }
    sw_json_end_object(json);
    put_when(json, c->count, c->first_ns, c->last_ns);
    put_example(view, json, &c->example);
}

static void put_change(const struct sw_audit_view *view, struct sw_json *json,
                       const struct sw_change *change)
{
    sw_json_text(json, "type", "audit-change");
    sw_json_number(json, "schema", 1);
    sw_json_text(json, "change", sw_change_name(change->kind));
    sw_json_bool(json, "worse", sw_change_is_worse(change->kind));
    put_subject(view, json, &change->server);
    if (change->what.len > 0)
        sw_json_wire(json, "what", sw_veil_text(view->veil, change->what));
    else
        sw_json_null(json, "what");
    if (change->before.len > 0)
        sw_json_wire(json, "before", sw_veil_text(view->veil, change->before));
    else
        sw_json_null(json, "before");
    put_example(view, json, &change->example);
}

static void put_rules_summary(const struct sw_audit_view *view, struct sw_json *json)
{
    const struct sw_policy *policy = sw_audit_policy(view->audit);
    sw_json_object(json, "rules");
    for (int i = 0; policy && i < SW_RULE_COUNT; i++) {
        if (sw_policy_rule_text(policy, (enum sw_rule)i))
            sw_json_text(json, sw_rule_info((enum sw_rule)i)->key,
                         sw_mark_name(sw_audit_rule_mark(view->audit, (enum sw_rule)i)));
    }
    sw_json_end_object(json);
}

static void put_summary(const struct sw_audit_view *view, struct sw_json *json)
{
    const struct sw_audit_totals *totals = sw_audit_totals(view->audit);
    const struct sw_policy *policy = sw_audit_policy(view->audit);
    sw_json_text(json, "type", "audit-summary");
    sw_json_number(json, "schema", 1);
    sw_json_text(json, "policy", policy ? sw_policy_name(policy) : NULL);
    sw_json_text(json, "result",
                 !policy                        ? NULL
                 : sw_audit_failed(view->audit) ? "failed"
                                                : "passed");
    put_when(json, totals->sessions, totals->first_ns, totals->last_ns);
    sw_json_object(json, "by_outcome");
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        sw_json_number(json, sw_outcome_name((enum sw_outcome)i), totals->by_outcome[i]);
    sw_json_end_object(json);
    put_rules_summary(view, json);
    sw_json_number(json, "repeated", view->source->repeated);
    sw_json_number(json, "left_out", totals->left_out);
    sw_json_object(json, "left_out_of");
    for (int i = 0; i < SW_SUBJECT_KINDS; i++)
        sw_json_number(json, sw_subject_kind_name((enum sw_subject_kind)i), totals->left_out_of[i]);
    sw_json_end_object(json);
    sw_json_text(json, "missing", view->source->missing);
    sw_json_text(json, "version", view->style->version);
}

static void write_json(const struct sw_audit_view *view)
{
    struct sw_json json;
    const struct sw_audit_row *r;
    const struct sw_seen_certificate *c;
    for (size_t i = 0; !view->style->quiet && (r = sw_audit_row(view->audit, i)); i++) {
        sw_json_begin(&json, view->out);
        sw_json_object(&json, NULL);
        if (r->is_rule)
            put_rule(view, &json, r);
        else
            put_finding(view, &json, r);
        sw_json_end_object(&json);
        sw_json_end_line(&json);
    }
    for (size_t i = 0; !view->style->quiet && (c = sw_audit_certificate(view->audit, i)); i++) {
        sw_json_begin(&json, view->out);
        sw_json_object(&json, NULL);
        put_certificate(view, &json, c);
        sw_json_end_object(&json);
        sw_json_end_line(&json);
    }
    const struct sw_diff *diff = view->source->diff;
    const struct sw_change *change;
    for (size_t i = 0; diff && (change = sw_diff_change(diff, i)); i++) {
        sw_json_begin(&json, view->out);
        sw_json_object(&json, NULL);
        put_change(view, &json, change);
        sw_json_end_object(&json);
        sw_json_end_line(&json);
    }
    sw_json_begin(&json, view->out);
    sw_json_object(&json, NULL);
    put_summary(view, &json);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}

const struct sw_audit_format sw_audit_json = {
    .name = "json",
    .what = "JSON Lines",
    .clients = SW_AUDIT_CLIENTS_ALL,
    .write = write_json,
};
