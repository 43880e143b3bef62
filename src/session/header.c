/*
 * header.c - what the header block of a mail says about it; the text behind it is never looked at.
 */
#include "base/network.h"
#include "dissectors/mime/mime.h"
#include "session/build.h"

enum { RECEIVED_BYTES = 256 };

const struct sw_header sw_header_none;

struct sw_header_reader {
    struct mime_state mime;
    bool seen[MIME_FIELD_COUNT];
    uint8_t *received; /* room of the message's field */
    uint8_t *hops[2];  /* of the letterhead's last two; the places change */
    struct sw_session *session;
    struct sw_message *message; /* whose header block is being read, or NULL */
    struct sw_header *header;   /* of that message, from the first thing on that is known of it */
};

/* The first field of a kind counts (RFC 5322 3.6: there is one at most). */
static void keep_first(struct sw_session *session, struct sw_span *kept, struct sw_span text)
{
    if (kept->len == 0)
        *kept = sw_arena_copy(&session->arena, text);
}

/* The oldest one stands last (RFC 5321 4.4): each takes the place of the one before. */
static void keep_received(struct sw_header_reader *reader, struct sw_span text)
{
    struct sw_header *h = reader->header;
    if (!reader->received)
        reader->received = sw_arena_alloc(&reader->session->arena, RECEIVED_BYTES);
    size_t n = text.len < RECEIVED_BYTES ? text.len : RECEIVED_BYTES;
    if (!reader->received || n == 0)
        return;
    memcpy(reader->received, text.ptr, n);
    h->received = sw_span_make(reader->received, n);
}

/* --- the letterhead --- */

/* Addresses are separated by commas, but for those in quotation marks (RFC 5322 3.4). */
static size_t item_end(struct sw_span list)
{
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        uint8_t c = list.ptr[i];
        if (c == '\\' && quoted)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return i;
    }
    return list.len;
}

/* `cut`: the last one may be a part of itself only. */
static void keep_list(struct sw_session *session, struct sw_correspondent **list,
                      struct sw_span value, bool cut)
{
    struct sw_span rest = *list ? (struct sw_span){NULL, 0} : value;
    for (unsigned i = 0; rest.len > 0 && i < SW_LETTERHEAD_LIST; i++) {
        size_t end = item_end(rest);
        struct sw_span text = sw_span_trim(sw_span_sub(rest, 0, end));
        bool whole = end < rest.len || !cut;
        rest = sw_span_from(rest, end + 1);
        if (text.len == 0 || !whole)
            continue;
        struct sw_correspondent *item = SW_ARENA_NEW(&session->arena, struct sw_correspondent);
        if (!item)
            return;
        item->text = sw_arena_copy(&session->arena, text);
        item->address = mime_first_address(item->text);
        *list = item;
        list = &item->next;
    }
}

/* Addresses stand behind words, in brackets, and as [IPv6:...] (RFC 5321 4.4, 4.1.3). */
static bool is_address_byte(uint8_t c)
{
    return sw_ascii_digit(c) || c == '.' || c == ':' || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* Whom a server had it from: the second address of its field where there are two, for the first is
 * what the sender called itself. */
static bool hop_of(struct sw_span field, struct sw_network *hop)
{
    unsigned found = 0;
    for (size_t begin = 0; begin < field.len && found < 2;) {
        struct sw_span tag = SW_SPAN_LIT("IPv6:");
        bool tagged = sw_span_starts_nocase(sw_span_from(field, begin), tag);
        begin += tagged ? tag.len : 0;
        size_t end = begin;
        while (end < field.len && is_address_byte(field.ptr[end]))
            end++;
        struct sw_network one;
        struct sw_span word = sw_span_sub(field, begin, end - begin);
        bool inside = begin > 0 && !tagged &&
                      (sw_ascii_alpha(field.ptr[begin - 1]) || field.ptr[begin - 1] == '-' ||
                       field.ptr[begin - 1] == '_');
        if (word.len > 1 && !inside && sw_network_parse(word, &one)) {
            *hop = one;
            found++;
        }
        begin = end > begin ? end : begin + 1;
    }
    return found > 0;
}

static void keep_hop(struct sw_header_reader *reader, struct sw_letterhead *letterhead,
                     struct sw_span field)
{
    struct sw_network hop;
    struct sw_arena *arena = &reader->session->arena;
    for (int i = 0; i < 2; i++) {
        if (!reader->hops[i])
            reader->hops[i] = sw_arena_alloc(arena, MIME_VALUE_BYTES);
    }
    if (reader->hops[0] && reader->hops[1]) {
        uint8_t *room = reader->hops[1];
        reader->hops[1] = reader->hops[0];
        reader->hops[0] = room;
        memcpy(room, field.ptr, field.len);
        letterhead->received_later = letterhead->received;
        letterhead->received = sw_span_make(room, field.len);
    }
    if (letterhead->hop_count == SW_LETTERHEAD_HOPS || !hop_of(field, &hop))
        return;
    memcpy(letterhead->hops[letterhead->hop_count].address, hop.address, sizeof(hop.address));
    letterhead->hops[letterhead->hop_count++].ip_version = hop.ip_version;
}

static void keep_letterhead(struct sw_header_reader *reader, const struct mime_event *event)
{
    struct sw_session *session = reader->session;
    struct sw_header *h = reader->header;
    if (!session->limits.letterhead)
        return;
    if (!h->letterhead)
        h->letterhead = SW_ARENA_NEW(&session->arena, struct sw_letterhead);
    struct sw_letterhead *l = h->letterhead;
    bool cut = event->flags & MIME_FLAG_CUT;
    if (!l || event->text.len == 0)
        return;
    if (event->field == MIME_FIELD_FROM)
        keep_first(session, &l->from, event->text);
    else if (event->field == MIME_FIELD_TO)
        keep_list(session, &l->to, event->text, cut);
    else if (event->field == MIME_FIELD_CC)
        keep_list(session, &l->cc, event->text, cut);
    else if (event->field == MIME_FIELD_REPLY_TO)
        keep_list(session, &l->reply_to, event->text, cut);
    else if (event->field == MIME_FIELD_IN_REPLY_TO)
        keep_first(session, &l->in_reply_to, event->text);
    else if (event->field == MIME_FIELD_RECEIVED)
        keep_hop(reader, l, event->text);
}

static bool may_stand_once(enum mime_field field)
{
    return field == MIME_FIELD_FROM || field == MIME_FIELD_TO || field == MIME_FIELD_BCC ||
           field == MIME_FIELD_SUBJECT;
}

static void on_field(struct sw_header_reader *reader, const struct mime_event *event)
{
    struct sw_session *session = reader->session;
    struct sw_message *m = reader->message;
    struct sw_header *h = reader->header;
    h->repeats = h->repeats || (reader->seen[event->field] && may_stand_once(event->field));
    reader->seen[event->field] = true;
    h->shell_code = h->shell_code || sw_span_starts(event->text, SW_SPAN_LIT("() {"));
    keep_letterhead(reader, event);
    switch (event->field) {
    case MIME_FIELD_MESSAGE_ID:
        keep_first(session, &m->message_id, event->text);
        break;
    case MIME_FIELD_SUBJECT:
        keep_first(session, &m->subject, event->text);
        break;
    case MIME_FIELD_FROM:
        keep_first(session, &h->from, event->address);
        break;
    case MIME_FIELD_DATE:
        keep_first(session, &h->date, event->text);
        break;
    case MIME_FIELD_CONTENT_TYPE: /* parameters may name files */
        keep_first(session, &h->content_type,
                   sw_span_trim(sw_span_sub(event->text, 0, sw_span_index(event->text, ';'))));
        break;
    case MIME_FIELD_TO:
        h->to_count += (uint32_t)event->number;
        break;
    case MIME_FIELD_CC:
        h->cc_count += (uint32_t)event->number;
        break;
    case MIME_FIELD_DKIM_SIGNATURE:
        h->dkim_signature = true;
        break;
    case MIME_FIELD_BCC:
        h->bcc_count += (uint32_t)event->number;
        keep_first(session, &h->bcc, event->address);
        break;
    case MIME_FIELD_MAILER:
        keep_first(session, &h->mailer, event->text);
        break;
    case MIME_FIELD_ORIGINATING_IP:
        keep_first(session, &h->originating_ip, event->text);
        break;
    case MIME_FIELD_RECEIVED:
        keep_received(reader, event->text);
        break;
    case MIME_FIELD_REPLY_TO: /* of the letterhead only */
    case MIME_FIELD_IN_REPLY_TO:
    case MIME_FIELD_OTHER:
    case MIME_FIELD_COUNT:
        break;
    }
}

static void on_event(void *ctx, const struct mime_event *event)
{
    struct sw_header_reader *reader = ctx;
    if (!reader->header) {
        reader->header = SW_ARENA_NEW(&reader->session->arena, struct sw_header);
        if (!reader->header)
            return;
        reader->message->header = reader->header;
    }
    reader->header->seen = true;
    if (event->kind == MIME_EVENT_FIELD)
        on_field(reader, event);
    else if (event->flags & MIME_FLAG_CUT)
        reader->header->cut = true;
}

/* True when the octets of this event are the first ones of the message. */
static bool is_beginning(const struct sw_message *m, const struct smtp_event *event)
{
    if (m->body_seen || (event->flags & (SMTP_FLAG_CUT | SMTP_FLAG_GUESSED)))
        return false;
    return event->verb != SMTP_VERB_BDAT || (m->mail && !m->chunks_missing);
}

static void begin(struct sw_header_reader *reader, struct sw_session *session, struct sw_message *m,
                  bool stuffed)
{
    mime_init(&reader->mime, stuffed);
    memset(reader->seen, 0, sizeof(reader->seen));
    reader->received = reader->hops[0] = reader->hops[1] = NULL;
    reader->session = session;
    reader->message = m;
    reader->header = NULL;
}

static void read_on(struct sw_header_reader *reader, const struct smtp_event *event)
{
    const struct mime_sink sink = {on_event, reader};
    if (event->flags & SMTP_FLAG_CUT)
        mime_gap(&reader->mime, &sink);
    else
        mime_feed(&reader->mime, event->text, &sink);
}

/* Most header blocks come in one piece; only of others anything has to be kept meanwhile. */
static void read_first(struct sw_session *session, struct sw_message *m,
                       const struct smtp_event *event)
{
    struct sw_header_reader reader;
    begin(&reader, session, m, event->verb != SMTP_VERB_BDAT);
    read_on(&reader, event);
    bool done = mime_is_done(&reader.mime);
    if (!session->header_reader && !done)
        session->header_reader = SW_ARENA_NEW(&session->arena, struct sw_header_reader);
    if (!session->header_reader)
        return;
    if (done)
        session->header_reader->message = NULL; /* given up for this one */
    else
        *session->header_reader = reader;
}

void sw_build_header(struct sw_session *session, struct sw_message *m,
                     const struct smtp_event *event)
{
    if (is_beginning(m, event)) {
        read_first(session, m, event);
        return;
    }
    struct sw_header_reader *reader = session->header_reader;
    if (reader && reader->message == m && !mime_is_done(&reader->mime))
        read_on(reader, event);
}

void sw_build_header_end(struct sw_session *session)
{
    struct sw_header_reader *reader = session->header_reader;
    if (!reader || !reader->message)
        return;
    const struct mime_sink sink = {on_event, reader};
    mime_end(&reader->mime, &sink);
    reader->message = NULL;
}
