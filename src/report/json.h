/*
 * json.h - JSON Lines, one record a line, as docs/record.schema.json describes it.
 *
 * Keys are written in the order of the documented tables, and every key always; the files divide
 * the record: json.c the frame of it, json_verdict.c the verdict, json_dialogue.c what was said,
 * json_transport.c TCP, TLS and the capture, json_delivery.c
 * the stories of several sessions, json_summary.c the summary.
 */
#ifndef SW_REPORT_JSON_H
#define SW_REPORT_JSON_H

#include "report/json_memo.h"
#include "report/json_writer.h"
#include "report/report.h"
#include "report/view.h"

extern const struct sw_report_format sw_report_json;

/* What all parts of one line share. */
struct sw_json_line {
    struct sw_json json;
    struct sw_part *part;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    struct sw_json_memo memo;
};

/*
 * What the records of the sessions of one part share; also of other formats that have records in
 * them. Life: all zero, open, session ..., release. It must not move while it is open.
 */
struct sw_json_sessions {
    struct sw_json_line line;
    uint8_t nowhere[SW_WRITER_AT_ONCE];
};

void sw_json_sessions_open(struct sw_json_sessions *sessions, struct sw_part *part);
/* Writes the whole line of a session to what is part->out now; the part is the same every time. */
void sw_json_sessions_put(struct sw_json_sessions *sessions, struct sw_part *part,
                          const struct sw_session *session, const struct sw_verdict *verdict);
void sw_json_sessions_release(struct sw_json_sessions *sessions);

/* Text that may name people or hosts, through the veil: from the wire, or our own prose (NULL is
 * null). `key` is the one before it. */
static inline uint8_t *sw_json_line_add_wire(struct sw_json_line *line, uint8_t *at,
                                             const char *key, struct sw_span bytes)
{
    struct sw_veil *veil = &line->part->veil;
    return sw_json_add_string(&line->json, at, key, veil->on ? sw_veil_text(veil, bytes) : bytes);
}
static inline uint8_t *sw_json_line_add_prose(struct sw_json_line *line, uint8_t *at,
                                              const char *key, const char *text)
{
    return text ? sw_json_line_add_wire(line, at, key, sw_span_str(text))
                : SW_JSON_LITERAL(at, "null");
}
/* The same as a member, outside of runs. */
SW_JSON_INLINE void sw_json_line_wire(struct sw_json_line *line, const char *key,
                                      struct sw_span bytes)
{
    struct sw_veil *veil = &line->part->veil;
    sw_json_wire(&line->json, key, veil->on ? sw_veil_text(veil, bytes) : bytes);
}

/* code, enhanced, text of a reply as members, without a comma before them; all null without one. */
uint8_t *sw_json_line_add_reply(struct sw_json_line *line, uint8_t *at,
                                const struct sw_step *reply);

/* Each adds its keys to those of the session, with a comma before them. */
uint8_t *sw_json_line_verdict(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_findings(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_messages(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_dialogue(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_capabilities(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_auth(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_capture(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_ends(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_tls(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_tcp(struct sw_json_line *line, uint8_t *at);
uint8_t *sw_json_line_quality(struct sw_json_line *line, uint8_t *at);

/* The whole line of a story. */
void sw_json_delivery(struct sw_part *part, const struct sw_delivery *delivery);
/* The whole line of the summary. */
void sw_json_summary(struct sw_part *part, const struct sw_summary *summary);

#endif
