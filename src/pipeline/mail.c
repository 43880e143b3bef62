#include "pipeline/mail.h"

#include "base/account.h"
#include "base/fetch.h"
#include "base/rare.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum {
    MOST_WARM = 8192, /* free places that keep their memory, */
    WARM_PART = 8,    /* and at most this part of what all may have */
};

static void on_event(void *ctx, const struct smtp_event *event)
{
    struct sw_mail *mail = ctx;
    if (mail->inside && event->kind == SMTP_EVENT_RESUMED)
        return; /* it is the encryption that goes on, not clear text */
    sw_session_smtp(&mail->session, event, mail->facts, mail->inside);
}

/* A line that nobody could keep may be the very one that decides. */
static uint8_t *lend(void *ctx, uint8_t *block, size_t before, size_t n_bytes)
{
    struct sw_mail *mail = ctx;
    uint8_t *larger = mail->outer->lend(mail->outer->ctx, block, before, n_bytes);
    mail->session.limits_hit = mail->session.limits_hit || !larger;
    return larger;
}

static void take_back(void *ctx, uint8_t *block, size_t n_bytes)
{
    const struct sw_mail *mail = ctx;
    mail->outer->take_back(mail->outer->ctx, block, n_bytes);
}

struct sw_slots *sw_mail_slots(uint64_t memory_bytes, size_t *account)
{
    uint64_t warm = memory_bytes / WARM_PART / SW_MAIL_SLOT_BYTES;
    return sw_slots_new(SW_MAIL_SLOT_BYTES, warm < MOST_WARM ? (size_t)warm : MOST_WARM, account);
}

struct sw_mail *sw_mail_new(const struct sw_session_limits *limits, const struct sw_lender *lender,
                            size_t *account, struct sw_slots *slots, struct sw_flow *flow,
                            bool midstream)
{
    struct sw_slot *slot = slots ? sw_slots_take(slots, flow) : NULL;
    struct sw_mail *mail = slot ? sw_slot_memory(slot) : malloc(sizeof(*mail));
    if (!mail)
        return NULL;
    memset(mail, 0, offsetof(struct sw_mail, session)); /* what follows is begun by its own room */
    mail->account = account;
    mail->slot = slot;
    sw_session_init(&mail->session, limits, account);
    if (slot)
        sw_arena_lend(&mail->session.arena, (uint8_t *)mail + SW_MAIL_LENT_AT,
                      SW_MAIL_SLOT_BYTES - SW_MAIL_LENT_AT);
    else
        sw_account_take(account, sizeof(*mail));
    mail->outer = lender;
    mail->lender = (struct sw_lender){lend, take_back, mail};
    smtp_init(&mail->smtp, &mail->lender, midstream);
    mail->sink = (struct smtp_sink){on_event, mail};
    return mail;
}

/* It may hold AUTH lines. */
static void drop_held(struct sw_mail *mail, struct sw_held *held)
{
    *mail->account -= held->room + held->piece_room * sizeof(*held->pieces);
    sw_wipe_free(held->bytes, held->room);
    free(held->pieces);
}

void sw_mail_free(struct sw_mail *mail)
{
    if (!mail)
        return;
    smtp_release(&mail->smtp);
    sw_tls_way_free(mail->way);
    drop_held(mail, &mail->held);
    if (mail->proxy)
        sw_account_give(mail->account, sizeof(*mail->proxy));
    sw_wipe_free(mail->proxy, sizeof(*mail->proxy)); /* it may hold a login */
    sw_session_release(&mail->session);
    if (mail->slot) {
        sw_slot_leave(mail->slot);
        return;
    }
    sw_account_give(mail->account, sizeof(*mail));
    free(mail);
}

/* False when the caps are reached: the caller decides without waiting for the reply. */
static bool hold(struct sw_mail *mail, struct sw_at at, struct sw_span bytes)
{
    struct sw_held *held = &mail->held;
    if (held->used + bytes.len > SW_HELD_BYTES || held->piece_count == SW_HELD_PIECES)
        return false;
    if (held->used + bytes.len > held->room) {
        uint32_t room = held->room ? held->room : 1024;
        while (room < held->used + bytes.len)
            room *= 2;
        uint8_t *bigger = malloc(room);
        if (!bigger)
            return false;
        if (held->bytes)
            memcpy(bigger, held->bytes, held->used);
        sw_wipe_free(held->bytes, held->room);
        *mail->account += room - held->room;
        held->bytes = bigger;
        held->room = room;
    }
    if (held->piece_count == held->piece_room) {
        uint32_t room = held->piece_room ? held->piece_room * 2 : 8;
        struct sw_held_piece *more = realloc(held->pieces, room * sizeof(*more));
        if (!more)
            return false;
        *mail->account += (room - held->piece_room) * sizeof(*more);
        held->pieces = more;
        held->piece_room = room;
    }
    memcpy(held->bytes + held->used, bytes.ptr, bytes.len);
    held->used += (uint32_t)bytes.len;
    held->pieces[held->piece_count++] = (struct sw_held_piece){at, (uint32_t)bytes.len};
    return true;
}

static void drain(struct sw_mail *mail, bool forced);
static void dialogue(struct sw_mail *mail, const struct sw_piece *piece);
static void dialogue_gap(struct sw_mail *mail, enum sw_from from, uint64_t length, struct sw_at at);

/* The first plain text: the dialogue goes on where STARTTLS left it, or begins here. */
static void step_inside(struct sw_mail *mail, struct sw_at at)
{
    if (mail->inside)
        return;
    mail->inside = true;
    if (mail->handed_over)
        smtp_resume_clear(&mail->smtp, at, &mail->sink);
}

static void on_inner_text(void *ctx, enum sw_from from, struct sw_span bytes, struct sw_at at)
{
    struct sw_mail *mail = ctx;
    step_inside(mail, at);
    at.offset = mail->inner_offset[from];
    mail->inner_offset[from] += bytes.len;
    const struct sw_piece piece = {.from = from, .at = at, .bytes = bytes};
    dialogue(mail, &piece);
}

static void on_inner_missing(void *ctx, enum sw_from from, uint64_t length, struct sw_at at)
{
    struct sw_mail *mail = ctx;
    if (!mail->inside)
        return;
    at.offset = mail->inner_offset[from];
    mail->inner_offset[from] += length;
    dialogue_gap(mail, from, length, at);
}

/* Bytes of TLS; without memory for it they are lost, and the record says so. */
static void to_tls(struct sw_mail *mail, const struct sw_piece *piece)
{
    sw_session_keep(&mail->session, piece->from == SW_FROM_SERVER ? SW_SERVER : SW_CLIENT,
                    piece->at.offset, piece->at.offset + piece->bytes.len);
    if (!mail->way) {
        bool midstream = mail->facts->midstream && !mail->handed_over;
        const struct sw_tls_inner inner = {mail, on_inner_text, on_inner_missing};
        mail->way = sw_tls_way_new(&mail->session, midstream, &mail->keys, &inner);
    }
    if (mail->way)
        sw_tls_way_bytes(mail->way, piece);
    else
        mail->session.limits_hit = true;
}

static struct sw_piece piece_rest(const struct sw_piece *piece, size_t used)
{
    struct sw_piece rest = *piece;
    rest.bytes = sw_span_from(piece->bytes, used);
    rest.at.offset += used;
    return rest;
}

/*
 * After the hand-over: a capture that was decrypted in place goes on in clear text. The client's
 * first bytes tell. Returns true when the piece is TLS (or may be).
 */
static bool tls_really_begins(struct sw_mail *mail, const struct sw_piece *piece)
{
    if (mail->tls_checked || piece->from != SW_FROM_CLIENT)
        return true;
    mail->tls_checked = true;
    if (sw_content_of(SW_CLIENT, piece->bytes) == SW_CONTENT_TLS ||
        smtp_probe(SW_FROM_CLIENT, piece->bytes) <= 1)
        return true;
    mail->tls = false;
    smtp_resume_clear(&mail->smtp, piece->at, &mail->sink);
    return false;
}

/* What is known of the line that waits, to judge it without a reply: the piece and what is held
 * behind it. */
struct force {
    size_t behind_bytes; /* they stand in memory right behind the piece */
};

/* Behind a PROXY header the connection begins as any other does, perhaps with TLS. */
SW_RARE static bool begins_in_clear(struct sw_mail *mail, const struct sw_piece *piece)
{
    if (mail->inside)
        return true;
    struct sw_mark mark = {piece->at.frame, piece->at.time_ns};
    sw_session_first_bytes(&mail->session, SW_CLIENT, piece->bytes, mark);
    if (mail->session.first_bytes[SW_CLIENT].content != SW_CONTENT_TLS)
        return true;
    to_tls(mail, piece);
    return false;
}

/* What the dissector has left of a piece, or that TLS begins. False: it has to wait, or was told.
 */
static bool settle(struct sw_mail *mail, const struct sw_piece *rest, const struct force *force)
{
    if (mail->smtp.mode == SMTP_MODE_TLS) {
        if (mail->inside)
            return false; /* STARTTLS inside TLS: nothing can be read behind it */
        mail->tls = true;
        mail->handed_over = true;
        return true;
    }
    if (rest->from == SW_FROM_SERVER) { /* a hold has ended: what was held comes first */
        drain(mail, false);
        return true;
    }
    if (!smtp_holds_client(&mail->smtp))
        return begins_in_clear(mail, rest);
    if (!force && hold(mail, rest->at, rest->bytes))
        return false;
    size_t known = rest->bytes.len + (force ? force->behind_bytes : 0);
    smtp_release_hold(&mail->smtp, sw_span_make(rest->bytes.ptr, known), &mail->sink);
    assert(!smtp_holds_client(&mail->smtp));
    return true;
}

/*
 * One piece through the dissector; what it leaves is held or goes to TLS. With `force` no reply
 * will come: nothing is held, the bytes themselves decide.
 */
static void feed_on(struct sw_mail *mail, const struct sw_piece *piece, const struct force *force)
{
    struct sw_piece rest;
    while (piece->bytes.len > 0) {
        if (mail->tls && !mail->inside && tls_really_begins(mail, piece)) {
            if (mail->handed_over && piece->from == SW_FROM_SERVER)
                (void)smtp_feed(&mail->smtp, piece, &mail->sink); /* is it an injected reply? */
            to_tls(mail, piece);
            return;
        }
        size_t used = smtp_feed(&mail->smtp, piece, &mail->sink);
        if (used == piece->bytes.len && mail->smtp.mode != SMTP_MODE_TLS)
            return;
        rest = piece_rest(piece, used);
        piece = &rest;
        if (!settle(mail, piece, force))
            return;
    }
}

/* The same; nearly always the dissector takes the whole piece. */
static inline void feed(struct sw_mail *mail, const struct sw_piece *piece)
{
    if (mail->tls) {
        feed_on(mail, piece, NULL);
        return;
    }
    size_t used = smtp_feed(&mail->smtp, piece, &mail->sink);
    if (used == piece->bytes.len && mail->smtp.mode != SMTP_MODE_TLS)
        return;
    const struct sw_piece rest = piece_rest(piece, used);
    if (settle(mail, &rest, NULL))
        feed_on(mail, &rest, NULL);
}

/* Offers the held bytes again; stops when the next reply is needed. `forced` = no reply will come.
 */
static void drain(struct sw_mail *mail, bool forced)
{
    struct sw_held held = mail->held;
    if (held.piece_count == 0)
        return;
    mail->held = (struct sw_held){0}; /* feeding may hold again */
    bool outside = !mail->inside;     /* what is held came before anything was opened */
    uint32_t at = 0;
    for (uint32_t i = 0; i < held.piece_count; i++) {
        struct sw_piece piece = {
            .from = SW_FROM_CLIENT,
            .at = held.pieces[i].at,
            .bytes = sw_span_make(held.bytes + at, held.pieces[i].length),
        };
        at += held.pieces[i].length;
        struct force force = {.behind_bytes = held.used - at};
        if (outside && mail->inside)
            to_tls(mail, &piece);
        else if (mail->held.piece_count == 0)
            feed_on(mail, &piece, forced ? &force : NULL);
        else if (!hold(mail, piece.at, piece.bytes))
            mail->session.limits_hit = true; /* memory: the caps held a moment ago */
    }
    drop_held(mail, &held);
}

/* In a capture of the client's side alone no reply ever comes: a whole line is judged by itself. */
static void drain_one_sided(struct sw_mail *mail, const struct sw_piece *piece)
{
    if (mail->held.piece_count == 0 || mail->facts->half[SW_SERVER].packets > 0)
        return;
    bool whole_line = sw_span_index(piece->bytes, '\n') < piece->bytes.len;
    if (whole_line)
        drain(mail, true);
}

/* Cipher text in the middle of a record: control characters at random, about one byte in eight. */
SW_RARE static bool looks_encrypted(struct sw_span first)
{
    enum { ENOUGH = 48, CONTROLS = 4 };
    unsigned controls = 0;
    for (size_t i = 0; i < first.len; i++)
        controls += first.ptr[i] < ' ' && first.ptr[i] != '\r' && first.ptr[i] != '\n' &&
                    first.ptr[i] != '\t';
    return first.len >= ENOUGH && controls >= CONTROLS;
}

/* On an implicit-TLS connection nothing but TLS is expected; a server that answers in text is the
 * point, though. A capture may begin in the middle of it all. */
static bool is_tls_from_the_start(const struct sw_mail *mail, const struct sw_chunk *chunk)
{
    const struct sw_first_bytes *first = &mail->session.first_bytes[chunk->from];
    if (mail->handed_over)
        return mail->tls;
    if (first->content == SW_CONTENT_TLS)
        return true;
    return mail->facts->midstream && first->content == SW_CONTENT_BINARY &&
           looks_encrypted(sw_session_opening(&mail->session, chunk->from));
}

/* The capture begins behind STARTTLS: what the server then said in clear was not its beginning. */
SW_RARE static bool answers_hello(const struct sw_mail *mail, const struct sw_chunk *chunk)
{
    return mail->facts->midstream && !mail->handed_over && chunk->from == SW_SERVER &&
           mail->session.first_bytes[SW_CLIENT].content == SW_CONTENT_TLS &&
           mail->session.first_bytes[SW_SERVER].content != SW_CONTENT_TLS &&
           sw_content_of(SW_SERVER, chunk->bytes) == SW_CONTENT_TLS;
}

/* One piece of the dialogue, in clear or out of TLS. */
static void dialogue(struct sw_mail *mail, const struct sw_piece *piece)
{
    if (piece->from == SW_FROM_CLIENT && mail->held.piece_count > 0) {
        if (!hold(mail, piece->at, piece->bytes)) {
            drain(mail, true);
            feed_on(mail, piece, NULL);
        }
        drain_one_sided(mail, piece);
        return;
    }
    feed(mail, piece);
    drain_one_sided(mail, piece);
    bool opaque = mail->tls && !mail->inside;
    if (piece->from == SW_FROM_SERVER && mail->held.piece_count > 0 &&
        (opaque || !smtp_holds_client(&mail->smtp)))
        drain(mail, false);
}

static void dialogue_gap(struct sw_mail *mail, enum sw_from from, uint64_t length, struct sw_at at)
{
    if (from == SW_FROM_CLIENT)
        drain(mail, true);
    smtp_gap(&mail->smtp, from, length, at, &mail->sink);
    if (from == SW_FROM_SERVER && mail->held.piece_count > 0 && !smtp_holds_client(&mail->smtp))
        drain(mail, false);
}

static void take_chunk(struct sw_mail *mail, const struct sw_chunk *chunk)
{
    if (mail->way && answers_hello(mail, chunk))
        mail->session.first_bytes[SW_SERVER] = (struct sw_first_bytes){.late = true};
    if (mail->session.first_bytes[chunk->from].len < SW_FIRST_BYTES)
        sw_session_first_bytes(&mail->session, chunk->from, chunk->bytes, chunk->mark);
    struct sw_piece piece = {
        .from = chunk->from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT,
        .at = {chunk->offset, chunk->mark.frame, chunk->mark.time_ns},
        .bytes = sw_span_by_fields(chunk->bytes),
    };
    if (mail->inside || (!mail->handed_over && is_tls_from_the_start(mail, chunk)))
        to_tls(mail, &piece);
    else
        dialogue(mail, &piece);
}

/* Of what is said to a proxy only this may be shown. */
static void keep_proxied(void *ctx, size_t at)
{
    struct sw_mail *mail = ctx;
    uint64_t offset = mail->proxy_offset + at;
    sw_session_keep(&mail->session, SW_CLIENT, offset, offset + 1);
}

/* Memory for what goes before the mail; most have none of that. */
static bool make_proxy(struct sw_mail *mail)
{
    if (!mail->proxy) {
        mail->proxy = calloc(1, sizeof(*mail->proxy));
        if (mail->proxy)
            sw_account_take(mail->account, sizeof(*mail->proxy));
        else
            mail->session.limits_hit = true;
    }
    return mail->proxy != NULL;
}

void sw_mail_proxied(struct sw_mail *mail, struct sw_span first)
{
    if (!make_proxy(mail))
        return;
    struct sw_proxied *proxied = sw_session_proxy_begin(&mail->session);
    if (!proxied) {
        mail->proxy->step = SW_PROXY_LOST;
        return;
    }
    sw_proxy_start(mail->proxy, first, proxied);
    mail->proxy->harmless = keep_proxied;
    mail->proxy->ctx = mail;
}

void sw_mail_may_be_proxied(struct sw_mail *mail)
{
    if (make_proxy(mail))
        mail->proxy->step = SW_PROXY_GUESS;
    else
        mail->no_proxy = true;
}

/* How far it is with a proxy. */
static enum sw_proxy_step proxy_step(const struct sw_mail *mail)
{
    return mail->proxy ? mail->proxy->step : SW_PROXY_IDLE;
}

static struct sw_chunk chunk_rest(const struct sw_chunk *chunk, size_t used)
{
    struct sw_chunk rest = *chunk;
    rest.bytes = sw_span_from(chunk->bytes, used);
    rest.offset += used;
    return rest;
}

static struct sw_chunk to_proxy(struct sw_mail *mail, const struct sw_chunk *chunk)
{
    mail->proxy_offset = chunk->offset;
    size_t used =
        sw_proxy_feed(mail->proxy, chunk->from, chunk->bytes, chunk->mark, mail->session.proxied);
    if (chunk->from == SW_SERVER)
        sw_session_keep(&mail->session, SW_SERVER, chunk->offset, chunk->offset + used);
    return chunk_rest(chunk, used);
}

/* A request to a proxy that comes in pieces; returns what is left once it is clear. */
static struct sw_chunk guess_proxy(struct sw_mail *mail, const struct sw_chunk *chunk)
{
    size_t used = chunk->bytes.len;
    bool possible = chunk->from == SW_CLIENT && !mail->no_proxy;
    enum sw_proxy_guess guess =
        possible ? sw_proxy_collect(mail->proxy, chunk->bytes, &used) : SW_PROXY_IS_NONE;
    mail->no_proxy = guess == SW_PROXY_IS_NONE;
    if (guess != SW_PROXY_IS_ONE)
        return chunk_rest(chunk, chunk->bytes.len);
    uint8_t bytes[SW_PROXY_UNIT];
    struct sw_chunk first = *chunk;
    first.bytes = sw_span_make(bytes, mail->proxy->kept);
    first.offset = chunk->offset + used - mail->proxy->kept;
    memcpy(bytes, mail->proxy->unit, mail->proxy->kept);
    sw_mail_proxied(mail, first.bytes);
    (void)to_proxy(mail, &first);
    return chunk_rest(chunk, used);
}

/* What is left of a chunk behind what is said to a proxy. */
SW_RARE static struct sw_chunk past_proxy(struct sw_mail *mail, const struct sw_chunk *chunk)
{
    struct sw_chunk rest = *chunk;
    if (proxy_step(mail) == SW_PROXY_GUESS)
        rest = guess_proxy(mail, &rest);
    if (proxy_step(mail) != SW_PROXY_IDLE && rest.bytes.len > 0)
        rest = to_proxy(mail, &rest);
    return rest;
}

void sw_mail_chunk(struct sw_mail *mail, const struct sw_flow_facts *facts,
                   const struct sw_chunk *chunk)
{
    mail->facts = facts;
    mail->session.facts = facts;
    struct sw_chunk rest;
    if (mail->proxy) {
        rest = past_proxy(mail, chunk);
        chunk = &rest;
    }
    if (chunk->bytes.len > 0)
        take_chunk(mail, chunk);
}

void sw_mail_gap(struct sw_mail *mail, const struct sw_flow_facts *facts, enum sw_side from,
                 uint64_t offset, uint64_t length, struct sw_mark mark)
{
    mail->facts = facts;
    mail->session.facts = facts;
    if (proxy_step(mail) != SW_PROXY_IDLE) {
        mail->no_proxy = proxy_step(mail) == SW_PROXY_GUESS;
        sw_proxy_gap(mail->proxy);
        return;
    }
    struct sw_first_bytes *first = &mail->session.first_bytes[from];
    first->cut = first->cut || first->len > 0;
    first->late = first->late || first->len == 0;
    mail->session.words_missing = mail->session.words_missing || from == SW_CLIENT;
    struct sw_at at = {offset, mark.frame, mark.time_ns};
    bool implicit = mail->way && mail->session.first_bytes[from].content == SW_CONTENT_TLS;
    if (mail->tls || (implicit && !mail->handed_over)) {
        if (mail->way)
            sw_tls_way_gap(mail->way, from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT, length,
                           at);
        return;
    }
    dialogue_gap(mail, from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT, length, at);
}

void sw_mail_fetch(const struct sw_mail *mail)
{
    sw_fetch(mail, offsetof(struct sw_mail, session.opening));
    sw_fetch(&mail->smtp, SMTP_NEAR_BYTES);
    sw_arena_fetch(&mail->session.arena);
}

void sw_mail_finish(struct sw_mail *mail, const struct sw_flow_facts *facts, struct sw_mark mark)
{
    mail->facts = facts;
    mail->session.facts = facts;
    struct sw_at at = {0, mark.frame, mark.time_ns};
    sw_fetch(mail->slot, 1); /* it is left in the end */
    drain(mail, true);
    if (mail->way)
        sw_tls_way_finish(mail->way, at);
    if (!mail->tls || mail->inside) {
        smtp_end(&mail->smtp, SW_FROM_SERVER, at, &mail->sink);
        smtp_end(&mail->smtp, SW_FROM_CLIENT, at, &mail->sink);
    }
    mail->session.has_dissector = sw_mail_is_confirmed(mail);
    sw_session_finish(&mail->session, facts, mark.time_ns);
}
