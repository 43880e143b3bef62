/*
 * diff_inside.h - what the files of the comparison share.
 */
#ifndef SW_AUDIT_DIFF_INSIDE_H
#define SW_AUDIT_DIFF_INSIDE_H

#include "audit/diff.h"
#include "audit/example.h"

/* What one time showed of a server. */
struct side {
    uint64_t delivered, failed;
    uint64_t answers[2]; /* to EHLO: in clear text, inside TLS */
    uint16_t tls_highest;
    bool exposed;
    struct sw_example failure, greeted[2], tls, login; /* the earliest of each */
    const char *cause;                                 /* of that failure */
    const struct shown *certificate;                   /* the latest, once finished */
};

struct server {
    struct sw_subject subject;
    int64_t name_ns;
    uint32_t number;     /* in the order in which they were met */
    struct side side[2]; /* before, after */
};

/* A certificate at a server. */
struct shown {
    struct server *server;
    const char *sha256;
    struct sw_span text; /* its subject and last day */
    bool seen[2];
    int64_t last_ns[2];
    struct sw_example example[2]; /* the earliest */
};

/* How often a server answered EHLO with these keywords, all of them in one text: answers are the
 * same over and over, so that they are taken apart in the end only. */
struct offer {
    struct server *server;
    struct sw_span words;
    bool inner;
    uint64_t count[2];
};

struct sw_diff {
    struct sw_arena arena;
    struct sw_table servers, offers;
    struct sw_table certificates; /* of struct shown */
    struct sw_example_files files;
    uint64_t sessions[2];
    struct sw_change *changes;
    size_t count, room;
    bool short_of_memory;
};

/* Gives the server this name when it was told earlier than the one that it has. */
void sw_diff_name(struct sw_diff *diff, struct server *server, struct sw_span name, int64_t at_ns);
/* The offer; NULL when it does not fit. */
struct offer *sw_diff_offer(struct sw_diff *diff, struct server *server, bool inner,
                            struct sw_span words);

#endif
