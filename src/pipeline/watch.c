/*
 * watch.c - live traffic through the same engine as files: several devices in one order of time,
 * and the wall clock where no packet tells the time.
 */
#include "capture/device.h"
#include "crypto/digest.h"
#include "pipeline/ndpi_shim.h"
#include "pipeline/recorder.h"
#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 256,
    FRAMES_AT_ONCE = 4096, /* then signals and timers have their turn */
};

#define DELAY_NS (SW_DEVICE_DELAY_MS * SW_NS_PER_MS)
#define LOSSES_EVERY_NS (100 * SW_NS_PER_MS)
#define STALLS_EVERY_NS (5 * SW_NS_PER_S)

/* One device, and the frame of it that waits for its turn. */
struct source {
    struct sw_device *device;
    struct sw_frame frame;
    bool waits;
    bool gone;
    uint64_t lost; /* told so far */
};

struct sw_watch {
    struct sw_run *run;
    struct sw_engine *engine;
    struct sw_recorder *recorder; /* or NULL */
    bool recording_failed;
    int64_t shown_ns; /* up to here the kernel has shown everything */
    struct source sources[SW_WATCH_DEVICES_MAX];
    unsigned count;
    char name[NAME_BYTES]; /* of all devices, as the records name the capture */
    const char *files[1];
    uint64_t frames, bytes;
    uint64_t kernel_drops, interface_drops;
    uint32_t untold_drops; /* for the next frame */
    int64_t last_frame_ns;
    int64_t losses_next_ns; /* when the counters are looked at again */
    int64_t stalls_next_ns; /* and connections that have stalled */
    int64_t patience_ns;
    bool broken; /* a device went away */
    void (*gone)(void *ctx, const char *message);
    void *gone_ctx;
};

unsigned sw_watch_delay_ms(void)
{
    return SW_DEVICE_DELAY_MS;
}

static enum sw_result fail(struct sw_run *run, const struct sw_status *status)
{
    (void)snprintf(run->message, sizeof(run->message), "%s", status->message);
    return status->code == SW_USAGE ? SW_RESULT_USAGE : SW_RESULT_UNREADABLE;
}

static void add_name(struct sw_watch *watch, const char *name)
{
    size_t used = strlen(watch->name);
    (void)snprintf(watch->name + used, sizeof(watch->name) - used, "%s%s", used ? "," : "", name);
}

static struct sw_status open_devices(struct sw_run *run, struct sw_watch *watch,
                                     const struct sw_watch_options *options)
{
    for (unsigned i = 0; i < options->device_count; i++) {
        const struct sw_device_options device = {
            .name = options->devices[i],
            .filter = run->options.filter,
            .snaplen = options->snaplen_bytes,
            .buffer_bytes = options->buffer_bytes,
        };
        struct sw_status status = sw_device_open(&device, &watch->sources[i].device);
        if (status.code != SW_OK)
            return status;
        watch->count++;
        add_name(watch, options->devices[i]);
    }
    return sw_status_ok();
}

static void on_record(void *ctx, const struct sw_record *record)
{
    struct sw_watch *watch = ctx;
    const struct sw_run_options *options = &watch->run->options;
    options->record(options->record_ctx, record);
    if (watch->recorder)
        sw_recorder_session(watch->recorder, record);
}

static bool open_recorder(struct sw_watch *watch, const struct sw_watch_options *options)
{
    const struct sw_recording_options *recording = options->recording;
    struct sw_recorder_interface interfaces[SW_WATCH_DEVICES_MAX];
    if (!recording || recording->kind == SW_RECORDING_NONE)
        return true;
    for (unsigned i = 0; i < watch->count; i++) {
        const struct sw_device *device = watch->sources[i].device;
        interfaces[i] = (struct sw_recorder_interface){
            .name = sw_device_name(device),
            .filter = sw_device_filter(device),
            .link_type = sw_device_link_type(device),
            .snaplen = options->snaplen_bytes ? options->snaplen_bytes : SW_DEVICE_SNAPLEN,
            .time_digits = sw_device_time_digits(device),
        };
    }
    watch->recorder = sw_recorder_new(recording, interfaces, watch->count, watch->engine);
    return watch->recorder != NULL;
}

/* Everything that is otherwise loaded when it is first needed, which would be too late. */
static struct sw_status load_all(struct sw_run *run, struct sw_watch *watch,
                                 const struct sw_watch_options *options)
{
    (void)sw_tls_setting_load(&run->tls, NULL, 0); /* without anchors less can be said */
    watch->run = run;
    struct sw_engine_means means = sw_run_means(run);
    means.record = on_record;
    means.record_ctx = watch;
    watch->engine = sw_engine_new(&means);
    if (!watch->engine || !open_recorder(watch, options))
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", watch->name);
    watch->files[0] = watch->name;
    if (run->options.no_names)
        sw_engine_no_names(watch->engine);
    sw_engine_files(watch->engine, watch->files, 1);
    sw_engine_prepare(watch->engine);
    return sw_status_ok();
}

enum sw_result sw_watch_open(struct sw_run *run, const struct sw_watch_options *options)
{
    run->message[0] = '\0';
    struct sw_watch *watch = calloc(1, sizeof(*watch));
    if (!watch || options->device_count == 0 || options->device_count > SW_WATCH_DEVICES_MAX) {
        const struct sw_status status = sw_status_make(
            watch ? SW_USAGE : SW_NO_MEMORY, 0,
            watch ? "1 to %d interfaces can be watched at once" : "out of memory (%d interfaces)",
            SW_WATCH_DEVICES_MAX);
        free(watch);
        return fail(run, &status);
    }
    watch->patience_ns = run->limits.stall_ns;
    watch->gone = options->gone;
    watch->gone_ctx = options->gone_ctx;
    struct sw_status status = open_devices(run, watch, options);
    if (status.code == SW_OK)
        status = load_all(run, watch, options);
    if (status.code != SW_OK) {
        sw_watch_release(watch);
        return fail(run, &status);
    }
    run->watch = watch;
    run->summary.files++;
    return SW_RESULT_OK;
}

unsigned sw_watch_descriptors(const struct sw_run *run, int *descriptors, unsigned room)
{
    const struct sw_watch *watch = run->watch;
    unsigned count = 0;
    for (unsigned i = 0; i < watch->count && count < room; i++) {
        if (!watch->sources[i].gone)
            descriptors[count++] = sw_device_fd(watch->sources[i].device);
    }
    return count;
}

/* What was lost since the last look belongs to the time before the next frame. */
static void look_for_losses(struct sw_watch *watch)
{
    watch->kernel_drops = watch->interface_drops = 0;
    for (unsigned i = 0; i < watch->count; i++) {
        struct source *source = &watch->sources[i];
        struct sw_device_losses losses;
        sw_device_losses(source->device, &losses);
        watch->kernel_drops += losses.by_kernel;
        watch->interface_drops += losses.by_interface;
        if (watch->recorder)
            sw_recorder_losses(watch->recorder, i, losses.by_kernel, losses.by_interface);
        uint64_t lost = losses.by_kernel + losses.by_interface;
        uint64_t more = lost - source->lost;
        source->lost = lost;
        watch->untold_drops += more > UINT32_MAX - watch->untold_drops
                                   ? UINT32_MAX - watch->untold_drops
                                   : (uint32_t)more;
    }
}

static void lose(struct sw_run *run, struct source *source, const struct sw_status *status)
{
    struct sw_watch *watch = run->watch;
    source->gone = true;
    watch->broken = true;
    (void)fail(run, status);
    sw_summary_damage(&run->summary, sw_device_name(source->device), 0, status->message);
    if (watch->gone)
        watch->gone(watch->gone_ctx, status->message);
}

/* Fetches what has arrived on every device; the earliest of it, or NULL. */
static struct source *earliest(struct sw_run *run, bool *all_wait)
{
    struct sw_watch *watch = run->watch;
    struct source *first = NULL;
    *all_wait = true;
    for (unsigned i = 0; i < watch->count; i++) {
        struct source *source = &watch->sources[i];
        if (!source->waits && !source->gone) {
            struct sw_status status = sw_device_next(source->device, &source->frame);
            source->waits = status.code == SW_OK;
            if (status.code == SW_UNREADABLE)
                lose(run, source, &status);
        }
        if (!source->waits) {
            *all_wait = *all_wait && source->gone;
            continue;
        }
        if (!first || source->frame.time_ns < first->frame.time_ns)
            first = source;
    }
    return first;
}

static void analyse(struct sw_run *run, struct source *source)
{
    struct sw_watch *watch = run->watch;
    struct sw_frame *frame = &source->frame;
    source->waits = false;
    frame->number = ++watch->frames;
    frame->interface = (uint32_t)(source - watch->sources);
    frame->drops = watch->untold_drops;
    watch->untold_drops = 0;
    watch->bytes += frame->caplen;
    watch->last_frame_ns = frame->time_ns;
    run->frames++;
    sw_engine_frame(watch->engine, frame);
    if (watch->recorder)
        sw_recorder_frame(watch->recorder, frame);
}

static bool all_gone(const struct sw_watch *watch)
{
    for (unsigned i = 0; i < watch->count; i++) {
        if (!watch->sources[i].gone)
            return false;
    }
    return true;
}

static bool enough(const struct sw_run *run)
{
    return run->options.stop_after_frames > 0 && run->frames >= run->options.stop_after_frames;
}

/* True once in `every_ns`, also when the clock was set back. */
static bool is_due(int64_t *next_ns, int64_t now_ns, int64_t every_ns)
{
    if (now_ns < *next_ns && now_ns + every_ns >= *next_ns)
        return false;
    *next_ns = now_ns + every_ns;
    return true;
}

/*
 * With several devices a frame waits until nothing earlier can come from another; `shown_ns` is the
 * time up to which the kernel has shown everything.
 */
enum sw_watch_state sw_watch_take(struct sw_run *run, int64_t now_ns)
{
    struct sw_watch *watch = run->watch;
    int64_t shown_ns = now_ns - DELAY_NS;
    if (is_due(&watch->losses_next_ns, now_ns, LOSSES_EVERY_NS))
        look_for_losses(watch);
    if (is_due(&watch->stalls_next_ns, now_ns, STALLS_EVERY_NS))
        sw_engine_tell_stalls(watch->engine, shown_ns, watch->patience_ns);
    for (unsigned taken = 0; taken < FRAMES_AT_ONCE && !enough(run); taken++) {
        bool all_wait;
        struct source *source = earliest(run, &all_wait);
        if (source && (watch->count == 1 || all_wait || source->frame.time_ns <= shown_ns)) {
            analyse(run, source);
            continue;
        }
        watch->shown_ns = shown_ns;
        sw_engine_time(watch->engine, shown_ns);
        if (watch->recorder)
            sw_recorder_time(watch->recorder, shown_ns);
        return all_gone(watch) ? SW_WATCH_GONE : SW_WATCH_IDLE;
    }
    return enough(run) ? SW_WATCH_ENOUGH : SW_WATCH_MORE;
}

void sw_watch_count(struct sw_run *run, struct sw_watch_counts *counts)
{
    const struct sw_watch *watch = run->watch;
    const struct sw_flow_counters *flows = sw_engine_flows(watch->engine);
    const struct sw_summary *summary = &run->summary;
    *counts = (struct sw_watch_counts){
        .frames = watch->frames,
        .frames_decoded = summary->frames_decoded,
        .frames_other = summary->frames_other,
        .frames_undecodable = summary->frames_undecodable,
        .open_connections = flows->open,
        .shed_connections = flows->shed_flows,
        .shed_half_open = flows->shed_half_open,
        .memory_bytes = run->account,
        .memory_cap_bytes = run->limits.memory_bytes,
        .bytes = watch->bytes,
        .kernel_drops = watch->kernel_drops,
        .interface_drops = watch->interface_drops,
        .sessions = run->summary.sessions,
        .connections = run->summary.tcp_connections,
        .last_frame_ns = watch->last_frame_ns,
        .recording_failed = watch->recording_failed,
        .recording_open = watch->recorder && sw_recorder_writes(watch->recorder),
    };
}

void sw_watch_tell(struct sw_run *run)
{
    struct sw_summary so_far = run->summary; /* its lists stay the run's */
    so_far.frames_read += run->watch->frames;
    so_far.bytes += run->watch->bytes;
    const struct sw_record record = {.kind = SW_RECORD_SUMMARY, .summary = &so_far};
    run->options.record(run->options.record_ctx, &record);
}

/* Up to when the engine has judged silences. */
static int64_t end_ns(const struct sw_watch *watch)
{
    return watch->shown_ns > watch->last_frame_ns ? watch->shown_ns : watch->last_frame_ns;
}

void sw_watch_rotate(struct sw_run *run)
{
    struct sw_watch *watch = run->watch;
    if (watch->recorder)
        sw_recorder_rotate(watch->recorder, end_ns(watch));
}

/* The first word that begins with a digit. */
static void put_version(char out[24], const char *text)
{
    size_t begin = strcspn(text, "0123456789");
    size_t len = strcspn(text + begin, " -+(");
    (void)snprintf(out, 24, "%.*s", (int)(len < 23 ? len : 23), text + begin);
}

void sw_build_describe(struct sw_build_info *info)
{
    put_version(info->ndpi, sw_ndpi_version());
    put_version(info->openssl, sw_openssl_version());
    put_version(info->libpcap, sw_device_library());
}

uint64_t sw_watch_save(struct sw_run *run, const struct sw_session_key *key,
                       bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx)
{
    struct sw_recorder *recorder = run->watch ? run->watch->recorder : NULL;
    return recorder ? sw_recorder_save(recorder, key, write, ctx) : 0;
}

enum sw_result sw_watch_close(struct sw_run *run)
{
    struct sw_watch *watch = run->watch;
    bool all_wait;
    for (struct source *last; !enough(run) && (last = earliest(run, &all_wait));)
        analyse(run, last);
    look_for_losses(watch);
    uint64_t lost = watch->kernel_drops + watch->interface_drops;
    if (watch->untold_drops > 0)
        sw_engine_lost(watch->engine, watch->untold_drops);
    sw_engine_finish(watch->engine);
    if (watch->recorder && !sw_recorder_finish(watch->recorder, end_ns(watch)))
        watch->recording_failed = true;
    run->summary.frames_read += watch->frames;
    run->summary.bytes += watch->bytes;
    if (lost > 0)
        sw_summary_count(run->summary.skipped, "dropped-by-recorder", lost);
    bool whole = lost == 0 && !watch->broken && !watch->recording_failed;
    run->incomplete = run->incomplete || !whole;
    run->watch = NULL;
    sw_watch_release(watch);
    return whole ? SW_RESULT_OK : SW_RESULT_INCOMPLETE;
}

void sw_watch_release(struct sw_watch *watch)
{
    if (!watch)
        return;
    sw_recorder_free(watch->recorder);
    sw_engine_free(watch->engine);
    for (unsigned i = 0; i < SW_WATCH_DEVICES_MAX; i++)
        sw_device_close(watch->sources[i].device);
    free(watch);
}

bool sw_watch_devices(void (*tell)(void *ctx, const char *name, const char *description), void *ctx,
                      char *message, size_t room)
{
    struct sw_status status = sw_device_list(tell, ctx);
    (void)snprintf(message, room, "%s", status.message);
    return status.code == SW_OK;
}
