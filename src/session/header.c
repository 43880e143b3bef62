/*
 * header.c - what the header block of a mail says about it; the text behind it is never looked at.
 */
#include "dissectors/mime/mime.h"
#include "session/build.h"

enum { RECEIVED_BYTES = 256 };

const struct sw_header sw_header_none;

struct sw_header_reader {
    struct mime_state mime;
    bool seen[MIME_FIELD_COUNT];
    uint8_t *received; /* room of the message's field */
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

static void begin(struct sw_session *session, struct sw_message *m, bool stuffed)
{
    if (!session->header_reader)
        session->header_reader = SW_ARENA_NEW(&session->arena, struct sw_header_reader);
    if (!session->header_reader)
        return;
    *session->header_reader = (struct sw_header_reader){.session = session, .message = m};
    mime_init(&session->header_reader->mime, stuffed);
}

void sw_build_header(struct sw_session *session, struct sw_message *m,
                     const struct smtp_event *event)
{
    if (is_beginning(m, event))
        begin(session, m, event->verb != SMTP_VERB_BDAT);
    struct sw_header_reader *reader = session->header_reader;
    if (!reader || reader->message != m || mime_is_done(&reader->mime))
        return;
    const struct mime_sink sink = {on_event, reader};
    if (event->flags & SMTP_FLAG_CUT)
        mime_gap(&reader->mime, &sink);
    else
        mime_feed(&reader->mime, event->text, &sink);
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
