/*
 * json_dialogue.c - messages, dialogue, capabilities and logins of a session.
 */
#include "report/json.h"

/* A text, or null when there is none. */
SW_JSON_INLINE uint8_t *add_text(struct sw_json_line *line, uint8_t *at, const char *key, bool seen,
                                 struct sw_span text)
{
    return seen ? sw_json_line_add_wire(line, at, key, text) : SW_JSON_LITERAL(at, "null");
}

/* Outcome and cause of a mail or of a recipient, as members. */
static uint8_t *add_fate(uint8_t *at, enum sw_outcome outcome, enum sw_cause cause)
{
    at = SW_JSON_MEMBER(at, "outcome");
    at = sw_json_add_word(at, sw_outcome_name(outcome));
    at = SW_JSON_MEMBER(at, "cause");
    return sw_json_add_word(at, cause == SW_CAUSE_NONE ? NULL : sw_cause_name(cause));
}

static uint8_t *add_recipient(struct sw_json_line *line, uint8_t *at,
                              const struct sw_recipient_verdict *rv)
{
    at = SW_JSON_LITERAL(at, "{\"address\":");
    at = sw_json_line_add_wire(line, at, "address", rv->recipient->address);
    at = add_fate(at, rv->outcome, rv->cause);
    *at++ = ',';
    at = sw_json_line_add_reply(line, at, rv->reply);
    at = SW_JSON_MEMBER(at, "frame");
    at = sw_json_add_frame(&line->json, at, "frame", rv->reply ? rv->reply->first.frame : 0);
    return SW_JSON_LITERAL(at, "},");
}

static uint8_t *add_recipients(struct sw_json_line *line, uint8_t *at,
                               const struct sw_message_verdict *mv)
{
    at = SW_JSON_LITERAL(at, ",\"recipients\":[");
    for (uint32_t i = 0; i < mv->recipient_count; i++)
        at = add_recipient(line, at, &mv->recipients[i]);
    return sw_json_end_list(at);
}

static uint8_t *add_header(struct sw_json_line *line, uint8_t *at, const struct sw_header *header)
{
    if (!header->seen)
        return SW_JSON_LITERAL(at, ",\"header\":null");
    at = SW_JSON_LITERAL(at, ",\"header\":{\"from\":");
    at = add_text(line, at, "from", header->from.len > 0, header->from);
    at = SW_JSON_MEMBER(at, "to_count");
    at = sw_json_add_number(at, header->to_count);
    at = SW_JSON_MEMBER(at, "cc_count");
    at = sw_json_add_number(at, header->cc_count);
    at = SW_JSON_MEMBER(at, "date");
    at = add_text(line, at, "date", header->date.len > 0, header->date);
    at = SW_JSON_MEMBER(at, "content_type");
    at = add_text(line, at, "content_type", header->content_type.len > 0, header->content_type);
    at = SW_JSON_MEMBER(at, "dkim_signature");
    at = sw_json_add_bool(at, header->dkim_signature);
    at = SW_JSON_MEMBER(at, "complete");
    at = sw_json_add_bool(at, !header->cut);
    return SW_JSON_LITERAL(at, "}");
}

/* How large the mail is, and how fast it came. */
static uint8_t *add_sizes(uint8_t *at, const struct sw_message *m)
{
    at = SW_JSON_MEMBER(at, "size_declared");
    at = m->has_size ? sw_json_add_number(at, m->size_declared) : SW_JSON_LITERAL(at, "null");
    at = SW_JSON_MEMBER(at, "size_seen");
    at = m->body_seen ? sw_json_add_number(at, m->body_octets) : SW_JSON_LITERAL(at, "null");
    at = SW_JSON_MEMBER(at, "upload_s");
    at = sw_json_add_seconds(at, sw_view_upload(m));
    at = SW_JSON_MEMBER(at, "upload_bytes_per_s");
    return sw_json_add_some(at, sw_view_upload_rate(m));
}

/* What stood in its header block. */
static uint8_t *add_names(struct sw_json_line *line, uint8_t *at, const struct sw_message *m)
{
    at = SW_JSON_MEMBER(at, "message_id");
    at = add_text(line, at, "message_id", m->message_id.len > 0, m->message_id);
    at = SW_JSON_MEMBER(at, "subject");
    if (m->subject.len > 0 && !line->part->veil.on)
        at = sw_json_add_string(&line->json, at, "subject", m->subject);
    else
        at = SW_JSON_LITERAL(at, "null");
    return add_header(line, at, m->header);
}

/* The answer to all of it. */
static uint8_t *add_final(struct sw_json_line *line, uint8_t *at, const struct sw_step *reply)
{
    if (!reply)
        return SW_JSON_LITERAL(at, ",\"final_reply\":null");
    at = SW_JSON_LITERAL(at, ",\"final_reply\":{");
    at = sw_json_line_add_reply(line, at, reply);
    at = SW_JSON_MEMBER(at, "frame");
    at = sw_json_add_frame(&line->json, at, "frame", reply->first.frame);
    return SW_JSON_LITERAL(at, "}");
}

static uint8_t *add_message(struct sw_json_line *line, uint8_t *at,
                            const struct sw_message_verdict *mv)
{
    const struct sw_message *m = mv->message;
    at = sw_json_add_number(SW_JSON_LITERAL(at, "{\"index\":"), m->index);
    at = SW_JSON_MEMBER(at, "mail_from");
    at = add_text(line, at, "mail_from", m->mail != NULL, m->sender);
    at = add_recipients(line, add_sizes(at, m), mv);
    at = add_final(line, at, m->final);
    at = add_names(line, add_fate(at, mv->outcome, mv->cause), m);
    return SW_JSON_LITERAL(at, "},");
}

uint8_t *sw_json_line_messages(struct sw_json_line *line, uint8_t *at)
{
    at = SW_JSON_LITERAL(at, ",\"messages\":[");
    for (uint32_t i = 0; i < line->verdict->message_count; i++)
        at = add_message(line, at, &line->verdict->messages[i]);
    return sw_json_end_list(at);
}

static uint8_t *add_argument(struct sw_json_line *line, uint8_t *at, const struct sw_step *step)
{
    struct sw_span argument;
    if (!sw_view_argument(step, &argument))
        return SW_JSON_LITERAL(at, "null");
    if (!sw_view_argument_hides(step))
        return sw_json_line_add_wire(line, at, "argument", argument);
    struct sw_writer hidden;
    sw_writer_open_memory(&hidden);
    sw_writer_put(&hidden, argument);
    sw_writer_text(&hidden, " ***");
    at = sw_json_line_add_wire(line, at, "argument", sw_writer_span(&hidden));
    sw_writer_release(&hidden);
    return at;
}

/* The members that a command does not have are one literal, so are those that a reply does not
 * have: there is no larger part of a record than this one. */
static uint8_t *add_command(struct sw_json_line *line, uint8_t *at, const struct sw_step *step)
{
    struct sw_span verb = sw_view_verb(step);
    at = SW_JSON_LITERAL(at, ",\"from\":\"client\",\"verb\":");
    at = add_text(line, at, "verb", verb.len > 0, verb);
    at = SW_JSON_MEMBER(at, "argument");
    at = add_argument(line, at, step);
    return SW_JSON_LITERAL(at, ",\"code\":null,\"enhanced\":null,\"text\":null,\"delay_s\":null,"
                               "\"answers\":null},");
}

static uint8_t *add_reply(struct sw_json_line *line, uint8_t *at, const struct sw_step *step)
{
    at = SW_JSON_LITERAL(at, ",\"from\":\"server\",\"verb\":null,\"argument\":null,");
    at = sw_json_line_add_reply(line, at, step);
    at = SW_JSON_MEMBER(at, "delay_s");
    at = sw_json_add_seconds(at, sw_view_delay(line->session, step));
    at = SW_JSON_MEMBER(at, "answers");
    at = sw_json_add_frame(&line->json, at, "answers",
                           step->command ? step->command->first.frame : 0);
    return SW_JSON_LITERAL(at, "},");
}

static uint8_t *add_step(struct sw_json_line *line, uint8_t *at, const struct sw_step *step)
{
    int64_t start_ns = line->session->facts->first.time_ns;
    at = SW_JSON_LITERAL(at, "{\"frame\":");
    at = sw_json_add_frame(&line->json, at, "frame", step->first.frame);
    at = SW_JSON_MEMBER(at, "t_s");
    at = sw_json_add_duration(at, sw_view_since(start_ns, step->first.time_ns));
    return step->from == SW_CLIENT ? add_command(line, at, step) : add_reply(line, at, step);
}

uint8_t *sw_json_line_dialogue(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_step *step;
    at = SW_JSON_LITERAL(at, ",\"dialogue\":[");
    SW_EACH(step, line->session->steps)
        at = add_step(line, at, step);
    return sw_json_end_list(at);
}

enum { KEYWORDS = 128, SLOTS = 4 * KEYWORDS };

/* Keywords of one EHLO reply by name: an object must not have a key twice, whatever the server
 * writes. */
struct keyword_set {
    uint8_t slot[SLOTS]; /* which of the list, plus one; 0: none */
    const struct sw_capability *list[KEYWORDS];
    unsigned used;
    bool twice; /* some keyword came more than once */
};

/* Adds a keyword when it is new. */
static void add_keyword(struct keyword_set *set, const struct sw_capability *capability)
{
    struct sw_span keyword = capability->keyword;
    size_t at = sw_hash_sized(&sw_hash_fixed_key, keyword.ptr, keyword.len) % SLOTS;
    for (; set->slot[at]; at = (at + 1) % SLOTS) {
        if (sw_span_eq(set->list[set->slot[at] - 1]->keyword, keyword)) {
            set->twice = true;
            return;
        }
    }
    set->list[set->used++] = capability;
    set->slot[at] = (uint8_t)set->used;
}

/* The next line with this keyword and other parameters, or NULL. */
static const struct sw_capability *next_line(const struct sw_capability *first,
                                             const struct sw_capability *from)
{
    const struct sw_capability *other;
    SW_EACH(other, from) {
        if (sw_span_eq(other->keyword, first->keyword) && !sw_span_eq(other->params, first->params))
            break;
    }
    return other;
}

/* The parameters of all lines with this keyword, joined by a blank ("AUTH PLAIN" and "AUTH LOGIN").
 */
static uint8_t *add_joined(struct sw_json_line *line, uint8_t *at,
                           const struct sw_capability *first)
{
    struct sw_writer params;
    sw_writer_open_memory(&params);
    sw_writer_put(&params, first->params);
    const struct sw_capability *other = next_line(first, first->next);
    for (; other; other = next_line(first, other->next)) {
        sw_writer_text(&params, params.used ? " " : "");
        sw_writer_put(&params, other->params);
    }
    at = sw_json_line_add_wire(line, at, NULL, sw_writer_span(&params));
    sw_writer_release(&params);
    return at;
}

static uint8_t *add_hello(struct sw_json_line *line, uint8_t *at, const struct sw_hello *hello)
{
    if (!hello)
        return SW_JSON_LITERAL(at, "null");
    struct keyword_set set;
    memset(set.slot, 0, sizeof(set.slot));
    set.used = 0;
    set.twice = false;
    uint64_t left_out = 0;
    const struct sw_capability *capability;
    SW_EACH(capability, hello->capabilities) {
        if (set.used == KEYWORDS)
            left_out++;
        else
            add_keyword(&set, capability);
    }
    *at++ = '{';
    for (unsigned i = 0; i < set.used; i++) {
        at = sw_json_add_string(&line->json, at, NULL, set.list[i]->keyword);
        *at++ = ':';
        if (set.twice)
            at = add_joined(line, at, set.list[i]);
        else
            at = sw_json_line_add_wire(line, at, NULL, set.list[i]->params);
        *at++ = ',';
    }
    if (left_out > 0)
        at = sw_json_add_number(SW_JSON_LITERAL(at, "\"...\":"), left_out);
    at -= at[-1] == ',';
    *at++ = '}';
    return at;
}

uint8_t *sw_json_line_capabilities(struct sw_json_line *line, uint8_t *at)
{
    at = SW_JSON_LITERAL(at, ",\"capabilities\":{\"before_tls\":");
    at = add_hello(line, at, sw_session_hello(line->session, false));
    at = SW_JSON_MEMBER(at, "after_tls");
    at = add_hello(line, at, sw_session_hello(line->session, true));
    return SW_JSON_LITERAL(at, "}");
}

enum { MECHANISMS = 32 };

/* Mechanisms of all AUTH lines, and of the legacy form "AUTH=LOGIN", each once. */
struct mechanisms {
    struct sw_span list[MECHANISMS];
    unsigned count;
};

static void add_mechanism(struct mechanisms *m, struct sw_span word)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (sw_span_eq_nocase(m->list[i], word))
            return;
    }
    if (m->count < MECHANISMS)
        m->list[m->count++] = word;
}

static void collect_mechanisms(struct mechanisms *m, const struct sw_hello *hello)
{
    const struct sw_capability *c;
    SW_EACH(c, hello ? hello->capabilities : NULL) {
        if (!sw_span_eq_nocase(c->keyword, SW_SPAN_LIT("AUTH")) &&
            !sw_span_eq_nocase(c->keyword, SW_SPAN_LIT("AUTH=")))
            continue;
        struct sw_span rest = c->params;
        for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest))
            add_mechanism(m, word);
    }
}

static uint8_t *add_name(struct sw_json_line *line, uint8_t *at, const char *key,
                         struct sw_span name)
{
    if (name.len == 0)
        return SW_JSON_LITERAL(at, "null");
    return sw_json_add_string(&line->json, at, key, sw_veil_name(&line->part->veil, name));
}

static uint8_t *add_attempt(struct sw_json_line *line, uint8_t *at, const struct sw_auth *auth)
{
    struct sw_json *json = &line->json;
    at = SW_JSON_LITERAL(at, "{\"mechanism\":");
    at = sw_json_add_string(json, at, "mechanism", auth->mechanism);
    at = SW_JSON_MEMBER(at, "user");
    at = add_name(line, at, "user", auth->user);
    at = SW_JSON_MEMBER(at, "computer");
    at = add_name(line, at, "computer", auth->computer);
    at = SW_JSON_MEMBER(at, "result");
    at = sw_json_add_word(at, sw_view_auth_name(auth->result));
    *at++ = ',';
    at = sw_json_line_add_reply(line, at, auth->reply);
    at = SW_JSON_MEMBER(at, "encrypted");
    at = sw_json_add_bool(at, auth->encrypted);
    at = SW_JSON_MEMBER(at, "frame");
    at = sw_json_add_frame(json, at, "frame", auth->command ? auth->command->first.frame : 0);
    return SW_JSON_LITERAL(at, "},");
}

uint8_t *sw_json_line_auth(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_session *session = line->session;
    const struct sw_hello *hello = sw_session_hello(session, true);
    if (!hello)
        hello = sw_session_hello(session, false);
    struct mechanisms offered = {.count = 0};
    collect_mechanisms(&offered, hello);
    if (offered.count == 0 && !session->auths)
        return SW_JSON_LITERAL(at, ",\"auth\":null");
    at = SW_JSON_LITERAL(at, ",\"auth\":{\"offered\":[");
    for (unsigned i = 0; i < offered.count; i++) {
        at = sw_json_add_string(&line->json, at, NULL, offered.list[i]);
        *at++ = ',';
    }
    at = SW_JSON_LITERAL(sw_json_end_list(at), ",\"attempts\":[");
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths)
        at = add_attempt(line, at, auth);
    return SW_JSON_LITERAL(sw_json_end_list(at), "}");
}
