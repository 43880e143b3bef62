/*
 * mime.c - the header block, octet by octet where a line begins, run by run inside of one.
 */
#include "dissectors/mime/mime.h"

enum place {
    LINE_START,    /* a field, a continuation, or the empty line */
    LINE_START_CR, /* the same, behind a CR */
    NAME,
    NAME_BLANK, /* blanks between name and colon (RFC 5322 4.5) */
    VALUE,
    SKIP, /* a line nobody asks for */
    DONE,
};

struct known_field {
    struct sw_span name;
    enum mime_field field;
};

static const struct known_field known_fields[] = {
    {SW_SPAN_LIT("message-id"), MIME_FIELD_MESSAGE_ID},
    {SW_SPAN_LIT("from"), MIME_FIELD_FROM},
    {SW_SPAN_LIT("to"), MIME_FIELD_TO},
    {SW_SPAN_LIT("cc"), MIME_FIELD_CC},
    {SW_SPAN_LIT("subject"), MIME_FIELD_SUBJECT},
    {SW_SPAN_LIT("date"), MIME_FIELD_DATE},
    {SW_SPAN_LIT("content-type"), MIME_FIELD_CONTENT_TYPE},
    {SW_SPAN_LIT("dkim-signature"), MIME_FIELD_DKIM_SIGNATURE},
    {SW_SPAN_LIT("bcc"), MIME_FIELD_BCC},
    {SW_SPAN_LIT("received"), MIME_FIELD_RECEIVED},
    {SW_SPAN_LIT("x-originating-ip"), MIME_FIELD_ORIGINATING_IP},
    {SW_SPAN_LIT("x-mailer"), MIME_FIELD_MAILER},
    {SW_SPAN_LIT("user-agent"), MIME_FIELD_MAILER},
    {SW_SPAN_LIT("x-user-agent"), MIME_FIELD_MAILER},
    {SW_SPAN_LIT("reply-to"), MIME_FIELD_REPLY_TO},
    {SW_SPAN_LIT("in-reply-to"), MIME_FIELD_IN_REPLY_TO},
};

static enum mime_field field_of(struct sw_span name)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(known_fields[0]); i++) {
        if (sw_span_eq_nocase(name, known_fields[i].name))
            return known_fields[i].field;
    }
    return MIME_FIELD_OTHER;
}

void mime_init(struct mime_state *state, bool stuffed)
{
    memset(state, 0, offsetof(struct mime_state, name));
    state->place = LINE_START;
    state->stuffed = stuffed;
    state->after_crlf = true;
}

bool mime_is_done(const struct mime_state *state)
{
    return state->place == DONE;
}

static struct sw_span without_brackets(struct sw_span id)
{
    size_t open = sw_span_index(id, '<');
    struct sw_span rest = sw_span_from(id, open + 1);
    size_t close = sw_span_index(rest, '>');
    return close < rest.len ? sw_span_trim(sw_span_sub(rest, 0, close)) : id;
}

static bool holds_addresses(enum mime_field field)
{
    return field == MIME_FIELD_FROM || field == MIME_FIELD_TO || field == MIME_FIELD_CC ||
           field == MIME_FIELD_BCC || field == MIME_FIELD_REPLY_TO;
}

/* A value to be shown; encoded words in it are decoded to `room`. */
static struct sw_span readable(struct sw_span raw, uint8_t room[MIME_VALUE_BYTES])
{
    if (sw_span_index(raw, '=') == raw.len)
        return raw; /* "=?" begins one (RFC 2047 2) */
    return sw_span_make(room, mime_decode_words(raw, room, MIME_VALUE_BYTES));
}

/* Tells the field at hand. */
static void close_field(struct mime_state *st, uint32_t flags, const struct mime_sink *sink)
{
    if (!st->open)
        return;
    uint8_t decoded[MIME_VALUE_BYTES];
    struct sw_span raw = sw_span_trim(sw_span_make(st->value, st->value_len));
    struct mime_event event = {
        .kind = MIME_EVENT_FIELD,
        .field = (enum mime_field)st->field,
        .flags = flags | (st->cut ? MIME_FLAG_CUT : 0),
    };
    st->open = false;
    switch (event.field) {
    case MIME_FIELD_MESSAGE_ID:
        event.text = without_brackets(raw);
        break;
    case MIME_FIELD_FROM:
    case MIME_FIELD_BCC:
    case MIME_FIELD_REPLY_TO:
        event.address = mime_first_address(raw);
        event.number = mime_addresses_end(&st->addresses);
        break;
    case MIME_FIELD_TO:
    case MIME_FIELD_CC:
        event.number = mime_addresses_end(&st->addresses);
        break;
    case MIME_FIELD_DATE:
    case MIME_FIELD_CONTENT_TYPE:
    case MIME_FIELD_RECEIVED:
    case MIME_FIELD_ORIGINATING_IP:
    case MIME_FIELD_MAILER:
    case MIME_FIELD_IN_REPLY_TO:
        event.text = raw;
        break;
    case MIME_FIELD_SUBJECT:
    case MIME_FIELD_DKIM_SIGNATURE:
    case MIME_FIELD_OTHER:
    case MIME_FIELD_COUNT:
        break;
    }
    if (event.field == MIME_FIELD_SUBJECT || holds_addresses(event.field))
        event.text = readable(raw, decoded);
    sink->emit(sink->ctx, &event);
}

static void finish(struct mime_state *st, uint32_t flags, const struct mime_sink *sink)
{
    if (st->place == DONE)
        return;
    close_field(st, flags, sink);
    st->place = DONE;
    struct mime_event event = {.kind = MIME_EVENT_END, .flags = flags, .number = st->octets};
    sink->emit(sink->ctx, &event);
}

static void keep(struct mime_state *st, struct sw_span run)
{
    size_t room = sizeof(st->value) - st->value_len;
    size_t n = run.len < room ? run.len : room;
    if (n > 0)
        memcpy(st->value + st->value_len, run.ptr, n);
    st->value_len = (uint16_t)(st->value_len + n);
    st->cut = st->cut || n < run.len;
}

/* Octets of the value at hand, line ends left out: unfolding keeps the blank behind them (RFC 5322
 * 2.2.3). */
static void take_value(struct mime_state *st, struct sw_span run)
{
    if (st->field == MIME_FIELD_DKIM_SIGNATURE)
        return; /* that there is one is enough */
    keep(st, run);
    if (holds_addresses((enum mime_field)st->field))
        mime_addresses_feed(&st->addresses, run);
}

static void line_ends(struct mime_state *st, bool crlf)
{
    st->place = LINE_START;
    st->after_crlf = crlf;
    st->cr = false;
}

/* The colon came: a new field, or a line that nobody asks for. */
static void begin_value(struct mime_state *st)
{
    bool whole = st->name_len < MIME_NAME_BYTES;
    enum mime_field field =
        whole ? field_of(sw_span_make(st->name, st->name_len)) : MIME_FIELD_OTHER;
    st->cr = false;
    st->place = field == MIME_FIELD_OTHER ? SKIP : VALUE;
    if (field == MIME_FIELD_OTHER)
        return;
    st->open = true;
    st->cut = false;
    st->field = (uint8_t)field;
    st->value_len = 0;
    st->addresses = (struct mime_addresses){0};
}

/* A line that began like a field but has no colon: the line that opens a message in a mail file, or
 * the end of the header block. */
static bool is_mail_file_line(const struct mime_state *st)
{
    struct sw_span name = sw_span_make(st->name, st->name_len);
    return sw_span_eq(name, SW_SPAN_LIT("From")) || sw_span_eq(name, SW_SPAN_LIT(">From"));
}

/* The rest of a line that is a value or skipped; returns the octets used. */
static size_t run_of_line(struct mime_state *st, struct sw_span octets)
{
    size_t lf = sw_span_index(octets, '\n');
    bool complete = lf < octets.len;
    struct sw_span run = sw_span_sub(octets, 0, lf);
    bool cr_behind = run.len > 0 ? run.ptr[run.len - 1] == '\r' : st->cr;
    if (st->place == VALUE) {
        if (st->cr && run.len > 0) /* the CR kept back was no part of a line end */
            take_value(st, SW_SPAN_LIT("\r"));
        take_value(st, sw_span_sub(run, 0, run.len - (run.len > 0 && cr_behind)));
    }
    st->cr = cr_behind;
    if (complete)
        line_ends(st, cr_behind);
    return run.len + complete;
}

/* Octets of a field's name in a row (RFC 5322 3.6.8); returns how many, and may be none. */
static size_t name_run(struct mime_state *st, struct sw_span octets)
{
    size_t n = 0;
    for (; n < octets.len && st->name_len < MIME_NAME_BYTES; n++) {
        uint8_t c = octets.ptr[n];
        if (c <= ' ' || c >= 0x7F || c == ':')
            break;
        st->name[st->name_len++] = c;
    }
    return n;
}

/* An octet of a field's name, or what ends it. */
static void name_octet(struct mime_state *st, uint8_t c, const struct mime_sink *sink)
{
    bool blank = c == ' ' || c == '\t';
    if (c == ':' && st->name_len > 0) {
        begin_value(st);
    } else if (blank && st->name_len > 0) {
        st->place = NAME_BLANK;
    } else if (st->place == NAME_BLANK && is_mail_file_line(st)) {
        st->place = SKIP;
        st->cr = false;
    } else if (st->place == NAME_BLANK || c <= ' ' || c >= 0x7F) { /* RFC 5322 3.6.8 */
        finish(st, 0, sink);
    } else if (st->name_len < MIME_NAME_BYTES) {
        st->name[st->name_len++] = c;
    }
}

/* The first octet of a line, behind a dot that was taken away and behind a CR. */
static void first_octet(struct mime_state *st, uint8_t c, const struct mime_sink *sink)
{
    if (c == '\n') {
        finish(st, 0, sink);
        return;
    }
    if (st->place == LINE_START_CR) { /* a lone CR begins no field */
        finish(st, 0, sink);
        return;
    }
    if (c == '\r') {
        st->place = LINE_START_CR;
        return;
    }
    if (c == ' ' || c == '\t') { /* folded: it goes on with the line before */
        st->place = st->open ? VALUE : SKIP;
        if (st->open)
            take_value(st, sw_span_make(&c, 1));
        return;
    }
    close_field(st, 0, sink);
    st->place = NAME;
    st->name_len = 0;
    name_octet(st, c, sink);
}

static size_t some(struct mime_state *st, struct sw_span octets, const struct mime_sink *sink)
{
    uint8_t c = octets.ptr[0];
    switch ((enum place)st->place) {
    case LINE_START:
        if (c == '.' && st->stuffed && st->after_crlf) {
            st->after_crlf = false;
            return 1;
        }
        first_octet(st, c, sink);
        return 1;
    case LINE_START_CR:
        first_octet(st, c, sink);
        return 1;
    case NAME: {
        size_t run = name_run(st, octets);
        if (run > 0)
            return run;
        name_octet(st, c, sink);
        return 1;
    }
    case NAME_BLANK:
        name_octet(st, c, sink);
        return 1;
    case VALUE:
    case SKIP:
        return run_of_line(st, octets);
    case DONE:
        break;
    }
    return octets.len;
}

void mime_feed(struct mime_state *state, struct sw_span octets, const struct mime_sink *sink)
{
    size_t room = (size_t)(MIME_HEADER_BYTES - state->octets);
    struct sw_span rest = sw_span_sub(octets, 0, room);
    while (rest.len > 0 && state->place != DONE) {
        /* the octet that ends the block is counted before it is told */
        bool single = state->place != VALUE && state->place != SKIP;
        state->octets += single;
        size_t used = some(state, rest, sink);
        state->octets += used - single;
        rest = sw_span_from(rest, used);
    }
    if (state->octets == MIME_HEADER_BYTES)
        finish(state, MIME_FLAG_CUT, sink);
}

void mime_gap(struct mime_state *state, const struct mime_sink *sink)
{
    finish(state, MIME_FLAG_CUT, sink);
}

void mime_end(struct mime_state *state, const struct mime_sink *sink)
{
    bool between_lines = state->place == LINE_START;
    if (state->place == LINE_START_CR)
        close_field(state, 0, sink); /* a CR goes on with no field */
    finish(state, between_lines ? 0 : MIME_FLAG_CUT, sink);
}
