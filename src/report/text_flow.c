/*
 * text_flow.c - the ladder of --flow: two rails, an arrow for each rung, silences and losses in
 * words.
 *
 *   E1     12      0.101    |== RCPT TO:<bob@example.org> =======================>|
 *
 * Evidence is numbered as in the block above and drawn double. Nothing hangs on the colour.
 */
#include "report/ladder.h"
#include "report/text.h"

#include "base/text.h"

#include <inttypes.h>

enum {
    MARGIN = 21,      /* "E1 ", frame, time, two blanks */
    STAGE = 9,        /* the stage beside it, where there is room */
    STAGE_FROM = 100, /* columns */
    FRAME_LEFT = 3,   /* "-- " before a label */
    FRAME_RIGHT = 4,  /* " ->" and one more behind it */
    ROWS = 4,         /* of one label; the rest is left to -v */
    ROWS_EVIDENCE = 12,
};

/* What a ladder is drawn with. */
struct glyphs {
    const char *rail, *rail_tls, *rail_silent;
    const char *line, *line_evidence;
    const char *right, *left, *lost, *more;
};

static const struct glyphs plain = {
    .rail = "|",
    .rail_tls = "#",
    .rail_silent = ":",
    .line = "-",
    .line_evidence = "=",
    .right = ">",
    .left = "<",
    .lost = "x",
    .more = "...",
};

static const struct glyphs utf8 = {
    .rail = "\u2502",
    .rail_tls = "\u2551",
    .rail_silent = "\u2506",
    .line = "\u2500",
    .line_evidence = "\u2550",
    .right = "\u25b6",
    .left = "\u25c0",
    .lost = "\u2717",
    .more = "\u2026",
};

struct drawing {
    struct sw_text_session *s;
    struct sw_writer *out;
    struct sw_page *page;
    const struct glyphs *glyphs;
    unsigned inner; /* columns between the rails */
    bool stages;
    bool ascii;
    enum sw_stage stage; /* the last one that was written */
    bool any_stage, any_tls, any_lost;
    unsigned evidence;      /* pieces of it */
    uint32_t file;          /* of the last frame that was written */
    struct sw_writer label; /* safe to show, one line */
};

static void repeat(struct drawing *d, const char *glyph, size_t times)
{
    while (times-- > 0)
        sw_writer_text(d->out, glyph);
}

/* Columns of a character: East Asian wide ones take two, combining ones none. */
static unsigned columns_of(int32_t c)
{
    bool combining = (c >= 0x300 && c <= 0x36F) || (c >= 0x20D0 && c <= 0x20FF) ||
                     (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F);
    bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || c >= 0x20000;
    return combining ? 0 : wide ? 2 : 1;
}

/* Lines become one, and without UTF-8 everything beyond ASCII is told by its number. */
static void make_label(struct drawing *d, struct sw_span text)
{
    sw_writer_clear(&d->label);
    while (text.len > 0) {
        size_t lf = sw_span_index(text, '\n');
        sw_page_escape(&d->label, sw_span_sub(text, 0, lf), false);
        text = sw_span_from(text, lf + 1);
        if (text.len > 0)
            sw_writer_text(&d->label, " / ");
    }
    if (!d->ascii)
        return;
    struct sw_writer safe = d->label;
    struct sw_span rest = sw_writer_span(&safe);
    sw_writer_open_memory(&d->label);
    while (rest.len > 0) {
        int32_t c = sw_text_next(&rest);
        if (c >= 0x80)
            sw_writer_format(&d->label, "\\u%04x", (unsigned)c);
        else
            sw_writer_char(&d->label, (char)c);
    }
    sw_writer_release(&safe);
}

/* The bytes of *rest that fit into `room` columns, broken at a blank where there is one not too far
 * back; *columns is what they take. */
static struct sw_span take_row(struct sw_span *rest, unsigned room, unsigned *columns)
{
    struct sw_span left = *rest;
    struct sw_span all = *rest;
    size_t blank = 0;
    unsigned blank_columns = 0;
    *columns = 0;
    while (left.len > 0) {
        struct sw_span before = left;
        int32_t c = sw_text_next(&left);
        if (*columns + columns_of(c) > room) {
            left = before;
            break;
        }
        if (c == ' ') {
            blank = all.len - before.len;
            blank_columns = *columns;
        }
        *columns += columns_of(c);
    }
    size_t taken = all.len - left.len;
    bool whole = left.len == 0 || left.ptr[0] == ' ';
    if (!whole && blank_columns > room / 2) {
        taken = blank;
        *columns = blank_columns;
    }
    *rest = sw_span_from(all, taken);
    while (rest->len > 0 && rest->ptr[0] == ' ')
        *rest = sw_span_from(*rest, 1);
    return sw_span_sub(all, 0, taken);
}

static void put_stage(struct drawing *d, const struct sw_rung *rung)
{
    if (!d->stages)
        return;
    bool same = d->any_stage && d->stage == rung->stage;
    const char *name = same ? "" : sw_stage_name(rung->stage);
    sw_page_text(d->page, SW_TONE_DIM, name);
    sw_writer_repeat(d->out, ' ', STAGE - strlen(name));
    d->stage = rung->stage;
    d->any_stage = true;
}

/* What stands left of the rails; rung NULL: the row continues the one above. */
static void put_margin(struct drawing *d, const struct sw_rung *rung)
{
    if (!rung) {
        sw_writer_repeat(d->out, ' ', MARGIN + (d->stages ? STAGE : 0));
        return;
    }
    if (rung->evidence) {
        char mark[8] = {'E', (char)('0' + rung->evidence % 10), ' ', '\0'};
        sw_page_text(d->page, SW_TONE_BOLD, mark);
    } else {
        sw_writer_text(d->out, "   ");
    }
    double seconds = (double)rung->t_ns / (double)SW_NS_PER_S;
    if (rung->kind == SW_RUNG_NOTE && rung->first.frame) { /* at no time of this connection */
        sw_writer_format(d->out, "%6" PRIu64 " %9s  %*s", sw_frame_number(rung->first.frame), "",
                         d->stages ? STAGE : 0, "");
        return;
    }
    if (rung->first.frame)
        sw_writer_format(d->out, "%6" PRIu64 " %9.3f  ", sw_frame_number(rung->first.frame),
                         seconds);
    else if (rung->kind == SW_RUNG_SILENCE)
        sw_writer_format(d->out, "%6s %9.3f  ", "", seconds);
    else
        sw_writer_format(d->out, "%18s", "");
    put_stage(d, rung);
}

static enum sw_tone tone_of(const struct sw_rung *rung)
{
    if (rung->mood == SW_RUNG_BAD)
        return SW_TONE_BAD;
    if (rung->mood == SW_RUNG_ODD)
        return SW_TONE_WARN;
    if (rung->kind == SW_RUNG_NOTE)
        return rung->evidence ? SW_TONE_BOLD : SW_TONE_DIM;
    return rung->kind == SW_RUNG_REPLY ? SW_TONE_NOTE : SW_TONE_PLAIN;
}

static const char *rail_of(const struct drawing *d, const struct sw_rung *rung)
{
    if (rung->kind == SW_RUNG_SILENCE)
        return d->glyphs->rail_silent;
    return rung->encrypted ? d->glyphs->rail_tls : d->glyphs->rail;
}

/* One row of text between the rails, without an arrow. */
static void put_row(struct drawing *d, const char *rail, enum sw_tone tone, struct sw_span text,
                    unsigned columns)
{
    sw_writer_text(d->out, rail);
    sw_writer_repeat(d->out, ' ', FRAME_LEFT);
    sw_page_put(d->page, tone, text);
    sw_writer_repeat(d->out, ' ', d->inner - FRAME_LEFT - columns);
    sw_writer_text(d->out, rail);
    sw_page_newline(d->page);
}

/* The first row of an arrow with its label. */
static void put_arrow(struct drawing *d, const struct sw_rung *rung, struct sw_span text,
                      unsigned columns)
{
    const struct glyphs *g = d->glyphs;
    const char *line = rung->evidence ? g->line_evidence : g->line;
    bool right = rung->from == SW_ORIGIN_CLIENT;
    unsigned fill = d->inner - FRAME_LEFT - columns - 2;
    unsigned short_by = rung->lost ? fill / 3 : 0; /* it does not reach the other side */
    sw_writer_text(d->out, rail_of(d, rung));
    if (right) {
        repeat(d, line, FRAME_LEFT - 1);
    } else {
        sw_writer_repeat(d->out, ' ', rung->lost ? 1 : 0);
        sw_writer_text(d->out, rung->lost ? g->lost : g->left);
        repeat(d, line, rung->lost ? 0 : FRAME_LEFT - 2);
    }
    sw_writer_char(d->out, ' ');
    sw_page_put(d->page, tone_of(rung), text);
    sw_writer_char(d->out, ' ');
    if (right) {
        repeat(d, line, fill - short_by);
        sw_writer_text(d->out, rung->lost ? g->lost : g->right);
        sw_writer_repeat(d->out, ' ', short_by);
    } else {
        repeat(d, line, fill + 1);
    }
    sw_writer_text(d->out, rail_of(d, rung));
    sw_page_newline(d->page);
}

/* Further rows of the label, at most `most`. */
static void put_rows(struct drawing *d, const struct sw_rung *rung, struct sw_span rest,
                     unsigned most)
{
    unsigned room = d->inner - FRAME_LEFT - FRAME_RIGHT;
    for (unsigned row = 0; rest.len > 0; row++) {
        unsigned columns = 0;
        put_margin(d, NULL);
        if (row == most) {
            put_row(d, rail_of(d, rung), tone_of(rung), sw_span_str(d->glyphs->more),
                    d->ascii ? 3 : 1);
            return;
        }
        struct sw_span text = take_row(&rest, room, &columns);
        put_row(d, rail_of(d, rung), tone_of(rung), text, columns);
    }
}

/* What the verdict says of this rung. */
static void put_proof(struct drawing *d, const struct sw_rung *rung)
{
    unsigned room = d->inner - FRAME_LEFT - FRAME_RIGHT;
    struct sw_writer proof;
    sw_writer_open_memory(&proof);
    sw_writer_format(&proof, "E%u: ", rung->evidence);
    sw_writer_put(&proof, rung->proves);
    make_label(d, sw_writer_span(&proof));
    sw_writer_release(&proof);
    struct sw_span rest = sw_writer_span(&d->label);
    while (rest.len > 0) {
        unsigned columns = 0;
        struct sw_span text = take_row(&rest, room, &columns);
        put_margin(d, NULL);
        put_row(d, rail_of(d, rung), SW_TONE_BOLD, text, columns);
    }
}

/* The label says it already: "ServerHello", "RCPT". */
static bool says(struct sw_span text, struct sw_span proves)
{
    return sw_span_find_nocase(text, proves) < text.len;
}

/* "frames 12 to 40", where one rung stands for several. */
static void add_frames(struct drawing *d, const struct sw_rung *rung)
{
    uint64_t last = sw_frame_number(rung->last.frame);
    if (rung->first.frame && rung->last.frame != rung->first.frame)
        sw_writer_format(&d->label, " (to frame %" PRIu64 ")", last);
}

/* From here on frames are those of another capture. */
static void put_file(struct drawing *d, const struct sw_rung *rung)
{
    uint32_t file = sw_frame_file(rung->first.frame);
    if (!rung->first.frame || file == d->file)
        return;
    d->file = file;
    const char *name = sw_session_file_of(d->s->session, rung->first.frame);
    sw_page_paragraph(d->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM,
                      sw_view_file(name, &d->s->part->veil));
}

static void put_rung(struct drawing *d, const struct sw_rung *rung)
{
    unsigned columns = 0;
    make_label(d, rung->text);
    add_frames(d, rung);
    d->any_tls = d->any_tls || rung->encrypted;
    d->any_lost = d->any_lost || rung->lost;
    d->evidence += rung->evidence > 0;
    put_file(d, rung);
    put_margin(d, rung);
    struct sw_span rest = sw_writer_span(&d->label);
    struct sw_span text = take_row(&rest, d->inner - FRAME_LEFT - FRAME_RIGHT, &columns);
    bool arrow = rung->kind != SW_RUNG_SILENCE && rung->kind != SW_RUNG_NOTE;
    if (arrow)
        put_arrow(d, rung, text, columns);
    else
        put_row(d, rail_of(d, rung), tone_of(rung), text, columns);
    put_rows(d, rung, rest, rung->evidence ? ROWS_EVIDENCE : ROWS - 1);
    if (rung->evidence && !says(rung->text, rung->proves))
        put_proof(d, rung);
}

static void put_end(struct drawing *d, const char *role, const uint8_t address[16], uint16_t port,
                    struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    int version = d->s->session->facts->tuple.ip_version;
    sw_veil_address(&d->s->part->veil, address, version, ip);
    sw_writer_format(out, "%s ", role);
    sw_writer_text(out, ip);
    if (port)
        sw_writer_format(out, " port %u", port);
}

/* Who stands at which rail; on two lines where one has no room for both. */
static void put_heads(struct drawing *d)
{
    const struct sw_tuple *t = &d->s->session->facts->tuple;
    struct sw_writer client;
    struct sw_writer server;
    sw_writer_open_memory(&client);
    sw_writer_open_memory(&server);
    put_end(d, "client", t->src, t->src_port, &client);
    if (sw_view_has_server(d->s->session))
        put_end(d, "server", t->dst, t->dst_port, &server);
    else
        sw_writer_text(&server, "network");
    unsigned room = d->inner + 2;
    bool both = client.used + server.used + 2 <= room;
    sw_writer_format(d->out, "%9s %9s  ", "frame", "seconds");
    sw_writer_format(d->out, "%-*s", d->stages ? STAGE : 0, d->stages ? "stage" : "");
    sw_page_put(d->page, SW_TONE_BOLD, sw_writer_span(&client));
    if (both) {
        sw_writer_repeat(d->out, ' ', room - client.used - server.used);
    } else {
        sw_page_newline(d->page);
        put_margin(d, NULL);
        sw_writer_repeat(d->out, ' ', server.used < room ? room - server.used : 0);
    }
    sw_page_put(d->page, SW_TONE_BOLD, sw_writer_span(&server));
    sw_page_newline(d->page);
    sw_writer_release(&client);
    sw_writer_release(&server);
}

/* Only the signs that were used. */
static void put_legend(struct drawing *d)
{
    const struct glyphs *g = d->glyphs;
    struct sw_writer text;
    sw_writer_open_memory(&text);
    if (d->evidence > 0)
        sw_writer_format(&text, "%s and %s%s: the evidence",
                         d->evidence == 1   ? "E1"
                         : d->evidence == 2 ? "E1, E2"
                                            : "E1, E2, ...",
                         g->line_evidence, g->line_evidence);
    if (d->any_lost)
        sw_writer_format(&text, "%s%s: nothing shows that it arrived", text.used ? "; " : "",
                         g->lost);
    if (d->any_tls)
        sw_writer_format(&text, "%s%s: inside TLS", text.used ? "; " : "", g->rail_tls);
    if (text.used > 0)
        sw_page_paragraph(d->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM, sw_writer_span(&text));
    sw_writer_release(&text);
}

void sw_text_flow(struct sw_text_session *s)
{
    struct sw_ladder ladder;
    bool stages = s->page->width >= STAGE_FROM;
    struct drawing d = {
        .s = s,
        .out = s->page->out,
        .page = s->page,
        .glyphs = s->part->style->ascii ? &plain : &utf8,
        .inner = s->page->width - MARGIN - (stages ? STAGE : 0) - 2,
        .stages = stages,
        .file = sw_frame_file(s->session->facts->first.frame),
        .ascii = s->part->style->ascii,
    };
    sw_writer_open_memory(&d.label);
    sw_ladder_build(&ladder, s->session, s->verdict, &s->part->veil);
    sw_page_newline(s->page);
    put_heads(&d);
    for (uint32_t i = 0; i < ladder.count; i++)
        put_rung(&d, &ladder.rungs[i]);
    if (ladder.cut)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM,
                          sw_span_str("memory was short: the ladder is not complete"));
    put_legend(&d);
    sw_ladder_release(&ladder);
    sw_writer_release(&d.label);
}
