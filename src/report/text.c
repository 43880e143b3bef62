#include "report/text.h"

#include <stdio.h>

enum {
    REPEATS_LISTED = 4, /* further sessions of a group that get a line each */
    LINES_LISTED = 10,  /* one-line sessions of a group */
};

static bool is_block(enum sw_outcome outcome)
{
    return outcome == SW_OUTCOME_STUCK || outcome == SW_OUTCOME_PARTIAL ||
           outcome == SW_OUTCOME_UNKNOWN;
}

/* What makes two sessions alike: how they ended, and for failures also where and on which reply. */
static uint64_t group_key(const struct sw_session *session, const struct sw_verdict *verdict)
{
    struct {
        uint32_t outcome, cause, stage, code;
        uint8_t server[16];
        uint32_t port;
        uint64_t name; /* of a look-up: it has no server */
        struct smtp_enhanced enhanced;
    } key;
    memset(&key, 0, sizeof(key));
    key.outcome = (uint32_t)verdict->outcome;
    key.cause = (uint32_t)verdict->cause;
    if (is_block(verdict->outcome)) {
        const struct sw_tuple *t = &session->facts->tuple;
        key.stage = (uint32_t)verdict->stage;
        memcpy(key.server, t->dst, sizeof(key.server));
        key.port = t->dst_port;
        if (session->lookup)
            key.name = sw_hash_bytes(&sw_hash_fixed_key, session->lookup->name);
        if (verdict->reply) {
            key.code = verdict->reply->code;
            key.enhanced.klass = verdict->reply->enhanced.klass;
            key.enhanced.subject = verdict->reply->enhanced.subject;
            key.enhanced.detail = verdict->reply->enhanced.detail;
        }
    }
    return sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(&key, sizeof(key)));
}

/* The group of a session, made when it is the first of its kind; NULL when there are too many
 * kinds. */
static struct sw_text_group *find_group(struct sw_text *text, const struct sw_session *session,
                                        const struct sw_verdict *verdict, uint64_t number)
{
    uint64_t key = group_key(session, verdict);
    for (unsigned i = 0; i < text->group_count; i++) {
        if (text->groups[i].key == key)
            return &text->groups[i];
    }
    if (text->group_count == SW_TEXT_GROUPS)
        return NULL;
    struct sw_text_group *group = &text->groups[text->group_count++];
    *group = (struct sw_text_group){
        .key = key, .first = number, .outcome = verdict->outcome, .cause = verdict->cause};
    return group;
}

static void open_text(struct sw_part *part)
{
    struct sw_text *text = part->state;
    sw_page_open(&text->page, part->out, part->style->width, part->style->color);
}

void sw_text_heading(struct sw_part *part)
{
    struct sw_text *text = part->state;
    if (text->headed || part->style->files < 2)
        return;
    text->headed = true;
    sw_page_put(&text->page, SW_TONE_BOLD, sw_view_file(part->file, &part->veil));
    sw_page_newline(&text->page);
}

static void put_remarks(struct sw_text_session *s)
{
    struct sw_span remarks = s->part->remarks;
    if (remarks.len > 0)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "policy", SW_TEXT_LABEL, SW_TONE_WARN,
                          sw_veil_text(&s->part->veil, remarks));
}

static void write_full(struct sw_text_session *s)
{
    if (s->text->last_was_line)
        sw_page_newline(s->page);
    s->text->last_was_line = false;
    sw_text_head(s, NULL);
    sw_text_block(s);
    if (s->part->style->verbose)
        sw_text_detail(s);
    if (s->part->style->flow)
        sw_text_flow(s);
    put_remarks(s);
    sw_page_newline(s->page);
}

static void write_line(struct sw_text_session *s, const char *tail)
{
    s->text->last_was_line = true;
    sw_text_head(s, tail);
}

static void mails_tail(const struct sw_verdict *verdict, char *out, size_t room)
{
    uint32_t mails = 0;
    for (uint32_t i = 0; i < verdict->message_count; i++)
        mails += verdict->messages[i].outcome == SW_OUTCOME_DELIVERED ? 1 : 0;
    (void)snprintf(out, room, "%u" SW_PAGE_NO_BREAK "mail%s", mails, mails == 1 ? "" : "s");
}

/* A session that is told in one line: delivered, or nobody tried to send; its first kind says in
 * words what it was. */
static void write_short(struct sw_text_session *s, struct sw_text_group *group)
{
    char tail[40] = "";
    if (s->verdict->outcome == SW_OUTCOME_DELIVERED)
        mails_tail(s->verdict, tail, sizeof(tail));
    write_line(s, tail[0] ? tail : NULL);
    bool plain = s->verdict->cause == SW_CAUSE_OK_DELIVERED;
    if (!plain && group->listed == 0)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_PLAIN,
                          sw_veil_text(&s->part->veil, sw_span_str(s->verdict->summary)));
}

static void write_session(struct sw_part *part, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    struct sw_text *text = part->state;
    struct sw_text_session s = {.part = part,
                                .text = text,
                                .page = &text->page,
                                .session = session,
                                .verdict = verdict,
                                .number = part->seen};
    sw_text_heading(part);
    struct sw_text_group *group = find_group(text, session, verdict, part->seen);
    bool block = is_block(verdict->outcome);
    bool all = part->style->live; /* who watches wants each of them */
    if (part->style->verbose || part->style->flow || !group || (block && group->listed == 0)) {
        write_full(&s);
    } else if (block && (all || group->listed <= REPEATS_LISTED)) {
        char tail[60];
        (void)snprintf(tail, sizeof(tail), "like" SW_PAGE_NO_BREAK "%llu",
                       (unsigned long long)group->first);
        write_line(&s, tail);
        put_remarks(&s);
    } else if (!block && (all || group->listed < LINES_LISTED)) {
        write_short(&s, group);
        put_remarks(&s);
    } else {
        group->hidden++;
        return;
    }
    if (group)
        group->listed++;
}

/* What was only counted, so that nothing is left out in silence. */
static void put_hidden(struct sw_part *part)
{
    struct sw_text *text = part->state;
    bool any = false;
    for (unsigned i = 0; i < text->group_count; i++) {
        const struct sw_text_group *g = &text->groups[i];
        if (g->hidden == 0)
            continue;
        any = true;
        char line[160];
        (void)snprintf(line, sizeof(line), "and %llu more %s like session %llu (%s)",
                       (unsigned long long)g->hidden, sw_outcome_name(g->outcome),
                       (unsigned long long)g->first, sw_cause_name(g->cause));
        sw_page_paragraph(&text->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_PLAIN, sw_span_str(line));
    }
    if (text->deliveries_hidden > 0) {
        any = true;
        char line[120];
        (void)snprintf(line, sizeof(line), "and %llu more mails that took several sessions",
                       (unsigned long long)text->deliveries_hidden);
        sw_page_paragraph(&text->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_PLAIN, sw_span_str(line));
    }
    if (any)
        sw_page_paragraph(
            &text->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM,
            sw_span_str("-v lists every session, --only and --cause choose among them"));
    text->last_was_line = text->last_was_line || any;
}

static void close_text(struct sw_part *part)
{
    struct sw_text *text = part->state;
    if (part->file) {
        put_hidden(part);
        if (text->last_was_line)
            sw_page_newline(&text->page);
    }
    sw_page_release(&text->page);
}

extern const struct sw_report_format sw_report_text;
const struct sw_report_format sw_report_text = {
    .name = "text",
    .what = "a report for people (the default)",
    .general = true,
    .sums_up = true,
    .state_bytes = sizeof(struct sw_text),
    .open = open_text,
    .session = write_session,
    .delivery = sw_text_delivery,
    .summary = sw_text_summary,
    .stall = sw_text_stall,
    .close = close_text,
};
