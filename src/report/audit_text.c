/*
 * audit_text.c - an audit for people: the policy first, then what was found, then the certificates.
 */
#include "report/audit.h"
#include "report/page.h"

#include "base/time.h"

#include <inttypes.h>

enum {
    LISTED = 8,
    LISTED_VERBOSE = 1000,
    CERTIFICATES_LISTED = 20,
    MARK_WIDTH = 16,
    BODY = 12,
    LABEL = 13
};

/* What one text report is made of. */
struct text {
    const struct sw_audit_view *view;
    struct sw_page page;
    struct sw_writer line; /* the text in work */
};

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static size_t most_listed(const struct text *t)
{
    return t->view->style->verbose ? LISTED_VERBOSE : LISTED;
}

/* Writes what stands in `line` as a paragraph and empties it. */
static void put_line(struct text *t, unsigned indent, enum sw_tone tone)
{
    sw_page_paragraph(&t->page, indent, NULL, 0, tone, sw_writer_span(&t->line));
    sw_writer_clear(&t->line);
}

static void put_repeated(struct text *t)
{
    uint64_t n = t->view->source->repeated;
    if (n == 0)
        return;
    sw_audit_put_repeated(n, &t->line);
    put_line(t, 0, SW_TONE_WARN);
}

static void put_head(struct text *t)
{
    const struct sw_audit_totals *totals = sw_audit_totals(t->view->audit);
    char first[SW_TIME_TEXT_BYTES];
    char last[SW_TIME_TEXT_BYTES];
    sw_writer_format(&t->line, "Audit of %s: %" PRIu64 " session%s", t->view->source->name,
                     totals->sessions, plural(totals->sessions));
    if (totals->sessions > 0) {
        (void)sw_time_format(totals->first_ns, 0, first);
        (void)sw_time_format(totals->last_ns, 0, last);
        sw_writer_format(&t->line, ", %s to %s", first, last);
    }
    put_line(t, 0, SW_TONE_BOLD);
    put_repeated(t);
    if (!t->view->source->missing)
        return;
    sw_writer_format(&t->line, "INCOMPLETE: %s.", t->view->source->missing);
    put_line(t, 0, SW_TONE_BAD);
}

static void put_policy_head(struct text *t)
{
    const struct sw_audit_totals *totals = sw_audit_totals(t->view->audit);
    const uint64_t *rules = totals->rules_by_mark;
    static const struct {
        enum sw_mark_of mark;
        const char *words;
    } parts[] = {{SW_MARK_FAILED, "broken"},
                 {SW_MARK_WAIVED, "waived"},
                 {SW_MARK_PASSED, "kept"},
                 {SW_MARK_UNMEASURABLE, "not measurable"}};
    sw_writer_text(&t->line, "Policy ");
    sw_writer_text(&t->line, sw_policy_name(sw_audit_policy(t->view->audit)));
    const char *between = ": ";
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t n = rules[parts[i].mark];
        if (n == 0)
            continue;
        sw_writer_format(&t->line, "%s%" PRIu64 " rule%s %s", between, n, plural(n),
                         parts[i].words);
        between = ", ";
    }
    sw_page_newline(&t->page);
    put_line(t, 0, rules[SW_MARK_FAILED] ? SW_TONE_BAD : SW_TONE_GOOD);
}

static const char *mark_words(enum sw_mark_of mark, enum sw_tone *tone)
{
    switch (mark) {
    case SW_MARK_FAILED:
        *tone = SW_TONE_BAD;
        return "FAILED";
    case SW_MARK_WAIVED:
        *tone = SW_TONE_WARN;
        return "waived";
    case SW_MARK_PASSED:
        *tone = SW_TONE_GOOD;
        return "passed";
    default:
        *tone = SW_TONE_DIM;
        return "not measurable";
    }
}

static void put_rule_results(struct text *t, size_t begin, size_t end)
{
    size_t listed = 0;
    size_t more = 0;
    for (size_t i = begin; i < end; i++) {
        const struct sw_audit_row *r = sw_audit_row(t->view->audit, i);
        bool quiet = r->mark == SW_MARK_PASSED || r->mark == SW_MARK_UNMEASURABLE;
        if (quiet && !t->view->style->verbose)
            continue;
        if (listed == most_listed(t)) {
            more++;
            continue;
        }
        enum sw_tone tone;
        const char *words = mark_words(r->mark, &tone);
        if (t->view->style->verbose)
            sw_writer_format(&t->line, "%s: ", words);
        sw_audit_put_subject(t->view, &r->subject, &t->line);
        put_line(t, MARK_WIDTH + 4, SW_TONE_PLAIN);
        sw_audit_put_reason(t->view, r, &t->line);
        put_line(t, MARK_WIDTH + 6, SW_TONE_DIM);
        listed++;
    }
    if (more > 0) {
        sw_writer_format(&t->line, "and %zu more (-v lists them)", more);
        put_line(t, MARK_WIDTH + 4, SW_TONE_DIM);
    }
}

static void put_rule(struct text *t, enum sw_rule rule, size_t begin, size_t end)
{
    const struct sw_rule_info *info = sw_rule_info(rule);
    enum sw_mark_of mark = sw_audit_rule_mark(t->view->audit, rule);
    enum sw_tone tone;
    const char *words = mark_words(mark, &tone);
    uint64_t counts[SW_MARKS] = {0};
    for (size_t i = begin; i < end; i++)
        counts[sw_audit_row(t->view->audit, i)->mark]++;
    sw_page_text(&t->page, SW_TONE_PLAIN, "  ");
    sw_page_text(&t->page, tone, words);
    for (size_t n = strlen(words); n < MARK_WIDTH; n++)
        sw_page_text(&t->page, SW_TONE_PLAIN, " ");
    sw_writer_format(&t->line, "%s = %s", info->key,
                     sw_policy_rule_text(sw_audit_policy(t->view->audit), rule));
    sw_page_put(&t->page, SW_TONE_BOLD, sw_writer_span(&t->line));
    sw_writer_clear(&t->line);
    sw_page_newline(&t->page);
    if (begin == end)
        sw_writer_text(&t->line, "nothing in here shows it");
    else if (mark == SW_MARK_FAILED)
        sw_writer_format(&t->line, "%s, at %" PRIu64 " of %zu %s:", info->broken,
                         counts[SW_MARK_FAILED], end - begin,
                         sw_audit_kind_words(info->subject, end - begin));
    else
        sw_writer_format(&t->line, "%s: %" PRIu64 " %s passed", info->demand,
                         counts[SW_MARK_PASSED],
                         sw_audit_kind_words(info->subject, counts[SW_MARK_PASSED]));
    if (mark != SW_MARK_FAILED && counts[SW_MARK_WAIVED] > 0)
        sw_writer_format(&t->line, ", %" PRIu64 " waived", counts[SW_MARK_WAIVED]);
    if (mark != SW_MARK_FAILED && counts[SW_MARK_UNMEASURABLE] > 0)
        sw_writer_format(&t->line, ", %" PRIu64 " not measurable", counts[SW_MARK_UNMEASURABLE]);
    put_line(t, MARK_WIDTH + 2, SW_TONE_PLAIN);
    put_rule_results(t, begin, end);
}

/* Waivers whose end lies before the last session: they cover nothing any more. */
static void put_expired(struct text *t)
{
    const struct sw_audit_totals *totals = sw_audit_totals(t->view->audit);
    const struct sw_waiver *waiver;
    SW_EACH(waiver, sw_policy_waivers(sw_audit_policy(t->view->audit))) {
        if (totals->sessions == 0 || totals->last_ns < waiver->until_ns)
            continue;
        sw_writer_format(&t->line, "The waiver \"%s\" (line %u) ended on %s.", waiver->title,
                         waiver->line, waiver->until);
        put_line(t, 2, SW_TONE_WARN);
    }
}

/* The first result of a rule, or the end. */
static size_t find_rule(const struct sw_audit *audit, enum sw_rule rule, size_t *end)
{
    const struct sw_audit_row *r;
    size_t i = 0;
    for (; (r = sw_audit_row(audit, i)) && r->is_rule; i++) {
        if (r->rule == rule) {
            *end = sw_audit_group_end(audit, i);
            return i;
        }
    }
    *end = i;
    return i;
}

static void put_policy(struct text *t)
{
    const struct sw_audit *audit = t->view->audit;
    if (!sw_audit_policy(audit))
        return;
    put_policy_head(t);
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        size_t end = 0;
        size_t begin = find_rule(audit, (enum sw_rule)i, &end);
        if (begin < end || sw_policy_rule_text(sw_audit_policy(audit), (enum sw_rule)i))
            put_rule(t, (enum sw_rule)i, begin, end);
    }
    put_expired(t);
}

/* "servers: a (3), b (1) and 4 more": the subjects of one kind in one paragraph. */
static void put_kind(struct text *t, size_t begin, size_t end, enum sw_subject_kind kind)
{
    size_t n = 0;
    for (size_t i = begin; i < end; i++) {
        const struct sw_audit_row *r = sw_audit_row(t->view->audit, i);
        if (r->subject.kind != kind)
            continue;
        if (n < most_listed(t)) {
            sw_writer_text(&t->line, n > 0 ? ", " : "");
            sw_audit_put_subject(t->view, &r->subject, &t->line);
            sw_writer_format(&t->line, " (%" PRIu64 ")", r->count);
        }
        n++;
    }
    if (n == 0)
        return;
    if (n > most_listed(t))
        sw_writer_format(&t->line, " and %zu more", n - most_listed(t));
    sw_page_paragraph(&t->page, BODY, sw_audit_kind_words(kind, n), LABEL, SW_TONE_PLAIN,
                      sw_writer_span(&t->line));
    sw_writer_clear(&t->line);
}

static void put_span_of_time(struct text *t, size_t begin, size_t end)
{
    const struct sw_audit_row *earliest = NULL;
    int64_t last_ns = 0;
    for (size_t i = begin; i < end; i++) {
        const struct sw_audit_row *r = sw_audit_row(t->view->audit, i);
        if (r->first_ns == SW_TIME_NONE) /* a client's: the servers have seen the same sessions */
            continue;
        if (!earliest || r->last_ns > last_ns)
            last_ns = r->last_ns;
        if (!earliest || r->first_ns < earliest->first_ns)
            earliest = r;
    }
    if (!earliest)
        return;
    sw_audit_put_times(earliest->first_ns, last_ns, &t->line);
    sw_writer_text(&t->line, "; ");
    sw_audit_put_example(t->view, &earliest->example, &t->line);
    sw_page_paragraph(&t->page, BODY, "first", LABEL, SW_TONE_DIM, sw_writer_span(&t->line));
    sw_writer_clear(&t->line);
}

static void put_finding(struct text *t, size_t begin, size_t end)
{
    const struct sw_audit_row *r = sw_audit_row(t->view->audit, begin);
    enum sw_severity worst = SW_SEVERITY_INFO;
    for (size_t i = begin; i < end; i++) {
        enum sw_severity severity = sw_audit_row(t->view->audit, i)->severity;
        worst = severity > worst ? severity : worst;
    }
    const char *level = sw_severity_name(worst);
    enum sw_tone tone = worst >= SW_SEVERITY_HIGH     ? SW_TONE_BAD
                        : worst == SW_SEVERITY_MEDIUM ? SW_TONE_WARN
                                                      : SW_TONE_DIM;
    sw_page_text(&t->page, SW_TONE_PLAIN, "  ");
    sw_page_text(&t->page, tone, level);
    for (size_t n = strlen(level); n < BODY - 2; n++)
        sw_page_text(&t->page, SW_TONE_PLAIN, " ");
    sw_page_text(&t->page, SW_TONE_BOLD, sw_finding_info(r->finding)->id);
    sw_page_newline(&t->page);
    sw_writer_text(&t->line, sw_finding_wording(r->finding)->summary);
    put_line(t, BODY, SW_TONE_PLAIN);
    for (int kind = 0; kind < SW_SUBJECT_KINDS; kind++)
        put_kind(t, begin, end, (enum sw_subject_kind)kind);
    put_span_of_time(t, begin, end);
}

static void put_findings(struct text *t)
{
    const struct sw_audit *audit = t->view->audit;
    const struct sw_audit_row *r;
    size_t begin = 0;
    while ((r = sw_audit_row(audit, begin)) && r->is_rule)
        begin++;
    sw_page_newline(&t->page);
    sw_page_text(&t->page, SW_TONE_BOLD, r ? "Findings" : "No findings.");
    sw_page_newline(&t->page);
    while ((r = sw_audit_row(audit, begin))) {
        size_t end = sw_audit_group_end(audit, begin);
        put_finding(t, begin, end);
        begin = end;
    }
}

static void put_certificate(struct text *t, const struct sw_seen_certificate *c)
{
    struct sw_subject subject = {
        .kind = SW_SUBJECT_CERTIFICATE, .name = c->subject, .sha256 = c->sha256};
    char day[11] = "";
    memcpy(day, c->not_after, strlen(c->not_after) >= 10 ? 10 : 0);
    sw_writer_format(&t->line, "until %s  ", day[0] ? day : "?");
    sw_audit_put_subject(t->view, &subject, &t->line);
    sw_writer_text(&t->line, ", at ");
    sw_audit_put_subject(t->view, &c->server, &t->line);
    sw_writer_format(&t->line, ", %" PRIu64 " session%s", c->count, plural(c->count));
    sw_audit_put_problems(&c->problems, ": ", &t->line);
    put_line(t, 2, SW_TONE_PLAIN);
}

static void put_certificates(struct text *t)
{
    const struct sw_seen_certificate *c;
    size_t most = t->view->style->verbose ? LISTED_VERBOSE : CERTIFICATES_LISTED;
    size_t n = 0;
    for (; (c = sw_audit_certificate(t->view->audit, n)); n++) {
        if (n == 0) {
            sw_page_newline(&t->page);
            sw_page_text(&t->page, SW_TONE_BOLD,
                         "Certificates, in the order in which they run out");
            sw_page_newline(&t->page);
        }
        if (n < most)
            put_certificate(t, c);
    }
    if (n > most) {
        sw_writer_format(&t->line, "and %zu more", n - most);
        put_line(t, 2, SW_TONE_DIM);
    }
}

static void put_changes(struct text *t)
{
    const struct sw_diff *diff = t->view->source->diff;
    const struct sw_change *change;
    size_t n = 0;
    if (!diff)
        return;
    sw_page_newline(&t->page);
    uint64_t before = sw_diff_sessions(diff, false);
    uint64_t after = sw_diff_sessions(diff, true);
    sw_writer_format(&t->line,
                     "%s (%" PRIu64 " session%s) compared with what was before (%" PRIu64
                     " session%s)",
                     sw_audit_since_words(t->view), after, plural(after), before, plural(before));
    put_line(t, 0, SW_TONE_BOLD);
    for (; (change = sw_diff_change(diff, n)); n++) {
        if (n >= LISTED_VERBOSE)
            continue;
        sw_writer_text(&t->line, sw_change_is_worse(change->kind) ? "worse  " : "       ");
        sw_audit_put_subject(t->view, &change->server, &t->line);
        sw_writer_text(&t->line, ": ");
        sw_audit_put_change(t->view, change, &t->line);
        sw_writer_text(&t->line, "; ");
        sw_audit_put_example(t->view, &change->example, &t->line);
        put_line(t, 2, sw_change_is_worse(change->kind) ? SW_TONE_BAD : SW_TONE_PLAIN);
    }
    if (n == 0) {
        sw_writer_text(&t->line, sw_audit_no_change(t->view));
        put_line(t, 2, SW_TONE_PLAIN);
    }
}

/* Of whom there were too many. A session counts once for each of its findings and rules. */
static void put_left_out(struct text *t, const struct sw_audit_totals *totals)
{
    const char *between = "There were too many subjects for one audit: ";
    for (int kind = 0; kind < SW_SUBJECT_KINDS; kind++) {
        uint64_t n = totals->left_out_of[kind];
        if (n == 0)
            continue;
        sw_writer_format(&t->line, "%s%" PRIu64 " time%s a session was not counted for %ss",
                         between, n, n == 1 ? "" : "s",
                         sw_subject_kind_name((enum sw_subject_kind)kind));
        between = ", ";
    }
    sw_writer_text(&t->line, ". Choose fewer with --since, --client or --server.");
    put_line(t, 0, SW_TONE_WARN);
}

static void write_text(const struct sw_audit_view *view)
{
    struct text t = {.view = view};
    const struct sw_audit_totals *totals = sw_audit_totals(view->audit);
    sw_page_open(&t.page, view->out, view->style->width, view->style->color);
    sw_writer_open_memory(&t.line);
    put_head(&t);
    put_policy(&t);
    put_changes(&t);
    if (!view->style->quiet) {
        put_findings(&t);
        put_certificates(&t);
    }
    if (totals->left_out > 0)
        put_left_out(&t, totals);
    sw_writer_release(&t.line);
    sw_page_release(&t.page);
}

void sw_audit_write_policy(const struct sw_audit *audit, const struct sw_report_style *style,
                           struct sw_writer *out)
{
    struct sw_veil veil;
    const struct sw_audit_view view = {audit, style, &veil, out, NULL};
    struct text t = {.view = &view};
    sw_veil_init(&veil, style->anonymize, style->veil_key);
    sw_page_open(&t.page, out, style->width, style->color);
    sw_writer_open_memory(&t.line);
    put_policy(&t);
    if (sw_audit_totals(audit)->left_out > 0)
        put_left_out(&t, sw_audit_totals(audit));
    sw_writer_release(&t.line);
    sw_page_release(&t.page);
    sw_veil_release(&veil);
}

const struct sw_audit_format sw_audit_text = {
    .name = "text",
    .what = "for people",
    .clients = SW_AUDIT_CLIENTS_COUNTS,
    .write = write_text,
};
