#include "cli/audit.h"

#include "cli/analyse.h"

#include <stdio.h>

/* What one audit is made of. */
struct work {
    const struct sw_settings *settings;
    struct sw_policy *policy; /* or NULL */
    struct sw_audit *audit;
    bool matched; /* --fail-on */
};

static void on_record(void *ctx, const struct sw_record *record)
{
    struct work *work = ctx;
    const struct sw_select *select = &work->settings->select;
    struct sw_fact fact;
    if (record->kind != SW_RECORD_SESSION ||
        !sw_select_shows(select, record->session, record->verdict))
        return;
    sw_fact_of(&fact, record->session, record->verdict);
    sw_audit_add(work->audit, &fact);
    work->matched = work->matched || sw_select_fails(select, record->session, record->verdict) ||
                    sw_select_fails_stuck(select, record->verdict->outcome);
}

static int complain(const char *what)
{
    (void)fprintf(stderr, "smtpwhy: %s\n", what);
    return SW_EXIT_TROUBLE;
}

static void write_results(const struct work *work, struct sw_outputs *outputs)
{
    char source[40];
    unsigned n = work->settings->word_count;
    (void)snprintf(source, sizeof(source), "%u capture%s", n, n == 1 ? "" : "s");
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        sw_audit_write(output->audit, work->audit, &output->style, source, &output->writer);
    }
}

/* The captures are read first; the results are written once, in the end. */
static int run(struct work *work, struct sw_outputs *outputs)
{
    const struct sw_tap tap = {on_record, work};
    struct sw_outputs none = {.count = 0};
    int status = sw_analyse_into(work->settings, &none, &tap);
    if (!sw_audit_finish(work->audit))
        return complain("out of memory");
    write_results(work, outputs);
    if (status == SW_EXIT_TROUBLE)
        return status;
    if (work->matched || (work->policy && sw_audit_failed(work->audit)))
        return SW_EXIT_MATCHED;
    return sw_audit_totals(work->audit)->left_out > 0 ? SW_EXIT_INCOMPLETE : status;
}

static bool wants_policy(const struct sw_settings *settings)
{
    for (unsigned i = 0; i < settings->output_count; i++) {
        if (strcmp(settings->outputs[i].audit->name, "junit") == 0)
            return true;
    }
    return false;
}

int sw_audit_command(const struct sw_settings *settings)
{
    struct work work = {.settings = settings};
    struct sw_status status = sw_status_ok();
    struct sw_outputs outputs;
    if (!settings->policy && wants_policy(settings))
        return complain("-o junit judges a policy; name one with --policy ('default' is built in)");
    if (settings->policy) {
        work.policy = sw_policy_read(settings->policy, &status);
        if (!work.policy)
            return complain(status.message);
    }
    int result = SW_EXIT_TROUBLE;
    work.audit = sw_audit_new(work.policy, 0);
    if (!work.audit) {
        (void)complain("out of memory");
    } else if (sw_outputs_open(&outputs, settings)) {
        result = run(&work, &outputs);
        if (!sw_outputs_close(&outputs))
            result = SW_EXIT_TROUBLE;
    }
    sw_audit_free(work.audit);
    sw_policy_free(work.policy);
    return result;
}
