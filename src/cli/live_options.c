/*
 * live_options.c - the readers of the options that only live knows.
 */
#include "cli/live.h"

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
