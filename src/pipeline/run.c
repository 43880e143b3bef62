/*
 * run.c - the library's public face: captures one after the other through an engine each.
 */
#include "capture/capture.h"
#include "pipeline/engine.h"
#include "pipeline/limits.h"
#include "pipeline/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sw_run {
    struct sw_run_options options;
    struct sw_mail_ports ports;
    struct sw_engine_limits limits;
    struct sw_tls_setting tls;
    struct sw_summary summary;
    uint64_t frames; /* towards stop_after_frames */
    bool incomplete;
    char message[480];
};

static void say(char *message, size_t room, const char *text)
{
    if (message && room > 0)
        (void)snprintf(message, room, "%s", text);
}

struct sw_run *sw_run_new(const struct sw_run_options *options, char *message, size_t room)
{
    struct sw_run *run = calloc(1, sizeof(*run));
    if (!run) {
        say(message, room, "out of memory");
        return NULL;
    }
    run->options = *options;
    sw_summary_init(&run->summary);
    if (!sw_mail_ports_parse(&run->ports, options->ports)) {
        say(message, room, "--ports: not a list of port numbers such as 25,465,587");
        free(run);
        return NULL;
    }
    struct sw_status limits = sw_limits_parse(&run->limits, options->limits);
    if (limits.code != SW_OK) {
        say(message, room, limits.message);
        free(run);
        return NULL;
    }
    run->tls = (struct sw_tls_setting){.ca_file = options->ca_file,
                                       .ca_path = options->ca_path,
                                       .server_name = options->server_name};
    bool given = options->ca_file || options->ca_path;
    if (given && !sw_tls_setting_load(&run->tls, message, room)) {
        free(run);
        return NULL;
    }
    return run;
}

static bool enough_frames(const struct sw_run *run)
{
    return run->options.stop_after_frames > 0 && run->frames >= run->options.stop_after_frames;
}

enum { PROGRESS_EVERY_FRAMES = 16384 };

static void tell_progress(const struct sw_run *run, const struct sw_capture *capture,
                          uint64_t frames)
{
    if (!run->options.progress || frames % PROGRESS_EVERY_FRAMES != 0)
        return;
    uint64_t at = 0;
    uint64_t size = 0;
    sw_capture_progress(capture, &at, &size);
    run->options.progress(run->options.progress_ctx, at, size);
}

/* What is wrong with a file that is being read. The first message is for the user's eyes, all are
 * in the summary. */
static enum sw_result note(struct sw_run *run, const char *path, const struct sw_capture *capture,
                           const struct sw_status *status, unsigned before)
{
    const struct sw_capture_counters *count = sw_capture_count(capture);
    if (before == 0)
        say(run->message, sizeof(run->message), status->message);
    sw_summary_damage(&run->summary, path, status->offset_bytes, status->message);
    if (status->code == SW_USAGE)
        return SW_RESULT_USAGE;
    bool nothing = status->code == SW_UNSUPPORTED && count->unsupported == count->frames;
    return nothing ? SW_RESULT_UNREADABLE : SW_RESULT_INCOMPLETE;
}

/* All frames of one file. */
static enum sw_result read_frames(struct sw_run *run, const char *path, struct sw_capture *capture,
                                  struct sw_engine *engine)
{
    enum sw_result result = SW_RESULT_OK;
    unsigned notes = 0;
    for (uint64_t frames = 1; !enough_frames(run);) {
        struct sw_frame frame;
        struct sw_status status = sw_capture_next(capture, &frame);
        if (status.code == SW_END)
            break;
        if (status.code != SW_OK) {
            result = note(run, path, capture, &status, notes++);
            continue;
        }
        run->frames++;
        sw_engine_frame(engine, &frame);
        tell_progress(run, capture, frames++);
    }
    size_t used = strlen(run->message);
    if (notes > 1)
        (void)snprintf(run->message + used, sizeof(run->message) - used,
                       " (and %u more like this, see the summary)", notes - 1);
    return result;
}

static enum sw_result refuse(struct sw_run *run, const char *path, const struct sw_status *status)
{
    say(run->message, sizeof(run->message), status->message);
    run->incomplete = true;
    if (status->code == SW_USAGE)
        return SW_RESULT_USAGE;
    sw_summary_damage(&run->summary, path, status->offset_bytes, status->message);
    return SW_RESULT_UNREADABLE;
}

enum sw_result sw_run_file(struct sw_run *run, const char *path)
{
    run->message[0] = '\0';
    const struct sw_capture_options options = {
        .filter = run->options.filter,
        .unpacked_bytes = run->limits.unpacked_bytes,
        .unpacked_ratio = run->limits.unpack_ratio,
    };
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK)
        return refuse(run, path, &status);
    struct sw_engine *engine = sw_engine_new(&run->ports, &run->limits, &run->summary,
                                             run->options.record, run->options.record_ctx);
    if (!engine) {
        sw_capture_close(capture);
        status = sw_status_make(SW_NO_MEMORY, 0, "%s: not enough memory to analyse it", path);
        return refuse(run, path, &status);
    }
    sw_engine_tls(engine, &run->tls);
    sw_engine_file(engine, path);
    enum sw_result result = read_frames(run, path, capture, engine);
    sw_engine_finish(engine);
    const struct sw_capture_counters *count = sw_capture_count(capture);
    run->summary.frames_read += count->frames;
    run->summary.frames_filtered += count->filtered;
    run->summary.bytes += count->bytes;
    if (count->limit)
        sw_summary_count(run->summary.limits, count->limit, 1);
    if (count->drops > 0) {
        sw_summary_count(run->summary.skipped, "dropped-by-recorder", count->drops);
        result = result == SW_RESULT_OK ? SW_RESULT_INCOMPLETE : result;
    }
    run->incomplete = run->incomplete || result != SW_RESULT_OK;
    sw_engine_free(engine);
    sw_capture_close(capture);
    return result;
}

const char *sw_run_message(const struct sw_run *run)
{
    return run->message;
}

void sw_run_absorb(struct sw_run *into, struct sw_run *from)
{
    sw_summary_merge(&into->summary, &from->summary);
    into->incomplete = into->incomplete || from->incomplete;
}

enum sw_result sw_run_finish(struct sw_run *run)
{
    struct sw_record record = {.kind = SW_RECORD_SUMMARY, .summary = &run->summary};
    run->options.record(run->options.record_ctx, &record);
    bool limited = false;
    for (size_t i = 0; i < SW_NAMED_COUNTS; i++)
        limited = limited || run->summary.limits[i].count > 0;
    return run->incomplete || limited ? SW_RESULT_INCOMPLETE : SW_RESULT_OK;
}

void sw_run_free(struct sw_run *run)
{
    if (!run)
        return;
    sw_summary_clear(&run->summary);
    sw_tls_setting_release(&run->tls);
    free(run);
}
