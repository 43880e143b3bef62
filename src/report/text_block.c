/*
 * text_block.c - one session: its head, and the block that says why, who must act, and what proves
 * it.
 */
#include "report/text.h"

#include <stdio.h>

enum { REPLY_SHOWN_BYTES = 300 };

enum sw_tone sw_text_tone(enum sw_outcome outcome)
{
    static const enum sw_tone tones[SW_OUTCOME_COUNT] = {
        [SW_OUTCOME_DELIVERED] = SW_TONE_GOOD, [SW_OUTCOME_PARTIAL] = SW_TONE_WARN,
        [SW_OUTCOME_STUCK] = SW_TONE_BAD,      [SW_OUTCOME_NO_MAIL] = SW_TONE_DIM,
        [SW_OUTCOME_UNKNOWN] = SW_TONE_NOTE,
    };
    return tones[outcome];
}

/* Mail left behind is in capitals: the difference must not hang on the colour. */
static const char *outcome_word(enum sw_outcome outcome)
{
    if (outcome == SW_OUTCOME_STUCK)
        return "STUCK";
    return outcome == SW_OUTCOME_PARTIAL ? "PARTIAL" : sw_outcome_name(outcome);
}

static void put_end(struct sw_part *part, const struct sw_tuple *t, enum sw_side side,
                    struct sw_writer *out)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    uint16_t port = side == SW_CLIENT ? t->src_port : t->dst_port;
    sw_veil_address(&part->veil, side == SW_CLIENT ? t->src : t->dst, t->ip_version, ip);
    if (port == 0)
        sw_writer_text(out, ip);
    else
        sw_writer_format(out, t->ip_version == 6 ? "[%s]:%u" : "%s:%u", ip, port);
}

void sw_text_stall(struct sw_part *part, const struct sw_stall *stall)
{
    const struct sw_tuple *t = &stall->facts->tuple;
    struct sw_text *text = part->state;
    char time[SW_TIME_TEXT_BYTES];
    char words[SW_STALL_WORDS_BYTES];
    struct sw_writer line;
    sw_time_format(stall->facts->first.time_ns, 0, time);
    time[10] = ' ';
    sw_stall_words(stall, words);
    sw_writer_text(part->out, "  -  ");
    sw_page_text(&text->page, SW_TONE_NOTE, "waiting");
    sw_writer_text(part->out, "    ");
    sw_writer_open_memory(&line);
    sw_writer_format(&line, "%s  ", time);
    put_end(part, t, SW_CLIENT, &line);
    sw_writer_text(&line, " -> ");
    put_end(part, t, SW_SERVER, &line);
    sw_writer_format(&line, "  %s (so far)", words);
    sw_page_wrap(&text->page, 16, SW_TONE_PLAIN, sw_writer_span(&line));
    sw_writer_release(&line);
    text->last_was_line = true;
}

void sw_text_head(struct sw_text_session *s, const char *tail)
{
    const struct sw_tuple *t = &s->session->facts->tuple;
    const char *word = outcome_word(s->verdict->outcome);
    char time[SW_TIME_TEXT_BYTES];
    struct sw_writer line;
    sw_time_format(s->session->facts->first.time_ns, 0, time);
    time[10] = ' '; /* RFC 3339 allows a blank in place of the T for people */
    sw_writer_format(s->page->out, "%3llu  ", (unsigned long long)s->number);
    sw_page_text(s->page, sw_text_tone(s->verdict->outcome), word);
    sw_writer_repeat(s->page->out, ' ', strlen(word) < 11 ? 11 - strlen(word) : 1);
    sw_writer_open_memory(&line);
    sw_writer_format(&line, "%s  ", time);
    put_end(s->part, t, SW_CLIENT, &line);
    sw_writer_text(&line, " -> ");
    bool has_server = sw_view_has_server(s->session);
    if (has_server)
        put_end(s->part, t, SW_SERVER, &line);
    else
        sw_writer_text(&line, "no server");
    struct sw_span name = sw_view_server_name(s->verdict, s->part->style->no_names);
    char address[SW_ADDRESS_TEXT_BYTES]; /* some servers greet with it as their name */
    sw_address_format(t->dst, t->ip_version, address);
    if (name.len > 0 && !(has_server && sw_span_eq(name, sw_span_str(address)))) {
        sw_writer_text(&line, " (");
        sw_writer_put(&line, sw_veil_name(&s->part->veil, name));
        sw_writer_text(&line, ")");
    }
    if (tail)
        sw_writer_format(&line, "  %s", tail);
    sw_page_wrap(s->page, 16, SW_TONE_PLAIN, sw_writer_span(&line));
    sw_writer_release(&line);
}

void sw_text_item(struct sw_text_session *s, const char *label, enum sw_tone tone,
                  struct sw_span text)
{
    sw_page_paragraph(s->page, SW_TEXT_INDENT, label, SW_TEXT_LABEL, tone,
                      sw_veil_text(&s->part->veil, text));
}

static void put_reply(struct sw_text_session *s)
{
    enum { CHALLENGE = 334 }; /* RFC 4954 section 4: in base64, no words for people */
    struct sw_writer said;
    sw_writer_open_memory(&said);
    if (s->verdict->reply->code == CHALLENGE && !s->part->style->verbose)
        sw_writer_text(&said, "334 with the reason in an encoded form (-v reads it out)");
    else
        sw_view_reply(s->verdict->reply, s->part->style->verbose, &said);
    struct sw_span shown = sw_writer_span(&said);
    if (!s->part->style->verbose && shown.len > REPLY_SHOWN_BYTES) {
        size_t cut = REPLY_SHOWN_BYTES;
        while (cut > 0 && (shown.ptr[cut] & 0xC0) == 0x80) /* not inside a character */
            cut--;
        said.used = cut;
        sw_writer_text(&said, " ...");
        shown = sw_writer_span(&said);
    }
    sw_text_item(s, "reply", SW_TONE_BOLD, shown);
    sw_writer_release(&said);
}

static void put_cause(struct sw_text_session *s)
{
    const struct sw_verdict *v = s->verdict;
    char text[160];
    (void)snprintf(text, sizeof(text), "%s (%s, at stage %s)", sw_cause_name(v->cause),
                   sw_confidence_name(v->confidence), sw_stage_name(v->stage));
    sw_text_item(s, "cause", SW_TONE_PLAIN, sw_span_str(text));
}

static void put_actor(struct sw_text_session *s)
{
    const char *again = sw_view_again_words(s->verdict);
    char text[200];
    if (s->verdict->actor == SW_ACTOR_NONE)
        return;
    (void)snprintf(text, sizeof(text), "%s%s%s", sw_view_actor_words(s->verdict->actor),
                   again ? "; " : "", again ? again : "");
    sw_text_item(s, "to act", SW_TONE_PLAIN, sw_span_str(text));
}

/* The first step; a cause that was met before has it in an earlier block. */
static void put_first_advice(struct sw_text_session *s)
{
    uint64_t *advised = &s->text->advised[s->verdict->cause];
    if (!s->verdict->advice || !s->verdict->advice[0])
        return;
    if (*advised) {
        char text[60];
        (void)snprintf(text, sizeof(text), "as for session %llu", (unsigned long long)*advised);
        sw_text_item(s, "try first", SW_TONE_PLAIN, sw_span_str(text));
        return;
    }
    *advised = s->number;
    sw_page_paragraph(s->page, SW_TEXT_INDENT, "try first", SW_TEXT_LABEL, SW_TONE_PLAIN,
                      sw_span_str(s->verdict->advice[0]));
}

static void put_evidence(struct sw_text_session *s)
{
    struct sw_writer list;
    const struct sw_evidence *e;
    sw_writer_open_memory(&list);
    SW_EACH(e, s->verdict->evidence) {
        if (list.used > 0)
            sw_writer_char(&list, '\n');
        if (e->mark.frame) {
            sw_view_frame(s->session, e->mark.frame, &list);
            sw_writer_text(&list, ", ");
        }
        sw_writer_format(&list, "%s: ", sw_origin_name(e->from));
        sw_writer_text(&list, e->what);
    }
    if (list.used > 0)
        sw_text_item(s, "evidence", SW_TONE_PLAIN, sw_writer_span(&list));
    sw_writer_release(&list);
}

/* Which of the captures of a series the session is in. */
static void put_files(struct sw_text_session *s)
{
    const struct sw_session *session = s->session;
    const struct sw_flow_facts *facts = session->facts;
    if (session->file_count < 2)
        return;
    struct sw_writer files;
    sw_writer_open_memory(&files);
    sw_writer_put(&files, sw_view_file(session->file, &s->part->veil));
    if (sw_session_spans_files(session)) {
        const char *last = sw_session_file_of(session, facts->last.frame);
        sw_writer_text(&files, " to ");
        sw_writer_put(&files, sw_view_file(last, &s->part->veil));
    }
    sw_page_paragraph(s->page, SW_TEXT_INDENT, "file", SW_TEXT_LABEL, SW_TONE_PLAIN,
                      sw_writer_span(&files));
    sw_writer_release(&files);
}

void sw_text_block(struct sw_text_session *s)
{
    sw_page_paragraph(s->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_BOLD,
                      sw_veil_text(&s->part->veil, sw_span_str(s->verdict->summary)));
    put_cause(s);
    if (s->verdict->reply)
        put_reply(s);
    put_actor(s);
    if (!s->part->style->verbose)
        put_first_advice(s);
    put_evidence(s);
    put_files(s);
}
