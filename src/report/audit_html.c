/*
 * audit_html.c - an audit as one page to send on: no scripts, nothing from outside.
 */
#include "report/audit.h"
#include "report/markup.h"

#include "base/time.h"

#include <inttypes.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Mail audit</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#57606a;--line:#d0d7de;"
    "--bad:#b3261e;--good:#1a7f37;--warn:#8a5a00;--band:#f6f8fa}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#9198a1;"
    "--line:#30363d;--bad:#ff8a80;--good:#56d364;--warn:#e3b341;--band:#161b22}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:72rem;margin:0 auto;padding:1.5rem}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2rem 0 .5rem}"
    "p{margin:.25rem 0}.soft{color:var(--soft)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid "
    "var(--line)}th{background:var(--band);font-weight:600}td{overflow-wrap:anywhere}\n"
    ".scroll{overflow-x:auto}.mark{font-weight:600}td.mark{white-space:nowrap}.failed,.critical,"
    ".high{color:var(--bad)}.passed{color:var(--good)}.waived,.medium{color:var(--warn)}"
    ".not-measurable,.low,.info{color:var(--soft)}\n"
    "code{font:.92em ui-monospace,monospace}\n"
    /* On a narrow screen nobody can read columns of three letters: each row becomes a list. */
    "@media screen and (max-width:46rem){body{padding:1rem}thead{display:none}"
    "table,tbody,tr,td{display:block}tr{padding:.5rem 0;border-bottom:1px solid var(--line)}"
    "td{border:0;padding:.1rem "
    "0}td:empty{display:none}td[data-label]::before{content:attr(data-label) \": \";"
    "color:var(--soft)}}\n"
    "@media print{body{max-width:none;padding:0}tr{break-inside:avoid}}\n"
    "</style>\n</head>\n<body>\n";

static void put_time(struct sw_writer *out, int64_t time_ns)
{
    char time[SW_TIME_TEXT_BYTES];
    (void)sw_time_format(time_ns, 0, time);
    sw_writer_text(out, time);
}

static void put_subject_cell(const struct sw_audit_view *view, const struct sw_subject *subject)
{
    struct sw_writer text;
    sw_writer_open_memory(&text);
    sw_audit_put_subject(view, subject, &text);
    sw_writer_text(view->out, "<td>");
    sw_markup_put(view->out, sw_writer_span(&text));
    sw_writer_text(view->out, "</td>");
    sw_writer_release(&text);
}

static void put_example_cell(const struct sw_audit_view *view, const struct sw_example *example)
{
    struct sw_writer text;
    sw_writer_open_memory(&text);
    sw_audit_put_example(view, example, &text);
    sw_writer_text(view->out, "<td>");
    sw_markup_put(view->out, sw_writer_span(&text));
    sw_writer_text(view->out, "</td>");
    sw_writer_release(&text);
}

static void begin_table(struct sw_writer *out, const char *const *columns)
{
    sw_writer_text(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                        "aria-label=\"table\"><table>\n<thead><tr>");
    for (; *columns; columns++)
        sw_writer_format(out, "<th scope=\"col\">%s</th>", *columns);
    sw_writer_text(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct sw_writer *out)
{
    sw_writer_text(out, "</tbody>\n</table></div>\n");
}

static void put_head(const struct sw_audit_view *view)
{
    const struct sw_audit_totals *totals = sw_audit_totals(view->audit);
    struct sw_writer *out = view->out;
    sw_writer_text(out, head);
    sw_writer_text(out, "<h1>Mail audit</h1>\n<p class=\"soft\">");
    sw_markup_text(out, view->source->name);
    sw_writer_format(out, ", %" PRIu64 " session%s", totals->sessions,
                     totals->sessions == 1 ? "" : "s");
    if (totals->sessions > 0) {
        sw_writer_text(out, ", ");
        put_time(out, totals->first_ns);
        sw_writer_text(out, " to ");
        put_time(out, totals->last_ns);
    }
    sw_writer_text(out, "</p>\n");
    if (view->source->repeated > 0) {
        sw_writer_text(out, "<p class=\"mark waived\">");
        sw_audit_put_repeated(view->source->repeated, out);
        sw_writer_text(out, "</p>\n");
    }
    if (!view->source->missing)
        return;
    sw_writer_text(out, "<p><span class=\"mark failed\">incomplete</span> ");
    sw_markup_text(out, view->source->missing);
    sw_writer_text(out, ".</p>\n");
}

static void put_rule_row(const struct sw_audit_view *view, const struct sw_audit_row *r)
{
    struct sw_writer text;
    struct sw_writer *out = view->out;
    sw_writer_open_memory(&text);
    sw_writer_format(out, "<tr><td class=\"mark %s\">%s</td>", sw_mark_name(r->mark),
                     sw_mark_name(r->mark));
    put_subject_cell(view, &r->subject);
    sw_audit_put_reason(view, r, &text);
    sw_writer_text(out, "<td>");
    sw_markup_put(out, sw_writer_span(&text));
    sw_writer_text(out, "</td></tr>\n");
    sw_writer_release(&text);
}

static void put_rule(const struct sw_audit_view *view, enum sw_rule rule, size_t begin, size_t end)
{
    static const char *const columns[] = {"Result", "Where", "What was seen", NULL};
    struct sw_writer *out = view->out;
    const struct sw_rule_info *info = sw_rule_info(rule);
    const char *mark = sw_mark_name(sw_audit_rule_mark(view->audit, rule));
    sw_writer_format(out, "<h2><span class=\"mark %s\">%s</span> <code>%s = ", mark, mark,
                     info->key);
    sw_markup_text(out, sw_policy_rule_text(sw_audit_policy(view->audit), rule));
    sw_writer_text(out, "</code></h2>\n<p>");
    sw_markup_text(out, begin == end ? "Nothing in here shows it." : info->demand);
    sw_writer_text(out, "</p>\n");
    if (begin == end)
        return;
    begin_table(out, columns);
    for (size_t i = begin; i < end; i++)
        put_rule_row(view, sw_audit_row(view->audit, i));
    end_table(out);
}

static size_t put_policy(const struct sw_audit_view *view)
{
    const struct sw_policy *policy = sw_audit_policy(view->audit);
    size_t next = 0;
    if (!policy)
        return 0;
    sw_writer_text(view->out, "<p>Policy: <strong>");
    sw_markup_text(view->out, sw_policy_name(policy));
    sw_writer_format(view->out, "</strong>: <span class=\"mark %s\">%s</span></p>\n",
                     sw_audit_failed(view->audit) ? "failed" : "passed",
                     sw_audit_failed(view->audit) ? "failed" : "passed");
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        const struct sw_audit_row *r = sw_audit_row(view->audit, next);
        bool has = r && r->is_rule && r->rule == (enum sw_rule)i;
        size_t end = has ? sw_audit_group_end(view->audit, next) : next;
        if (has || sw_policy_rule_text(policy, (enum sw_rule)i))
            put_rule(view, (enum sw_rule)i, next, end);
        next = end;
    }
    return next;
}

static void put_changes(const struct sw_audit_view *view)
{
    static const char *const columns[] = {"", "Server", "Change", "Example", NULL};
    struct sw_writer text;
    struct sw_writer *out = view->out;
    const struct sw_change *change;
    if (!view->source->diff)
        return;
    sw_writer_text(out, "<h2>Changes: ");
    sw_markup_text(out, sw_audit_since_words(view));
    sw_writer_text(out, " compared with what was before</h2>\n");
    if (!sw_diff_change(view->source->diff, 0)) {
        sw_writer_text(out, "<p>");
        sw_markup_text(out, sw_audit_no_change(view));
        sw_writer_text(out, "</p>\n");
        return;
    }
    begin_table(out, columns);
    sw_writer_open_memory(&text);
    for (size_t i = 0; (change = sw_diff_change(view->source->diff, i)); i++) {
        bool worse = sw_change_is_worse(change->kind);
        sw_writer_format(out, "<tr><td class=\"mark %s\">%s</td>", worse ? "failed" : "passed",
                         worse ? "worse" : "");
        put_subject_cell(view, &change->server);
        sw_writer_clear(&text);
        sw_audit_put_change(view, change, &text);
        sw_writer_text(out, "<td>");
        sw_markup_put(out, sw_writer_span(&text));
        sw_writer_text(out, "</td>");
        put_example_cell(view, &change->example);
        sw_writer_text(out, "</tr>\n");
    }
    sw_writer_release(&text);
    end_table(out);
}

static void put_findings(const struct sw_audit_view *view, size_t next)
{
    static const char *const columns[] = {"Level", "Finding", "Where",   "Sessions",
                                          "First", "Last",    "Example", NULL};
    struct sw_writer *out = view->out;
    const struct sw_audit_row *r = sw_audit_row(view->audit, next);
    sw_writer_text(out, r ? "<h2>Findings</h2>\n" : "<h2>No findings</h2>\n");
    if (!r)
        return;
    begin_table(out, columns);
    for (; (r = sw_audit_row(view->audit, next)); next++) {
        const char *level = sw_severity_name(r->severity);
        sw_writer_format(out, "<tr><td class=\"mark %s\">%s</td><td>", level, level);
        sw_markup_text(out, sw_finding_wording(r->finding)->summary);
        sw_writer_format(out, "<br><code>%s</code></td>", sw_finding_info(r->finding)->id);
        put_subject_cell(view, &r->subject);
        sw_writer_format(out, "<td data-label=\"Sessions\">%" PRIu64 "</td>", r->count);
        sw_writer_text(out, "<td data-label=\"First\">");
        put_time(out, r->first_ns);
        sw_writer_text(out, "</td><td data-label=\"Last\">");
        put_time(out, r->last_ns);
        sw_writer_text(out, "</td>");
        put_example_cell(view, &r->example);
        sw_writer_text(out, "</tr>\n");
    }
    end_table(out);
}

static void put_certificates(const struct sw_audit_view *view)
{
    static const char *const columns[] = {"Good until", "Certificate", "Server",
                                          "Sessions",   "Problems",    NULL};
    struct sw_writer *out = view->out;
    const struct sw_seen_certificate *c;
    if (!sw_audit_certificate(view->audit, 0))
        return;
    sw_writer_text(out, "<h2>Certificates</h2>\n");
    begin_table(out, columns);
    for (size_t i = 0; (c = sw_audit_certificate(view->audit, i)); i++) {
        struct sw_subject subject = {
            .kind = SW_SUBJECT_CERTIFICATE, .name = c->subject, .sha256 = c->sha256};
        sw_writer_text(out, "<tr><td data-label=\"Good until\">");
        sw_markup_text(out, c->not_after);
        sw_writer_text(out, "</td>");
        put_subject_cell(view, &subject);
        put_subject_cell(view, &c->server);
        sw_writer_format(out, "<td data-label=\"Sessions\">%" PRIu64 "</td>", c->count);
        sw_writer_text(out, "<td data-label=\"Problems\">");
        sw_audit_put_problems(&c->problems, "", out);
        sw_writer_text(out, "</td></tr>\n");
    }
    end_table(out);
}

static void write_html(const struct sw_audit_view *view)
{
    put_head(view);
    size_t next = put_policy(view);
    put_changes(view);
    put_findings(view, next);
    put_certificates(view);
    sw_writer_format(view->out, "<p class=\"soft\">smtpwhy %s</p>\n</body>\n</html>\n",
                     view->style->version);
}

const struct sw_audit_format sw_audit_html = {
    .name = "html",
    .what = "one page to send on",
    .clients = SW_AUDIT_CLIENTS_ALL,
    .clients_quiet = SW_AUDIT_CLIENTS_ALL,
    .write = write_html,
};
