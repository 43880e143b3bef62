/*
 * ladder.c - puts the rungs of a ladder together, and into their order.
 */
#include "report/ladder_build.h"

#include <stdlib.h>

enum {
    RUNGS_FIRST = 32,
    TEXT_BYTES = 16 * 1024 * 1024, /* far above what a session keeps; a last resort */
};

const char *sw_rung_kind_name(enum sw_rung_kind kind)
{
    static const char *const names[SW_RUNG_KINDS] = {
        [SW_RUNG_LOOKUP] = "lookup", [SW_RUNG_TCP] = "tcp",   [SW_RUNG_COMMAND] = "command",
        [SW_RUNG_REPLY] = "reply",   [SW_RUNG_TEXT] = "text", [SW_RUNG_TLS] = "tls",
        [SW_RUNG_OTHER] = "other",   [SW_RUNG_ICMP] = "icmp", [SW_RUNG_SILENCE] = "silence",
        [SW_RUNG_NOTE] = "note",
    };
    return names[kind];
}

const char *sw_rung_mood_name(enum sw_rung_mood mood)
{
    static const char *const names[] = {
        [SW_RUNG_PLAIN] = "plain", [SW_RUNG_ODD] = "odd", [SW_RUNG_BAD] = "bad"};
    return names[mood];
}

static struct sw_rung *new_rung(struct sw_ladder *ladder)
{
    if (ladder->count == ladder->room) {
        uint32_t room = ladder->room ? 2 * ladder->room : RUNGS_FIRST;
        struct sw_rung *rungs = realloc(ladder->rungs, room * sizeof(*rungs));
        if (!rungs) {
            ladder->cut = true;
            return NULL;
        }
        ladder->rungs = rungs;
        ladder->room = room;
    }
    struct sw_rung *rung = &ladder->rungs[ladder->count];
    *rung = (struct sw_rung){.index = ladder->count};
    ladder->count++;
    return rung;
}

struct sw_rung *sw_ladder_add(struct sw_ladder_maker *m, enum sw_rung_kind kind,
                              enum sw_origin from, struct sw_mark mark, enum sw_rung_rank rank,
                              enum sw_stage stage)
{
    struct sw_rung *rung = mark.frame ? new_rung(m->ladder) : NULL;
    if (!rung)
        return NULL;
    rung->kind = kind;
    rung->from = from;
    rung->first = rung->last = mark;
    rung->at = mark.frame;
    rung->rank = rank;
    rung->stage = stage;
    return rung;
}

void sw_ladder_note(struct sw_ladder_maker *m, bool at_the_end, enum sw_rung_mood mood)
{
    struct sw_rung *rung = new_rung(m->ladder);
    if (rung) {
        const struct sw_flow_facts *facts = m->session->facts;
        rung->kind = SW_RUNG_NOTE;
        rung->from = SW_ORIGIN_NETWORK;
        rung->mood = mood;
        rung->stage = at_the_end ? m->verdict->stage : SW_STAGE_CONNECT;
        rung->first.time_ns = rung->last.time_ns =
            at_the_end ? facts->last.time_ns : facts->first.time_ns;
        rung->at = at_the_end ? UINT64_MAX : 0;
        rung->rank = at_the_end ? SW_RANK_BEHIND : SW_RANK_SILENCE;
    }
    sw_ladder_say(m, rung);
}

struct sw_span sw_ladder_keep(struct sw_ladder_maker *m, struct sw_span text)
{
    return sw_arena_copy(&m->ladder->arena, sw_veil_text(m->veil, text));
}

void sw_ladder_say(struct sw_ladder_maker *m, struct sw_rung *rung)
{
    if (rung)
        rung->text = sw_ladder_keep(m, sw_writer_span(&m->text));
    sw_writer_clear(&m->text);
}

void sw_ladder_say_text(struct sw_ladder_maker *m, struct sw_rung *rung, const char *text)
{
    sw_writer_text(&m->text, text);
    sw_ladder_say(m, rung);
}

static int compare(const void *a, const void *b)
{
    const struct sw_rung *x = a;
    const struct sw_rung *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void sw_ladder_sort(struct sw_ladder *ladder)
{
    if (ladder->count > 0)
        qsort(ladder->rungs, ladder->count, sizeof(ladder->rungs[0]), compare);
    for (uint32_t i = 0; i < ladder->count; i++)
        ladder->rungs[i].index = i;
}

static void notes(struct sw_ladder_maker *m)
{
    const struct sw_session *session = m->session;
    if (session->steps_left_out > 0) {
        sw_writer_format(&m->text, "%u more lines were not kept (--help limits)",
                         session->steps_left_out);
        sw_ladder_note(m, true, SW_RUNG_PLAIN);
    }
    if (m->verdict->quality[SW_QUALITY_ONE_SIDED] > 0) {
        sw_writer_text(&m->text, "only one side of this connection is in the capture");
        sw_ladder_note(m, false, SW_RUNG_ODD);
    }
}

/* What is no part of the dialogue stands where the dialogue stands. */
static void set_stages(struct sw_ladder *ladder)
{
    for (uint32_t i = 1; i < ladder->count; i++) {
        struct sw_rung *rung = &ladder->rungs[i];
        bool follows = rung->rank == SW_RANK_CLOSE || rung->rank == SW_RANK_BEHIND ||
                       rung->rank == SW_RANK_SILENCE;
        if (follows)
            rung->stage = ladder->rungs[i - 1].stage;
    }
}

static void set_times(struct sw_ladder *ladder, const struct sw_session *session)
{
    int64_t begin_ns = session->facts->first.time_ns;
    for (uint32_t i = 0; i < ladder->count; i++) {
        struct sw_rung *rung = &ladder->rungs[i];
        rung->t_ns = sw_view_since(begin_ns, rung->first.time_ns);
        if (rung->kind != SW_RUNG_SILENCE)
            rung->lasted_ns = sw_view_since(rung->first.time_ns, rung->last.time_ns);
    }
}

void sw_ladder_build(struct sw_ladder *ladder, const struct sw_session *session,
                     const struct sw_verdict *verdict, struct sw_veil *veil)
{
    struct sw_ladder_maker m = {
        .ladder = ladder, .session = session, .verdict = verdict, .veil = veil};
    *ladder = (struct sw_ladder){.count = 0};
    sw_arena_init(&ladder->arena, TEXT_BYTES, NULL);
    sw_writer_open_memory(&m.text);
    sw_ladder_lookups(&m);
    sw_ladder_tcp(&m);
    sw_ladder_dialogue(&m);
    sw_ladder_tls(&m);
    notes(&m);
    sw_ladder_sort(ladder);
    sw_ladder_join_tls(&m);
    sw_ladder_evidence(&m);
    sw_ladder_sort(ladder);
    sw_ladder_silences(&m);
    sw_ladder_sort(ladder);
    set_stages(ladder);
    set_times(ladder, session);
    ladder->cut = ladder->cut || ladder->arena.exhausted || m.text.error != 0;
    sw_writer_release(&m.text);
}

void sw_ladder_release(struct sw_ladder *ladder)
{
    free(ladder->rungs);
    sw_arena_release(&ladder->arena);
    *ladder = (struct sw_ladder){.count = 0};
}
