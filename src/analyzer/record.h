/*
 * record.h - what leaves the analysis: one record after the other, in the order in which they
 * became final.
 *
 * Records are borrowed: they live during the call that hands them out.
 */
#ifndef SW_ANALYZER_RECORD_H
#define SW_ANALYZER_RECORD_H

#include "analyzer/delivery.h"
#include "analyzer/stall.h"

enum sw_record_kind {
    SW_RECORD_SESSION,
    SW_RECORD_DELIVERY,
    SW_RECORD_SUMMARY,
    SW_RECORD_STALL, /* provisional, of live traffic only */
};

struct sw_damage {
    struct sw_damage *next;
    const char *file;
    uint64_t offset_bytes;
    const char *what;
};

enum { SW_TOP_HOSTS = 100, SW_HOST_SLOTS = 256 };

/* Where each host stands in its list, plus one, by the hash of its address; 0: no host. */
struct sw_host_slots {
    uint8_t at[SW_HOST_SLOTS];
};

struct sw_host_count {
    uint8_t address[16];
    int ip_version;
    char ip[46]; /* the same as text */
    uint64_t sessions;
    uint64_t by_outcome[SW_OUTCOME_COUNT];
};

/* A counter with a name ("flows-limit"). */
struct sw_named_count {
    const char *name;
    uint64_t count;
};

enum { SW_NAMED_COUNTS = 32 };

/* Counts of one run, over all its files. */
struct sw_summary {
    uint64_t files;
    uint64_t frames_read, frames_decoded, frames_other, frames_undecodable, frames_filtered;
    uint64_t bytes;
    uint64_t tcp_connections; /* of any kind, for "what did this capture hold" */
    uint64_t udp_packets;
    uint64_t dns_packets;
    uint64_t sessions;
    int64_t last_ns; /* the end of the last session, SW_TIME_NONE: there was none */
    uint64_t deliveries;
    uint64_t by_outcome[SW_OUTCOME_COUNT];
    uint64_t mails[SW_OUTCOME_COUNT]; /* each told once, however many sessions it took */
    uint64_t by_cause[SW_CAUSE_COUNT];
    uint64_t by_finding[SW_FINDING_COUNT][SW_SEVERITY_COUNT];
    struct sw_host_count clients[SW_TOP_HOSTS], servers[SW_TOP_HOSTS]; /* in the order first seen */
    uint32_t client_count, server_count;
    struct sw_host_slots client_slots, server_slots;
    struct sw_named_count skipped[SW_NAMED_COUNTS];
    struct sw_named_count limits[SW_NAMED_COUNTS];
    struct sw_damage *damage, *last_damage; /* owned by whoever made the summary */
    uint32_t damage_count, damage_most;     /* most 0 = no cap */
};

struct sw_record {
    enum sw_record_kind kind;
    const struct sw_session *session; /* SW_RECORD_SESSION */
    const struct sw_verdict *verdict;
    const struct sw_delivery *delivery; /* SW_RECORD_DELIVERY */
    const struct sw_summary *summary;   /* SW_RECORD_SUMMARY */
    const struct sw_stall *stall;       /* SW_RECORD_STALL */
};

void sw_summary_init(struct sw_summary *summary);
/* Counts one session record. */
void sw_summary_add(struct sw_summary *summary, const struct sw_session *session,
                    const struct sw_verdict *verdict);
/* Counts one story, of one session or of several. */
void sw_summary_deliver(struct sw_summary *summary, const struct sw_delivery *delivery);
/* Adds `from` to `into`; the damage list moves over. */
void sw_summary_merge(struct sw_summary *into, struct sw_summary *from);
/* Counts n under a name (a constant) in one of the two named lists. */
void sw_summary_count(struct sw_named_count *list, const char *name, uint64_t n);
/* Notes damage; `file` and `what` are copied. */
void sw_summary_damage(struct sw_summary *summary, const char *file, uint64_t offset_bytes,
                       const char *what);
/* Frees the damage list. */
void sw_summary_clear(struct sw_summary *summary);

#endif
