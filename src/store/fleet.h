/*
 * fleet.h - the store that many sensors share: the facts of sessions in ClickHouse.
 *
 * What is added is spooled to disk first, sent in segments, and forgotten here when the store has
 * acknowledged it. What is sent twice (an answer that was lost, a capture that is read again)
 * counts once there, by the sensor's name and the session's id. What an earlier run could not send
 * goes first.
 *
 * Life: open, add ..., close. One thread at a time.
 */
#ifndef SW_STORE_FLEET_H
#define SW_STORE_FLEET_H

#include "audit/audit.h"
#include "base/status.h"

enum { SW_FLEET_SPOOL_MB = 1024, SW_FLEET_WAIT_S = 30 };

struct sw_fleet_options {
    const char *urls;     /* "http://[user@]host[:port][/database]", several with commas */
    const char *cluster;  /* of ClickHouse, or NULL: one server alone */
    const char *password; /* or NULL */
    const char *sensor;   /* whose sessions these are; when asking: only this one's, or NULL */
    const char *spool;    /* directory */
    uint64_t spool_bytes; /* that all that waits may have */
    unsigned wait_s;      /* how long to try in the end */
    bool later;           /* nothing is sent but by sw_fleet_send() */
};

struct sw_fleet;

/* What an audit wants to know of a store. */
struct sw_fleet_question {
    const struct sw_policy *policy; /* or NULL */
    /* of these only; NULL or none is all */
    const bool *outcomes; /* by enum sw_outcome */
    const bool *causes;   /* by enum sw_cause */
    const struct sw_network *clients, *servers;
    unsigned client_count, server_count;
    enum sw_audit_clients told; /* of each client */
    bool compares; /* facts of before and after compare_ns, and what the servers offered */
    int64_t compare_ns;
    bool has_since, has_until;
    int64_t since_ns, until_ns; /* since at the earliest, before until */
};

enum sw_fleet_answer {
    SW_FLEET_WHOLE,
    SW_FLEET_PARTIAL, /* shards are missing; the message says which */
    SW_FLEET_NONE,    /* the message says why */
};

enum { SW_FLEET_MESSAGE_BYTES = 600 };

enum sw_fleet_end {
    SW_FLEET_SENT,
    SW_FLEET_WAITS, /* safe in the spool; the message says how much */
    SW_FLEET_FAILED,
};

/* Is this a store? Nothing is opened. False: *status says what is wrong with the URLs. */
bool sw_fleet_check(const struct sw_fleet_options *options, struct sw_status *status);
/* Opens the spool and begins to send what is in it. Strings are borrowed. NULL: *status says why.
 */
struct sw_fleet *sw_fleet_open(const struct sw_fleet_options *options, struct sw_status *status);
/* Keeps one fact; it is certain to be kept when its segment is complete, or at the end. False:
 * sw_fleet_message says why, and nothing more is kept. */
bool sw_fleet_add(struct sw_fleet *fleet, const struct sw_fact *fact);
/* Sends the rest, and tries for a while. */
enum sw_fleet_end sw_fleet_finish(struct sw_fleet *fleet);
/*
 * In place of add and finish, where others go on while a store does not answer: one process spools,
 * and another one, with a fleet of its own on the same spool, sends.
 */
enum sw_fleet_room {
    SW_FLEET_ROOM_GOOD,
    SW_FLEET_ROOM_NONE, /* the spool holds all that it may: this fact is not kept */
    SW_FLEET_ROOM_FAILED,
};
/* A fact is certain to be kept when it was committed. Unless it is GOOD, the message says why. */
enum sw_fleet_room sw_fleet_spool(struct sw_fleet *fleet, const struct sw_fact *fact);
bool sw_fleet_commit(struct sw_fleet *fleet);
/* Forgets what was not committed. */
void sw_fleet_rollback(struct sw_fleet *fleet);

struct sw_fleet_progress {
    uint64_t sent, failed;   /* segments, and attempts, since the open */
    uint64_t waiting, bytes; /* segments, and what they have of the disk */
    uint64_t refused;        /* 1: one of them, for good */
    unsigned patience_ms;    /* before the next attempt makes sense */
};
/* One attempt to send all that waits; the message says what hinders it. */
enum sw_fleet_end sw_fleet_send(struct sw_fleet *fleet, struct sw_fleet_progress *progress);
/* Looks what waits, without sending it. True: nothing does; else the message says how much. */
bool sw_fleet_look(struct sw_fleet *fleet, struct sw_fleet_progress *progress);
/* Its directory. */
const char *sw_fleet_spool_path(const struct sw_fleet *fleet);

/* What there is to say, or "". */
const char *sw_fleet_message(const struct sw_fleet *fleet);
void sw_fleet_close(struct sw_fleet *fleet);

/*
 * Asks the store: hands out one fact for all sessions that an audit with this policy judges alike
 * but for their clients, and others for what is told of clients, in no order, each borrowed during
 * the call. Its files are called SENSOR:FILE. When the answer is
 * NONE, what was handed out is worth nothing.
 */
enum sw_fleet_answer sw_fleet_each(const struct sw_fleet_options *options,
                                   const struct sw_fleet_question *question,
                                   void (*take)(void *ctx, const struct sw_fact *fact), void *ctx,
                                   char message[SW_FLEET_MESSAGE_BYTES]);

#endif
