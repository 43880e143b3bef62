#include "cli/audit.h"

#include "cli/analyse.h"
#include "cli/complain.h"
#include "cli/history.h"
#include "cli/repeats.h"
#include "cli/review.h"

#include <stdio.h>

/* What one audit is made of. */
struct work {
    const struct sw_settings *settings;
    struct sw_policy *policy; /* or NULL */
    struct sw_audit *audit;
    struct sw_diff *diff; /* or NULL */
    struct sw_keeper keeper;
    struct sw_repeats repeats;
    bool matched;                         /* --fail-on */
    char missing[SW_FLEET_MESSAGE_BYTES]; /* shards of the store, or "" */
};

static int complain(const char *what)
{
    sw_complain("%s", what);
    return SW_EXIT_TROUBLE;
}

static void add(struct work *work, const struct sw_fact *fact)
{
    sw_audit_add(work->audit, fact);
    work->matched = work->matched || sw_review_matches(work->settings, fact);
}

static void on_record(void *ctx, const struct sw_record *record)
{
    struct work *work = ctx;
    struct sw_fact fact;
    if (record->kind != SW_RECORD_SESSION ||
        !sw_select_shows(&work->settings->select, record->session, record->verdict))
        return;
    sw_fact_of(&fact, record->session, record->verdict);
    sw_repeats_note(&work->repeats, fact.id);
    add(work, &fact);
    sw_keeper_fact(&work->keeper, &fact);
}

/* Compares all that the history holds: the captures of this run are in it by now. Without captures
 * it is audited at the same time. */
static bool read_history(struct work *work)
{
    bool kept = work->settings->word_count == 0;
    struct sw_review review = {
        .settings = work->settings, .audit = kept ? work->audit : NULL, .diff = work->diff};
    bool good = sw_review_history(&review);
    work->matched = work->matched || review.matched;
    return good;
}

static void on_asked(void *ctx, const struct sw_fact *fact)
{
    struct work *work = ctx;
    if (sw_fact_is_of_client(fact)) {
        sw_audit_add(work->audit, fact);
        return;
    }
    add(work, fact);
    if (work->diff)
        sw_diff_add(work->diff, fact, fact->start_ns >= work->settings->diff_ns);
}

/* The most that one of the formats tells. */
static enum sw_audit_clients told_of_clients(const struct sw_outputs *outputs)
{
    enum sw_audit_clients most = SW_AUDIT_CLIENTS_NOTHING;
    for (unsigned i = 0; i < outputs->count; i++) {
        const struct sw_output *output = &outputs->list[i];
        enum sw_audit_clients told =
            output->style.quiet ? output->audit->clients_quiet : output->audit->clients;
        if (told > most)
            most = told;
    }
    return most;
}

static bool read_store(struct work *work, const struct sw_outputs *outputs)
{
    const struct sw_select *select = &work->settings->select;
    const struct sw_fleet_question question = {.policy = work->policy,
                                               .told = told_of_clients(outputs),
                                               .compares = work->diff != NULL,
                                               .compare_ns = work->settings->diff_ns,
                                               .outcomes =
                                                   select->by_outcome ? select->outcomes : NULL,
                                               .causes = select->by_cause ? select->causes : NULL,
                                               .clients = select->clients,
                                               .client_count = select->client_count,
                                               .servers = select->servers,
                                               .server_count = select->server_count,
                                               .has_since = select->has_since,
                                               .since_ns = select->since_ns,
                                               .has_until = select->has_until,
                                               .until_ns = select->until_ns};
    struct sw_fleet_choice choice;
    char message[SW_FLEET_MESSAGE_BYTES];
    if (!sw_fleet_choose(&choice, work->settings))
        return false;
    enum sw_fleet_answer answer =
        sw_fleet_each(&choice.options, &question, on_asked, work, message);
    if (answer != SW_FLEET_WHOLE)
        sw_complain("%s", message);
    if (answer == SW_FLEET_PARTIAL)
        (void)snprintf(work->missing, sizeof(work->missing), "%s", message);
    return answer != SW_FLEET_NONE;
}

static void write_results(const struct work *work, struct sw_outputs *outputs)
{
    char source[40];
    unsigned n = work->settings->word_count;
    (void)snprintf(source, sizeof(source),
                   n > 0                   ? "%u capture%s"
                   : work->settings->store ? "the store"
                                           : "the history",
                   n, n == 1 ? "" : "s");
    const struct sw_audit_source from = {.name = source,
                                         .diff = work->diff,
                                         .since = work->settings->diff,
                                         .repeated = work->repeats.again,
                                         .missing = work->missing[0] ? work->missing : NULL};
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        sw_audit_write(output->audit, work->audit, &output->style, &from, &output->writer);
    }
}

static bool got_worse(const struct work *work)
{
    const struct sw_change *change = work->diff ? sw_diff_change(work->diff, 0) : NULL;
    return change && sw_change_is_worse(change->kind);
}

/* Reads captures, or what the history holds; then the results are written, once. */
static int run(struct work *work, struct sw_outputs *outputs)
{
    const struct sw_tap tap = {on_record, work};
    struct sw_outputs none = {.count = 0};
    int status = SW_EXIT_DONE;
    bool good = true;
    if (work->settings->word_count > 0) {
        good = sw_keeper_open(&work->keeper, work->settings);
        if (good)
            status = sw_analyse_into(work->settings, &none, &tap);
        good = sw_keeper_close(&work->keeper) && good;
        if (status == SW_EXIT_DONE && work->keeper.waits)
            status = SW_EXIT_INCOMPLETE;
    } else if (work->settings->store) {
        good = read_store(work, outputs);
    }
    if (good && work->settings->db && (work->settings->word_count == 0 || work->diff))
        good = read_history(work);
    if (work->missing[0])
        status = SW_EXIT_INCOMPLETE;
    if (!sw_audit_finish(work->audit))
        good = complain("out of memory") == SW_EXIT_DONE;
    if (good && work->diff && !sw_diff_finish(work->diff))
        good = complain("too many servers to compare them all") == SW_EXIT_DONE;
    if (!good)
        return SW_EXIT_TROUBLE;
    write_results(work, outputs);
    if (status == SW_EXIT_TROUBLE)
        return status;
    if (work->matched || (work->policy && sw_audit_failed(work->audit)) ||
        (work->settings->select.fail_worse && got_worse(work)))
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

/* How captures are read: what was kept of them earlier does not change any more. */
static bool is_about_captures(const struct sw_settings *s)
{
    return s->filter || s->stop_after_frames > 0 || s->ports || s->keylog || s->rsa_key ||
           s->ca_file || s->ca_path || s->server_name;
}

static const char *contradiction(const struct sw_settings *settings)
{
    if (settings->word_count == 0 && !settings->db && !settings->store)
        return "no capture given; name a FILE, '-' for standard input, a history with --db, or a "
               "store with --store";
    if (settings->word_count == 0 && settings->db && settings->store)
        return "--db and --store: one of them can be asked at a time";
    if (settings->word_count == 0 && is_about_captures(settings))
        return "-f, -c, -p, keys, and what certificates are judged by are about captures, and none "
               "is given; sessions are chosen with --client, --server, --only, --cause, --since "
               "and --until";
    if (!settings->policy && wants_policy(settings))
        return "-o junit judges a policy; name one with --policy ('default' is built in)";
    bool asks = settings->word_count == 0 && settings->store;
    if (settings->diff && !settings->db && !asks)
        return "--diff compares what a history or a store holds; name it with --db, or with "
               "--store and no capture";
    if (settings->diff && asks && strcmp(settings->diff, "last") == 0)
        return "--diff last: a store has the runs of many; name a time";
    if (settings->select.fail_worse && !settings->diff)
        return "--fail-on worse needs --diff";
    if (settings->retain_days > 0 && settings->word_count == 0)
        return "--retain forgets when captures are read into the history; name a FILE";
    return NULL;
}

int sw_audit_command(const struct sw_settings *settings)
{
    struct work work = {.settings = settings};
    struct sw_status status = sw_status_ok();
    struct sw_outputs outputs;
    const char *wrong = contradiction(settings);
    if (wrong)
        return complain(wrong);
    if (settings->policy) {
        work.policy = sw_policy_read(settings->policy, &status);
        if (!work.policy)
            return complain(status.message);
    }
    int result = SW_EXIT_TROUBLE;
    work.audit = sw_audit_new(work.policy, 0);
    work.diff = settings->diff ? sw_diff_new() : NULL;
    if (!work.audit || (settings->diff && !work.diff)) {
        (void)complain("out of memory");
    } else if (sw_outputs_open(&outputs, settings)) {
        result = run(&work, &outputs);
        if (!sw_outputs_close(&outputs))
            result = SW_EXIT_TROUBLE;
    }
    sw_repeats_release(&work.repeats);
    sw_diff_free(work.diff);
    sw_audit_free(work.audit);
    sw_policy_free(work.policy);
    return result;
}
