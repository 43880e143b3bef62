/*
 * engine_hand_out.c - the record of a session that is over, and of the stories that are final with
 * it.
 */
#include "pipeline/engine_state.h"

#include "base/frame_ref.h"

/* The name that the client had looked up for its server. */
static void name_server(struct sw_engine *engine, struct sw_session *session)
{
    const struct sw_flow_facts *facts = session->facts;
    struct sw_naming naming;
    if (engine->hosts && !session->lookup)
        session->given_name =
            sw_arena_copy(&session->arena,
                          sw_hosts_find(engine->hosts, facts->tuple.ip_version, facts->tuple.dst));
    if (session->lookup ||
        !sw_book_name(engine->book, &facts->tuple, facts->first.time_ns, &session->arena, &naming))
        return;
    struct sw_naming *kept = SW_ARENA_NEW(&session->arena, struct sw_naming);
    if (kept)
        *kept = naming;
    session->naming = kept;
}

/* The stories that are final: one session is told by its own record, several by one of theirs. */
void sw_engine_hand_out_deliveries(struct sw_engine *engine)
{
    const struct sw_delivery *delivery;
    while ((delivery = sw_analyzer_delivery(engine->analyzer))) {
        struct sw_record record = {.kind = SW_RECORD_DELIVERY, .delivery = delivery};
        sw_summary_deliver(engine->summary, delivery);
        if (delivery->attempt_count > 1)
            engine->record(engine->record_ctx, &record);
    }
}

static void prepare(struct sw_engine *engine, struct sw_over *over)
{
    struct sw_session *session = over->session;
    sw_analyzer_fetch(engine->analyzer, &session->facts->tuple);
    session->files = engine->files;
    session->file = engine->files[sw_frame_file(session->facts->first.frame)];
    session->file_count = engine->file_count;
    engine->any_mail = engine->any_mail || !session->lookup || !session->lookup->guess;
    session->lost_frames =
        sw_losses_between(&engine->losses, session->facts->first.time_ns, session->final.time_ns);
    sw_arena_lend(&session->arena, over->desk, sizeof(over->desk));
    sw_session_name(session);
    name_server(engine, session);
    sw_tls_judge_certificates(session, engine->tls);
}

static void tell(struct sw_engine *engine, const struct sw_over *over)
{
    const struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = over->session, .verdict = over->verdict};
    sw_summary_add(engine->summary, over->session, over->verdict);
    engine->record(engine->record_ctx, &record);
}

static void release(struct sw_over *over)
{
    if (over->mail)
        sw_mail_free(over->mail);
    else
        sw_session_release(&over->own);
}

struct sw_session *sw_engine_is_over(struct sw_engine *engine, struct sw_mail *mail)
{
    if (engine->over_count == SW_OVER_MAX)
        sw_engine_hand_out(engine);
    struct sw_over *over = &engine->over[engine->over_count++];
    over->mail = mail;
    over->session = mail ? &mail->session : &over->own;
    if (!mail)
        sw_session_init(&over->own, &engine->limits.session, engine->account);
    return over->session;
}

/* Step by step, each with all of them: its code then comes into the cache once. */
void sw_engine_hand_out(struct sw_engine *engine)
{
    struct sw_over *end = engine->over + engine->over_count;
    for (struct sw_over *over = engine->over; over < end; over++)
        prepare(engine, over);
    for (struct sw_over *over = engine->over; over < end; over++)
        over->verdict = sw_analyzer_judge(engine->analyzer, over->session);
    for (struct sw_over *over = engine->over; over < end; over++)
        tell(engine, over);
    for (struct sw_over *over = engine->over; over < end; over++) {
        const struct sw_session *session = over->session;
        sw_analyzer_remember(engine->analyzer, session, over->verdict, session->final.time_ns);
        sw_engine_hand_out_deliveries(engine);
    }
    for (struct sw_over *over = engine->over; over < end; over++)
        release(over);
    engine->over_count = 0;
}
