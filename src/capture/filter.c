#include "capture/filter.h"

#include <pcap.h>
#include <stdlib.h>

enum { SNAPLEN_BYTES = 262144 };

struct sw_filter_slot {
    int32_t link_type;
    struct bpf_program program;
};

struct sw_status sw_filter_refuse(const char *expression, const char *why)
{
    return sw_status_make(SW_USAGE, 0,
                          "filter '%.100s': %s; it is written as for tcpdump (tcp port 25 and host "
                          "192.0.2.7), not as a display filter of Wireshark",
                          expression, why);
}

/* Compiles without an open file: only the link type matters. */
static struct sw_status compile(struct sw_filter *filter, struct sw_filter_slot *slot)
{
    pcap_t *dead = pcap_open_dead(slot->link_type, SNAPLEN_BYTES);
    if (!dead)
        return sw_status_make(SW_NO_MEMORY, 0, "out of memory");
    struct sw_status status = sw_status_ok();
    if (pcap_compile(dead, &slot->program, filter->expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        status = sw_filter_refuse(filter->expression, pcap_geterr(dead));
    pcap_close(dead);
    return status;
}

struct sw_status sw_filter_for(struct sw_filter *filter, int32_t link_type,
                               struct sw_filter_slot **out)
{
    *out = NULL;
    if (!filter->expression)
        return sw_status_ok();
    for (unsigned i = 0; i < filter->count; i++) {
        if (filter->slots[i]->link_type == link_type) {
            *out = filter->slots[i];
            return sw_status_ok();
        }
    }
    if (filter->count == SW_FILTER_LINK_TYPES)
        return sw_status_make(SW_USAGE, 0, "filter '%s': the file has more than %d link types",
                              filter->expression, SW_FILTER_LINK_TYPES);
    struct sw_filter_slot *slot = calloc(1, sizeof(*slot));
    if (!slot)
        return sw_status_make(SW_NO_MEMORY, 0, "out of memory");
    slot->link_type = link_type;
    struct sw_status status = compile(filter, slot);
    if (status.code != SW_OK) {
        free(slot);
        return status;
    }
    filter->slots[filter->count++] = slot;
    *out = slot;
    return status;
}

bool sw_filter_matches(const struct sw_filter_slot *slot, const struct sw_frame *frame)
{
    const struct pcap_pkthdr header = {.caplen = frame->caplen, .len = frame->len};
    return pcap_offline_filter(&slot->program, &header, frame->bytes) != 0;
}

void sw_filter_release(struct sw_filter *filter)
{
    for (unsigned i = 0; i < filter->count; i++) {
        pcap_freecode(&filter->slots[i]->program);
        free(filter->slots[i]);
    }
    filter->count = 0;
}
