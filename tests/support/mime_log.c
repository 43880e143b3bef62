#include "support/mime_log.h"

#include <stdio.h>

static void put(struct mime_log *log, const char *before, struct sw_span s, const char *after)
{
    size_t room = sizeof(log->text) - log->used;
    int n = snprintf(log->text + log->used, room, "%s%.*s%s", before, (int)s.len,
                     s.len ? (const char *)s.ptr : "", after);
    if (n > 0)
        log->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void put_number(struct mime_log *log, const char *before, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    put(log, before, sw_span_str(text), "");
}

static void emit(void *ctx, const struct mime_event *event)
{
    static const char *const names[MIME_FIELD_COUNT] = {
        [MIME_FIELD_OTHER] = "other",
        [MIME_FIELD_MESSAGE_ID] = "message-id",
        [MIME_FIELD_FROM] = "from",
        [MIME_FIELD_TO] = "to",
        [MIME_FIELD_CC] = "cc",
        [MIME_FIELD_SUBJECT] = "subject",
        [MIME_FIELD_DATE] = "date",
        [MIME_FIELD_CONTENT_TYPE] = "content-type",
        [MIME_FIELD_REPLY_TO] = "reply-to",
        [MIME_FIELD_IN_REPLY_TO] = "in-reply-to",
        [MIME_FIELD_DKIM_SIGNATURE] = "dkim",
        [MIME_FIELD_BCC] = "bcc",
        [MIME_FIELD_RECEIVED] = "received",
        [MIME_FIELD_ORIGINATING_IP] = "originating-ip",
        [MIME_FIELD_MAILER] = "mailer",
    };
    struct mime_log *log = ctx;
    const struct sw_span none = {NULL, 0};
    bool counts = event->field == MIME_FIELD_FROM || event->field == MIME_FIELD_BCC ||
                  event->field == MIME_FIELD_TO || event->field == MIME_FIELD_CC;
    put(log, event->kind == MIME_EVENT_END ? "end" : names[event->field], none, "");
    if (event->kind == MIME_EVENT_END)
        log->end_octets = event->number;
    else if (event->field != MIME_FIELD_DKIM_SIGNATURE)
        put(log, " [", event->text, "]");
    if (event->flags & MIME_FLAG_CUT)
        put(log, " cut", none, "");
    if (event->field == MIME_FIELD_FROM || event->field == MIME_FIELD_BCC)
        put(log, " <", event->address, ">");
    if (counts)
        put_number(log, " ", event->number);
    put(log, "\n", none, "");
}

void mime_log_begin(struct mime_log *log, bool stuffed)
{
    log->sink = (struct mime_sink){emit, log};
    log->used = 0;
    log->text[0] = '\0';
    mime_init(&log->state, stuffed);
}
