/*
 * run.c - the library's public face: captures one after the other, each series of them through an
 * engine of its own.
 */
#include "capture/capture.h"
#include "pipeline/engine.h"
#include "pipeline/keys.h"
#include "pipeline/run.h"
#include "pipeline/series.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Files that may continue one another, read one behind the other. One engine as long as each file
 * really does.
 */
struct stream {
    struct sw_run *run;
    const char *const *paths;
    unsigned count;
    unsigned at;              /* the file that is read */
    bool reading;             /* it was begun, and its end not reached */
    struct sw_engine *engine; /* NULL before the first frame and behind a break */
    unsigned last_file;       /* of the frame before */
    int64_t last_ns;          /* the latest time so far */
};

static void say(char *message, size_t room, const char *text)
{
    if (message && room > 0)
        (void)snprintf(message, room, "%s", text);
}

/* The secrets that come with the options; more may come with the captures. */
static bool load_keys(struct sw_run *run, char *message, size_t room)
{
    struct sw_keylog_counts counts = {0};
    run->tls.keys = sw_keylog_new();
    if (!run->tls.keys) {
        say(message, room, "out of memory");
        return false;
    }
    sw_keylog_bound(run->tls.keys, run->limits.keys, &run->account);
    if (run->options.rsa_key) {
        run->tls.rsa = sw_rsa_key_read(run->options.rsa_key, message, room);
        if (!run->tls.rsa)
            return false;
    }
    if (!run->options.keylog)
        return true;
    struct sw_status status = sw_keys_read(run->tls.keys, run->options.keylog, &counts);
    sw_summary_count(run->summary.limits, "keys", counts.left_out);
    if (status.code == SW_OK)
        return true;
    say(message, room, status.message);
    return false;
}

/* What servers say in refusals. */
static bool know_replies(struct sw_run *run, char *message, size_t room)
{
    if (run->options.sibling)
        run->kb = run->options.sibling->kb;
    else if (sw_reply_kb_init(&run->own_kb))
        run->kb = &run->own_kb;
    else
        say(message, room, "out of memory");
    return run->kb != NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool find_anchors(struct sw_run *run, char *message, size_t room)
{
    const struct sw_run_options *options = &run->options;
    const struct sw_run *other = options->sibling;
    run->tls.server_name = options->server_name;
    if (other && same_text(other->options.ca_file, options->ca_file) &&
        same_text(other->options.ca_path, options->ca_path)) {
        run->tls.anchors = other->tls.anchors;
        return true;
    }
    run->own_anchors = sw_anchors_new(options->ca_file, options->ca_path);
    run->tls.anchors = run->own_anchors;
    if (!run->own_anchors) {
        say(message, room, "out of memory");
        return false;
    }
    bool given = options->ca_file || options->ca_path;
    return !given || sw_tls_setting_load(&run->tls, message, room);
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
        sw_run_free(run);
        return NULL;
    }
    struct sw_status limits = sw_limits_parse(&run->limits, options->limits, options->beside);
    if (limits.code != SW_OK) {
        say(message, room, limits.message);
        sw_run_free(run);
        return NULL;
    }
    run->limits.session.letterhead = options->letterheads;
    run->summary.damage_most = run->limits.damage;
    run->hosts = (struct sw_hosts){.most = run->limits.hosts, .account = &run->account};
    if (!know_replies(run, message, room) || !find_anchors(run, message, room) ||
        !load_keys(run, message, room)) {
        sw_run_free(run);
        return NULL;
    }
    return run;
}

struct sw_engine_means sw_run_means(struct sw_run *run)
{
    return (struct sw_engine_means){
        .ports = &run->ports,
        .limits = &run->limits,
        .kb = run->kb,
        .tls = &run->tls,
        .account = &run->account,
        .summary = &run->summary,
        .record = run->options.record,
        .record_ctx = run->options.record_ctx,
    };
}

static bool enough_frames(const struct sw_run *run)
{
    return run->options.stop_after_frames > 0 && run->frames >= run->options.stop_after_frames;
}

static bool is_stopped(const struct sw_run *run)
{
    return run->options.stop && *run->options.stop != 0;
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

/* What is wrong with a file. The first message is for the user's eyes, all are in the summary. */
static void note(struct sw_run *run, const char *path, const struct sw_status *status)
{
    if (run->notes++ == 0)
        say(run->message, sizeof(run->message), status->message);
    if (status->code != SW_USAGE)
        sw_summary_damage(&run->summary, path, status->offset_bytes, status->message);
}

static enum sw_result worse(enum sw_result a, enum sw_result b)
{
    static const int rank[] = {
        [SW_RESULT_OK] = 0,
        [SW_RESULT_INCOMPLETE] = 1,
        [SW_RESULT_UNREADABLE] = 2,
        [SW_RESULT_USAGE] = 3,
    };
    return rank[a] >= rank[b] ? a : b;
}

static enum sw_result result_of(const struct sw_status *status, const struct sw_capture *capture)
{
    const struct sw_capture_counters *count = sw_capture_count(capture);
    if (status->code == SW_USAGE)
        return SW_RESULT_USAGE;
    /* Not one frame of it could be decoded. */
    bool nothing = status->code == SW_UNSUPPORTED && count->unsupported == count->frames;
    return nothing ? SW_RESULT_UNREADABLE : SW_RESULT_INCOMPLETE;
}

static void end_stream(struct stream *stream)
{
    if (stream->engine)
        sw_engine_finish(stream->engine);
    sw_engine_free(stream->engine);
    stream->engine = NULL;
}

/*
 * A file that begins before the last one ended was not recorded after it; one that begins much
 * later leaves a time in which nobody watched, unless its number shows that nothing is missing.
 */
static bool continues(const struct stream *stream, int64_t first_ns)
{
    int64_t pause_ns = first_ns - stream->last_ns;
    if (pause_ns < -SW_NS_PER_S)
        return false;
    return pause_ns <= 60 * SW_NS_PER_S ||
           sw_series_follows(stream->paths[stream->last_file], stream->paths[stream->at]);
}

/* The engine for a frame; NULL without memory. */
static struct sw_engine *engine_for(struct stream *stream, const struct sw_frame *frame)
{
    struct sw_run *run = stream->run;
    if (stream->engine && stream->last_file != stream->at && !continues(stream, frame->time_ns))
        end_stream(stream);
    if (!stream->engine) {
        struct sw_engine_means means = sw_run_means(run);
        stream->engine = sw_engine_new(&means);
        if (!stream->engine)
            return NULL;
        sw_engine_hosts(stream->engine, &run->hosts);
        if (run->options.no_names)
            sw_engine_no_names(stream->engine);
        sw_engine_files(stream->engine, stream->paths, stream->count);
        stream->last_ns = frame->time_ns;
    }
    stream->last_file = stream->at;
    if (frame->time_ns > stream->last_ns)
        stream->last_ns = frame->time_ns;
    return stream->engine;
}

/* Files that were not read to their end because the caller wanted to stop. */
static enum sw_result note_stop(struct stream *stream)
{
    struct sw_run *run = stream->run;
    if (!is_stopped(run) || stream->at == stream->count)
        return SW_RESULT_OK;
    const char *path = stream->paths[stream->at];
    struct sw_status status = sw_status_make(
        SW_DAMAGED, 0, "%s: %s", strcmp(path, "-") == 0 ? "standard input" : path,
        stream->reading ? "interrupted; what follows in it was not read" : "not read, interrupted");
    note(run, path, &status);
    return SW_RESULT_INCOMPLETE;
}

/* All frames of one file. */
static enum sw_result read_frames(struct stream *stream, struct sw_capture *capture)
{
    struct sw_run *run = stream->run;
    const char *path = stream->paths[stream->at];
    enum sw_result result = SW_RESULT_OK;
    for (uint64_t frames = 1; !enough_frames(run) && !is_stopped(run);) {
        struct sw_frame frame;
        struct sw_status status = sw_capture_next(capture, &frame);
        if (status.code == SW_END) {
            stream->reading = is_stopped(run); /* then the end of a pipe may be a made one */
            return result;
        }
        if (status.code != SW_OK) {
            note(run, path, &status);
            result = worse(result, result_of(&status, capture));
            continue;
        }
        struct sw_engine *engine = engine_for(stream, &frame);
        if (!engine) {
            status = sw_status_make(SW_NO_MEMORY, 0, "%s: not enough memory to analyse it", path);
            note(run, path, &status);
            return SW_RESULT_UNREADABLE;
        }
        frame.file = (uint16_t)stream->at;
        run->frames++;
        sw_engine_frame(engine, &frame);
        tell_progress(run, capture, frames++);
    }
    return result;
}

/* Secrets inside a pcapng open the connections behind them. */
static void on_secrets(void *ctx, uint32_t type, struct sw_span secrets)
{
    struct sw_run *run = ctx;
    struct sw_keylog_counts counts = {0};
    if (type == SW_SECRETS_TLS_KEY_LOG)
        sw_keylog_add(run->tls.keys, secrets, &counts);
    sw_summary_count(run->summary.limits, "keys", counts.left_out);
}

static void on_name(void *ctx, int ip_version, struct sw_span address, struct sw_span name)
{
    struct sw_run *run = ctx;
    if (!sw_hosts_add(&run->hosts, ip_version, address, name))
        sw_summary_count(run->summary.limits, "hosts", 1);
}

/* Before there were blocks for secrets, people wrote them into the comment of the file. */
static void on_comment(void *ctx, uint64_t frame, struct sw_span text)
{
    struct sw_run *run = ctx;
    struct sw_keylog_counts counts = {0};
    if (frame == 0)
        sw_keylog_add(run->tls.keys, text, &counts);
    sw_summary_count(run->summary.limits, "keys", counts.left_out);
}

static enum sw_result read_file(struct stream *stream)
{
    struct sw_run *run = stream->run;
    const char *path = stream->paths[stream->at];
    const struct sw_capture_options options = {
        .filter = run->options.filter,
        .unpacked_bytes = run->limits.unpacked_bytes,
        .unpacked_ratio = run->limits.unpack_ratio,
        .window_bytes = run->limits.memory_bytes,
        .account = &run->account,
        .sinks = {.ctx = run, .secrets = on_secrets, .name = on_name, .comment = on_comment},
    };
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK) {
        note(run, path, &status);
        return status.code == SW_USAGE ? SW_RESULT_USAGE : SW_RESULT_UNREADABLE;
    }
    run->summary.files++;
    enum sw_result result = read_frames(stream, capture);
    const struct sw_capture_counters *count = sw_capture_count(capture);
    bool to_the_end = stream->engine && !enough_frames(run) && !is_stopped(run);
    if (to_the_end && count->end_ns > 0 && count->end_ns < SW_TIME_LATEST)
        sw_engine_time(stream->engine, count->end_ns);
    run->summary.frames_read += count->frames;
    run->summary.frames_filtered += count->filtered;
    run->summary.bytes += count->bytes;
    if (count->limit)
        sw_summary_count(run->summary.limits, count->limit, 1);
    if (count->drops > 0) {
        sw_summary_count(run->summary.skipped, "dropped-by-recorder", count->drops);
        result = worse(result, SW_RESULT_INCOMPLETE);
    }
    sw_capture_close(capture);
    return result;
}

enum sw_result sw_run_files(struct sw_run *run, const char *const *paths, unsigned count)
{
    struct stream stream = {.run = run, .paths = paths, .count = count};
    enum sw_result result = SW_RESULT_OK;
    run->message[0] = '\0';
    run->notes = 0;
    while (stream.at < count && result != SW_RESULT_USAGE && !is_stopped(run)) {
        stream.reading = true;
        result = worse(result, read_file(&stream));
        if (stream.reading && is_stopped(run))
            break;
        stream.reading = false;
        stream.at++;
    }
    result = worse(result, note_stop(&stream));
    end_stream(&stream);
    sw_hosts_clear(&run->hosts); /* other captures may come from other networks */
    size_t used = strlen(run->message);
    if (run->notes > 1)
        (void)snprintf(run->message + used, sizeof(run->message) - used,
                       " (and %u more like this, see the summary)", run->notes - 1);
    run->incomplete = run->incomplete || result != SW_RESULT_OK;
    return result;
}

enum sw_result sw_run_file(struct sw_run *run, const char *path)
{
    return sw_run_files(run, &path, 1);
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
    sw_watch_release(run->watch);
    sw_hosts_clear(&run->hosts);
    sw_summary_clear(&run->summary);
    sw_tls_setting_release(&run->tls);
    sw_keylog_free(run->tls.keys);
    sw_rsa_key_free(run->tls.rsa);
    sw_anchors_free(run->own_anchors);
    sw_reply_kb_release(&run->own_kb);
    assert(run->account == 0); /* whoever takes memory gives it back */
    free(run);
}
