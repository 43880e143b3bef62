#include "cli/live.h"

#include "cli/analyse.h"
#include "cli/complain.h"
#include "cli/outputs.h"
#include "live/loop.h"
#include "smtpwhy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Everything that lives as long as the subcommand. */
struct live {
    const struct sw_settings *settings;
    struct sw_outputs outputs;
    struct sw_part parts[SW_OUTPUTS_MAX];
    struct sw_run *run;
    struct sw_loop loop;
    char devices[SW_WATCH_DEVICES_MAX * SW_LIVE_NAME_BYTES]; /* "eth0,eth1" */
    bool fresh; /* something was written that is not handed on yet */
    bool trouble, matched, incomplete;
};

static void on_record(void *ctx, const struct sw_record *record)
{
    struct live *live = ctx;
    for (unsigned i = 0; i < live->outputs.count; i++)
        sw_part_record(&live->parts[i], record);
    live->fresh = true;
}

static bool on_flush(void *ctx)
{
    struct live *live = ctx;
    bool good = !live->fresh || sw_outputs_flush(&live->outputs);
    live->fresh = false;
    return good;
}

static bool on_reopen(void *ctx)
{
    struct live *live = ctx;
    return sw_outputs_reopen(&live->outputs);
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
}

static bool make_run(struct live *live)
{
    const struct sw_settings *settings = live->settings;
    const struct sw_run_options options = {
        .filter = settings->filter,
        .ports = settings->ports,
        .stop_after_frames = settings->stop_after_frames,
        .limits = settings->limits,
        .ca_file = settings->ca_file,
        .ca_path = settings->ca_path,
        .keylog = settings->keylog,
        .rsa_key = settings->rsa_key,
        .server_name = settings->server_name,
        .record = on_record,
        .record_ctx = live,
    };
    char message[512] = "";
    live->run = sw_run_new(&options, message, sizeof(message));
    if (!live->run)
        sw_complain("%s", message);
    return live->run != NULL;
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
    const struct sw_watch_options options = {
        .devices = names,
        .device_count = settings->device_count,
        .snaplen_bytes = settings->snaplen_bytes,
    };
    if (sw_watch_open(live->run, &options) == SW_RESULT_OK)
        return true;
    sw_complain("%s", sw_run_message(live->run));
    return false;
}

static bool open_parts(struct live *live, const char *file, unsigned index)
{
    for (unsigned i = 0; i < live->outputs.count; i++) {
        struct sw_output *output = &live->outputs.list[i];
        if (!sw_part_open(&live->parts[i], output->format, &output->style, &output->writer, file,
                          index))
            return false;
        live->parts[i].shown_before = output->shown;
    }
    return true;
}

static void close_parts(struct live *live)
{
    for (unsigned i = 0; i < live->outputs.count; i++) {
        sw_part_close(&live->parts[i]);
        live->outputs.list[i].shown += live->parts[i].shown;
        live->matched = live->matched || live->parts[i].matched;
    }
}

static void run_loop(struct live *live)
{
    const struct sw_loop_hooks hooks = {live, on_flush, on_reopen, on_tell};
    switch (sw_loop_run(&live->loop, live->run, &hooks)) {
    case SW_LOOP_STOPPED:
    case SW_LOOP_ENOUGH:
        break;
    case SW_LOOP_GONE:
        sw_complain("%s", sw_run_message(live->run));
        live->incomplete = true;
        break;
    case SW_LOOP_FAILED: /* said already */
        live->trouble = true;
        break;
    }
    if (sw_watch_close(live->run) != SW_RESULT_OK)
        live->incomplete = true;
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

static bool begin(struct live *live)
{
    if (!sw_loop_prepare(&live->loop)) {
        sw_complain("%s", live->loop.message);
        return false;
    }
    return make_run(live) && open_watch(live) && open_parts(live, live->devices, 0);
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
    if (settings->live.device_count == 0 || settings->word_count > 0) {
        (void)fputs(settings->word_count > 0
                        ? "smtpwhy: live takes no FILE; without 'live' saved captures are read\n"
                        : "smtpwhy: no interface given; name one: smtpwhy live -i eth0 (-D lists "
                          "them)\n",
                    stderr);
        return SW_EXIT_TROUBLE;
    }
    struct live *live = calloc(1, sizeof(*live));
    if (!live || !sw_outputs_open(&live->outputs, settings)) {
        free(live);
        return SW_EXIT_TROUBLE;
    }
    live->settings = settings;
    if (begin(live))
        run_loop(live);
    else
        live->trouble = true;
    if (!sw_outputs_close(&live->outputs))
        live->trouble = true;
    sw_run_free(live->run);
    sw_loop_release(&live->loop);
    int status = exit_status(live);
    free(live);
    return status;
}
