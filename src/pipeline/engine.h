/*
 * engine.h - one stream of frames through all stages; private to the pipeline room.
 *
 * The engine's clock is packet time. Records are handed out in the order in which they become
 * final. All state hangs off this object; several engines run side by side.
 */
#ifndef SW_PIPELINE_ENGINE_H
#define SW_PIPELINE_ENGINE_H

#include "analyzer/analyzer.h"
#include "analyzer/record.h"
#include "flow/flow.h"
#include "flow/fragment.h"
#include "pipeline/book.h"
#include "session/session.h"
#include "smtpwhy.h"

enum { SW_MAIL_PORTS_MAX = 64 };

struct sw_mail_ports {
    uint16_t ports[SW_MAIL_PORTS_MAX];
    unsigned count;
};

/* Reads "25,465,587"; false when it is no list of ports. NULL gives the default 25, 465, 587, 2525
 * and 24. */
bool sw_mail_ports_parse(struct sw_mail_ports *out, const char *list);
bool sw_mail_ports_has(const struct sw_mail_ports *ports, uint16_t port);

/* The values of the caps of base/limit.def; made by sw_limits_parse(). */
struct sw_engine_limits {
    uint64_t memory_bytes; /* for all that grows with the traffic */
    struct sw_flow_limits flow;
    struct sw_fragment_limits fragments;
    struct sw_session_limits session;
    struct sw_ledger_limits ledger;
    uint32_t lent_blocks;    /* unfinished lines kept at once */
    uint64_t unpacked_bytes; /* of one compressed capture */
    uint64_t unpack_ratio;   /* unpacked bytes for each packed one */
    struct sw_book_limits book;
    uint32_t strangers;   /* connections of unknown kind that are looked at at once */
    int64_t stall_ns;     /* a silence of live traffic that is told before it ends */
    uint32_t dns_streams; /* TCP connections to name servers read at once */
    uint32_t keys;        /* secrets of a key log */
    uint32_t hosts;       /* names of addresses that captures bring along */
    uint32_t damage;      /* places of damage that the summary tells one by one */
};

struct sw_engine;

/* What an engine works with, all of it borrowed. */
struct sw_tls_setting;
struct sw_engine_means {
    const struct sw_mail_ports *ports;     /* copied */
    const struct sw_engine_limits *limits; /* copied */
    const struct sw_reply_kb *kb;
    struct sw_tls_setting *tls; /* what certificates are judged by (pipeline/tls.h) */
    size_t *account;            /* memory is counted here, */
    struct sw_summary *summary; /* and what was met here, while the engine works */
    void (*record)(void *ctx, const struct sw_record *record);
    void *record_ctx;
};

/* NULL when memory is short. */
struct sw_engine *sw_engine_new(const struct sw_engine_means *means);
/* Sentences call hosts by their addresses only. */
void sw_engine_no_names(struct sw_engine *engine);
/* The names that the capture brings along. Borrowed. */
struct sw_hosts;
void sw_engine_hosts(struct sw_engine *engine, const struct sw_hosts *hosts);
/* The captures in the order in which frame->file numbers them; they outlive the engine. */
void sw_engine_files(struct sw_engine *engine, const char *const *files, unsigned count);
/* *frame: its number becomes one of the whole series (base/frame_ref.h), its time one that can be.
 */
void sw_engine_frame(struct sw_engine *engine, struct sw_frame *frame);
/* How many connections there are and were; borrowed until the next call. */
const struct sw_flow_counters *sw_engine_flows(const struct sw_engine *engine);
/* What the last frame was, for who records it. */
struct sw_seen {
    bool about_mail; /* in any case: names, errors, neighbours, parts of packets, new connections */
    bool is_tcp;     /* else, when this is so, what is known of the connection decides */
    /* of the packet, or that an ICMP error quotes; of a search for a neighbour who asks and for
     * whom, without ports; all zero: none */
    struct sw_tuple tuple;
};

struct sw_seen sw_engine_seen(const struct sw_engine *engine);

enum sw_interest {
    SW_INTEREST_NONE, /* no mail, or not known (any more) */
    SW_INTEREST_OPEN, /* it may still turn out to be */
    SW_INTEREST_MAIL,
};

/* What is known of a TCP connection at the moment. */
enum sw_interest sw_engine_interest(const struct sw_engine *engine, const struct sw_tuple *tuple);
/* No frame came up to this moment: silences are judged by it. */
void sw_engine_time(struct sw_engine *engine, int64_t now_ns);
/* Hands out a provisional word on every mail connection in which nothing has been said for
 * `patience_ns`, once for each silence. */
void sw_engine_tell_stalls(struct sw_engine *engine, int64_t now_ns, int64_t patience_ns);
/* The recorder lost frames just now. */
void sw_engine_lost(struct sw_engine *engine, uint64_t frames);
/* Makes at once what is else made when it is first needed, so that no file is opened later. */
void sw_engine_prepare(struct sw_engine *engine);
/* The stream is over: every open connection becomes final. */
void sw_engine_finish(struct sw_engine *engine);
void sw_engine_free(struct sw_engine *engine);

/* Community ID v1 with seed 0 ("1:..."), and the session's own id, of a connection. */
void sw_session_name(struct sw_session *session);

#endif
