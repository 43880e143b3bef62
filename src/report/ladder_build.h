/*
 * ladder_build.h - what the parts of the ladder's maker share; private to ladder*.c.
 */
#ifndef SW_REPORT_LADDER_BUILD_H
#define SW_REPORT_LADDER_BUILD_H

#include "report/ladder.h"
#include "report/view.h"

/* Which comes first within one frame. */
enum sw_rung_rank {
    SW_RANK_SILENCE, /* it stands before what ended it */
    SW_RANK_OPEN,    /* SYN and what belongs to it */
    SW_RANK_CLEAR,
    SW_RANK_TLS,
    SW_RANK_INSIDE, /* what was said inside TLS */
    SW_RANK_ALERT,
    SW_RANK_CLOSE,
    SW_RANK_BEHIND, /* what is added because it is evidence */
};

struct sw_ladder_maker {
    struct sw_ladder *ladder;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    struct sw_veil *veil;
    struct sw_writer text; /* of the rung in work */
};

/* A new rung for one mark, in the order of its frame; a mark that was never seen (frame 0) gives
 * NULL, as a lack of memory does. */
struct sw_rung *sw_ladder_add(struct sw_ladder_maker *m, enum sw_rung_kind kind,
                              enum sw_origin from, struct sw_mark mark, enum sw_rung_rank rank,
                              enum sw_stage stage);
/* A note before everything, or behind everything. */
void sw_ladder_note(struct sw_ladder_maker *m, bool at_the_end, enum sw_rung_mood mood);
/* Gives what was written to m->text to the rung (may be NULL), through the veil, and empties it. */
void sw_ladder_say(struct sw_ladder_maker *m, struct sw_rung *rung);
/* The same for a text of our own. */
void sw_ladder_say_text(struct sw_ladder_maker *m, struct sw_rung *rung, const char *text);
/* The text to keep in place of `text`. */
struct sw_span sw_ladder_keep(struct sw_ladder_maker *m, struct sw_span text);

/* The parts. */
void sw_ladder_lookups(struct sw_ladder_maker *m);
void sw_ladder_tcp(struct sw_ladder_maker *m);
void sw_ladder_tls(struct sw_ladder_maker *m);
void sw_ladder_dialogue(struct sw_ladder_maker *m);
/* Behind the sorting: rungs of TLS that belong together, the silences, the evidence. */
void sw_ladder_join_tls(struct sw_ladder_maker *m);
void sw_ladder_silences(struct sw_ladder_maker *m);
void sw_ladder_evidence(struct sw_ladder_maker *m);

/* Sorts, and numbers the places anew. */
void sw_ladder_sort(struct sw_ladder *ladder);

#endif
