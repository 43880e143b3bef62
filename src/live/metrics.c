#include "live/metrics.h"

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct page {
    struct sw_writer *out;
    bool open_metrics;
    const char *name; /* of the family in work */
    enum kind kind;
};

/* OpenMetrics names a family of counters without its _total. */
static void family(struct page *page, const char *name, enum kind kind, const char *help)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const char *end = kind == KIND_COUNTER && !page->open_metrics ? "_total" : "";
    page->name = name;
    page->kind = kind;
    sw_writer_format(page->out, "# HELP smtpwhy_%s%s %s\n# TYPE smtpwhy_%s%s %s\n", name, end, help,
                     name, end, kinds[kind]);
}

static void sample(const struct page *page, const char *labels, uint64_t value)
{
    sw_writer_format(page->out, "smtpwhy_%s%s%s%s%s %llu\n", page->name,
                     page->kind == KIND_COUNTER ? "_total" : "", labels[0] ? "{" : "", labels,
                     labels[0] ? "}" : "", (unsigned long long)value);
}

static void put_sessions(struct page *page, const struct sw_board_counts *c)
{
    char labels[160];
    family(page, "sessions", KIND_COUNTER, "Sessions by verdict and the stage it stands at.");
    for (int i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        for (int s = 0; s < SW_STAGE_COUNT; s++) {
            if (c->by_cause[i][s] == 0)
                continue;
            (void)snprintf(labels, sizeof(labels), "verdict=\"%s\",stage=\"%s\"",
                           sw_cause_name((enum sw_cause)i), sw_stage_name((enum sw_stage)s));
            sample(page, labels, c->by_cause[i][s]);
        }
    }
    family(page, "outcomes", KIND_COUNTER, "Sessions by what became of the mail.");
    for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), "outcome=\"%s\"",
                       sw_outcome_name((enum sw_outcome)i));
        sample(page, labels, c->by_outcome[i]);
    }
    family(page, "security", KIND_COUNTER, "Sessions by how they were protected.");
    for (int i = 0; i <= SW_SECURITY_IMPLICIT_TLS_FAILED; i++) {
        const char *name = sw_security_name((enum sw_security)i);
        (void)snprintf(labels, sizeof(labels), "security=\"%s\"", name ? name : "unknown");
        sample(page, labels, c->security[i]);
    }
    family(page, "tls_results", KIND_COUNTER,
           "Sessions that show how TLS went, by the result types of RFC 8460.");
    for (int i = SW_TLS_RESULT_NONE + 1; i < SW_TLS_RESULTS; i++) {
        (void)snprintf(labels, sizeof(labels), "rfc8460=\"%s\"",
                       sw_tls_result_name((enum sw_tls_result)i));
        sample(page, labels, c->tls_results[i]);
    }
}

static void put_replies(struct page *page, const struct sw_board_counts *c)
{
    char labels[160];
    family(page, "replies", KIND_COUNTER, "Replies of servers by the class of their code.");
    for (unsigned digit = 1; digit < 6; digit++) {
        for (int s = 0; s < SW_BOARD_STAGES; s++) {
            if (c->replies[digit][s] == 0)
                continue;
            (void)snprintf(labels, sizeof(labels), "class=\"%uxx\",stage=\"%s\"", digit,
                           sw_board_stage_name((enum sw_board_stage)s));
            sample(page, labels, c->replies[digit][s]);
        }
    }
    family(page, "enhanced_codes", KIND_COUNTER, "Enhanced status codes by class and subject.");
    for (unsigned k = 2; k < 6; k++) {
        for (unsigned s = 0; s < SW_BOARD_SUBJECTS; s++) {
            if (c->enhanced[k][s] == 0)
                continue;
            (void)snprintf(labels, sizeof(labels), "subject=\"%u.%u\"", k, s);
            sample(page, labels, c->enhanced[k][s]);
        }
    }
}

static void put_delays(struct page *page, const struct sw_board_counts *c)
{
    family(page, "stage_seconds", KIND_HISTOGRAM, "How long servers took to answer.");
    for (int s = 0; s < SW_BOARD_STAGES; s++) {
        const char *stage = sw_board_stage_name((enum sw_board_stage)s);
        uint64_t sum = 0;
        if (c->delay_count[s] == 0)
            continue;
        for (int i = 0; i < SW_BOARD_DELAYS; i++) {
            char limit[24] = "+Inf";
            sum += c->delays[s][i];
            if (i < SW_BOARD_DELAYS - 1)
                (void)snprintf(limit, sizeof(limit), "%g", sw_board_delay_limits[i]);
            sw_writer_format(page->out,
                             "smtpwhy_stage_seconds_bucket{stage=\"%s\",le=\"%s\"} %llu\n", stage,
                             limit, (unsigned long long)sum);
        }
        sw_writer_format(page->out,
                         "smtpwhy_stage_seconds_sum{stage=\"%s\"} %.9g\n"
                         "smtpwhy_stage_seconds_count{stage=\"%s\"} %llu\n",
                         stage, c->delay_sum_s[s], stage, (unsigned long long)c->delay_count[s]);
    }
}

static void put_watch(struct page *page, const struct sw_watch_counts *w)
{
    family(page, "packets", KIND_COUNTER, "Frames that came up, by what was in them.");
    sample(page, "class=\"decoded\"", w->frames_decoded);
    sample(page, "class=\"other\"", w->frames_other);
    sample(page, "class=\"undecodable\"", w->frames_undecodable);
    family(page, "bytes", KIND_COUNTER, "Bytes of these frames.");
    sample(page, "", w->bytes);
    family(page, "kernel_drops", KIND_COUNTER, "Frames for which the kernel had no room.");
    sample(page, "", w->kernel_drops);
    family(page, "interface_drops", KIND_COUNTER, "Frames that a card or its driver lost.");
    sample(page, "", w->interface_drops);
    family(page, "connections", KIND_COUNTER, "TCP connections of any kind.");
    sample(page, "", w->connections);
    family(page, "open_sessions", KIND_GAUGE, "TCP connections that are watched at the moment.");
    sample(page, "", w->open_connections);
    family(page, "sessions_shed", KIND_COUNTER, "Connections let go early because of a cap.");
    sample(page, "reason=\"connections\"", w->shed_connections);
    sample(page, "reason=\"half-open\"", w->shed_half_open);
    family(page, "memuse_bytes", KIND_GAUGE, "Memory that the traffic takes at the moment.");
    sample(page, "", w->memory_bytes);
    family(page, "memcap_bytes", KIND_GAUGE, "Memory that it may take.");
    sample(page, "", w->memory_cap_bytes);
    family(page, "last_packet_timestamp_seconds", KIND_GAUGE, "When the last frame came.");
    sw_writer_format(page->out, "smtpwhy_last_packet_timestamp_seconds %.3f\n",
                     (double)w->last_frame_ns / 1e9);
}

static void put_sample(struct page *page, const struct sw_metrics_sink *sink, const char *result,
                       uint64_t value)
{
    char labels[80];
    (void)snprintf(labels, sizeof(labels), "sink=\"%s\"%s%s%s", sink->name,
                   result ? ",result=\"" : "", result ? result : "", result ? "\"" : "");
    sample(page, labels, value);
}

static void put_sinks(struct page *page, const struct sw_metrics_sink *sinks)
{
    const struct sw_metrics_sink *used[SW_METRICS_SINKS];
    unsigned count = 0;
    for (unsigned i = 0; i < SW_METRICS_SINKS; i++) {
        if (sinks[i].feed)
            used[count++] = &sinks[i];
    }
    if (count == 0)
        return;
    family(page, "export_batches", KIND_COUNTER, "Batches of sessions handed to a sink.");
    for (unsigned i = 0; i < count; i++) {
        const struct sw_feed *feed = used[i]->feed;
        put_sample(page, used[i], "ok", used[i]->passes_on ? feed->state.sent : feed->batches[1]);
        put_sample(page, used[i], "failed",
                   used[i]->passes_on ? feed->state.failed : feed->batches[0]);
    }
    family(page, "export_sessions_lost", KIND_COUNTER, "Sessions that a sink did not take.");
    for (unsigned i = 0; i < count; i++)
        put_sample(page, used[i], NULL, sw_feed_not_kept(used[i]->feed));
    family(page, "export_spool_bytes", KIND_GAUGE, "Bytes that wait for a sink.");
    for (unsigned i = 0; i < count; i++)
        put_sample(page, used[i], NULL,
                   sw_feed_waiting(used[i]->feed) + used[i]->feed->state.spool_bytes);
}

static void put_policy(struct page *page, const struct sw_metrics_policy *policy)
{
    char labels[80];
    if (!policy)
        return;
    family(page, "policy_sessions", KIND_COUNTER, "Sessions by how a rule of the policy stood.");
    for (int r = 0; r < SW_RULE_COUNT; r++) {
        const uint64_t *n = policy->sessions[r];
        bool any = policy->demanded[r] && r != SW_RULE_FAILURE_RATE_MAX;
        for (int m = 0; m < SW_MARKS; m++)
            any = any || n[m] > 0;
        for (int m = 0; any && m < SW_MARKS; m++) {
            (void)snprintf(labels, sizeof(labels), "rule=\"%s\",result=\"%s\"",
                           sw_rule_info((enum sw_rule)r)->key, sw_mark_name((enum sw_mark_of)m));
            sample(page, labels, n[m]);
        }
    }
    family(page, "policy_reloads", KIND_COUNTER, "How often the policy was read again.");
    sample(page, "result=\"ok\"", policy->reloads[1]);
    sample(page, "result=\"failed\"", policy->reloads[0]);
    family(page, "policy_last_reload_successful", KIND_GAUGE,
           "1 when the policy in force is the one in the file.");
    sample(page, "", policy->good);
}

static void put_sandbox(struct page *page, const struct sw_sandbox *sandbox)
{
    char labels[80];
    family(page, "sandbox_layer", KIND_GAUGE, "Layers of the sandbox, 1 where active.");
    for (int i = 0; i < SW_SANDBOX_LAYERS; i++) {
        (void)snprintf(labels, sizeof(labels), "layer=\"%s\"",
                       sw_sandbox_layer_name((enum sw_sandbox_layer)i));
        sample(page, labels, sandbox->active[i]);
    }
    family(page, "sandbox_info", KIND_GAUGE, "What the sandbox is made of.");
    (void)snprintf(labels, sizeof(labels), "landlock_abi=\"%d\",seccomp=\"%s\"",
                   sandbox->landlock_abi, sandbox->active[SW_SANDBOX_SECCOMP] ? "yes" : "no");
    sample(page, labels, 1);
}

static void put_build(struct page *page)
{
    struct sw_build_info info;
    char labels[200];
    sw_build_describe(&info);
    family(page, "build_info", KIND_GAUGE, "The program and the libraries that it uses.");
    (void)snprintf(labels, sizeof(labels),
                   "version=\"%s\",ndpi=\"%s\",openssl=\"%s\",libpcap=\"%s\"", SMTPWHY_VERSION,
                   info.ndpi, info.openssl, info.libpcap);
    sample(page, labels, 1);
}

void sw_metrics_put(const struct sw_board *board, const struct sw_metrics_facts *facts,
                    bool open_metrics, struct sw_writer *out)
{
    struct page page = {.out = out, .open_metrics = open_metrics};
    put_sessions(&page, &board->counts);
    put_replies(&page, &board->counts);
    put_delays(&page, &board->counts);
    family(&page, "acked_unseen_bytes", KIND_COUNTER,
           "Bytes that were acknowledged and that the capture lacks.");
    sample(&page, "", board->counts.acked_unseen_bytes);
    put_watch(&page, &facts->watch);
    put_sinks(&page, facts->sinks);
    put_policy(&page, facts->policy);
    family(&page, "kept_rows", KIND_GAUGE, "Sessions that are kept for the dashboard.");
    sample(&page, "", board->next - board->first);
    family(&page, "kept_bytes", KIND_GAUGE, "Memory that they take.");
    sample(&page, "", board->bytes);
    put_sandbox(&page, facts->sandbox);
    put_build(&page);
    if (open_metrics)
        sw_writer_text(out, "# EOF\n");
}
