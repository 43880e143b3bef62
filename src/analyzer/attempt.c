#include "analyzer/attempt.h"

#include "base/hash.h"
#include "base/time.h"

#include <stdlib.h>

uint64_t sw_hash_number(uint64_t hash, uint64_t number)
{
    uint64_t both[2] = {hash, number};
    return sw_hash_sized(&sw_hash_fixed_key, (const uint8_t *)both, sizeof(both));
}

uint64_t sw_hash_on(uint64_t hash, struct sw_span bytes)
{
    return sw_hash_number(hash, sw_hash_bytes(&sw_hash_fixed_key, bytes));
}

/* --- the session --- */

/* Undecremented, as systems send it: the sender is on the recorded link. */
static uint8_t direct_ttl(const struct sw_half_facts *client)
{
    bool whole = client->ttl_min == 64 || client->ttl_min == 128 || client->ttl_min == 255;
    return whole && client->ttl_min == client->ttl_max ? client->ttl_min : 0;
}

static uint64_t hash_client(const struct sw_session *session)
{
    const struct sw_tuple *t = &session->facts->tuple;
    uint64_t h = sw_hash_on(t->ip_version, sw_span_make(t->src, sizeof(t->src)));
    return session->proxied_for.len ? sw_hash_on(h, session->proxied_for) : h;
}

/*
 * Everything that was said, with both initial sequence numbers: equal on both sides of a NAT and
 * nowhere else. 0 when too little was seen to tell.
 */
static uint64_t hash_content(const struct sw_session *session)
{
    const struct sw_flow_facts *f = session->facts;
    if (!f->syn.frame || !f->syn_ack.frame || f->half[SW_SERVER].bytes == 0)
        return 0;
    uint64_t h = sw_hash_number(f->half[SW_CLIENT].isn, f->half[SW_SERVER].isn);
    for (enum sw_side side = SW_CLIENT; side <= SW_SERVER; side++) {
        if (!session->steps) /* else they are in these */
            h = sw_hash_on(h, sw_session_opening(session, side));
        h = sw_hash_number(h, f->half[side].bytes);
    }
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        h = sw_hash_on(h ^ step->code, step->from == SW_SERVER ? step->text : step->argument);
    }
    return h ? h : 1;
}

static uint64_t hash_user(const struct sw_session *session)
{
    uint64_t user = 0;
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths) {
        if (auth->user.len > 0)
            user = sw_hash_on(1, auth->user);
    }
    return user;
}

/* The name that was looked up for the server, or the domain whose MX led there. */
static uint64_t hash_destination(const struct sw_session *session)
{
    uint8_t lower[255];
    const struct sw_naming *naming = session->naming;
    struct sw_span name = {NULL, 0};
    if (session->lookup)
        name = session->lookup->name;
    else if (naming)
        name = naming->mx_of.len > 0 ? naming->mx_of : naming->name;
    name = sw_span_sub(name, 0, sizeof(lower));
    for (size_t i = 0; i < name.len; i++)
        lower[i] = sw_ascii_lower(name.ptr[i]);
    return name.len > 0 ? sw_hash_on(5, sw_span_make(lower, name.len)) : 0;
}

static struct sw_span keep(uint8_t **at, struct sw_span text)
{
    uint8_t *to = *at;
    if (text.len == 0)
        return (struct sw_span){NULL, 0};
    memcpy(to, text.ptr, text.len);
    *at += text.len;
    return sw_span_make(to, text.len);
}

static struct sw_tried *new_tried(struct sw_blocks *blocks, const struct sw_session *session,
                                  const struct sw_verdict *verdict, uint64_t number)
{
    const struct sw_flow_facts *f = session->facts;
    struct sw_span name = sw_span_sub(verdict->server_name, 0, 255);
    struct sw_span proxied = sw_span_sub(session->proxied_for, 0, 255);
    size_t bytes = sizeof(struct sw_tried) + name.len + proxied.len;
    struct sw_tried *tried = sw_blocks_take(blocks, bytes);
    if (!tried)
        return NULL;
    *tried = (struct sw_tried){.bytes = bytes};
    uint8_t *text = (uint8_t *)(tried + 1);
    memcpy(tried->id, session->id, sizeof(tried->id));
    tried->number = number;
    tried->tuple = f->tuple;
    tried->start_ns = f->first.time_ns;
    tried->outcome = verdict->outcome;
    tried->cause = verdict->cause;
    tried->client = hash_client(session);
    tried->content = hash_content(session);
    tried->has_server = !session->lookup;
    tried->destination = hash_destination(session);
    tried->user = hash_user(session);
    tried->direct_ttl = direct_ttl(&f->half[SW_CLIENT]);
    tried->time_digits = f->time_digits;
    tried->unanswered = f->syn.frame && !f->syn_ack.frame && !f->refused && f->icmp_count == 0;
    /* Requests are repeated at doubling distances: it waited at most as long again. */
    if (tried->unanswered)
        tried->patience_ns = sw_time_between(f->syn.time_ns, f->last_syn.time_ns);
    tried->server_name = keep(&text, name);
    tried->server_name_source = verdict->server_name_source;
    tried->proxied_for = keep(&text, proxied);
    return tried;
}

/* --- the tries --- */

static int64_t end_of(const struct sw_session *session, const struct sw_step *reply)
{
    const struct sw_flow_facts *f = session->facts;
    if (reply)
        return sw_step_last(reply).time_ns;
    if (f->closed_by >= 0)
        return f->closed.time_ns;
    return f->icmp_count ? f->icmp[0].mark.time_ns : f->last.time_ns;
}

static enum sw_permanence permanence_of(const struct sw_step *reply, enum sw_cause cause)
{
    if (sw_reply_is(reply, 4))
        return SW_PERMANENCE_TEMPORARY;
    return sw_reply_is(reply, 5) ? SW_PERMANENCE_PERMANENT : sw_cause_info(cause)->permanence;
}

static enum sw_addressee_state state_of(const struct sw_recipient_verdict *rv)
{
    if (rv->outcome == SW_OUTCOME_DELIVERED)
        return SW_ADDRESSEE_TAKEN;
    if (sw_reply_is(rv->reply, 4))
        return SW_ADDRESSEE_LATER;
    return sw_reply_is(rv->reply, 5) ? SW_ADDRESSEE_REFUSED : SW_ADDRESSEE_OPEN;
}

/*
 * A program may stop at the first recipient that is refused, and then the others are not seen: the
 * list is whole when DATA followed, or when it went on behind a refused one.
 */
static bool list_is_whole(const struct sw_message *m)
{
    const struct sw_recipient *r;
    if (m->data)
        return true;
    SW_EACH(r, m->recipients) {
        if (r->next && !sw_reply_is(r->reply, 2))
            return true;
    }
    return false;
}

static void take_recipients(struct sw_attempt *a, const struct sw_message_verdict *mv,
                            uint8_t *text)
{
    size_t room = SW_ADDRESSEE_BYTES;
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        const struct sw_recipient_verdict *rv = &mv->recipients[i];
        struct sw_span address = rv->recipient->address;
        uint64_t hash = sw_hash_on(2, address);
        if (a->to_count == SW_ADDRESSEES) {
            a->to_more++;
            a->to_rest += hash; /* in any order */
            continue;
        }
        struct sw_addressee *to = &a->to[a->to_count++];
        *to = (struct sw_addressee){.hash = hash, .state = state_of(rv)};
        if (address.len <= room) {
            to->address = keep(&text, address);
            room -= address.len;
        }
    }
}

static struct sw_attempt *new_mail(struct sw_blocks *blocks, const struct sw_session *session,
                                   const struct sw_message_verdict *mv)
{
    const struct sw_message *m = mv->message;
    struct sw_span sender = sw_span_sub(m->sender, 0, 512);
    size_t text = 0;
    uint32_t kept = mv->recipient_count < SW_ADDRESSEES ? mv->recipient_count : SW_ADDRESSEES;
    for (uint32_t i = 0; i < kept; i++)
        text += mv->recipients[i].recipient->address.len;
    text = text < SW_ADDRESSEE_BYTES ? text : SW_ADDRESSEE_BYTES;
    size_t bytes =
        sizeof(struct sw_attempt) + kept * sizeof(struct sw_addressee) + text + sender.len;
    struct sw_attempt *a = sw_blocks_take(blocks, bytes);
    if (!a)
        return NULL;
    *a = (struct sw_attempt){.bytes = bytes};
    a->to = (struct sw_addressee *)(a + 1);
    uint8_t *at = (uint8_t *)(a->to + kept);
    a->has_mail = m->mail != NULL;
    a->sender = keep(&at, sender);
    take_recipients(a, mv, at);
    a->complete = list_is_whole(m);
    a->index = m->index;
    a->begin_ns = m->mail ? m->mail->first.time_ns : session->facts->first.time_ns;
    a->decided_ns = end_of(session, mv->reply);
    a->outcome = mv->outcome;
    a->cause = mv->cause;
    for (uint32_t i = 0; i < mv->recipient_count && mv->outcome == SW_OUTCOME_PARTIAL; i++) {
        if (mv->recipients[i].outcome != SW_OUTCOME_DELIVERED) {
            a->cause = mv->recipients[i].cause;
            break;
        }
    }
    a->permanence = permanence_of(mv->reply, a->cause);
    a->code = mv->reply ? mv->reply->code : 0;
    a->stage = m->end_mark.frame ? SW_STAGE_FINAL : SW_STAGE_RCPT;
    a->unconfirmed = m->end_mark.frame && !m->final;
    a->late = m->final && m->final->after_close && sw_reply_is(m->final, 2);
    a->has_declared = m->has_size;
    a->size_declared = m->size_declared;
    a->has_seen = m->end_mark.frame && m->body_missing == 0;
    a->size_seen = m->body_octets;
    a->message_id = m->message_id.len ? sw_hash_on(3, m->message_id) : 0;
    return a;
}

static bool may_be_no_attempt(const struct sw_verdict *verdict)
{
    const struct sw_also *also;
    SW_EACH(also, verdict->also) {
        if (also->cause == SW_CAUSE_OK_NO_ATTEMPT)
            return true;
    }
    return verdict->confidence == SW_CONFIDENCE_POSSIBLE && verdict->outcome == SW_OUTCOME_STUCK;
}

/* A session that never got as far as MAIL. */
static struct sw_attempt *new_blind(struct sw_blocks *blocks, const struct sw_session *session,
                                    const struct sw_verdict *verdict)
{
    struct sw_attempt *a = sw_blocks_take(blocks, sizeof(*a));
    if (!a)
        return NULL;
    *a = (struct sw_attempt){.bytes = sizeof(*a)};
    a->begin_ns = session->facts->first.time_ns;
    a->decided_ns = end_of(session, verdict->reply);
    a->outcome = verdict->outcome;
    a->cause = verdict->cause;
    a->permanence = verdict->permanence;
    a->stage = verdict->stage;
    a->code = verdict->reply ? verdict->reply->code : 0;
    a->doubtful = may_be_no_attempt(verdict);
    return a;
}

static void append(struct sw_attempt ***tail, struct sw_tried *tried, struct sw_attempt *a)
{
    if (!a)
        return;
    a->first = tried->references == 0;
    a->bytes += a->first ? tried->bytes : 0;
    a->tried = tried;
    tried->references++;
    tried->unsettled += a->outcome == SW_OUTCOME_STUCK;
    **tail = a;
    *tail = &a->next;
}

struct sw_attempt *sw_attempts_of(struct sw_blocks *blocks, const struct sw_session *session,
                                  const struct sw_verdict *verdict, uint64_t number)
{
    struct sw_attempt *list = NULL;
    struct sw_attempt **tail = &list;
    if (verdict->outcome == SW_OUTCOME_NO_MAIL)
        return NULL;
    struct sw_tried *tried = new_tried(blocks, session, verdict, number);
    if (!tried)
        return NULL;
    for (uint32_t i = 0; i < verdict->message_count; i++) {
        const struct sw_message_verdict *mv = &verdict->messages[i];
        if (mv->counts && mv->outcome != SW_OUTCOME_NO_MAIL)
            append(&tail, tried, new_mail(blocks, session, mv));
    }
    if (!list)
        append(&tail, tried, new_blind(blocks, session, verdict));
    if (!list)
        sw_blocks_give(blocks, tried, tried->bytes);
    return list;
}

void sw_attempt_free(struct sw_blocks *blocks, struct sw_attempt *attempt)
{
    struct sw_tried *tried = attempt->tried;
    sw_blocks_give(blocks, attempt, attempt->bytes - (attempt->first ? tried->bytes : 0));
    if (--tried->references == 0)
        sw_blocks_give(blocks, tried, tried->bytes);
}
