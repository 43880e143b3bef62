/*
 * ladder.h - a session as a ladder: what went from one side to the other, rung by rung in the order
 * of the capture, with the silences between. The terminal, the text report and the HTML report all
 * draw this one list.
 *
 * A rung is one arrow (a command, a reply, the text of a mail, a handshake message, a SYN, an ICMP
 * error, ...), or a silence or a note, which have no arrow. Packets that belong together are one
 * rung with a first and a last frame: the text of a mail, repetitions in vain, encrypted records.
 *
 * Invariants: rungs are in the order of their first frames. Every piece of evidence of the verdict
 * that has a frame is marked at exactly one rung. Texts passed the veil; secrets are "***" in them;
 * they are wire text otherwise, so whoever shows them escapes them.
 *
 * Life: build, read, release. Memory is bounded by what is kept of a session.
 */
#ifndef SW_REPORT_LADDER_H
#define SW_REPORT_LADDER_H

#include "analyzer/verdict.h"
#include "base/arena.h"
#include "report/veil.h"

enum sw_rung_kind {
    SW_RUNG_LOOKUP, /* a question for a name or a neighbour, and its answer */
    SW_RUNG_TCP,    /* SYN, FIN, RST, repetitions, closed windows */
    SW_RUNG_COMMAND,
    SW_RUNG_REPLY,
    SW_RUNG_TEXT, /* the text of a mail */
    SW_RUNG_TLS,
    SW_RUNG_OTHER, /* bytes of another protocol */
    SW_RUNG_ICMP,
    SW_RUNG_SILENCE, /* nobody said anything for a while; from = whose turn it was */
    SW_RUNG_NOTE,    /* what the reader has to know here; with a frame: of another connection */
    SW_RUNG_KINDS,
};

enum sw_rung_mood {
    SW_RUNG_PLAIN,
    SW_RUNG_ODD, /* slows the mail down or deserves a look: a 4xx, a silence, a repetition */
    SW_RUNG_BAD, /* says no: a 5xx, a reset, an alert, an ICMP error */
};

struct sw_rung {
    enum sw_rung_kind kind;
    enum sw_rung_mood mood;
    enum sw_stage stage;
    enum sw_origin from;        /* an arrow from the client goes right, every other goes left */
    struct sw_mark first, last; /* frame 0: a silence, or a note on this connection */
    uint64_t packets;           /* segments, records or questions it stands for; 0 = one */
    int64_t t_ns;               /* first, since the session began */
    int64_t lasted_ns;          /* from first to last; of a silence: how long it was */
    uint16_t code;              /* of a reply, 0 = none */
    bool lost;                  /* nothing shows that it arrived */
    bool encrypted;             /* inside TLS */
    unsigned evidence;          /* its place among the verdict's evidence, from 1; 0 = none */
    struct sw_span proves;      /* what the verdict says of it */
    struct sw_span text;        /* lines are separated by LF */
    /* private: the place in the order */
    uint64_t at;
    const struct sw_step *step; /* of a command or reply */
    uint32_t rank, index;
    uint64_t sealed_bytes; /* of encrypted records */
    bool sealed;
};

struct sw_ladder {
    struct sw_rung *rungs;
    uint32_t count;
    bool cut; /* memory was short: rungs are missing */
    /* private */
    uint32_t room;
    struct sw_arena arena;
};

/* Pauses shorter than this are no silence. */
#define SW_LADDER_SILENCE_NS SW_NS_PER_S

/* Makes the ladder of a session; the veil has to know it (sw_veil_session). */
void sw_ladder_build(struct sw_ladder *ladder, const struct sw_session *session,
                     const struct sw_verdict *verdict, struct sw_veil *veil);
void sw_ladder_release(struct sw_ladder *ladder);

/* "lookup", "tcp", "command", "reply", "text", "tls", "other", "icmp", "silence", "note". */
const char *sw_rung_kind_name(enum sw_rung_kind kind);
/* "plain", "odd", "bad". */
const char *sw_rung_mood_name(enum sw_rung_mood mood);

#endif
