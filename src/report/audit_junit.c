/*
 * audit_junit.c - the policy as a test suite, for what reads JUnit XML: a suite for each rule, a
 * test case for each subject; what could not be measured or is waived counts as skipped.
 */
#include "report/audit.h"
#include "report/markup.h"

#include <inttypes.h>

static void put_case(const struct sw_audit_view *view, const struct sw_audit_row *r)
{
    struct sw_writer text;
    struct sw_writer *out = view->out;
    const struct sw_rule_info *info = sw_rule_info(r->rule);
    sw_writer_open_memory(&text);
    sw_audit_put_subject(view, &r->subject, &text);
    sw_writer_format(out, "    <testcase classname=\"smtpwhy.%s\" name=\"", info->key);
    sw_markup_put(out, sw_writer_span(&text));
    sw_writer_text(out, "\"");
    sw_writer_clear(&text);
    sw_audit_put_reason(view, r, &text);
    if (r->mark == SW_MARK_PASSED) {
        sw_writer_text(out, "/>\n");
    } else {
        bool failed = r->mark == SW_MARK_FAILED;
        sw_writer_format(out, ">\n      <%s message=\"", failed ? "failure" : "skipped");
        sw_markup_text(out, failed                      ? info->broken
                            : r->mark == SW_MARK_WAIVED ? "waived"
                                                        : "not measurable");
        sw_writer_text(out, failed ? "\" type=\"policy\">" : "\">");
        sw_markup_put(out, sw_writer_span(&text));
        sw_writer_format(out, "</%s>\n    </testcase>\n", failed ? "failure" : "skipped");
    }
    sw_writer_release(&text);
}

/* A rule that nothing in the captures could be held against. */
static void put_nothing(const struct sw_audit_view *view, enum sw_rule rule)
{
    sw_writer_format(
        view->out,
        "    <testcase classname=\"smtpwhy.%s\" name=\"any\">\n"
        "      <skipped message=\"not measurable\">nothing in here shows it</skipped>\n"
        "    </testcase>\n",
        sw_rule_info(rule)->key);
}

static void put_suite(const struct sw_audit_view *view, enum sw_rule rule, size_t *next)
{
    const struct sw_audit_row *r = sw_audit_row(view->audit, *next);
    size_t begin = *next;
    size_t end = begin;
    uint64_t counts[SW_MARKS] = {0};
    if (r && r->is_rule && r->rule == rule)
        end = sw_audit_group_end(view->audit, begin);
    for (size_t i = begin; i < end; i++)
        counts[sw_audit_row(view->audit, i)->mark]++;
    uint64_t skipped = counts[SW_MARK_WAIVED] + counts[SW_MARK_UNMEASURABLE] + (begin == end);
    sw_writer_format(view->out,
                     "  <testsuite name=\"smtpwhy.%s\" tests=\"%zu\" failures=\"%" PRIu64
                     "\" errors=\"0\" skipped=\"%" PRIu64 "\">\n",
                     sw_rule_info(rule)->key, begin == end ? 1 : end - begin,
                     counts[SW_MARK_FAILED], skipped);
    for (size_t i = begin; i < end; i++)
        put_case(view, sw_audit_row(view->audit, i));
    if (begin == end)
        put_nothing(view, rule);
    sw_writer_text(view->out, "  </testsuite>\n");
    *next = end;
}

/* What is missing is no broken rule, but no night job may take it for a clean result. */
static void put_missing(const struct sw_audit_view *view)
{
    sw_writer_text(view->out,
                   "  <testsuite name=\"smtpwhy.complete\" tests=\"1\" failures=\"0\" errors=\"1\" "
                   "skipped=\"0\">\n"
                   "    <testcase classname=\"smtpwhy.complete\" name=\"every shard answers\">\n"
                   "      <error message=\"incomplete\" type=\"missing\">");
    sw_markup_text(view->out, view->source->missing);
    sw_writer_text(view->out, "</error>\n    </testcase>\n  </testsuite>\n");
}

static void write_junit(const struct sw_audit_view *view)
{
    const struct sw_policy *policy = sw_audit_policy(view->audit);
    size_t next = 0;
    sw_writer_text(view->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"");
    sw_markup_text(view->out, policy ? sw_policy_name(policy) : "no policy");
    sw_writer_text(view->out, "\">\n");
    if (view->source->missing)
        put_missing(view);
    for (int i = 0; policy && i < SW_RULE_COUNT; i++) {
        const struct sw_audit_row *r = sw_audit_row(view->audit, next);
        bool has = r && r->is_rule && r->rule == (enum sw_rule)i;
        if (has || sw_policy_rule_text(policy, (enum sw_rule)i))
            put_suite(view, (enum sw_rule)i, &next);
    }
    sw_writer_text(view->out, "</testsuites>\n");
}

const struct sw_audit_format sw_audit_junit = {
    .name = "junit",
    .what = "the policy as a test suite (JUnit XML)",
    .write = write_junit,
};
