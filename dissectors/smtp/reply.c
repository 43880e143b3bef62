/*
 * reply.c - the server's side: lines, and replies over several lines.
 */
#include "dissectors/smtp/internal.h"

enum { REPLY_LINE_LIMIT = 512 };

struct reply_line {
    bool valid;
    bool last;
    uint16_t code;
    struct sw_span text;
};

/*
 * RFC 5321 4.2.1: three digits, then a blank, a hyphen, or nothing. Codes nobody knows are codes
 * all the same. Of a line that was cut the separator must be there: "25" and "250" may be anything.
 */
static struct reply_line parse_line(struct sw_span line, bool open)
{
    struct reply_line r = {.text = line};
    if (open && line.len == 3)
        return r;
    if (line.len < 3 || !sw_ascii_digit(line.ptr[0]) || !sw_ascii_digit(line.ptr[1]) ||
        !sw_ascii_digit(line.ptr[2]))
        return r;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-' && line.ptr[3] != '\t')
        return r;
    r.valid = true;
    r.code = (uint16_t)((line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0'));
    r.last = line.len == 3 || line.ptr[3] != '-';
    r.text = sw_span_from(line, 4);
    return r;
}

static void tell_line(struct smtp_io *io, uint16_t code, struct sw_span text, uint32_t flags)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY_LINE,
        .from = SW_FROM_SERVER,
        .flags = flags,
        .code = code,
        .text = text,
        .number = io->state->reply_lines++,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

static void open_reply(struct smtp_io *io, uint16_t code)
{
    struct smtp_state *st = io->state;
    st->reply_open = true;
    st->reply_code = code;
    st->reply_lines = 0;
    st->reply_enhanced = (struct smtp_enhanced){0};
    st->reply_begin = io->begin;
    st->reply_flags = 0;
}

void smtp_reply_complete(struct smtp_io *io, uint32_t flags)
{
    struct smtp_state *st = io->state;
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY,
        .from = SW_FROM_SERVER,
        .flags = flags | st->reply_flags,
        .code = st->reply_code,
        .enhanced = st->reply_enhanced,
        .number = st->reply_lines,
        .begin = st->reply_begin,
        .end = io->end,
    };
    st->reply_open = false;
    smtp_answer(io, &event);
}

SW_RARE static void junk_line(struct smtp_io *io, struct sw_span line)
{
    struct smtp_state *st = io->state;
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_JUNK_LINE, line, 0);
    if (st->reply_open) { /* a text broken over lines: it belongs to the reply around it */
        tell_line(io, 0, line, 0);
        return;
    }
    st->junk_answer = true;
    open_reply(io, 0);
    tell_line(io, 0, line, 0);
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY,
        .from = SW_FROM_SERVER,
        .flags = SMTP_FLAG_UNSOLICITED,
        .number = 1,
        .begin = st->reply_begin,
        .end = io->end,
    };
    st->reply_open = false;
    smtp_emit(io, &event); /* it answers nothing: no command loses its reply to it */
}

/* `text` is what of the line may be shown. */
SW_RARE static void note_line(struct smtp_io *io, const struct sw_line *line, struct sw_span text)
{
    if (line->end == SW_LINE_LF)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_BARE_LF, text, 0);
    if (line->bare_cr)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_BARE_CR, text, 0);
    if (line->length + 2 > REPLY_LINE_LIMIT)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_LONG_LINE, sw_span_sub(text, 0, 40), 0);
    if (sw_span_index(text, 0) < text.len)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_NUL, sw_span_sub(text, 0, 40), 0);
}

/*
 * A greeting that is left open on purpose: Postfix's postscreen sends "220-" and waits who speaks
 * now; whoever does gets the answer to that and never the rest of the greeting.
 */
static bool is_teaser(const struct smtp_state *st)
{
    return st->reply_code == 220 && smtp_queue_at_greeting(st) && smtp_queue_count(st) > 1;
}

/* A further line of the open reply, with a code that differs by mistake. Behind a gap another code
 * is another reply, and the rest of the open one is lost. */
SW_RARE static void go_on_otherwise(struct smtp_io *io, const struct reply_line *r,
                                    struct sw_span line)
{
    struct smtp_state *st = io->state;
    if (st->after_gap[SW_FROM_SERVER] || is_teaser(st)) {
        struct smtp_io before = *io;
        before.end = before.begin;
        smtp_reply_complete(&before, SMTP_FLAG_CUT);
        open_reply(io, r->code);
        return;
    }
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_MIXED_CODES, line, r->code);
    st->reply_code = r->code;
}

/* The enhanced code of a reply is of the same class as its code (RFC 3463 2). */
static struct smtp_enhanced enhanced_of(const struct reply_line *r)
{
    size_t used;
    struct smtp_enhanced enhanced;
    bool may_be = r->text.len > 0 && r->text.ptr[0] == '0' + r->code / 100;
    if (may_be && smtp_enhanced_parse(r->text, &enhanced, &used))
        return enhanced;
    return (struct smtp_enhanced){0};
}

/* A whole reply, as most are: nothing of it has to be kept for further lines. */
static void one_line(struct smtp_io *io, const struct reply_line *r, bool cut)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY,
        .from = SW_FROM_SERVER,
        .flags = SMTP_FLAG_ONE_LINE | (cut ? SMTP_FLAG_CUT : 0u),
        .code = r->code,
        .enhanced = enhanced_of(r),
        .text = r->text,
        .number = 1,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_answer(io, &event);
}

static void reply_line(struct smtp_io *io, const struct reply_line *r, struct sw_span line,
                       bool cut)
{
    struct smtp_state *st = io->state;
    if (r->code == 334)
        smtp_auth_prompt(st, r->text);
    if (!st->reply_open && r->last) {
        one_line(io, r, cut);
        return;
    }
    if (!st->reply_open)
        open_reply(io, r->code);
    else if (r->code != st->reply_code)
        go_on_otherwise(io, r, line);
    if (st->reply_enhanced.klass == 0)
        st->reply_enhanced = enhanced_of(r);
    if (cut)
        st->reply_flags |= SMTP_FLAG_CUT;
    tell_line(io, r->code, r->text, cut ? SMTP_FLAG_CUT : 0);
    if (r->last)
        smtp_reply_complete(io, 0);
}

void smtp_server_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    bool open = line->end == SW_LINE_OPEN;
    struct sw_span text = smtp_echo_cut(st, line->text);
    struct reply_line r = parse_line(text, open);
    bool skip = st->skip_to_line_end[SW_FROM_SERVER];
    st->skip_to_line_end[SW_FROM_SERVER] = false;
    if (!r.valid && skip)
        return; /* the rest of a line behind a gap */
    st->server_spoke = true;
    if (!line->plain || line->length + 2 > REPLY_LINE_LIMIT)
        note_line(io, line, text);
    if (r.valid)
        reply_line(io, &r, text, open || text.len < line->length);
    else if (!open)
        junk_line(io, text);
}
