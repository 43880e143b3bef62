#include "report/explain.h"

#include "analyzer/explanation.h"
#include "report/json_writer.h"
#include "report/page.h"
#include "report/view.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 512 * 1024, LABEL = 11, INDENT = 2 };

struct sw_explainer {
    struct sw_reply_kb kb;
    bool challenged; /* the last line that was understood asks for a password */
};

struct sw_explainer *sw_explainer_new(void)
{
    struct sw_explainer *explainer = calloc(1, sizeof(*explainer));
    if (explainer && !sw_reply_kb_init(&explainer->kb)) {
        free(explainer);
        return NULL;
    }
    return explainer;
}

void sw_explainer_free(struct sw_explainer *explainer)
{
    if (!explainer)
        return;
    sw_reply_kb_release(&explainer->kb);
    free(explainer);
}

/* --- JSON --- */

static void put_strings(struct sw_json *json, const char *key, const char *const *list)
{
    sw_json_array(json, key);
    for (; *list; list++)
        sw_json_text(json, NULL, *list);
    sw_json_end_array(json);
}

static void put_codes(struct sw_json *json, const struct sw_explanation *e)
{
    sw_json_array(json, "client_codes");
    for (const struct sw_client_code *const *code = e->client_codes; *code; code++) {
        sw_json_object(json, NULL);
        sw_json_text(json, "client", (*code)->client);
        sw_json_text(json, "code", (*code)->code);
        sw_json_text(json, "message", (*code)->message);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_enhanced(struct sw_json *json, struct sw_enhanced code)
{
    char text[SW_VIEW_ENHANCED_BYTES];
    struct smtp_enhanced same = {.klass = code.klass & 0xFu,
                                 .subject = code.subject & 0x3FFFu,
                                 .detail = code.detail & 0x3FFFu};
    sw_view_enhanced(same, text);
    sw_json_text(json, "enhanced", text[0] ? text : NULL);
}

/* What only a pasted reply has. */
static void put_reading(struct sw_json *json, const struct sw_explanation *e)
{
    bool reply = e->kind == SW_EXPLANATION_REPLY;
    sw_json_text(json, "stage", reply ? sw_reply_stage_name(e->stage) : NULL);
    sw_json_bool(json, "stage_given", reply && e->stage_given);
    sw_json_some(json, "code", (uint64_t)e->code);
    put_enhanced(json, e->enhanced);
    sw_json_text(json, "decided_by", reply ? sw_reply_decided_name(e->reading.decided_by) : NULL);
    sw_json_text(json, "decided_words", e->decided_words);
    sw_json_text(json, "also",
                 reply && e->reading.also != SW_CAUSE_NONE ? sw_cause_name(e->reading.also) : NULL);
}

static void write_json(const struct sw_explanation *e, struct sw_writer *out)
{
    bool known = e->kind != SW_EXPLANATION_UNKNOWN;
    struct sw_json json;
    sw_json_begin(&json, out);
    sw_json_object(&json, NULL);
    sw_json_text(&json, "type", "explanation");
    sw_json_text(&json, "query", e->query);
    sw_json_text(&json, "kind", sw_explanation_kind_name(e->kind));
    sw_json_text(&json, "cause", e->cause == SW_CAUSE_NONE ? NULL : sw_cause_name(e->cause));
    sw_json_text(&json, "permanence", known ? sw_permanence_name(e->permanence) : NULL);
    sw_json_text(&json, "actor", known ? sw_actor_name(e->actor) : NULL);
    sw_json_text(&json, "summary", e->summary);
    put_strings(&json, "advice", e->advice);
    put_codes(&json, e);
    put_strings(&json, "references", e->references);
    put_strings(&json, "nearest", e->nearest);
    sw_json_text(&json, "meaning", e->meaning);
    sw_json_array(&json, "causes");
    for (const enum sw_cause *cause = e->causes; *cause != SW_CAUSE_NONE; cause++)
        sw_json_text(&json, NULL, sw_cause_name(*cause));
    sw_json_end_array(&json);
    const struct sw_finding_info *finding =
        e->finding != SW_FINDING_COUNT ? sw_finding_info(e->finding) : NULL;
    sw_json_text(&json, "finding", finding ? finding->id : NULL);
    sw_json_text(&json, "severity", finding ? sw_severity_name(finding->severity) : NULL);
    put_reading(&json, e);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}

/* --- text --- */

static void item(struct sw_page *page, const char *label, enum sw_tone tone, const char *text)
{
    if (text && text[0])
        sw_page_paragraph(page, INDENT, label, LABEL, tone, sw_span_str(text));
}

/* A list as one labelled paragraph; without a separator it has 1., 2., ... before its lines. */
static void items(struct sw_page *page, const char *label, const char *const *list,
                  const char *separator)
{
    struct sw_writer text;
    sw_writer_open_memory(&text);
    for (int i = 0; list[i]; i++) {
        if (!separator)
            sw_writer_format(&text, "%s%d. ", i ? "\n" : "", i + 1);
        else
            sw_writer_text(&text, i ? separator : "");
        sw_writer_text(&text, list[i]);
    }
    if (text.used > 0)
        sw_page_paragraph(page, INDENT, label, LABEL, SW_TONE_PLAIN, sw_writer_span(&text));
    sw_writer_release(&text);
}

/* Asked for a code, its own words matter and the summary has them; asked for a cause, the codes are
 * a list to look things up in. */
static void codes(struct sw_page *page, const struct sw_explanation *e)
{
    struct sw_writer text;
    const char *program = "";
    if (e->kind == SW_EXPLANATION_CLIENT_CODE && e->client_codes[0] && !e->client_codes[1])
        return;
    sw_writer_open_memory(&text);
    for (const struct sw_client_code *const *code = e->client_codes; *code; code++) {
        const char *next = sw_client_code_program(*code);
        if (strcmp(next, program) == 0) /* rows of one program stand together */
            sw_writer_text(&text, ", ");
        else
            sw_writer_format(&text, "%s%s: ", text.used ? "\n" : "", next);
        program = next;
        sw_writer_text(&text, (*code)->code);
    }
    if (text.used > 0)
        sw_page_paragraph(page, INDENT, "shows as", LABEL, SW_TONE_PLAIN, sw_writer_span(&text));
    sw_writer_release(&text);
}

static void causes(struct sw_page *page, const struct sw_explanation *e)
{
    const char *names[SW_EXPLANATION_CAUSES + 1] = {NULL};
    if (e->causes_told)
        return;
    for (int i = 0; e->causes[i] != SW_CAUSE_NONE; i++)
        names[i] = sw_cause_name(e->causes[i]);
    items(page, e->kind == SW_EXPLANATION_REPLY ? "or" : "may be", names, ", ");
}

/* What in a reply decided, and where it was read. */
static void reading(struct sw_page *page, const struct sw_explanation *e)
{
    char text[320];
    if (e->kind != SW_EXPLANATION_REPLY)
        return;
    (void)snprintf(text, sizeof(text), "%s%s", sw_reply_stage_name(e->stage),
                   e->stage_given ? ""
                                  : " (a guess; put \"rcpt:\" or the like in front to say it)");
    item(page, "stage", SW_TONE_PLAIN, text);
    if (!e->decided_words)
        return;
    (void)snprintf(text, sizeof(text), "the words \"%s\"", e->decided_words);
    item(page, "decided by", SW_TONE_PLAIN, text);
}

static void write_text(const struct sw_explanation *e, struct sw_page *page)
{
    sw_page_paragraph(page, 0, NULL, 0, SW_TONE_BOLD, sw_span_str(e->query));
    if (e->kind == SW_EXPLANATION_UNKNOWN) {
        sw_page_paragraph(
            page, INDENT, NULL, 0, SW_TONE_PLAIN,
            sw_span_str("This is no cause, finding, client error code, reply code or server "
                        "reply that smtpwhy knows; 'smtpwhy causes' and 'smtpwhy findings' list "
                        "the ids."));
        items(page, "nearest", e->nearest, ", ");
        sw_page_newline(page);
        return;
    }
    if (e->summary)
        sw_page_paragraph(page, INDENT, NULL, 0, SW_TONE_PLAIN, sw_span_str(e->summary));
    item(page, "means", SW_TONE_PLAIN, e->meaning);
    if (e->finding != SW_FINDING_COUNT)
        item(page, "severity", SW_TONE_PLAIN,
             sw_severity_name(sw_finding_info(e->finding)->severity));
    if (e->cause != SW_CAUSE_NONE)
        item(page, "cause", SW_TONE_PLAIN, sw_cause_name(e->cause));
    reading(page, e);
    causes(page, e);
    if (e->actor != SW_ACTOR_NONE)
        item(page, "to act", SW_TONE_PLAIN, sw_view_actor_words(e->actor));
    item(page, "again?", SW_TONE_PLAIN, sw_view_permanence_words(e->permanence));
    items(page, "advice", e->advice, NULL);
    codes(page, e);
    items(page, "references", e->references, "; ");
    sw_page_newline(page);
}

/* Logs of programs that are not known as dialogues are read line by line: what is not understood
 * behind a challenge may be the answer to it. */
static bool is_challenge(struct sw_span line)
{
    static const struct sw_span code = SW_SPAN_LIT("334");
    for (struct sw_span word = sw_span_word(&line); word.len > 0; word = sw_span_word(&line)) {
        /* also "b'334" */
        if (word.len >= code.len && sw_span_eq(sw_span_from(word, word.len - code.len), code))
            return true;
    }
    return false;
}

bool sw_explainer_answer(struct sw_explainer *explainer, struct sw_span query,
                         const struct sw_explain_style *style, struct sw_writer *out)
{
    struct sw_arena arena;
    struct sw_explanation explanation;
    sw_arena_init(&arena, ARENA_BYTES, NULL);
    sw_explain(&explainer->kb, query, &arena, &explanation);
    bool understood = explanation.kind != SW_EXPLANATION_UNKNOWN;
    if (is_challenge(query))
        explainer->challenged = true;
    else if (understood)
        explainer->challenged = false;
    else if (explainer->challenged)
        explanation.query = "***";
    if (style->json) {
        write_json(&explanation, out);
    } else {
        struct sw_page page;
        sw_page_open(&page, out, style->width, style->color);
        write_text(&explanation, &page);
        sw_page_release(&page);
    }
    sw_arena_release(&arena);
    return understood;
}

unsigned sw_explainer_answer_text(struct sw_explainer *explainer, struct sw_span text,
                                  const struct sw_explain_style *style, struct sw_writer *out)
{
    enum { ONE_BYTES = 16 * 1024 }; /* longer than any bounce's own words */
    if (text.len <= ONE_BYTES && sw_explain_is_one(text))
        return sw_explainer_answer(explainer, sw_span_trim(text), style, out) ? 1 : 0;
    unsigned understood = 0;
    size_t begin = 0, at = 0;
    while (at < text.len && out->error == 0) {
        size_t length = sw_span_index(sw_span_from(text, at), '\n') + 1;
        size_t next = length < text.len - at ? at + length : text.len;
        at = next;
        size_t ahead = sw_span_index(sw_span_from(text, next), '\n');
        bool goes_on =
            next - begin < ONE_BYTES && sw_explain_goes_on(sw_span_sub(text, begin, next - begin),
                                                           sw_span_sub(text, next, ahead));
        struct sw_span query = sw_span_trim(sw_span_sub(text, begin, next - begin));
        if (goes_on)
            continue;
        begin = next;
        if (query.len > 0)
            understood += sw_explainer_answer(explainer, query, style, out) ? 1 : 0;
    }
    return understood;
}
