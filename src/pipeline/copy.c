/*
 * copy.c - the second look at a capture: hands out the frames of a plan, masked.
 */
#include "base/wipe.h"
#include "capture/capture.h"
#include "pipeline/mask.h"
#include "pipeline/others.h"
#include "pipeline/remarks.h"
#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_LOG_BYTES = 16 * 1024 * 1024 };

/* One walk over the files. */
struct copying {
    const struct sw_run *run;
    struct sw_others *others; /* while other connections are looked for */
    struct sw_mask mask;
    const struct sw_extract_sink *sink; /* NULL while the parts of packets are learned */
    struct sw_remarks remarks;
    bool heeds; /* the comments are learned, */
    bool hides; /* or what must not stand in them */
    unsigned file;
    uint64_t frames; /* of all files, towards stop_after_frames */
    uint64_t drops;  /* since the last frame that was handed out */
    int64_t end_ns;  /* of the recording, so far */
};

static void on_secrets(void *ctx, uint32_t type, struct sw_span secrets)
{
    const struct copying *copying = ctx;
    if (copying->sink && copying->sink->secrets)
        copying->sink->secrets(copying->sink->ctx, type, secrets);
}

static void on_comment(void *ctx, uint64_t frame, struct sw_span text)
{
    struct copying *copying = ctx;
    if (copying->heeds || (copying->sink && frame > 0))
        sw_remarks_take(&copying->remarks, frame, text);
}

/* Those of one frame, or of the capture. */
static void tell_comments(struct copying *copying, struct sw_remark_list *list, bool of_frame)
{
    const struct sw_extract_sink *sink = copying->sink;
    for (unsigned i = 0; i < list->count && sink->comment; i++) {
        struct sw_span text =
            sw_remarks_clean(&copying->remarks, list->texts[i], sink->secrets != NULL);
        if (text.len > 0)
            sink->comment(sink->ctx, of_frame, text);
    }
}

static void on_interface(void *ctx, const struct sw_capture_interface *interface)
{
    const struct copying *copying = ctx;
    const struct sw_extract_interface told = {.file = copying->file,
                                              .index = interface->index,
                                              .snaplen = interface->snaplen,
                                              .name = interface->name,
                                              .description = interface->description,
                                              .filter = interface->filter};
    if (copying->sink && copying->sink->interface)
        copying->sink->interface(copying->sink->ctx, &told);
}

static void copy_frame(struct copying *copying, struct sw_frame *frame)
{
    struct sw_frame shown;
    if (copying->others) {
        sw_others_look(copying->others, frame);
        return;
    }
    if (copying->hides) {
        sw_remarks_learn(&copying->remarks, &copying->mask, frame);
        return;
    }
    if (!copying->sink) {
        sw_mask_learn(&copying->mask, frame);
        return;
    }
    copying->drops += frame->drops;
    if (!sw_mask_take(&copying->mask, frame, &shown))
        return;
    shown.drops = copying->drops > UINT32_MAX ? UINT32_MAX : (uint32_t)copying->drops;
    copying->drops = 0;
    if (copying->remarks.frame == frame->number)
        tell_comments(copying, &copying->remarks.of_frame, true);
    if (copying->sink->frame)
        copying->sink->frame(copying->sink->ctx, &shown);
}

/* What is damaged was told when the file was analysed; what can be read is read again. */
static bool walk_file(struct copying *copying, const char *path)
{
    const struct sw_run *run = copying->run;
    const struct sw_capture_options options = {
        .filter = run->options.filter,
        .unpacked_bytes = run->limits.unpacked_bytes,
        .unpacked_ratio = run->limits.unpack_ratio,
        .sinks = {.ctx = copying,
                  .secrets = on_secrets,
                  .interface = on_interface,
                  .comment = on_comment},
    };
    sw_remarks_clear(&copying->remarks.of_frame);
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK)
        return false;
    uint64_t told = 0;
    for (;;) {
        struct sw_frame frame;
        uint64_t most = run->options.stop_after_frames;
        if (run->options.stop && *run->options.stop != 0)
            most = run->frames; /* no more than was analysed */
        if (most > 0 && copying->frames >= most)
            break;
        status = sw_capture_next(capture, &frame);
        if (status.code == SW_END)
            break;
        if (status.code != SW_OK)
            continue;
        copying->frames++;
        if (frame.time_ns > copying->end_ns)
            copying->end_ns = frame.time_ns;
        told += frame.drops;
        frame.file = (uint16_t)copying->file;
        copy_frame(copying, &frame);
    }
    const struct sw_capture_counters *counted = sw_capture_count(capture);
    if (counted->end_ns > copying->end_ns && counted->end_ns < SW_TIME_LATEST)
        copying->end_ns = counted->end_ns;
    uint64_t drops = counted->drops;
    if (drops > told)
        copying->drops += drops - told; /* the statistics at the end know of more */
    sw_capture_close(capture);
    return true;
}

/* The key log that was given stands where readers look for it. */
static void copy_key_log(const struct copying *copying)
{
    const char *path = copying->run->options.keylog;
    if (!copying->sink->secrets || !path)
        return;
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(KEY_LOG_BYTES);
    size_t len = file && bytes ? fread(bytes, 1, KEY_LOG_BYTES, file) : 0;
    if (len > 0)
        copying->sink->secrets(copying->sink->ctx, SW_SECRETS_TLS_KEY_LOG,
                               sw_span_make(bytes, len));
    sw_wipe_free(bytes, KEY_LOG_BYTES);
    if (file)
        (void)fclose(file);
}

static bool walk(struct copying *copying, const char *const *paths, unsigned count)
{
    bool good = true;
    copying->frames = 0;
    for (copying->file = 0; copying->file < count; copying->file++)
        good = walk_file(copying, paths[copying->file]) && good;
    return good;
}

/* The connections on which the verdicts rest besides come into the plan. */
static bool add_others(struct copying *copying, const char *const *paths, unsigned count,
                       struct sw_extract *plan, const struct sw_extract_sink *sink)
{
    struct sw_others others;
    if (plan->other_count == 0)
        return true;
    bool good = sw_others_init(&others, plan, sink->secrets != NULL);
    copying->others = &others;
    good = good && walk(copying, paths, count);
    copying->others = NULL;
    good = good && sw_others_add(&others, copying->run, paths, count);
    sw_others_release(&others);
    return good;
}

bool sw_run_copy(struct sw_run *run, const char *const *paths, unsigned count,
                 struct sw_extract *plan, const struct sw_extract_sink *sink)
{
    struct copying copying = {.run = run};
    bool good = add_others(&copying, paths, count, plan, sink);
    good = good && sw_mask_init(&copying.mask, plan);
    copying.heeds = true;
    good = good && walk(&copying, paths, count);
    copying.heeds = false;
    if (good && sw_mask_sum(&copying.mask))
        good = walk(&copying, paths, count);
    if (good && copying.remarks.any && !plan->keep_credentials) {
        sw_mask_rewind(&copying.mask);
        copying.hides = true;
        good = walk(&copying, paths, count);
        copying.hides = false;
    }
    if (good) {
        sw_mask_rewind(&copying.mask);
        copying.sink = sink;
        tell_comments(&copying, &copying.remarks.of_capture, false);
        copy_key_log(&copying);
        good = walk(&copying, paths, count);
        if (sink->end)
            sink->end(sink->ctx, copying.end_ns, copying.drops);
    }
    sw_mask_release(&copying.mask);
    sw_remarks_release(&copying.remarks);
    return good;
}
