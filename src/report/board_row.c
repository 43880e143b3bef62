/*
 * board_row.c - a session in one line: its ends, its verdict, and how far it came.
 */
#include "report/board.h"
#include "report/view.h"

#include <stdio.h>

static const char *const stage_names[SW_BOARD_STAGES] = {
    [SW_BOARD_DNS] = "dns",    [SW_BOARD_TCP] = "tcp",   [SW_BOARD_GREETING] = "greeting",
    [SW_BOARD_HELLO] = "ehlo", [SW_BOARD_TLS] = "tls",   [SW_BOARD_AUTH] = "auth",
    [SW_BOARD_MAIL] = "mail",  [SW_BOARD_RCPT] = "rcpt", [SW_BOARD_DATA] = "data",
    [SW_BOARD_QUIT] = "quit",
};

const char *sw_board_stage_name(enum sw_board_stage stage)
{
    return stage_names[stage];
}

enum sw_board_stage sw_board_stage_of(enum sw_phase phase)
{
    static const enum sw_board_stage stages[] = {
        [SW_PHASE_CONNECT] = SW_BOARD_TCP, [SW_PHASE_GREETING] = SW_BOARD_GREETING,
        [SW_PHASE_HELLO] = SW_BOARD_HELLO, [SW_PHASE_STARTTLS] = SW_BOARD_TLS,
        [SW_PHASE_TLS] = SW_BOARD_TLS,     [SW_PHASE_AUTH] = SW_BOARD_AUTH,
        [SW_PHASE_MAIL] = SW_BOARD_MAIL,   [SW_PHASE_RCPT] = SW_BOARD_RCPT,
        [SW_PHASE_DATA] = SW_BOARD_DATA,   [SW_PHASE_BODY] = SW_BOARD_DATA,
        [SW_PHASE_FINAL] = SW_BOARD_DATA,  [SW_PHASE_QUIT] = SW_BOARD_QUIT,
    };
    return stages[phase];
}

static enum sw_board_stage stage_of_verdict(enum sw_stage stage)
{
    static const enum sw_board_stage stages[SW_STAGE_COUNT] = {
        [SW_STAGE_DNS] = SW_BOARD_DNS,     [SW_STAGE_ROUTE] = SW_BOARD_TCP,
        [SW_STAGE_CONNECT] = SW_BOARD_TCP, [SW_STAGE_GREETING] = SW_BOARD_GREETING,
        [SW_STAGE_HELLO] = SW_BOARD_HELLO, [SW_STAGE_STARTTLS] = SW_BOARD_TLS,
        [SW_STAGE_TLS] = SW_BOARD_TLS,     [SW_STAGE_AUTH] = SW_BOARD_AUTH,
        [SW_STAGE_MAIL] = SW_BOARD_MAIL,   [SW_STAGE_RCPT] = SW_BOARD_RCPT,
        [SW_STAGE_DATA] = SW_BOARD_DATA,   [SW_STAGE_BODY] = SW_BOARD_DATA,
        [SW_STAGE_FINAL] = SW_BOARD_DATA,  [SW_STAGE_QUIT] = SW_BOARD_QUIT,
    };
    return stages[stage];
}

static void mark_cell(struct sw_board_cell *cell, enum sw_board_mark mark, int64_t delay_ns)
{
    if (cell->mark != SW_BOARD_FAILED)
        cell->mark = mark;
    if (delay_ns == SW_TIME_NONE || delay_ns < 0)
        return;
    cell->delay_ns = cell->delay_ns == SW_TIME_NONE ? delay_ns : cell->delay_ns + delay_ns;
}

static void mark_step(struct sw_board_row *row, const struct sw_session *session,
                      const struct sw_step *step)
{
    struct sw_board_cell *cell = &row->stages[sw_board_stage_of(step->phase)];
    if (step->from == SW_SERVER)
        mark_cell(cell, step->code >= 400 ? SW_BOARD_FAILED : SW_BOARD_OK,
                  sw_view_delay(session, step));
    else if (!step->reply && step->verb != SMTP_VERB_QUIT && step->verb != SMTP_VERB_AUTH_DATA)
        mark_cell(cell, SW_BOARD_WAITING, SW_TIME_NONE);
}

static void mark_stages(struct sw_board_row *row, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    for (int i = 0; i < SW_BOARD_STAGES; i++)
        row->stages[i] = (struct sw_board_cell){SW_BOARD_NOT, SW_TIME_NONE};
    const struct sw_flow_facts *f = session->facts;
    if (!session->lookup) {
        if (session->naming)
            row->stages[SW_BOARD_DNS].mark = SW_BOARD_OK;
        bool up = f->syn_ack.frame || f->half[SW_SERVER].bytes > 0 || f->midstream;
        mark_cell(&row->stages[SW_BOARD_TCP],
                  up           ? SW_BOARD_OK
                  : f->refused ? SW_BOARD_FAILED
                               : SW_BOARD_WAITING,
                  sw_view_handshake_rtt(f));
    }
    if (session->tls >= SW_TLS_HELLO && session->tls != SW_TLS_CLEAR)
        row->stages[SW_BOARD_TLS].mark =
            session->tls == SW_TLS_APPLICATION ? SW_BOARD_OK : SW_BOARD_WAITING;
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        mark_step(row, session, step);
    }
    if (verdict->outcome == SW_OUTCOME_STUCK) /* where it broke, whatever was answered there */
        row->stages[stage_of_verdict(verdict->stage)].mark = SW_BOARD_FAILED;
}

static void put_end(char *out, size_t room, const struct sw_veil *veil, const uint8_t address[16],
                    int version, uint16_t port)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(veil, address, version, ip);
    if (port == 0)
        (void)snprintf(out, room, "%s", ip);
    else
        (void)snprintf(out, room, version == 6 ? "[%s]:%u" : "%s:%u", ip, port);
}

/* What does not fit ends in dots, behind the end of a character. */
static void put_text(char *out, size_t room, struct sw_span text)
{
    const char *dots = text.len < room ? "" : "...";
    size_t len = text.len < room ? text.len : room - sizeof("...");
    while (len > 0 && len < text.len && (text.ptr[len] & 0xC0) == 0x80)
        len--;
    if (len > 0)
        memcpy(out, text.ptr, len);
    memcpy(out + len, dots, strlen(dots) + 1);
}

/* What to do, without the menus of many programs that follow. */
static struct sw_span first_sentence(struct sw_span text)
{
    for (size_t i = 0; i + 2 < text.len; i++) {
        uint8_t next = text.ptr[i + 2];
        if (text.ptr[i] == '.' && text.ptr[i + 1] == ' ' && next >= 'A' && next <= 'Z')
            return sw_span_sub(text, 0, i + 1);
    }
    return text;
}

void sw_board_fill(struct sw_board_row *row, const struct sw_session *session,
                   const struct sw_verdict *verdict, struct sw_veil *veil)
{
    const struct sw_flow_facts *f = session->facts;
    const struct sw_tuple *t = &f->tuple;
    sw_veil_session(veil, session);
    sw_veil_id(veil, session->id, row->id);
    row->start_ns = row->first_ns = f->first.time_ns;
    row->last_ns = session->final.time_ns;
    row->tuple = *t;
    row->outcome = verdict->outcome;
    row->cause = verdict->cause;
    row->stage = verdict->stage;
    row->confidence = verdict->confidence;
    row->actor = verdict->actor;
    put_end(row->client, sizeof(row->client), veil, t->src, t->ip_version, t->src_port);
    if (sw_view_has_server(session))
        put_end(row->server, sizeof(row->server), veil, t->dst, t->ip_version, t->dst_port);
    struct sw_span name = sw_view_server_name(verdict, false);
    put_text(row->name, sizeof(row->name), name.len ? sw_veil_name(veil, name) : name);
    put_text(row->summary, sizeof(row->summary), sw_veil_text(veil, sw_span_str(verdict->summary)));
    const char *advice = verdict->advice && verdict->advice[0] ? verdict->advice[0] : "";
    put_text(row->advice, sizeof(row->advice),
             first_sentence(sw_veil_text(veil, sw_span_str(advice))));
    mark_stages(row, session, verdict);
}
