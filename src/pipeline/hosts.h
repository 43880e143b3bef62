/*
 * hosts.h - the names that a capture brings along for addresses (the name resolution blocks of
 * pcapng). Private to the pipeline room.
 *
 * Invariants: of several names of one address the first one stays; there are never more than the
 * cap allows, and what is over it is counted.
 */
#ifndef SW_PIPELINE_HOSTS_H
#define SW_PIPELINE_HOSTS_H

#include "base/hash.h"

enum { SW_HOSTS_BUCKETS = 1024 };

struct sw_host;

/* All zero but for `most` and `account` is an empty table. */
struct sw_hosts {
    uint32_t most;   /* names that are kept */
    size_t *account; /* counts their memory */
    struct sw_hash_key key;
    struct sw_host **buckets; /* NULL before the first name */
    uint32_t count;
};

/* ip_version is 4 (4 bytes of address) or 6 (16 bytes). False: it does not fit any more. What is no
 * name of a host is ignored. */
bool sw_hosts_add(struct sw_hosts *hosts, int ip_version, struct sw_span address,
                  struct sw_span name);
/* The name of an address, borrowed until the next clear; empty when there is none. */
struct sw_span sw_hosts_find(const struct sw_hosts *hosts, int ip_version,
                             const uint8_t address[16]);
void sw_hosts_clear(struct sw_hosts *hosts);

#endif
