/*
 * text_dialogue.c - what was said, with times and frame numbers.
 */
#include "base/frame_ref.h"
#include "report/text.h"
#include "report/view.h"

#include <inttypes.h>
#include <stdio.h>

enum { DIALOGUE_HANG = SW_TEXT_INDENT + 24 };

static void put_step(struct sw_text_session *s, const struct sw_step *step)
{
    bool client = step->from == SW_CLIENT;
    int64_t at_ns = sw_view_since(s->session->facts->first.time_ns, step->first.time_ns);
    struct sw_writer said;
    sw_writer_open_memory(&said);
    if (client)
        sw_view_command(step, &said);
    else
        sw_view_reply(step, true, &said);
    sw_writer_repeat(s->page->out, ' ', SW_TEXT_INDENT);
    sw_writer_format(s->page->out, "%7" PRIu64 " %11.6f  %s  ", sw_frame_number(step->first.frame),
                     (double)at_ns / (double)SW_NS_PER_S, client ? "C" : "S");
    sw_page_wrap(s->page, DIALOGUE_HANG, client ? SW_TONE_PLAIN : SW_TONE_NOTE,
                 sw_veil_text(&s->part->veil, sw_writer_span(&said)));
    sw_writer_release(&said);
}

/* From here on frames are those of another capture. */
static void put_next_file(struct sw_text_session *s, uint64_t frame)
{
    const char *file = sw_session_file_of(s->session, frame);
    sw_page_paragraph(s->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM,
                      sw_view_file(file, &s->part->veil));
}

/*
 * A mail to many fills no pages: of the recipients that were accepted the first few are shown, and
 * how many there are. What was refused is always shown.
 */
enum { RECIPIENTS_ALL_OF = 12, RECIPIENTS_FIRST = 5 };

struct fold {
    const struct sw_message *message;
    bool folds;
    unsigned shown;
    uint32_t last_id; /* of the last command that is shown */
    unsigned hidden;  /* commands since the last line */
};

static bool is_accepted_recipient(const struct sw_step *command)
{
    return command && command->verb == SMTP_VERB_RCPT && command->from == SW_CLIENT &&
           command->message && command->reply && command->reply->code / 100 == 2;
}

static void begin_message(struct fold *fold, const struct sw_message *message)
{
    const struct sw_recipient *r;
    unsigned accepted = 0;
    SW_EACH(r, message->recipients)
        accepted += is_accepted_recipient(r->command);
    *fold = (struct fold){.message = message, .folds = accepted > RECIPIENTS_ALL_OF};
}

static void tell_hidden(struct sw_text_session *s, struct fold *fold)
{
    char text[80];
    if (fold->hidden == 0)
        return;
    (void)snprintf(text, sizeof(text), "... and %u more RCPT, %s accepted", fold->hidden,
                   fold->hidden == 1 ? "which was" : "all");
    sw_page_paragraph(s->page, DIALOGUE_HANG, NULL, 0, SW_TONE_DIM, sw_span_str(text));
    fold->hidden = 0;
}

static bool is_hidden(struct sw_text_session *s, struct fold *fold, const struct sw_step *step)
{
    const struct sw_step *command = step->from == SW_CLIENT ? step : step->command;
    if (!is_accepted_recipient(command))
        return false;
    if (command->message != fold->message) {
        tell_hidden(s, fold);
        begin_message(fold, command->message);
    }
    if (!fold->folds)
        return false;
    if (step->from == SW_SERVER)
        return fold->shown == RECIPIENTS_FIRST && command->id > fold->last_id;
    if (fold->shown < RECIPIENTS_FIRST) {
        fold->shown++;
        fold->last_id = command->id;
        return false;
    }
    fold->hidden++;
    return true;
}

void sw_text_dialogue(struct sw_text_session *s)
{
    const struct sw_step *step;
    if (!s->session->steps)
        return;
    sw_writer_repeat(s->page->out, ' ', SW_TEXT_INDENT);
    sw_page_text(s->page, SW_TONE_DIM, "  frame   after (s)");
    sw_page_newline(s->page);
    uint32_t file = sw_frame_file(s->session->facts->first.frame);
    struct fold fold = {.message = NULL};
    SW_EACH(step, s->session->steps) {
        if (is_hidden(s, &fold, step))
            continue;
        tell_hidden(s, &fold);
        if (sw_frame_file(step->first.frame) != file)
            put_next_file(s, step->first.frame);
        file = sw_frame_file(step->first.frame);
        put_step(s, step);
    }
    tell_hidden(s, &fold);
    if (s->session->steps_left_out > 0) {
        char text[120];
        (void)snprintf(text, sizeof(text),
                       "... and %u more lines that were not kept (--help limits)",
                       s->session->steps_left_out);
        sw_page_paragraph(s->page, SW_TEXT_INDENT, NULL, 0, SW_TONE_DIM, sw_span_str(text));
    }
}
