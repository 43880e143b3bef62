/*
 * kind.h - what an input is, told from its first bytes: a capture, a known container around one, or
 * neither; private to the capture room.
 */
#ifndef SW_CAPTURE_KIND_H
#define SW_CAPTURE_KIND_H

#include "capture/input.h"

/* Magic numbers, as they read in network order. */
#define SW_PCAPNG_SECTION UINT32_C(0x0A0D0D0A) /* the same in both byte orders */
#define SW_PCAP_MICRO UINT32_C(0xA1B2C3D4)
#define SW_PCAP_MICRO_SWAPPED UINT32_C(0xD4C3B2A1)
#define SW_PCAP_NANO UINT32_C(0xA1B23C4D)
#define SW_PCAP_NANO_SWAPPED UINT32_C(0x4D3CB2A1)
/* of a modified libpcap (A. Kuznetzov's), with more in each record's header */
#define SW_PCAP_MODIFIED UINT32_C(0xA1B2CD34)
#define SW_PCAP_MODIFIED_SWAPPED UINT32_C(0x34CDB2A1)

struct sw_kind {
    bool pcapng;
    uint32_t magic; /* the first four bytes, in network order */
};

/*
 * Looks at an input that nobody reads yet. SW_OK: it begins as pcap or pcapng, and *kind is filled.
 * SW_UNREADABLE: empty, too short for a header, or not a capture. SW_UNSUPPORTED: a recognised
 * container, named. `path` helps to recognise formats without a magic number, `name` is for
 * messages.
 */
struct sw_status sw_kind_look(struct sw_input *input, const char *path, const char *name,
                              struct sw_kind *kind) SW_MUST_CHECK;

#endif
