/*
 * explanation_query.h - takes a question apart: stage, reply code, enhanced code, text; private to
 * explanation.c.
 */
#ifndef SW_ANALYZER_EXPLANATION_QUERY_H
#define SW_ANALYZER_EXPLANATION_QUERY_H

#include "analyzer/reply.h"
#include "base/arena.h"

struct sw_query_reply {
    bool stage_given;
    enum sw_reply_stage stage;
    bool chunk;      /* the stage was given as BDAT */
    int code;        /* 0: there was none */
    bool inferred;   /* the code: there was an enhanced one alone */
    bool words_only; /* set by the caller that guesses at words without a code */
    bool aside;      /* set by the guess: it refuses a command that carries no mail, like VRFY */
    struct sw_enhanced enhanced;
    struct sw_span text; /* of all lines, joined by LF, without codes; in the arena */
    bool stray; /* a number between words: without words that fit it may count something else */
};

/*
 * Reads a reply that begins the query, behind an optional stage ("RCPT: 550 5.7.1 no"). False when
 * the query begins with neither a basic nor an enhanced code; then only the stage is set.
 */
bool sw_query_reply_read(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out);
/*
 * Finds a reply inside other text ("host mx.example.net[192.0.2.1] said: 550 5.1.1 ... (in reply to
 * RCPT TO command)"). False when there is none.
 */
bool sw_query_reply_find(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out);

/* What of pasted words may be shown, in the arena: cut at so many bytes, and before a login. */
const char *sw_query_shown(struct sw_span words, size_t most, struct sw_arena *arena);
/*
 * Finds the 2xx that a mail server logs of a mail that it has handed over ("status=sent (250 ok)").
 * False when there is none.
 */
bool sw_query_success_find(struct sw_span query, struct sw_arena *arena,
                           struct sw_query_reply *out);
/*
 * Finds a bare code in other text ("error 5.7.1 again"): a basic one that has a meaning, an
 * enhanced one that is known, or both. *basic_given as for the caller of sw_query_reply_read.
 */
bool sw_query_code_find(struct sw_span query, struct sw_query_reply *out, bool *basic_given);
/*
 * Finds the first refusal (else the last reply) in a dialogue of several lines, commands among
 * them, as programs log it, and the stage by the command before it. False: it is no dialogue.
 */
bool sw_query_dialogue_find(struct sw_span query, struct sw_arena *arena,
                            struct sw_query_reply *out);
/* A three-digit code of a reply at the start of `s`, or 0. */
int sw_query_code_at(struct sw_span s);
/* Cuts a stage off the start of *query; false when there is none. */
bool sw_query_take_stage(struct sw_span *query, enum sw_reply_stage *stage);
/* The next line of *rest, trimmed: up to LF, or a backslash and an 'n'. */
struct sw_span sw_query_next_line(struct sw_span *rest);
/* The stages at which a code usually comes, as a bit mask. */
uint16_t sw_query_stages(int code);
/* The stage that is meant when a reply comes without one. */
enum sw_reply_stage sw_query_stage(int code);

/*
 * Reads a reply at the stage that was given, else at the one where the words say most: one at which
 * the code is at home, or any where those have nothing to say about the words. The name of the
 * command that a server does not know or have says it too (explanation_stage.c).
 */
void sw_query_reply_guess(const struct sw_reply_kb *kb, struct sw_query_reply *reply,
                          struct sw_reply_reading *out);

#endif
