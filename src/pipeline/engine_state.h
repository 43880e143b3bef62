/*
 * engine_state.h - what an engine is made of, for the files of the engine itself; private to them.
 */
#ifndef SW_PIPELINE_ENGINE_STATE_H
#define SW_PIPELINE_ENGINE_STATE_H

#include "base/blocks.h"
#include "pipeline/engine.h"
#include "pipeline/hosts.h"
#include "pipeline/intake.h"
#include "pipeline/losses.h"
#include "pipeline/mail.h"
#include "pipeline/stranger.h"

enum { SW_NOTABLE_MAX = 64, SW_OVER_MAX = 8 };

/* A session that is over and was not told yet. */
struct sw_over {
    struct sw_mail *mail; /* whose it is, freed afterwards; NULL: it had no payload */
    struct sw_session *session;
    const struct sw_verdict *verdict;
    struct sw_session own;                /* without a mail */
    _Alignas(16) uint8_t desk[16 * 1024]; /* lent to the session: its verdict */
};

struct sw_engine {
    struct sw_mail_ports ports;
    struct sw_engine_limits limits;
    struct sw_intake intake;
    struct sw_flow_table *flows;
    struct sw_analyzer *analyzer;
    struct sw_summary *summary;
    void (*record)(void *ctx, const struct sw_record *record);
    void *record_ctx;
    const char *const *files;
    unsigned file_count;
    struct sw_tls_setting *tls;   /* of the run */
    const struct sw_hosts *hosts; /* of the run, or NULL */
    struct sw_lender lender;
    struct sw_slots *mail_slots; /* NULL: they are made without */
    uint32_t lent;               /* blocks lent at the moment */
    struct sw_blocks blocks;     /* of what comes and goes with mails */
    struct sw_book *book;
    struct sw_strangers strangers;
    uint32_t dns_streams; /* read at the moment */
    bool any_mail;        /* a session, or a failed look-up that was about mail */
    bool any_talk;        /* over UDP */
    struct sw_losses losses;
    struct sw_packet packet; /* the last one; nothing that it borrows is good any more */
    bool packet_whole;       /* there was one, and not only a part of it */
    struct sw_tuple notable[SW_NOTABLE_MAX]; /* connections beside the mail that told something */
    unsigned notable_next;
    int64_t now_ns;
    size_t *account; /* of the run: all memory that grows with the traffic */
    unsigned over_count;
    struct sw_over over[SW_OVER_MAX];
};

/* Among many connections this one waits: what is known of its mail is made small, and whole again.
 */
void sw_engine_rest(void *ctx, struct sw_flow *flow);
bool sw_engine_wake(void *ctx, struct sw_flow *flow);
/* A session is over: that of a mail, or without one the session returned is to be filled in. It is
 * handed out with the next ones; what it borrows has to stay until then. */
struct sw_session *sw_engine_is_over(struct sw_engine *engine, struct sw_mail *mail);
/* All that are over are named, judged, counted, told and freed. */
void sw_engine_hand_out(struct sw_engine *engine);
/* Memory that nobody uses goes first. False: there is nothing more to give. */
bool sw_engine_make_room(struct sw_engine *engine);
/* The stories that are final by now. */
void sw_engine_hand_out_deliveries(struct sw_engine *engine);

#endif
