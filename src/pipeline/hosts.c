#include "pipeline/hosts.h"

#include "base/account.h"

#include <stdlib.h>

enum { NAME_BYTES = 253 }; /* RFC 1035 2.3.4, as text */

struct sw_host {
    struct sw_host *next;
    uint8_t address[16];
    uint8_t ip_version;
    uint8_t length;
    char name[];
};

static uint32_t bucket_of(const struct sw_hosts *hosts, const uint8_t address[16])
{
    return (uint32_t)(sw_hash_bytes(&hosts->key, sw_span_make(address, 16)) % SW_HOSTS_BUCKETS);
}

static bool is_host_name(struct sw_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7F)
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES;
}

struct sw_span sw_hosts_find(const struct sw_hosts *hosts, int ip_version,
                             const uint8_t address[16])
{
    const struct sw_host *host = hosts->buckets ? hosts->buckets[bucket_of(hosts, address)] : NULL;
    for (; host; host = host->next) {
        if (host->ip_version == ip_version && memcmp(host->address, address, 16) == 0)
            return sw_span_make(host->name, host->length);
    }
    return (struct sw_span){NULL, 0};
}

static bool open_table(struct sw_hosts *hosts)
{
    if (hosts->buckets)
        return true;
    hosts->buckets = calloc(SW_HOSTS_BUCKETS, sizeof(struct sw_host *));
    if (!hosts->buckets)
        return false;
    hosts->key = sw_hash_random_key();
    sw_account_take(hosts->account, SW_HOSTS_BUCKETS * sizeof(struct sw_host *));
    return true;
}

bool sw_hosts_add(struct sw_hosts *hosts, int ip_version, struct sw_span address,
                  struct sw_span name)
{
    uint8_t key[16] = {0};
    if (!is_host_name(name) || address.len != (ip_version == 6 ? 16 : 4))
        return true;
    memcpy(key, address.ptr, address.len);
    if (sw_hosts_find(hosts, ip_version, key).len > 0)
        return true;
    if (hosts->count >= hosts->most || !open_table(hosts))
        return false;
    struct sw_host *host = malloc(sizeof(*host) + name.len);
    if (!host)
        return false;
    sw_account_take(hosts->account, sizeof(*host) + name.len);
    memcpy(host->address, key, sizeof(key));
    memcpy(host->name, name.ptr, name.len);
    host->ip_version = (uint8_t)ip_version;
    host->length = (uint8_t)name.len;
    struct sw_host **bucket = &hosts->buckets[bucket_of(hosts, key)];
    host->next = *bucket;
    *bucket = host;
    hosts->count++;
    return true;
}

void sw_hosts_clear(struct sw_hosts *hosts)
{
    if (!hosts->buckets)
        return;
    for (uint32_t i = 0; i < SW_HOSTS_BUCKETS; i++) {
        while (hosts->buckets[i]) {
            struct sw_host *host = hosts->buckets[i];
            hosts->buckets[i] = host->next;
            sw_account_give(hosts->account, sizeof(*host) + host->length);
            free(host);
        }
    }
    sw_account_give(hosts->account, SW_HOSTS_BUCKETS * sizeof(struct sw_host *));
    free(hosts->buckets);
    hosts->buckets = NULL;
    hosts->count = 0;
}
