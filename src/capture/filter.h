/*
 * filter.h - a pcap filter expression compiled with libpcap for each link type that a file has;
 * private to the capture room.
 */
#ifndef SW_CAPTURE_FILTER_H
#define SW_CAPTURE_FILTER_H

#include "base/status.h"
#include "capture/frame.h"

struct sw_filter_slot;

enum { SW_FILTER_LINK_TYPES = 32 };

struct sw_filter {
    const char *expression; /* borrowed; NULL: everything matches */
    struct sw_filter_slot *slots[SW_FILTER_LINK_TYPES];
    unsigned count;
};

/*
 * The filter for a link type; *slot is NULL without an expression. SW_USAGE: it does not compile.
 * Compiled once for each link type and owned by the filter.
 */
struct sw_status sw_filter_for(struct sw_filter *filter, int32_t link_type,
                               struct sw_filter_slot **slot) SW_MUST_CHECK;
bool sw_filter_matches(const struct sw_filter_slot *slot, const struct sw_frame *frame);
/* SW_USAGE: what is said of an expression that libpcap refuses. */
struct sw_status sw_filter_refuse(const char *expression, const char *why);
void sw_filter_release(struct sw_filter *filter);

#endif
