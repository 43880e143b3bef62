#include "report/json.h"

/* Of three digits, as all are; null without one. */
static uint8_t *add_code(uint8_t *at, uint16_t code)
{
    if (code < 100 || code > 999)
        return sw_json_add_some(at, code);
    *at = (uint8_t)('0' + code / 100);
    sw_format_pair(code % 100, at + 1);
    return at + 3;
}

/* "2.1.0", or null without one. */
static uint8_t *add_enhanced(uint8_t *at, struct smtp_enhanced enhanced)
{
    if (!enhanced.klass)
        return SW_JSON_LITERAL(at, "null");
    *at++ = '"';
    at = sw_json_add_number(at, enhanced.klass);
    *at++ = '.';
    at = sw_json_add_number(at, enhanced.subject);
    *at++ = '.';
    at = sw_json_add_number(at, enhanced.detail);
    *at++ = '"';
    return at;
}

uint8_t *sw_json_line_add_reply(struct sw_json_line *line, uint8_t *at, const struct sw_step *reply)
{
    if (!reply)
        return SW_JSON_LITERAL(at, "\"code\":null,\"enhanced\":null,\"text\":null");
    at = add_code(SW_JSON_LITERAL(at, "\"code\":"), reply->code);
    at = add_enhanced(SW_JSON_MEMBER(at, "enhanced"), reply->enhanced);
    return sw_json_line_add_wire(line, SW_JSON_MEMBER(at, "text"), "text", reply->text);
}

/* What identifies the session. A Community ID could be looked up from guessed addresses, so the
 * veil hides it. */
static uint8_t *add_identity(struct sw_json_line *line, uint8_t *at)
{
    enum { ID_BYTES = 17 };
    char id[ID_BYTES];
    sw_veil_id(&line->part->veil, line->session->id, id);
    at = SW_JSON_LITERAL(at, "{\"type\":\"session\",\"schema\":1,\"id\":");
    at = sw_json_add_word(at, id);
    bool known = line->session->community_id[0] && !line->part->veil.on;
    at = SW_JSON_MEMBER(at, "community_id");
    return sw_json_add_word(at, known ? line->session->community_id : NULL);
}

static uint8_t *add_times(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_flow_facts *facts = line->session->facts;
    at = SW_JSON_MEMBER(at, "start");
    at = sw_json_add_time(&line->json, at, facts->first.time_ns, facts->time_digits);
    at = SW_JSON_MEMBER(at, "end");
    at = sw_json_add_time(&line->json, at, facts->last.time_ns, facts->time_digits);
    at = SW_JSON_MEMBER(at, "duration_s");
    return sw_json_add_seconds(at, sw_view_since(facts->first.time_ns, facts->last.time_ns));
}

static uint8_t *end_line(struct sw_json_line *line, uint8_t *at)
{
    (void)line;
    return SW_JSON_LITERAL(at, "}\n");
}

/* A record from its beginning to its end. */
static uint8_t *(*const members[])(struct sw_json_line *line, uint8_t *at) = {
    add_identity,
    sw_json_line_capture,
    add_times,
    sw_json_line_ends,
    sw_json_line_verdict,
    sw_json_line_messages,
    sw_json_line_dialogue,
    sw_json_line_capabilities,
    sw_json_line_auth,
    sw_json_line_tls,
    sw_json_line_tcp,
    sw_json_line_quality,
    sw_json_line_findings,
    end_line,
};

static struct sw_span file_of(const void *ctx, uint64_t frame)
{
    const struct sw_json_line *line = ctx;
    return sw_view_file(sw_session_file_of(line->session, frame), &line->part->veil);
}

void sw_json_sessions_open(struct sw_json_sessions *sessions, struct sw_part *part)
{
    struct sw_json_line *line = &sessions->line;
    sw_json_begin(&line->json, part->out);
    line->json.nowhere = sessions->nowhere;
    line->json.file_ctx = line;
}

void sw_json_sessions_put(struct sw_json_sessions *sessions, struct sw_part *part,
                          const struct sw_session *session, const struct sw_verdict *verdict)
{
    struct sw_json_line *line = &sessions->line;
    struct sw_json *json = &line->json;
    line->part = part;
    line->session = session;
    line->verdict = verdict;
    json->out = part->out;
    json->file_of = session->file_count > 1 ? file_of : NULL;
    uint8_t *at = sw_json_run(json);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        at = members[i](line, at);
    sw_json_done(json, at);
    json->more = false; /* the next line begins */
}

void sw_json_sessions_release(struct sw_json_sessions *sessions)
{
    sw_json_memo_release(&sessions->line.memo);
}

static void open_json(struct sw_part *part)
{
    sw_json_sessions_open(part->state, part);
}

static void put_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    sw_json_sessions_put(part->state, part, session, verdict);
}

static void close_json(struct sw_part *part)
{
    sw_json_sessions_release(part->state);
}

const struct sw_report_format sw_report_json = {
    .name = "json",
    .what = "JSON Lines: one object for each session, each delivery, and one for the summary",
    .general = true,
    .sums_up = true,
    .state_bytes = sizeof(struct sw_json_sessions),
    .open = open_json,
    .session = put_session,
    .delivery = sw_json_delivery,
    .summary = sw_json_summary,
    .close = close_json,
};
