/*
 * live_options.c - the readers of the options that only live knows.
 */
#include "cli/live.h"

#include "cli/fleet.h"
#include "live/recording.h"

#include <stdio.h>

static bool say(char *message, const char *what, const char *value, const char *help)
{
    (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "%s '%.100s'%s", what, value, help);
    return false;
}

bool sw_live_take_interface(struct sw_settings *settings, const char *value, char *message)
{
    struct sw_live_settings *live = &settings->live;
    struct sw_span rest = sw_span_str(value);
    for (;;) {
        struct sw_span name = sw_span_sub(rest, 0, sw_span_index(rest, ','));
        if (name.len == 0 || name.len >= SW_LIVE_NAME_BYTES)
            return say(message, "takes a list of interfaces, such as eth0,eth1 or any, not", value,
                       "");
        if (live->device_count == SW_WATCH_DEVICES_MAX)
            return say(message, "too many interfaces, at", value, "");
        char *place = live->names[live->device_count];
        memcpy(place, name.ptr, name.len);
        place[name.len] = '\0';
        for (unsigned i = 0; i < live->device_count; i++) {
            if (strcmp(live->names[i], place) == 0)
                return say(message, "the interface", place, " is named twice");
        }
        live->device_count++;
        if (name.len == rest.len)
            return true;
        rest = sw_span_from(rest, name.len + 1);
    }
}

bool sw_live_take_list(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->live.list_devices = true;
    return true;
}

bool sw_live_take_snaplen(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t bytes = 0;
    enum { LEAST = 96, MOST = 262144 };
    if (!sw_span_u64(sw_span_str(value), &bytes) || (bytes != 0 && bytes < LEAST) || bytes > MOST)
        return say(message, "takes a number of bytes from 96 to 262144, or 0 for all, not", value,
                   "");
    settings->live.snaplen_bytes = (uint32_t)bytes;
    return true;
}

bool sw_live_take_buffer(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t kib = 0;
    enum { LEAST = 256, MOST = 1 << 20 };
    if (!sw_span_u64(sw_span_str(value), &kib) || kib < LEAST || kib > MOST)
        return say(message, "takes a number of KiB from 256 to 1048576, not", value, "");
    settings->live.buffer_bytes = (uint32_t)(kib * 1024);
    return true;
}

bool sw_live_take_no_sandbox(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->live.no_sandbox = true;
    return true;
}

bool sw_live_take_write(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->live.record_path = value;
    if (settings->live.record_kind == SW_RECORDING_NONE)
        settings->live.record_kind = SW_RECORDING_MAIL;
    return true;
}

bool sw_live_take_record(struct sw_settings *settings, const char *value, char *message)
{
    bool all = strcmp(value, "all") == 0;
    if (!all && strcmp(value, "mail") != 0)
        return say(message, "takes mail or all, not", value, "");
    settings->live.record_kind = all ? SW_RECORDING_ALL : SW_RECORDING_MAIL;
    return true;
}

static bool take_number(const char *value, uint64_t most, uint64_t *out)
{
    return sw_span_u64(sw_span_str(value), out) && *out >= 1 && *out <= most;
}

bool sw_live_take_rotate_size(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t megabytes;
    if (!take_number(value, 1000000, &megabytes))
        return say(message, "takes a number of million bytes from 1, not", value, "");
    settings->live.record_file_bytes = megabytes * 1000000;
    return true;
}

bool sw_live_take_rotate_seconds(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t seconds;
    if (!take_number(value, 366 * 86400, &seconds))
        return say(message, "takes a number of seconds from 1, not", value, "");
    settings->live.record_seconds = (uint32_t)seconds;
    return true;
}

bool sw_live_take_rotate_count(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t files;
    if (!take_number(value, SW_RECORDING_FILES_MAX, &files))
        return say(message, "takes a number of files from 1 to 4096, not", value, "");
    settings->live.record_files = (uint32_t)files;
    return true;
}

bool sw_live_take_ring(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t megabytes;
    if (!take_number(value, 1000000, &megabytes))
        return say(message, "takes a number of million bytes from 1, not", value, "");
    settings->live.ring_bytes = megabytes * 1000000;
    return true;
}

bool sw_live_take_http(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->live.http = value;
    return true;
}

bool sw_live_take_tui(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->live.tui = true;
    return true;
}

bool sw_live_check(const struct sw_settings *settings, char *message)
{
    const struct sw_live_settings *live = &settings->live;
    const char *what = sw_fleet_contradiction(settings);
    bool rotates = live->record_file_bytes || live->record_seconds;
    if (settings->word_count > 0) {
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES,
                       "'%.100s' is no option: an interface is named with -i (smtpwhy live -i "
                       "eth0), saved captures are read without 'live'",
                       settings->words[0]);
        return false;
    }
    if (live->device_count == 0)
        what = "no interface given; name one: smtpwhy live -i eth0 (-D lists them)";
    else if (!live->record_path &&
             (rotates || live->record_files || live->ring_bytes || live->record_kind))
        what = "-C, -G, -W, --record and --ring say how to record; name a file with -w as well";
    else if (live->ring_bytes && live->record_kind == SW_RECORDING_ALL)
        what = "--ring writes the frames of stuck mail only; it does not go with --record all";
    else if (live->record_seconds && !strchr(live->record_path, '%'))
        what = "-G needs a name with the time in it, such as -w mail-%Y%m%d-%H%M%S.pcapng";
    else if (live->record_files && !rotates)
        what = "-W limits the files that -C or -G make; give one of them as well";
    for (unsigned i = 0; live->tui && i < settings->output_count; i++) {
        if (!settings->outputs[i].path)
            what = "--tui needs the screen; give -o a path";
    }
    if (what)
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "%s", what);
    return what == NULL;
}
