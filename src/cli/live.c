#include "cli/live.h"

#include "cli/analyse.h"
#include "cli/complain.h"
#include "cli/live_aside.h"
#include "cli/live_history.h"
#include "cli/live_policy.h"
#include "cli/live_store.h"
#include "cli/outputs.h"
#include "cli/run_options.h"
#include "cli/tui.h"
#include "live/http.h"
#include "live/loop.h"
#include "live/opener.h"
#include "live/recording.h"
#include "live/sandbox.h"
#include "live/tui.h"
#include "smtpwhy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What the terminal view saves. */
static const char session_template[] = "smtpwhy-session-%Y%m%d-%H%M%S.pcapng";

enum {
    MESSAGE_WIDTH = 100,
    STOP_MS = 1200, /* that those who keep sessions have in the end */
};

/* Not in the way of the recording and of that. */
enum { OUTPUT_FILES_MAX = SW_OPENER_PATHS_MAX - 2 };

/* Everything that lives as long as the subcommand. */
struct live {
    const struct sw_settings *settings;
    struct sw_outputs outputs;
    struct sw_part parts[SW_OUTPUTS_MAX];
    struct sw_run *run;
    struct sw_loop loop;
    struct sw_opener opener;
    char *files[OUTPUT_FILES_MAX]; /* of the outputs */
    unsigned file_count;
    struct sw_sandbox sandbox;
    struct sw_recording recording;
    struct sw_live_keeper history, store;
    struct sw_live_policy policy;
    struct sw_live_aside aside;
    struct sw_board board;
    bool has_board;
    struct sw_metrics_facts facts;
    struct sw_http *http;
    struct sw_tui *tui;
    struct sw_tui_hooks tui_hooks;
    char devices[SW_WATCH_DEVICES_MAX * SW_LIVE_NAME_BYTES]; /* "eth0,eth1" */
    int ending; /* the output whose file ends: the summary is for it alone; -1: none does */
    bool fresh; /* something was written that is not handed on yet */
    bool recording_told; /* that it failed */
    bool trouble, matched, incomplete;
};

/* Is there a report for people? */
static bool has_text(const struct live *live)
{
    bool any = false;
    for (unsigned i = 0; i < live->outputs.count; i++)
        any = any || strcmp(live->outputs.list[i].format->name, "text") == 0;
    return any;
}

/* What is made of the facts of a session that is shown; returns what the policy says. */
static struct sw_span use_facts(struct live *live, const struct sw_record *record)
{
    const struct sw_settings *settings = live->settings;
    struct sw_fact fact;
    if ((!settings->db && !settings->store && !settings->policy) ||
        !sw_select_shows(&settings->select, record->session, record->verdict))
        return (struct sw_span){NULL, 0};
    sw_fact_of(&fact, record->session, record->verdict);
    sw_live_keeper_fact(&live->history, &fact);
    sw_live_keeper_fact(&live->store, &fact);
    struct sw_span remarks = sw_live_policy_judge(&live->policy, &fact);
    if (!settings->quiet && !settings->live.tui && !has_text(live))
        sw_live_policy_say(&live->policy, &fact, record->session);
    return remarks;
}

static void on_record(void *ctx, const struct sw_record *record)
{
    struct live *live = ctx;
    if (live->ending >= 0) {
        sw_part_record(&live->parts[live->ending], record);
        return;
    }
    struct sw_span remarks = {NULL, 0};
    if (record->kind == SW_RECORD_SESSION)
        remarks = use_facts(live, record);
    for (unsigned i = 0; i < live->outputs.count; i++) {
        live->parts[i].remarks = remarks;
        sw_part_record(&live->parts[i], record);
    }
    if (live->has_board)
        sw_board_record(&live->board, record);
    live->fresh = true;
}

/* Once. */
static void tell_of_recording(struct live *live, const char *more)
{
    if (!live->recording_told)
        sw_complain("%s: the recording failed: %s%s", live->settings->live.record_path,
                    strerror(live->recording.error), more);
    live->recording_told = true;
    live->trouble = true;
}

static bool on_flush(void *ctx)
{
    struct live *live = ctx;
    bool good = !live->fresh || sw_outputs_flush(&live->outputs);
    live->fresh = false;
    if (live->recording.error != 0)
        tell_of_recording(live, "; it ends here, the analysis goes on");
    sw_live_keeper_turn(&live->history);
    sw_live_keeper_turn(&live->store);
    return good;
}

static int open_again(void *ctx, unsigned index)
{
    const struct live *live = ctx;
    return sw_opener_ask(&live->opener, SW_OPENER_APPEND, &(struct sw_opener_file){.path = index});
}

static bool open_part(struct live *live, unsigned i, const char *file, unsigned index)
{
    struct sw_output *output = &live->outputs.list[i];
    if (!sw_part_open(&live->parts[i], output->format, &output->style, &output->writer, file,
                      index))
        return false;
    live->parts[i].shown_before = output->shown;
    return true;
}

static void close_part(struct live *live, unsigned i)
{
    sw_part_close(&live->parts[i]);
    live->outputs.list[i].shown += live->parts[i].shown;
    live->matched = live->matched || live->parts[i].matched;
}

/* What was moved away is left complete, and what follows begins like any other. */
static bool end_output(void *ctx, unsigned i)
{
    struct live *live = ctx;
    close_part(live, i);
    if (!live->outputs.list[i].format->whole)
        return true;
    if (!open_part(live, i, NULL, 1))
        return false;
    live->ending = (int)i;
    sw_watch_tell(live->run);
    live->ending = -1;
    close_part(live, i);
    return true;
}

static bool begin_output(void *ctx, unsigned i)
{
    struct live *live = ctx;
    return open_part(live, i, live->devices, 0);
}

static void reload_policy(struct live *live)
{
    if (!sw_live_policy_file(live->settings))
        return;
    int fd = sw_opener_ask(&live->opener, SW_OPENER_READ, &(struct sw_opener_file){.path = 0});
    sw_live_policy_reload(&live->policy, fd, errno);
    if (fd >= 0)
        (void)close(fd);
}

static void renew_recording(struct live *live)
{
    struct sw_watch_counts counts;
    sw_watch_count(live->run, &counts);
    if (!counts.recording_open)
        return;
    if (sw_recording_renew(&live->recording))
        sw_watch_rotate(live->run);
    else if (errno != EEXIST)
        sw_complain("%s: %s; it goes on in the file that was moved away",
                    live->settings->live.record_path, strerror(errno));
}

static bool on_reopen(void *ctx)
{
    struct live *live = ctx;
    const struct sw_outputs_again again = {live, open_again, end_output, begin_output};
    reload_policy(live);
    renew_recording(live);
    return sw_outputs_reopen(&live->outputs, &again);
}

static void on_tell(void *ctx)
{
    struct live *live = ctx;
    struct sw_watch_counts counts;
    sw_watch_count(live->run, &counts);
    (void)fprintf(stderr,
                  "smtpwhy: %s: %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64
                  " connections, %" PRIu64 " sessions told; lost: %" PRIu64
                  " by the kernel, %" PRIu64 " by the interface\n",
                  live->devices, counts.frames, counts.bytes, counts.connections, counts.sessions,
                  counts.kernel_drops, counts.interface_drops);
    sw_live_policy_write(&live->policy, &live->policy.style, NULL);
}

/* The turn of the dashboard and of the terminal view. */
static bool on_more(void *ctx)
{
    struct live *live = ctx;
    sw_watch_count(live->run, &live->facts.watch);
    if (live->http)
        sw_http_run(live->http);
    return !live->tui || sw_tui_turn(live->tui);
}

/* The packets of a session, as far as they are still held. */
static void on_save(void *ctx, const struct sw_board_row *row, char *message, size_t room)
{
    struct live *live = ctx;
    struct sw_recording saved;
    char path[64];
    const struct sw_session_key key = sw_tui_key(row);
    const struct sw_opener_file file = {.path = live->file_count + 1,
                                        .time_s = row->start_ns / 1000000000,
                                        .number = (uint32_t)row->number,
                                        .inside = true};
    (void)sw_opener_path(session_template, &file, path, sizeof(path));
    sw_recording_init(&saved, &(struct sw_recording_names){.path = file.path}, &live->opener);
    bool good = sw_recording_open(&saved, &file);
    uint64_t frames = good ? sw_watch_save(live->run, &key, sw_recording_write, &saved) : 0;
    good = sw_recording_close(&saved) && good;
    if (good && frames == 0)
        (void)sw_opener_ask(&live->opener, SW_OPENER_REMOVE, &file);
    if (good && frames > 0)
        (void)snprintf(message, room, " %s: %" PRIu64 " packets, raw, passwords are in it", path,
                       frames);
    else
        (void)snprintf(message, room, " nothing was saved: %s",
                       good ? sw_tui_why_none(live->settings) : strerror(saved.error));
}

static bool open_tui(struct live *live)
{
    char message[SW_CLI_MESSAGE_BYTES];
    if (!live->settings->live.tui)
        return true;
    live->tui_hooks = (struct sw_tui_hooks){.ctx = live,
                                            .title = live->devices,
                                            .none = "No session so far.",
                                            .save = on_save,
                                            .newest_first = true};
    live->tui = sw_tui_open(&live->board, &live->tui_hooks, message, sizeof(message));
    if (!live->tui)
        (void)fprintf(stderr, "smtpwhy: %s\n", message);
    return live->tui != NULL;
}

/* Of what is shown besides the outputs, with the same pseudonyms. */
static struct sw_report_style own_style(const struct live *live)
{
    bool alone = live->outputs.count == 0;
    return (struct sw_report_style){.version = SMTPWHY_VERSION,
                                    .no_names = live->settings->no_names,
                                    .anonymize = live->settings->anonymize,
                                    .width = MESSAGE_WIDTH,
                                    .veil_key = alone ? sw_hash_random_key()
                                                      : live->outputs.list[0].style.veil_key,
                                    .select = &live->settings->select};
}

static bool open_board(struct live *live, const struct sw_report_style *style)
{
    const struct sw_live_settings *settings = &live->settings->live;
    if (!settings->http && !settings->tui)
        return true;
    live->has_board = true;
    return sw_board_init(&live->board, style, settings->tui, 0);
}

static bool open_http(struct live *live)
{
    const struct sw_live_settings *settings = &live->settings->live;
    char message[SW_CLI_MESSAGE_BYTES];
    if (!settings->http)
        return true;
    live->http = sw_http_open(settings->http, &live->board, &live->facts, message, sizeof(message));
    if (live->http)
        (void)fprintf(stderr, "smtpwhy: the dashboard is at %s\n", sw_http_place(live->http));
    else
        (void)fprintf(stderr, "smtpwhy: %s\n", message);
    return live->http != NULL;
}

static bool make_run(struct live *live)
{
    struct sw_run_options options = sw_run_options_of(live->settings);
    options.record = on_record;
    options.record_ctx = live;
    char message[512] = "";
    live->run = sw_run_new(&options, message, sizeof(message));
    if (!live->run)
        sw_complain("%s", message);
    return live->run != NULL;
}

enum { UNDECIDED_BYTES = 16 << 20, HELD_BYTES = 64 << 20 };

static struct sw_recording_options recording_options(struct live *live)
{
    const struct sw_live_settings *settings = &live->settings->live;
    const struct sw_recording_names names = {
        .path = live->file_count, /* behind the outputs */
        .by_size = settings->record_file_bytes > 0,
        .by_time = settings->record_seconds > 0,
        .files = settings->record_files,
    };
    enum sw_recording_kind kind = settings->ring_bytes ? SW_RECORDING_RING : settings->record_kind;
    uint64_t held = settings->ring_bytes ? settings->ring_bytes : (uint64_t)UNDECIDED_BYTES;
    if (settings->tui && kind == SW_RECORDING_NONE) {
        kind = SW_RECORDING_HELD;
        held = HELD_BYTES;
    }
    sw_recording_init(&live->recording, &names, &live->opener);
    return (struct sw_recording_options){
        .kind = kind,
        .held_bytes = held,
        .file_bytes = settings->record_file_bytes,
        .file_seconds = settings->record_seconds,
        .application = "smtpwhy " SMTPWHY_VERSION,
        .ctx = &live->recording,
        .begin = sw_recording_begin,
        .write = sw_recording_write,
    };
}

static void on_gone(void *ctx, const char *message)
{
    (void)ctx;
    sw_complain("%s", message);
}

static bool open_watch(struct live *live)
{
    const struct sw_live_settings *settings = &live->settings->live;
    const char *names[SW_WATCH_DEVICES_MAX];
    for (unsigned i = 0; i < settings->device_count; i++) {
        size_t used = strlen(live->devices);
        names[i] = settings->names[i];
        (void)snprintf(live->devices + used, sizeof(live->devices) - used, "%s%s", i ? "," : "",
                       names[i]);
    }
    const struct sw_recording_options recording = recording_options(live);
    const struct sw_watch_options options = {
        .recording = &recording,
        .devices = names,
        .device_count = settings->device_count,
        .snaplen_bytes = settings->snaplen_bytes,
        .buffer_bytes = settings->buffer_bytes,
        .gone = on_gone,
    };
    if (sw_watch_open(live->run, &options) == SW_RESULT_OK)
        return true;
    sw_complain("%s", sw_run_message(live->run));
    return false;
}

static bool open_parts(struct live *live, const char *file, unsigned index)
{
    bool good = true;
    for (unsigned i = 0; good && i < live->outputs.count; i++)
        good = open_part(live, i, file, index);
    return good;
}

static void close_parts(struct live *live)
{
    for (unsigned i = 0; i < live->outputs.count; i++)
        close_part(live, i);
}

/* At the end of the reports for people, or where there is none, to whom reads messages. */
static void conclude_policy(struct live *live)
{
    for (unsigned i = 0; i < live->outputs.count; i++) {
        struct sw_output *output = &live->outputs.list[i];
        if (strcmp(output->format->name, "text") == 0)
            sw_live_policy_write(&live->policy, &output->style, &output->writer);
    }
    if (!has_text(live))
        sw_live_policy_write(&live->policy, &live->policy.style, NULL);
    live->matched = live->matched || sw_live_policy_broken(&live->policy);
}

static void run_loop(struct live *live)
{
    const struct sw_loop_hooks hooks = {
        .ctx = live,
        .flush = on_flush,
        .more_fd = {live->http ? sw_http_descriptor(live->http) : -1,
                    live->tui ? STDIN_FILENO : -1},
        .more = live->has_board ? on_more : NULL,
        .reopen = on_reopen,
        .tell = on_tell,
    };
    /* what went wrong was said when it did; that a device is gone, the watch tells in the end */
    if (sw_loop_run(&live->loop, live->run, &hooks) == SW_LOOP_FAILED)
        live->trouble = true;
    if (sw_watch_close(live->run) != SW_RESULT_OK)
        live->incomplete = true;
    if (!sw_recording_close(&live->recording))
        tell_of_recording(live, "");
    close_parts(live);
    if (!open_parts(live, NULL, 1)) {
        live->trouble = true;
        return;
    }
    if (sw_run_finish(live->run) == SW_RESULT_INCOMPLETE)
        live->incomplete = true;
    close_parts(live);
}

static void list_device(void *ctx, const char *name, const char *description)
{
    (void)ctx;
    (void)printf("%s%s%s\n", name, description[0] ? "\t" : "", description);
}

static int list_devices(void)
{
    char message[400];
    if (sw_watch_devices(list_device, NULL, message, sizeof(message)))
        return SW_EXIT_DONE;
    sw_complain("%s", message);
    return SW_EXIT_TROUBLE;
}

/* What has to be opened later is opened by another process; then the doors are shut. */
static bool shut_in(struct live *live)
{
    const char *paths[SW_OPENER_PATHS_MAX];
    unsigned count = 0;
    for (; count < live->file_count; count++)
        paths[count] = live->files[count];
    if (live->settings->live.record_path) {
        paths[count++] = live->settings->live.record_path;
        (void)fprintf(stderr,
                      "smtpwhy: %s is a raw recording: it holds what was said word by word, "
                      "passwords too; its mode is 0600\n",
                      live->settings->live.record_path);
    }
    if (live->settings->live.tui) { /* behind the outputs and the recording */
        count = live->file_count + 1;
        paths[count - 1] = live->settings->live.record_path ? live->settings->live.record_path : "";
        paths[count++] = session_template;
    }
    const struct sw_opener_paths known = {paths, count, sw_live_policy_file(live->settings)};
    if (!sw_opener_start(&live->opener, &known, !live->settings->live.no_sandbox)) {
        (void)fprintf(stderr, "smtpwhy: no second process can be started: %s\n", strerror(errno));
        return false;
    }
    if (live->settings->live.no_sandbox) {
        (void)fputs("smtpwhy: WARNING: --no-sandbox: whatever a packet can make a parser do, it "
                    "does with all rights of this process\n",
                    stderr);
        return true;
    }
    sw_sandbox_enter(&live->sandbox);
    sw_sandbox_tell(&live->sandbox, live->settings->verbose, stderr);
    return true;
}

static bool can_record(struct live *live)
{
    const char *path = live->settings->live.record_path;
    if (!path || sw_recording_try(&live->recording, (int64_t)time(NULL) * INT64_C(1000000000)))
        return true;
    sw_complain("%s: %s", path, strerror(errno));
    return false;
}

/* Who looks at a screen where nothing happens yet wants to know that it is not stuck. */
static void say_what_is_watched(const struct live *live)
{
    const char *filter = live->settings->filter;
    if (isatty(STDERR_FILENO) && !live->settings->live.tui)
        sw_complain("watching %s%s%s%s; ^C ends it, with a summary", live->devices,
                    filter ? ", frames that match '" : "", filter ? filter : "", filter ? "'" : "");
}

static bool begin(struct live *live)
{
    live->facts.sandbox = &live->sandbox;
    live->facts.sinks[0] =
        (struct sw_metrics_sink){"history", live->settings->db ? &live->history.feed : NULL, false};
    live->facts.sinks[1] =
        (struct sw_metrics_sink){"store", live->settings->store ? &live->store.feed : NULL, true};
    live->facts.policy = live->settings->policy ? &live->policy.counts : NULL;
    const struct sw_report_style style = own_style(live);
    if (!sw_live_policy_start(&live->policy, live->settings, &style))
        return false;
    if (!sw_loop_prepare(&live->loop)) {
        sw_complain("%s", live->loop.message);
        return false;
    }
    return sw_live_history_start(&live->history, live->settings) &&
           sw_live_store_start(&live->store, live->settings) && make_run(live) &&
           open_watch(live) && open_board(live, &style) && open_http(live) && open_tui(live) &&
           shut_in(live) && can_record(live) && open_parts(live, live->devices, 0);
}

static void stop_keepers(struct live *live)
{
    struct sw_live_keeper *const keepers[] = {&live->history, &live->store};
    int64_t until_ms = sw_loop_now_ms() + STOP_MS;
    for (int i = 0; i < 2; i++)
        sw_live_keeper_end(keepers[i]);
    for (int i = 0; i < 2; i++) {
        int64_t left_ms = until_ms - sw_loop_now_ms();
        enum sw_live_keeper_end end =
            sw_live_keeper_stop(keepers[i], left_ms > 0 ? (unsigned)left_ms : 0);
        live->trouble = live->trouble || end == SW_LIVE_KEEPER_FAILED;
        live->incomplete = live->incomplete || end == SW_LIVE_KEEPER_WAITS;
    }
}

static int exit_status(const struct live *live)
{
    if (live->trouble)
        return SW_EXIT_TROUBLE;
    if (live->matched)
        return SW_EXIT_MATCHED;
    return live->incomplete ? SW_EXIT_INCOMPLETE : SW_EXIT_DONE;
}

int sw_live(const struct sw_settings *settings)
{
    if (settings->live.list_devices)
        return list_devices();
    char message[SW_CLI_MESSAGE_BYTES];
    if (!sw_live_check(settings, message)) {
        sw_complain("%s", message);
        return SW_EXIT_TROUBLE;
    }
    struct live *live = calloc(1, sizeof(*live));
    if (!live || !sw_outputs_open(&live->outputs, settings)) {
        free(live);
        return SW_EXIT_TROUBLE;
    }
    live->settings = settings;
    live->ending = -1;
    live->opener.child.fd = live->recording.fd = live->recording.next_fd = -1;
    live->file_count = sw_outputs_files(&live->outputs, live->files, OUTPUT_FILES_MAX);
    if (settings->live.tui)
        sw_live_aside_start(&live->aside);
    bool begun = begin(live);
    if (begun)
        say_what_is_watched(live);
    if (begun)
        run_loop(live);
    else
        live->trouble = true;
    sw_tui_close(live->tui);
    if (begun)
        conclude_policy(live);
    if (!sw_outputs_close(&live->outputs))
        live->trouble = true;
    stop_keepers(live);
    sw_live_aside_stop(&live->aside);
    sw_run_free(live->run);
    sw_loop_release(&live->loop);
    sw_opener_stop(&live->opener);
    sw_http_close(live->http);
    sw_live_policy_release(&live->policy);
    if (live->has_board)
        sw_board_release(&live->board);
    for (unsigned i = 0; i < live->file_count; i++)
        free(live->files[i]);
    int status = exit_status(live);
    free(live);
    return status;
}
