/*
 * engine_clock.c - what the engine does when no frame comes: time goes on, connections rest, or it
 * is over.
 */
#include "pipeline/engine_state.h"
#include "pipeline/tally.h"

void sw_engine_time(struct sw_engine *engine, int64_t now_ns)
{
    if (now_ns <= engine->now_ns)
        return;
    engine->now_ns = now_ns;
    sw_book_time(engine->book, now_ns);
    sw_flow_table_time(engine->flows, now_ns);
}

void sw_engine_rest(void *ctx, struct sw_flow *flow)
{
    (void)ctx;
    const enum sw_watch *watch = sw_flow_user(flow);
    bool is_mail = watch && *watch == SW_WATCH_MAIL;
    struct sw_mail_rest *rest = is_mail ? sw_mail_rest(sw_flow_user(flow)) : NULL;
    if (rest)
        sw_flow_set_user(flow, rest);
}

bool sw_engine_wake(void *ctx, struct sw_flow *flow)
{
    (void)ctx;
    const enum sw_watch *watch = sw_flow_user(flow);
    if (!watch || *watch != SW_WATCH_RESTING)
        return true;
    struct sw_mail_rest *rest = sw_flow_user(flow);
    struct sw_flow *other = sw_mail_rest_in_the_way(rest);
    if (other && (!sw_flow_make_rest(other) || sw_mail_rest_in_the_way(rest)))
        return false;
    sw_flow_set_user(flow, sw_mail_wake(rest, flow));
    return true;
}

bool sw_engine_make_room(struct sw_engine *engine)
{
    return (engine->mail_slots && sw_slots_trim(engine->mail_slots)) ||
           sw_flow_table_shed(engine->flows);
}

struct stall_search {
    struct sw_engine *engine;
    int64_t now_ns, patience_ns;
};

static void look_at(void *ctx, struct sw_flow *flow)
{
    const struct stall_search *search = ctx;
    struct sw_engine *engine = search->engine;
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    const enum sw_watch *watch = sw_flow_user(flow);
    const struct sw_mail *mail = watch && *watch == SW_WATCH_MAIL ? sw_flow_user(flow) : NULL;
    bool by_port = sw_mail_ports_has(&engine->ports, facts->tuple.dst_port);
    if (mail ? !by_port && !sw_mail_is_confirmed(mail) : watch || !by_port)
        return;
    struct sw_stall stall = {
        .facts = facts, .session = mail ? &mail->session : NULL, .now_ns = search->now_ns};
    if (!sw_stall_begin(&stall) || stall.since.time_ns > search->now_ns - search->patience_ns ||
        facts->stall_told == stall.since.frame)
        return;
    const struct sw_record record = {.kind = SW_RECORD_STALL, .stall = &stall};
    sw_flow_stall_told(flow, stall.since.frame);
    engine->record(engine->record_ctx, &record);
}

void sw_engine_tell_stalls(struct sw_engine *engine, int64_t now_ns, int64_t patience_ns)
{
    struct stall_search search = {engine, now_ns, patience_ns};
    sw_flow_table_each(engine->flows, look_at, &search);
}

void sw_engine_lost(struct sw_engine *engine, uint64_t frames)
{
    sw_losses_add(&engine->losses, engine->now_ns, frames);
}

void sw_engine_prepare(struct sw_engine *engine)
{
    sw_strangers_prepare(&engine->strangers);
}

void sw_engine_finish(struct sw_engine *engine)
{
    if (engine->mail_slots)
        sw_slots_keep(engine->mail_slots);
    sw_flow_table_finish(engine->flows);
    sw_book_finish(engine->book, engine->now_ns);
    sw_analyzer_finish(engine->analyzer);
    sw_engine_hand_out_deliveries(engine);
    sw_tally(engine->summary, sw_flow_table_count(engine->flows), engine->analyzer, engine->book,
             &engine->strangers);
    sw_intake_finish(&engine->intake);
}
