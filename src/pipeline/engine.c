#include "pipeline/engine_state.h"

#include "base/account.h"
#include "base/frame_ref.h"
#include "session/builder.h"

#include <stdlib.h>

enum { DNS_PORT = 53 };

/* A server that has said nothing for so long does not look up names for this client any more. */
#define SERVING_NS (60 * SW_NS_PER_S)

static uint8_t *lend_block(void *ctx, uint8_t *block, size_t before, size_t n_bytes)
{
    struct sw_engine *engine = ctx;
    if (!block && engine->lent >= engine->limits.lent_blocks) {
        sw_summary_count(engine->summary->limits, "unfinished-lines", 1);
        return NULL;
    }
    uint8_t *larger = sw_blocks_resize(&engine->blocks, block, before, n_bytes);
    if (!larger)
        return NULL;
    sw_account_take(engine->account, n_bytes);
    if (block)
        sw_account_give(engine->account, before);
    else
        engine->lent++;
    return larger;
}

static void take_back_block(void *ctx, uint8_t *block, size_t n_bytes)
{
    struct sw_engine *engine = ctx;
    sw_account_give(engine->account, n_bytes);
    engine->lent--;
    sw_blocks_give(&engine->blocks, block, n_bytes);
}

/* The server's port of a connection whose sides may still be a guess. */
static bool is_mail_port(const struct sw_engine *engine, const struct sw_flow_facts *facts)
{
    if (sw_mail_ports_has(&engine->ports, facts->tuple.dst_port))
        return true;
    return !facts->client_known && sw_mail_ports_has(&engine->ports, facts->tuple.src_port);
}

/* A connection to a name server. */
struct dns_pair {
    enum sw_watch watch;
    struct dns_stream streams[2]; /* by enum sw_side */
};

static bool is_dns(const struct sw_engine *engine, const struct sw_flow_facts *facts)
{
    return facts->tuple.dst_port == DNS_PORT && !is_mail_port(engine, facts);
}

/* What watches this flow, when it is of that kind. */
static void *watcher(struct sw_flow *flow, enum sw_watch kind)
{
    enum sw_watch *watch = sw_flow_user(flow);
    return watch && *watch == kind ? watch : NULL;
}

static bool on_open(void *ctx, struct sw_flow *flow, const struct sw_packet *packet)
{
    struct sw_engine *engine = ctx;
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    engine->summary->tcp_connections++;
    bool looked_up = sw_book_connection(engine->book, &facts->tuple);
    if ((packet->tcp.flags & SW_TCP_SYN) && !(packet->tcp.flags & SW_TCP_ACK))
        sw_analyzer_attempt(engine->analyzer, &packet->tuple, facts->first, looked_up);
    if (is_dns(engine, facts))
        sw_book_retry(engine->book, &facts->tuple, facts->first);
    else
        sw_flow_shed_mute(flow); /* what a cap drives out is only counted */
    if (is_mail_port(engine, facts)) {
        sw_book_serving(engine->book, &facts->tuple, facts->first.time_ns + SERVING_NS);
        sw_flow_set_rank(flow, SW_FLOW_EMPTY);
    }
    return true;
}

/* A mailbox server greets; a mail program that was given its port by mistake will say EHLO. */
static bool is_mailbox_greeting(const struct sw_chunk *chunk)
{
    enum sw_content content = sw_content_of(chunk->from, chunk->bytes);
    return chunk->from == SW_SERVER && (content == SW_CONTENT_POP3 || content == SW_CONTENT_IMAP);
}

static void on_dns_chunk(struct sw_engine *engine, struct sw_flow *flow,
                         const struct sw_chunk *chunk)
{
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    struct dns_pair *pair = sw_flow_user(flow);
    if (!pair) {
        bool full = engine->dns_streams >= engine->limits.dns_streams;
        if (full)
            sw_summary_count(engine->summary->limits, "dns-streams", 1);
        pair = full ? NULL : calloc(1, sizeof(*pair));
        if (!pair) {
            sw_flow_forget(flow);
            return;
        }
        pair->watch = SW_WATCH_DNS;
        sw_account_take(engine->account, sizeof(*pair));
        engine->dns_streams++;
        sw_flow_set_user(flow, pair);
    }
    sw_book_stream(engine->book, &pair->streams[chunk->from], &facts->tuple, chunk,
                   facts->time_digits);
}

static bool watch_beside(struct sw_engine *engine, struct sw_flow *flow, enum sw_beside_kind kind)
{
    struct sw_beside *beside = calloc(1, sizeof(*beside));
    if (!beside)
        return false;
    sw_account_take(engine->account, sizeof(*beside));
    beside->watch = SW_WATCH_BESIDE;
    beside->kind = kind;
    sw_flow_set_user(flow, beside);
    return true;
}

/* Web connections from their first chunk on, mailboxes when it is clear that they are no mail.
 * False: this is none. */
static bool on_beside_chunk(struct sw_engine *engine, struct sw_flow *flow,
                            const struct sw_chunk *chunk)
{
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    if (!sw_flow_user(flow) && !is_mail_port(engine, facts) &&
        sw_beside_is_web(facts->tuple.dst_port, chunk))
        (void)watch_beside(engine, flow, SW_BESIDE_WEB);
    struct sw_beside *beside = watcher(flow, SW_WATCH_BESIDE);
    if (!beside)
        return false;
    enum sw_beside_news news = sw_beside_chunk(beside, chunk);
    if (news == SW_BESIDE_NOTHING)
        return true;
    if (news == SW_BESIDE_PORTAL || news == SW_BESIDE_BUSY)
        engine->notable[engine->notable_next++ % SW_NOTABLE_MAX] = facts->tuple;
    if (news == SW_BESIDE_PORTAL)
        sw_analyzer_portal(engine->analyzer, &facts->tuple, chunk->mark);
    if (news == SW_BESIDE_BUSY)
        sw_analyzer_mailbox_busy(engine->analyzer, &facts->tuple, chunk->mark);
    sw_flow_set_user(flow, NULL);
    sw_account_give(engine->account, sizeof(*beside));
    free(beside);
    sw_flow_forget(flow);
    return true;
}

/* What was missing before the first payload that is there: a greeting, a whole first exchange. */
static void tell_lost_beginning(struct sw_mail *mail, const struct sw_flow_facts *facts,
                                struct sw_mark mark)
{
    for (int side = 0; side < 2; side++) {
        const struct sw_half_facts *half = &facts->half[side];
        uint64_t missing = half->gap_bytes + half->truncated_bytes;
        if (missing > 0)
            sw_mail_gap(mail, facts, (enum sw_side)side, 0, missing, mark);
    }
}

/* A connection worth following from its first payload on, or NULL. */
static struct sw_mail *begin_mail(struct sw_engine *engine, struct sw_flow *flow,
                                  const struct sw_chunk *chunk)
{
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    bool by_port = is_mail_port(engine, facts);
    enum sw_from from = chunk->from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT;
    bool tentative = !by_port;
    uint16_t asked_port = 0;
    bool asks = tentative && chunk->from == SW_CLIENT && chunk->offset == 0;
    enum sw_proxy_guess guess =
        asks ? sw_proxy_begins(chunk->bytes, &asked_port) : SW_PROXY_IS_NONE;
    if (asked_port != 0 && !sw_mail_ports_has(&engine->ports, asked_port))
        guess = SW_PROXY_IS_NONE;
    if (tentative && guess == SW_PROXY_IS_NONE && smtp_probe(from, chunk->bytes) == 0) {
        bool other_way =
            !facts->client_known &&
            smtp_probe(from == SW_FROM_SERVER ? SW_FROM_CLIENT : SW_FROM_SERVER, chunk->bytes) > 1;
        if (!other_way && !is_mailbox_greeting(chunk))
            return NULL;
    }
    struct sw_mail *mail = sw_mail_new(&engine->limits.session, &engine->lender, engine->account,
                                       engine->mail_slots, flow, facts->midstream);
    if (mail) {
        mail->tentative = tentative;
        mail->keys = (struct sw_decrypt_keys){engine->tls->keys, engine->tls->rsa};
    }
    if (mail && guess == SW_PROXY_IS_ONE)
        sw_mail_proxied(mail, chunk->bytes);
    if (mail && guess == SW_PROXY_MAY_BE)
        sw_mail_may_be_proxied(mail);
    if (mail)
        tell_lost_beginning(mail, facts, chunk->mark);
    return mail;
}

/* Through a proxy, to a port that is not mail's. */
static bool leads_elsewhere(const struct sw_engine *engine, const struct sw_mail *mail)
{
    const struct sw_proxied *p = sw_session_proxied(&mail->session);
    return p->kind != SW_PROXY_NONE && p->port != 0 && !sw_mail_ports_has(&engine->ports, p->port);
}

/* In mid-stream the sides are a guess by ports; the first line that can only be the other side's
 * corrects it. */
static bool sides_are_wrong(const struct sw_flow_facts *facts, const struct sw_chunk *chunk)
{
    if (facts->client_known)
        return false;
    enum sw_from as_said = chunk->from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT;
    enum sw_from swapped = chunk->from == SW_SERVER ? SW_FROM_CLIENT : SW_FROM_SERVER;
    return smtp_probe(as_said, chunk->bytes) == 0 && smtp_probe(swapped, chunk->bytes) >= 50;
}

/* It is no mail; a mailbox may still have something to say. */
static void drop_mail(struct sw_engine *engine, struct sw_flow *flow, struct sw_mail *mail)
{
    enum sw_content server = mail->session.first_bytes[SW_SERVER].content;
    sw_flow_set_user(flow, NULL);
    sw_stranger_end(&engine->strangers, mail);
    sw_mail_free(mail);
    bool watched = (server == SW_CONTENT_POP3 && watch_beside(engine, flow, SW_BESIDE_POP)) ||
                   (server == SW_CONTENT_IMAP && watch_beside(engine, flow, SW_BESIDE_IMAP));
    if (!watched)
        sw_flow_forget(flow);
}

static void on_chunk(void *ctx, struct sw_flow *flow, const struct sw_chunk *chunk)
{
    struct sw_engine *engine = ctx;
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    if (is_dns(engine, facts)) {
        on_dns_chunk(engine, flow, chunk);
        return;
    }
    if (on_beside_chunk(engine, flow, chunk))
        return;
    struct sw_mail *mail = sw_flow_user(flow);
    const struct sw_chunk *said = chunk;
    struct sw_chunk turned;
    if (!mail) {
        mail = begin_mail(engine, flow, chunk);
        if (!mail) {
            sw_flow_forget(flow);
            return;
        }
        sw_flow_set_user(flow, mail);
        if (sides_are_wrong(facts, chunk)) {
            sw_flow_swap_sides(flow);
            mail->session.swapped = true;
            turned = *chunk;
            turned.from = sw_side_other(chunk->from);
            said = &turned;
        }
    }
    if (chunk->from == SW_SERVER && mail->session.first_bytes[SW_SERVER].len == 0) {
        sw_analyzer_answered(engine->analyzer, &facts->tuple);
        sw_book_heard(engine->book, chunk->mark);
    }
    sw_book_serving(engine->book, &facts->tuple, chunk->mark.time_ns + SERVING_NS);
    sw_mail_chunk(mail, facts, said);
    sw_mail_tell_offers(mail, engine->book);
    if (sw_stranger_is_one(mail))
        sw_stranger_chunk(&engine->strangers, mail, is_mail_port(engine, facts), said);
    if (mail->tentative && (sw_mail_is_refuted(mail) || leads_elsewhere(engine, mail))) {
        drop_mail(engine, flow, mail);
    } else if (!mail->tentative || mail->session.hellos || mail->session.messages) {
        sw_flow_set_rank(flow, SW_FLOW_CARRYING);
    }
}

static void on_gap(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                   uint64_t length, enum sw_gap_kind kind, struct sw_mark mark)
{
    (void)ctx;
    (void)kind; /* the facts count the kinds; to the dialogue missing is missing */
    struct dns_pair *pair = watcher(flow, SW_WATCH_DNS);
    struct sw_mail *mail = watcher(flow, SW_WATCH_MAIL);
    if (pair)
        dns_stream_gap(&pair->streams[from]);
    else if (mail)
        sw_mail_gap(mail, sw_flow_facts(flow), from, offset, length, mark);
}

static void on_conflict(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                        struct sw_span second, struct sw_mark mark)
{
    /* The first copy was used; the facts count the conflict, the session keeps where it was. */
    (void)ctx;
    (void)from;
    (void)offset;
    (void)second;
    struct sw_mail *mail = sw_flow_user(flow);
    if (mail && mail->session.conflict.frame == 0)
        mail->session.conflict = mark;
}

static void on_shut(void *ctx, struct sw_flow *flow, enum sw_side from, bool rst,
                    struct sw_mark mark)
{
    /* Unfinished lines come out at the end: a late reply may still complete them. */
    struct sw_engine *engine = ctx;
    (void)from;
    (void)rst;
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    if (is_mail_port(engine, facts))
        sw_book_serving(engine->book, &facts->tuple, mark.time_ns);
}

/* An attempt on a mail port that never carried a byte: the TCP facts are the whole session. */
static void end_without_payload(struct sw_engine *engine, const struct sw_flow_facts *facts,
                                int64_t now_ns)
{
    struct sw_session *session = sw_engine_is_over(engine, NULL);
    session->mail_port = true;
    session->implicit_tls_port = facts->tuple.dst_port == 465;
    sw_session_finish(session, facts, now_ns);
}

/* A look-up that no connection followed: the session of an attempt that has no TCP. */
static void on_failed_lookup(void *ctx, const struct sw_lookup *lookup,
                             const struct sw_flow_facts *facts, int64_t now_ns)
{
    struct sw_engine *engine = ctx;
    struct sw_session *session = sw_engine_is_over(engine, NULL);
    session->lookup = lookup;
    sw_session_finish(session, facts, now_ns);
    sw_engine_hand_out(engine);
}

static bool any_mail(void *ctx)
{
    const struct sw_engine *engine = ctx;
    return engine->any_mail;
}

static bool any_talk(void *ctx)
{
    const struct sw_engine *engine = ctx;
    return engine->summary->tcp_connections > 0 || engine->any_talk;
}

static void on_end(void *ctx, struct sw_flow *flow, struct sw_mark mark)
{
    struct sw_engine *engine = ctx;
    const struct sw_flow_facts *facts = sw_flow_facts(flow);
    if (facts->half[SW_SERVER].packets > 0)
        sw_book_heard(engine->book, facts->last);
    if (is_dns(engine, facts) && facts->close != SW_CLOSE_OPEN)
        sw_book_retry_over(engine->book, &facts->tuple,
                           facts->closed.frame ? facts->closed : facts->last);
    if (watcher(flow, SW_WATCH_DNS) || watcher(flow, SW_WATCH_BESIDE)) {
        bool dns = watcher(flow, SW_WATCH_DNS) != NULL;
        engine->dns_streams -= dns;
        sw_account_give(engine->account, dns ? sizeof(struct dns_pair) : sizeof(struct sw_beside));
        free(sw_flow_user(flow));
        sw_flow_set_user(flow, NULL);
        return;
    }
    struct sw_mail *mail = sw_flow_user(flow);
    sw_flow_set_user(flow, NULL); /* the mail may be gone before the flow is */
    bool by_port = is_mail_port(engine, facts);
    if (!mail) {
        if (by_port && !facts->limit_hit) /* an attempt that a cap drives out is only counted */
            end_without_payload(engine, facts, mark.time_ns);
        return;
    }
    sw_mail_fetch(mail);
    sw_stranger_end(&engine->strangers, mail);
    sw_mail_finish(mail, facts, mark);
    const struct sw_proxied *proxied = sw_session_proxied(&mail->session);
    by_port = by_port || proxied->port != 0; /* other ports have been let go */
    mail->session.mail_port = by_port;
    mail->session.implicit_tls_port = facts->tuple.dst_port == 465 || proxied->port == 465;
    if (by_port || sw_mail_is_confirmed(mail))
        (void)sw_engine_is_over(engine, mail);
    else
        sw_mail_free(mail);
}

static void on_ended(void *ctx)
{
    sw_engine_hand_out(ctx);
}

/* All rooms count their memory in the same place. */
static bool make_rooms(struct sw_engine *engine, const struct sw_reply_kb *kb)
{
    const struct sw_flow_sink sink = {
        .ctx = engine,
        .open = on_open,
        .chunk = on_chunk,
        .gap = on_gap,
        .conflict = on_conflict,
        .shut = on_shut,
        .end = on_end,
        .ended = on_ended,
        .rest = sw_engine_rest,
        .wake = sw_engine_wake,
        .user_bytes = SW_MAIL_NEAR_BYTES,
        .rest_bytes = SW_MAIL_REST_NEAR_BYTES,
    };
    const struct sw_book_sink book_sink = {engine, on_failed_lookup, any_mail, any_talk};
    struct sw_hash_key key = sw_hash_random_key();
    engine->flows = sw_flow_table_new(&engine->limits.flow, &key, &sink);
    engine->analyzer = sw_analyzer_new(kb, &engine->limits.ledger, engine->account);
    engine->book = sw_book_new(&engine->limits.book, &key, &book_sink);
    bool took = sw_intake_init(&engine->intake, &engine->limits.fragments, &key, engine->summary,
                               engine->account);
    if (!took || !engine->flows || !engine->analyzer || !engine->book)
        return false;
    sw_flow_table_account(engine->flows, engine->account);
    sw_book_account(engine->book, engine->account);
    return true;
}

struct sw_engine *sw_engine_new(const struct sw_engine_means *means)
{
    struct sw_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return NULL;
    engine->ports = *means->ports;
    engine->limits = *means->limits;
    engine->account = means->account;
    engine->tls = means->tls;
    /* A session that began earlier may become final as late as this. */
    engine->limits.ledger.hold_ns = engine->limits.flow.idle_ns + 60 * SW_NS_PER_S;
    engine->strangers.most = engine->limits.strangers;
    engine->summary = means->summary;
    engine->record = means->record;
    engine->record_ctx = means->record_ctx;
    engine->lender = (struct sw_lender){lend_block, take_back_block, engine};
    engine->mail_slots = sw_mail_slots(engine->limits.memory_bytes, engine->account);
    if (!make_rooms(engine, means->kb)) {
        sw_engine_free(engine);
        return NULL;
    }
    return engine;
}

/* A SYN: who sends it is looked up soon. A SYN/ACK: the port takes connections, whatever becomes of
 * this one. */
static void note_syn(struct sw_engine *engine, const struct sw_packet *packet, struct sw_mark mark)
{
    if (!(packet->tcp.flags & SW_TCP_SYN))
        return;
    if (!(packet->tcp.flags & SW_TCP_ACK)) {
        sw_flow_table_fetch(engine->flows, &packet->tuple);
        sw_analyzer_fetch(engine->analyzer, &packet->tuple);
        return;
    }
    struct sw_tuple as_opened = packet->tuple;
    memcpy(as_opened.src, packet->tuple.dst, sizeof(as_opened.src));
    memcpy(as_opened.dst, packet->tuple.src, sizeof(as_opened.dst));
    as_opened.src_port = packet->tuple.dst_port;
    as_opened.dst_port = packet->tuple.src_port;
    sw_analyzer_connected(engine->analyzer, &as_opened, mark);
    sw_book_connected(engine->book, &as_opened, mark);
}

static void take_dns(struct sw_engine *engine, const struct sw_frame *frame,
                     const struct sw_packet *packet)
{
    struct sw_mark mark = {frame->number, frame->time_ns};
    engine->summary->dns_packets++;
    sw_book_message(engine->book, &packet->tuple, packet->payload, mark, frame->time_digits);
}

/* UDP between two hosts that have their addresses: not to all (a subnet's broadcast mostly ends in
 * 255), and not about addresses (DHCP). */
static bool is_talk(const struct sw_tuple *t)
{
    enum { DHCP_SERVER = 67, DHCP_CLIENT = 68, MULTICAST_4 = 224, MULTICAST_6 = 0xFF };
    bool to_all = t->ip_version == 4 ? t->dst[0] >= MULTICAST_4 || t->dst[3] == UINT8_MAX
                                     : t->dst[0] == MULTICAST_6;
    return !to_all && t->dst_port != DHCP_SERVER && t->dst_port != DHCP_CLIENT;
}

static void take_packet(struct sw_engine *engine, const struct sw_frame *frame,
                        const struct sw_packet *packet)
{
    switch (packet->transport) {
    case SW_TRANSPORT_TCP:
        note_syn(engine, packet, (struct sw_mark){frame->number, frame->time_ns});
        sw_flow_table_tcp(engine->flows, frame, packet);
        return;
    case SW_TRANSPORT_ICMP:
    case SW_TRANSPORT_ICMP6:
        if (packet->icmp.has_quote && packet->icmp.quote.transport == 6) {
            sw_flow_table_icmp(engine->flows, frame, packet);
            return;
        }
        if (packet->icmp.has_quote)
            sw_book_icmp(engine->book, &packet->icmp,
                         (struct sw_mark){frame->number, frame->time_ns});
        break;
    case SW_TRANSPORT_UDP:
        engine->summary->udp_packets++;
        if (packet->tuple.src_port == DNS_PORT || packet->tuple.dst_port == DNS_PORT)
            take_dns(engine, frame, packet);
        else
            engine->any_talk = engine->any_talk || is_talk(&packet->tuple);
        break;
    case SW_TRANSPORT_NONE:
        break;
    }
    sw_flow_table_time(engine->flows, frame->time_ns);
}

void sw_engine_frame(struct sw_engine *engine, struct sw_frame *frame)
{
    struct sw_packet *packet = &engine->packet;
    /* From here on a frame's number also says in which file of the series it is. */
    frame->number = sw_frame_ref(frame->file, frame->number);
    if (frame->time_ns > SW_TIME_LATEST || frame->time_ns < SW_TIME_EARLIEST)
        frame->time_ns = frame->time_ns > 0 ? SW_TIME_LATEST : SW_TIME_EARLIEST;
    if (frame->drops > 0)
        sw_losses_add(&engine->losses, frame->time_ns, frame->drops);
    engine->packet_whole = sw_intake_packet(&engine->intake, frame, packet);
    engine->now_ns = frame->time_ns;
    sw_book_time(engine->book, frame->time_ns);
    if (packet->neighbour.seen)
        sw_book_neighbour(engine->book, &packet->neighbour,
                          (struct sw_mark){frame->number, frame->time_ns}, frame->time_digits);
    if (engine->packet_whole)
        take_packet(engine, frame, packet);
    else
        sw_flow_table_time(engine->flows, frame->time_ns);
    while (*engine->account > engine->limits.memory_bytes && sw_engine_make_room(engine))
        ;
}

void sw_engine_free(struct sw_engine *engine)
{
    if (!engine)
        return;
    if (engine->flows)
        sw_flow_table_free(engine->flows);
    sw_slots_free(engine->mail_slots);
    sw_blocks_release(&engine->blocks);
    sw_intake_release(&engine->intake);
    sw_analyzer_free(engine->analyzer);
    sw_book_free(engine->book);
    sw_strangers_release(&engine->strangers);
    free(engine);
}
