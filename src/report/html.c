/*
 * html.c - one page that holds the records and everything that is needed to look at them, without
 * a network.
 *
 * The page is made in web/; this file only writes it around the records. They are the lines of
 * json.c, cut into blocks, deflated (RFC 1951) and written as base64 (RFC 4648), each into a script
 * element that no browser runs. So a report of many sessions is small enough to send on, memory
 * does not grow with their number, and no byte of a capture can be taken for markup: only the
 * letters of base64 stand in the page. A line is never divided between two blocks. The exception
 * is html_plain.c: a few sentences, escaped, for readers in which no script runs.
 *
 * Besides the records there are lines of two types of its own: "words" with the texts for ids, and
 * behind each session a "ladder" with the steps of its diagram.
 */
#include "report/json.h"

#include "analyzer/cause.h"
#include "analyzer/finding.h"
#include "report/explain.h"
#include "report/html_page.h"
#include "report/html_plain.h"
#include "report/ladder_json.h"

#define ZLIB_CONST /* or its input would be writable */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    BLOCK_BYTES = 256 * 1024, /* of JSON; about fifty sessions, inflated in a few milliseconds */
    RAW_DEFLATE = -15,        /* windowBits: no header, no checksum */
    MEMORY_LEVEL = 8,         /* zlib's default */
};

struct html {
    struct sw_writer lines; /* the records of the block in work */
    struct sw_json_sessions sessions;
    unsigned told; /* sessions in plain words */
};

static const char block_begin[] = "<script type=\"application/x-smtpwhy\">";
static const char block_end[] = "</script>\n";

static void put_base64(struct sw_writer *out, struct sw_span bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t three = (uint32_t)bytes.ptr[i] << 16;
        three |= left > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0;
        three |= left > 2 ? bytes.ptr[i + 2] : 0;
        char four[4] = {letters[three >> 18], letters[three >> 12 & 63],
                        left > 1 ? letters[three >> 6 & 63] : '=',
                        left > 2 ? letters[three & 63] : '='};
        sw_writer_put(out, sw_span_make(four, sizeof(four)));
    }
}

/* Deflates `bytes` into *out, which the caller frees; 0 when memory is short. */
static size_t squeeze(struct sw_span bytes, uint8_t **out)
{
    z_stream stream = {0};
    *out = NULL;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    uLong room = deflateBound(&stream, bytes.len);
    *out = room <= UINT_MAX ? malloc(room) : NULL;
    size_t used = 0;
    if (*out) {
        stream.next_in = bytes.ptr;
        stream.avail_in = (uInt)bytes.len;
        stream.next_out = *out;
        stream.avail_out = (uInt)room;
        if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
            used = room - stream.avail_out;
    }
    (void)deflateEnd(&stream);
    return used;
}

/* Writes the block in work, if there is anything in it. */
static void end_block(struct sw_part *part)
{
    struct html *html = part->state;
    struct sw_span lines = sw_writer_span(&html->lines);
    if (html->lines.error != 0 && part->out->error == 0)
        part->out->error = html->lines.error;
    if (lines.len == 0)
        return;
    uint8_t *small;
    size_t len = squeeze(lines, &small);
    if (len > 0) {
        sw_writer_text(part->out, block_begin);
        put_base64(part->out, sw_span_make(small, len));
        sw_writer_text(part->out, block_end);
    } else if (part->out->error == 0) {
        part->out->error = ENOMEM;
    }
    free(small);
    sw_writer_clear(&html->lines);
}

/* The reports that write lines write to part->out: for as long as they do, that is the block. */
static struct sw_writer *into_block(struct sw_part *part)
{
    struct html *html = part->state;
    struct sw_writer *page = part->out;
    part->out = &html->lines;
    return page;
}

static void out_of_block(struct sw_part *part, struct sw_writer *page)
{
    struct html *html = part->state;
    part->out = page;
    if (html->lines.used >= BLOCK_BYTES)
        end_block(part);
}

static void put_finding_words(struct sw_json *json)
{
    sw_json_array(json, "findings");
    for (int i = 0; i < SW_FINDING_COUNT; i++) {
        enum sw_finding_id id = (enum sw_finding_id)i;
        const struct sw_finding_wording *wording = sw_finding_wording(id);
        sw_json_object(json, NULL);
        sw_json_text(json, "id", sw_finding_info(id)->id);
        sw_json_text(json, "severity", sw_severity_name(sw_finding_info(id)->severity));
        sw_json_text(json, "summary", wording->summary);
        sw_json_text(json, "meaning", wording->meaning);
        sw_json_text(json, "guard", wording->guard);
        sw_json_text(json, "advice", wording->advice);
        sw_json_text(json, "references", wording->references);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

/* What the ids of the records mean. */
static void put_words(struct sw_part *part)
{
    struct sw_writer *page = into_block(part);
    struct sw_explain_style style = {.json = true};
    struct sw_json json;
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    sw_json_text(&json, "type", "words");
    sw_json_object(&json, "actors");
    for (int i = 0; i < SW_ACTOR_COUNT; i++)
        sw_json_text(&json, sw_actor_name((enum sw_actor)i), sw_view_actor_words((enum sw_actor)i));
    sw_json_end_object(&json);
    sw_json_object(&json, "permanences");
    for (int i = 0; i < SW_PERMANENCE_COUNT; i++)
        sw_json_text(&json, sw_permanence_name((enum sw_permanence)i),
                     sw_view_permanence_words((enum sw_permanence)i));
    sw_json_end_object(&json);
    put_finding_words(&json);
    sw_json_text(&json, "version", part->style->version);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
    sw_explain_list_causes(&style, part->out);
    out_of_block(part, page);
}

static void open_html(struct sw_part *part)
{
    struct html *html = part->state;
    sw_writer_open_memory(&html->lines);
    sw_json_sessions_open(&html->sessions, part);
    if (part->index > 0)
        return;
    sw_writer_put(part->out, sw_html_page_head());
    put_words(part);
    end_block(part);
}

/* What the ladder's frames are named by where captures were read as a series. */
struct series {
    const struct sw_session *session;
    const struct sw_veil *veil;
};

static struct sw_span file_of(const void *ctx, uint64_t frame)
{
    const struct series *series = ctx;
    return sw_view_file(sw_session_file_of(series->session, frame), series->veil);
}

static void put_ladder(struct sw_part *part, const struct sw_session *session,
                       const struct sw_verdict *verdict)
{
    struct series series = {session, &part->veil};
    struct sw_ladder ladder;
    struct sw_json json;
    char id[17];
    sw_ladder_build(&ladder, session, verdict, &part->veil);
    sw_veil_id(&part->veil, session->id, id);
    sw_json_begin(&json, part->out);
    if (session->file_count > 1) {
        json.file_of = file_of;
        json.file_ctx = &series;
    }
    sw_json_object(&json, NULL);
    sw_json_text(&json, "type", "ladder");
    sw_json_text(&json, "session", id);
    sw_json_bool(&json, "cut", ladder.cut);
    sw_ladder_json(&ladder, &json, "rungs");
    sw_json_end_object(&json);
    sw_json_end_line(&json);
    sw_ladder_release(&ladder);
}

static void put_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    struct sw_writer *page = into_block(part);
    struct html *html = part->state;
    sw_json_sessions_put(&html->sessions, part, session, verdict);
    put_ladder(part, session, verdict);
    out_of_block(part, page);
}

/* A session as lines, and maybe in plain words. */
static void put_both(struct sw_part *part, const struct sw_session *session,
                     const struct sw_verdict *verdict)
{
    struct html *html = part->state;
    put_session(part, session, verdict);
    sw_html_plain_session(part, session, verdict, &html->told);
}

static void put_delivery(struct sw_part *part, const struct sw_delivery *delivery)
{
    struct sw_writer *page = into_block(part);
    sw_json_delivery(part, delivery);
    out_of_block(part, page);
}

static void put_summary(struct sw_part *part, const struct sw_summary *summary)
{
    struct sw_writer *page = into_block(part);
    sw_json_summary(part, summary);
    out_of_block(part, page);
    sw_html_plain_summary(part, summary);
}

static void close_html(struct sw_part *part)
{
    struct html *html = part->state;
    end_block(part);
    if (!part->file)
        sw_writer_put(part->out, sw_html_page_tail());
    sw_json_sessions_release(&html->sessions);
    sw_writer_release(&html->lines);
}

extern const struct sw_report_format sw_report_html;
const struct sw_report_format sw_report_html = {
    .name = "html",
    .what = "one page to look at and to send on: overview, sessions, verdicts; needs no network",
    .sums_up = true,
    .whole = true,
    .state_bytes = sizeof(struct html),
    .open = open_html,
    .session = put_both,
    .delivery = put_delivery,
    .summary = put_summary,
    .close = close_html,
};
