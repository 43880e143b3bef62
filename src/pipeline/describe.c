/*
 * describe.c - records and explanations for whoever has the library's header only.
 */
#include "analyzer/explanation.h"
#include "analyzer/record.h"
#include "base/address.h"
#include "base/frame_ref.h"
#include "smtpwhy.h"

#include <stdio.h>
#include <stdlib.h>

static void describe_hosts(const struct sw_tuple *t, struct sw_record_info *info)
{
    sw_address_format(t->src, t->ip_version, info->client_ip);
    sw_address_format(t->dst, t->ip_version, info->server_ip);
    info->client_port = t->src_port;
    info->server_port = t->dst_port;
}

static void describe_session(const struct sw_session *session, const struct sw_verdict *v,
                             struct sw_record_info *info)
{
    const struct sw_evidence *e;
    info->type = "session";
    info->id = session->id;
    info->file = session->file;
    describe_hosts(&session->facts->tuple, info);
    info->start_ns = session->facts->first.time_ns;
    info->first_frame = sw_frame_number(session->facts->first.frame);
    info->last_frame = sw_frame_number(session->facts->last.frame);
    info->outcome = sw_outcome_name(v->outcome);
    info->cause = sw_cause_name(v->cause);
    info->stage = sw_stage_name(v->stage);
    info->permanence = sw_permanence_name(v->permanence);
    info->actor = sw_actor_name(v->actor);
    info->confidence = sw_confidence_name(v->confidence);
    info->summary = v->summary;
    info->explanation = v->explanation;
    if (v->advice)
        info->advice = v->advice;
    SW_EACH(e, v->evidence) {
        if (e->mark.frame && info->evidence_count < SW_EVIDENCE_MAX)
            info->evidence[info->evidence_count++] = (struct sw_evidence_info){
                sw_frame_number(e->mark.frame), e->mark.time_ns, sw_origin_name(e->from), e->what};
    }
}

static void describe_delivery(const struct sw_delivery *d, struct sw_record_info *info)
{
    info->type = "delivery";
    info->id = d->id;
    describe_hosts(&d->tuple, info);
    info->start_ns = d->first_attempt_ns;
    info->outcome = sw_outcome_name(d->outcome);
    info->cause = d->cause == SW_CAUSE_NONE ? NULL : sw_cause_name(d->cause);
    info->confidence = sw_confidence_name(d->confidence);
    info->summary = d->summary;
}

static void describe_summary(const struct sw_summary *s, struct sw_record_info *info)
{
    info->type = "summary";
    info->frames = s->frames_read;
    info->sessions = s->sessions;
    info->mails_delivered = s->mails[SW_OUTCOME_DELIVERED];
    info->mails_partial = s->mails[SW_OUTCOME_PARTIAL];
    info->mails_stuck = s->mails[SW_OUTCOME_STUCK];
    info->mails_unknown = s->mails[SW_OUTCOME_UNKNOWN];
}

void sw_record_describe(const struct sw_record *record, struct sw_record_info *info)
{
    static const char *const none[] = {NULL};
    *info = (struct sw_record_info){.type = "stall", .advice = none};
    switch (record->kind) {
    case SW_RECORD_SESSION:
        describe_session(record->session, record->verdict, info);
        break;
    case SW_RECORD_DELIVERY:
        describe_delivery(record->delivery, info);
        break;
    case SW_RECORD_SUMMARY:
        describe_summary(record->summary, info);
        break;
    case SW_RECORD_STALL:
        describe_hosts(&record->stall->facts->tuple, info);
        break;
    }
}

struct sw_meaning {
    struct sw_arena arena;
    struct sw_explanation found;
};

enum { ARENA_BYTES = 512 * 1024 };

struct sw_meaning *sw_meaning_new(const char *query, struct sw_meaning_info *info)
{
    struct sw_reply_kb kb;
    struct sw_meaning *meaning = calloc(1, sizeof(*meaning));
    if (!meaning || !sw_reply_kb_init(&kb)) {
        free(meaning);
        return NULL;
    }
    sw_arena_init(&meaning->arena, ARENA_BYTES, NULL);
    const struct sw_explanation *e = &meaning->found;
    sw_explain(&kb, sw_span_str(query), &meaning->arena, &meaning->found);
    sw_reply_kb_release(&kb);
    bool known = e->kind != SW_EXPLANATION_UNKNOWN;
    *info = (struct sw_meaning_info){
        .kind = sw_explanation_kind_name(e->kind),
        .cause = e->cause == SW_CAUSE_NONE ? NULL : sw_cause_name(e->cause),
        .permanence = known ? sw_permanence_name(e->permanence) : NULL,
        .actor = known ? sw_actor_name(e->actor) : NULL,
        .summary = e->summary,
        .meaning = e->meaning,
        .advice = e->advice,
        .nearest = e->nearest,
    };
    return meaning;
}

void sw_meaning_free(struct sw_meaning *meaning)
{
    if (!meaning)
        return;
    sw_arena_release(&meaning->arena);
    free(meaning);
}
