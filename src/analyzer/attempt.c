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

/* Makes one of a hash and bytes, with the hash as the key. */
static uint64_t hash_from(uint64_t hash, struct sw_span bytes)
{
    struct sw_hash_key key = {hash, sw_hash_fixed_key.b};
    return sw_hash_sized(&key, bytes.ptr, bytes.len);
}

/* A look-up has no sequence number, but one of its own. */
static uint64_t hash_question(const struct sw_lookup *l)
{
    if (l->end == SW_LOOKUP_NEIGHBOUR || !l->asked.frame)
        return 0;
    uint64_t h = sw_hash_on(l->id, sw_span_make(l->resolver, sizeof(l->resolver)));
    return sw_hash_on(h, l->name);
}

/* Nothing but requests for a connection, whether it was refused or not answered at all. */
static bool is_only_request(const struct sw_flow_facts *f)
{
    return !f->syn_ack.frame && !f->established.frame &&
           (f->refused || f->icmp_count > 0 || !sw_flow_was_answered(f));
}

/*
 * Everything that was said, with both initial sequence numbers: equal on both sides of a NAT and
 * nowhere else. 0 when too little was seen to tell.
 */
static uint64_t hash_content(const struct sw_session *session)
{
    const struct sw_flow_facts *f = session->facts;
    if (session->lookup)
        return hash_question(session->lookup);
    if (f->syn.frame && is_only_request(f))
        return sw_hash_number(6, f->half[SW_CLIENT].isn);
    if (!f->syn.frame || !f->syn_ack.frame)
        return 0;
    uint64_t h = sw_hash_number(f->half[SW_CLIENT].isn, f->half[SW_SERVER].isn);
    for (enum sw_side side = SW_CLIENT; side <= SW_SERVER; side++) {
        h = sw_hash_number(h, f->half[side].bytes);
        if (!session->steps) /* else they are in these */
            h = hash_from(h, sw_session_opening(session, side));
    }
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        h = hash_from(h ^ step->code, step->from == SW_SERVER ? step->text : step->argument);
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

/* --- text --- */

enum { NAME_BYTES = 255, SENDER_BYTES = 512 }; /* that are kept */

_Static_assert(sizeof(struct sw_attempt) + SW_ADDRESSEES * sizeof(struct sw_addressee) +
                       SENDER_BYTES + SW_ADDRESSEE_BYTES + sizeof(struct sw_tried) +
                       2 * NAME_BYTES <
                   UINT16_MAX,
               "the lengths fit");
_Static_assert(SW_ADDRESSEES <= UINT8_MAX && SW_CAUSE_COUNT <= UINT8_MAX + 1, "the counts fit");

/* Copies text; gives the place behind it. */
static uint8_t *keep(uint8_t *to, struct sw_span text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static struct sw_span kept(const void *at, size_t n_bytes)
{
    return n_bytes > 0 ? sw_span_make(at, n_bytes) : (struct sw_span){NULL, 0};
}

struct sw_span sw_tried_server_name(const struct sw_tried *tried)
{
    return kept(tried + 1, tried->server_name_len);
}

struct sw_span sw_tried_proxied_for(const struct sw_tried *tried)
{
    return kept((const uint8_t *)(tried + 1) + tried->server_name_len, tried->proxied_for_len);
}

struct sw_span sw_attempt_sender(const struct sw_attempt *a)
{
    return kept(a->to + a->to_count, a->sender_len);
}

uint32_t sw_attempt_addresses(const struct sw_attempt *a, struct sw_span addresses[SW_ADDRESSEES])
{
    const uint8_t *at = (const uint8_t *)(a->to + a->to_count) + a->sender_len;
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->to_count; i++) {
        if (a->to[i].address_len > 0)
            addresses[count++] = sw_span_make(at, a->to[i].address_len);
        at += a->to[i].address_len;
    }
    return count;
}

/* --- memory --- */

/* What the tries of one session are made of. */
struct source {
    struct sw_blocks *blocks;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    uint64_t number;
    struct sw_span server_name, proxied_for; /* as far as they are kept */
    bool only;                               /* there is one try */
    struct sw_tried *tried;                  /* NULL: not made yet */
};

static size_t tried_bytes(const struct source *source)
{
    return sizeof(struct sw_tried) + source->server_name.len + source->proxied_for.len;
}

static void fill_tried(const struct source *source, struct sw_tried *tried)
{
    const struct sw_session *session = source->session;
    const struct sw_flow_facts *f = session->facts;
    *tried = (struct sw_tried){
        .number = source->number,
        .start_ns = f->first.time_ns,
        .client = hash_client(session),
        .content = hash_content(session),
        .destination = hash_destination(session),
        .user = hash_user(session),
        .server_name_source = source->verdict->server_name_source,
        .tuple = f->tuple,
        .bytes = (uint16_t)tried_bytes(source),
        .outcome = source->verdict->outcome,
        .cause = source->verdict->cause,
        .server_name_len = (uint8_t)source->server_name.len,
        .proxied_for_len = (uint8_t)source->proxied_for.len,
        .direct_ttl = direct_ttl(&f->half[SW_CLIENT]),
        .time_digits = f->time_digits,
        .has_server = !session->lookup,
        .connected = f->syn_ack.frame != 0,
        .unanswered = f->syn.frame && !sw_flow_was_answered(f),
    };
    memcpy(tried->id, session->id, sizeof(tried->id));
    /* Requests are repeated at doubling distances: it waited at most as long again. */
    if (tried->unanswered)
        tried->patience_ns = sw_time_between(f->syn.time_ns, f->last_syn.time_ns);
    (void)keep(keep((uint8_t *)(tried + 1), source->server_name), source->proxied_for);
}

/* A try with `text_bytes` of text, and its session with the first one; NULL without memory. */
static struct sw_attempt *new_attempt(struct source *source, size_t recipients, size_t text_bytes)
{
    enum { ALIGNED = sizeof(uint64_t) };
    size_t bytes =
        sizeof(struct sw_attempt) + recipients * sizeof(struct sw_addressee) + text_bytes;
    size_t session_at = (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
    if (source->only)
        bytes = session_at + tried_bytes(source);
    struct sw_attempt *a = sw_blocks_take(source->blocks, bytes);
    if (!a)
        return NULL;
    if (source->only) {
        source->tried = (void *)((uint8_t *)a + session_at);
        fill_tried(source, source->tried);
    }
    struct sw_tried *tried = source->tried;
    *a = (struct sw_attempt){
        .tried = tried,
        .bytes = (uint16_t)bytes,
        .first = tried->references++ == 0,
        .only = source->only,
    };
    if (a->first && !a->only)
        a->bytes = (uint16_t)(a->bytes + tried->bytes);
    return a;
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

/* A mail that is put off for one recipient is tried again, whatever was said of the others. */
static enum sw_permanence mail_permanence(const struct sw_attempt *a, const struct sw_step *reply)
{
    for (uint32_t i = 0; i < a->to_count; i++) {
        if (a->to[i].state == SW_ADDRESSEE_LATER)
            return SW_PERMANENCE_TEMPORARY;
    }
    return permanence_of(reply, a->cause);
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
        if (i >= a->to_count) {
            a->to_more++;
            a->to_rest += hash; /* in any order */
            continue;
        }
        a->to[i] = (struct sw_addressee){.hash = hash, .state = state_of(rv)};
        if (address.len <= room) {
            a->to[i].address_len = (uint16_t)address.len;
            text = keep(text, address);
            room -= address.len;
        }
    }
}

static struct sw_attempt *new_mail(struct source *source, const struct sw_message_verdict *mv)
{
    const struct sw_message *m = mv->message;
    struct sw_span sender = sw_span_sub(m->sender, 0, SENDER_BYTES);
    size_t text = 0;
    uint32_t count = mv->recipient_count < SW_ADDRESSEES ? mv->recipient_count : SW_ADDRESSEES;
    for (uint32_t i = 0; i < count; i++)
        text += mv->recipients[i].recipient->address.len;
    text = text < SW_ADDRESSEE_BYTES ? text : SW_ADDRESSEE_BYTES;
    struct sw_attempt *a = new_attempt(source, count, sender.len + text);
    if (!a)
        return NULL;
    a->has_mail = m->mail != NULL;
    a->to_count = (uint8_t)count;
    a->sender_len = (uint16_t)sender.len;
    take_recipients(a, mv, keep((uint8_t *)(a->to + count), sender));
    a->complete = list_is_whole(m);
    a->index = m->index;
    a->begin_ns = m->mail ? m->mail->first.time_ns : source->session->facts->first.time_ns;
    a->decided_ns = end_of(source->session, mv->reply);
    a->outcome = mv->outcome;
    a->cause = mv->cause;
    for (uint32_t i = 0; i < mv->recipient_count && mv->outcome == SW_OUTCOME_PARTIAL; i++) {
        if (mv->recipients[i].outcome != SW_OUTCOME_DELIVERED) {
            a->cause = mv->recipients[i].cause;
            break;
        }
    }
    a->permanence = mail_permanence(a, mv->reply);
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
static struct sw_attempt *new_blind(struct source *source)
{
    const struct sw_verdict *verdict = source->verdict;
    struct sw_attempt *a = new_attempt(source, 0, 0);
    if (!a)
        return NULL;
    a->begin_ns = source->session->facts->first.time_ns;
    a->decided_ns = end_of(source->session, verdict->reply);
    a->outcome = verdict->outcome;
    a->cause = verdict->cause;
    a->permanence = verdict->permanence;
    a->stage = verdict->stage;
    a->code = verdict->reply ? verdict->reply->code : 0;
    a->doubtful = may_be_no_attempt(verdict);
    return a;
}

static bool is_try(const struct sw_message_verdict *mv)
{
    return mv->counts && mv->outcome != SW_OUTCOME_NO_MAIL;
}

static void append(struct sw_attempt ***tail, struct sw_attempt *a)
{
    if (!a)
        return;
    a->tried->unsettled += a->outcome == SW_OUTCOME_STUCK;
    **tail = a;
    *tail = &a->next;
}

/* The tries of a session with several, which outlives each of them. */
static struct sw_attempt *several(struct source *source)
{
    struct sw_attempt *list = NULL;
    struct sw_attempt **tail = &list;
    source->tried = sw_blocks_take(source->blocks, tried_bytes(source));
    if (!source->tried)
        return NULL;
    fill_tried(source, source->tried);
    for (uint32_t i = 0; i < source->verdict->message_count; i++) {
        if (is_try(&source->verdict->messages[i]))
            append(&tail, new_mail(source, &source->verdict->messages[i]));
    }
    if (!list)
        sw_blocks_give(source->blocks, source->tried, source->tried->bytes);
    return list;
}

struct sw_attempt *sw_attempts_of(struct sw_blocks *blocks, const struct sw_session *session,
                                  const struct sw_verdict *verdict, uint64_t number)
{
    if (verdict->outcome == SW_OUTCOME_NO_MAIL)
        return NULL;
    uint32_t mails = 0;
    const struct sw_message_verdict *mail = NULL;
    for (uint32_t i = 0; i < verdict->message_count; i++) {
        if (is_try(&verdict->messages[i])) {
            mail = &verdict->messages[i];
            mails++;
        }
    }
    struct source source = {
        .blocks = blocks,
        .session = session,
        .verdict = verdict,
        .number = number,
        .server_name = sw_span_sub(verdict->server_name, 0, NAME_BYTES),
        .proxied_for = sw_span_sub(session->proxied_for, 0, NAME_BYTES),
        .only = mails <= 1,
    };
    if (mails > 1)
        return several(&source);
    struct sw_attempt *only = NULL;
    struct sw_attempt **tail = &only;
    append(&tail, mail ? new_mail(&source, mail) : new_blind(&source));
    return only;
}

void sw_attempt_free(struct sw_blocks *blocks, struct sw_attempt *attempt)
{
    struct sw_tried *tried = attempt->tried;
    bool only = attempt->only;
    bool with_session = attempt->first && !only;
    size_t own_bytes = attempt->bytes;
    if (with_session)
        own_bytes -= tried->bytes;
    sw_blocks_give(blocks, attempt, own_bytes);
    if (!only && --tried->references == 0)
        sw_blocks_give(blocks, tried, tried->bytes);
}
