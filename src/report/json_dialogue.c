/*
 * json_dialogue.c - messages, dialogue, capabilities and logins of a session.
 */
#include "report/json.h"

/* An address, or null when the command that names it was not seen. */
SW_JSON_INLINE void put_address(struct sw_json_line *line, const char *key, bool seen,
                                struct sw_span address)
{
    if (seen)
        sw_json_line_wire(line, key, address);
    else
        sw_json_null(&line->json, key);
}

SW_JSON_INLINE void put_cause(struct sw_json *json, enum sw_cause cause)
{
    sw_json_word(json, "cause", cause == SW_CAUSE_NONE ? NULL : sw_cause_name(cause));
}

static void put_recipients(struct sw_json_line *line, const struct sw_message_verdict *mv)
{
    struct sw_json *json = &line->json;
    sw_json_array(json, "recipients");
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        const struct sw_recipient_verdict *rv = &mv->recipients[i];
        sw_json_object(json, NULL);
        sw_json_line_wire(line, "address", rv->recipient->address);
        sw_json_word(json, "outcome", sw_outcome_name(rv->outcome));
        put_cause(json, rv->cause);
        sw_json_line_reply_members(line, rv->reply);
        sw_json_frame(json, "frame", rv->reply ? rv->reply->first.frame : 0);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

/* A text of the header block, or null. */
SW_JSON_INLINE void put_header_text(struct sw_json_line *line, const char *key, struct sw_span text)
{
    put_address(line, key, text.len > 0, text);
}

static void put_header(struct sw_json_line *line, const struct sw_header *header)
{
    struct sw_json *json = &line->json;
    if (!header->seen) {
        sw_json_null(json, "header");
        return;
    }
    sw_json_object(json, "header");
    put_header_text(line, "from", header->from);
    sw_json_number(json, "to_count", header->to_count);
    sw_json_number(json, "cc_count", header->cc_count);
    put_header_text(line, "date", header->date);
    put_header_text(line, "content_type", header->content_type);
    sw_json_bool(json, "dkim_signature", header->dkim_signature);
    sw_json_bool(json, "complete", !header->cut);
    sw_json_end_object(json);
}

static void put_message(struct sw_json_line *line, const struct sw_message_verdict *mv)
{
    struct sw_json *json = &line->json;
    const struct sw_message *m = mv->message;
    sw_json_object(json, NULL);
    sw_json_number(json, "index", m->index);
    put_address(line, "mail_from", m->mail != NULL, m->sender);
    if (m->has_size)
        sw_json_number(json, "size_declared", m->size_declared);
    else
        sw_json_null(json, "size_declared");
    if (m->body_seen)
        sw_json_number(json, "size_seen", m->body_octets);
    else
        sw_json_null(json, "size_seen");
    sw_json_seconds(json, "upload_s", sw_view_upload(m));
    sw_json_some(json, "upload_bytes_per_s", sw_view_upload_rate(m));
    put_recipients(line, mv);
    sw_json_line_reply(line, "final_reply", m->final, true);
    sw_json_word(json, "outcome", sw_outcome_name(mv->outcome));
    put_cause(json, mv->cause);
    put_header_text(line, "message_id", m->message_id);
    if (m->subject.len > 0 && !line->part->veil.on)
        sw_json_wire(json, "subject", m->subject);
    else
        sw_json_null(json, "subject");
    put_header(line, m->header);
    sw_json_end_object(json);
}

void sw_json_line_messages(struct sw_json_line *line)
{
    sw_json_array(&line->json, "messages");
    for (uint32_t i = 0; i < line->verdict->message_count; i++)
        put_message(line, &line->verdict->messages[i]);
    sw_json_end_array(&line->json);
}

static void put_argument(struct sw_json_line *line, const struct sw_step *step)
{
    struct sw_span argument;
    if (!sw_view_argument(step, &argument)) {
        sw_json_null(&line->json, "argument");
    } else if (sw_view_argument_hides(step)) {
        struct sw_writer hidden;
        sw_writer_open_memory(&hidden);
        sw_writer_put(&hidden, argument);
        sw_writer_text(&hidden, " ***");
        sw_json_line_wire(line, "argument", sw_writer_span(&hidden));
        sw_writer_release(&hidden);
    } else {
        sw_json_line_wire(line, "argument", argument);
    }
}

/* The members that a command does not have are written as one literal, so are those that a reply
 * does not have: there is no larger part of a record than this one. */
static void put_command(struct sw_json_line *line, const struct sw_step *step)
{
    struct sw_json *json = &line->json;
    struct sw_span verb = sw_view_verb(step);
    sw_json_word(json, "from", "client");
    put_address(line, "verb", verb.len > 0, verb);
    put_argument(line, step);
    sw_json_line_reply_members(line, NULL);
    sw_json_literal(json, "delay_s", SW_JSON_TEXT("null,\"answers\":null"));
}

static void put_reply(struct sw_json_line *line, const struct sw_step *step)
{
    struct sw_json *json = &line->json;
    sw_json_literal(json, "from", SW_JSON_TEXT("\"server\",\"verb\":null,\"argument\":null"));
    sw_json_line_reply_members(line, step);
    sw_json_seconds(json, "delay_s", sw_view_delay(step));
    sw_json_frame(json, "answers", step->command ? step->command->first.frame : 0);
}

static void put_step(struct sw_json_line *line, const struct sw_step *step)
{
    enum { BYTES = sizeof("{\"frame\":null,\"t_s\":") + SW_DIGITS + SW_JSON_DURATION_BYTES };
    struct sw_json *json = &line->json;
    uint8_t *at = sw_json_key(json, NULL, BYTES);
    if (!at)
        return;
    at = SW_JSON_LITERAL(at, "{\"frame\":");
    at = sw_json_add_some(at, sw_frame_number(step->first.frame));
    if (json->file_of && step->first.frame != 0) {
        sw_json_done(json, at);
        sw_json_file(json, "frame", step->first.frame);
        at = sw_writer_room(json->out, BYTES);
        if (!at)
            return;
    }
    at = SW_JSON_LITERAL(at, ",\"t_s\":");
    at = sw_json_add_duration(
        at, sw_view_since(line->session->facts->first.time_ns, step->first.time_ns));
    sw_json_done(json, at);
    if (step->from == SW_CLIENT)
        put_command(line, step);
    else
        put_reply(line, step);
    sw_writer_char(json->out, '}');
}

void sw_json_line_dialogue(struct sw_json_line *line)
{
    const struct sw_step *step;
    sw_json_array(&line->json, "dialogue");
    SW_EACH(step, line->session->steps)
        put_step(line, step);
    sw_json_end_array(&line->json);
}

enum { KEYWORDS = 128, SLOTS = 4 * KEYWORDS };

/* Keywords of one EHLO reply by name: an object must not have a key twice, whatever the server
 * writes. */
struct keyword_set {
    uint8_t slot[SLOTS]; /* which of the list, plus one; 0: none */
    const struct sw_capability *list[KEYWORDS];
    unsigned used;
};

/* True when the keyword is new and was added. */
static bool add_keyword(struct keyword_set *set, const struct sw_capability *capability)
{
    size_t at = sw_hash_bytes(&sw_hash_fixed_key, capability->keyword) % SLOTS;
    for (; set->slot[at]; at = (at + 1) % SLOTS) {
        if (sw_span_eq(set->list[set->slot[at] - 1]->keyword, capability->keyword))
            return false;
    }
    set->list[set->used++] = capability;
    set->slot[at] = (uint8_t)set->used;
    return true;
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
static void put_capability(struct sw_json_line *line, const struct sw_capability *first)
{
    struct sw_veil *veil = &line->part->veil;
    const struct sw_capability *other = next_line(first, first->next);
    if (!other) {
        sw_json_wire_member(&line->json, first->keyword, sw_veil_text(veil, first->params));
        return;
    }
    struct sw_writer params;
    sw_writer_open_memory(&params);
    sw_writer_put(&params, first->params);
    for (; other; other = next_line(first, other->next)) {
        sw_writer_text(&params, params.used ? " " : "");
        sw_writer_put(&params, other->params);
    }
    sw_json_wire_member(&line->json, first->keyword, sw_veil_text(veil, sw_writer_span(&params)));
    sw_writer_release(&params);
}

static void put_hello(struct sw_json_line *line, const char *key, const struct sw_hello *hello)
{
    if (!hello) {
        sw_json_null(&line->json, key);
        return;
    }
    struct keyword_set set;
    memset(set.slot, 0, sizeof(set.slot));
    set.used = 0;
    uint64_t left_out = 0;
    sw_json_object(&line->json, key);
    const struct sw_capability *capability;
    SW_EACH(capability, hello->capabilities) {
        if (set.used == KEYWORDS)
            left_out++;
        else if (add_keyword(&set, capability))
            put_capability(line, capability);
    }
    if (left_out > 0)
        sw_json_number(&line->json, "...", left_out);
    sw_json_end_object(&line->json);
}

void sw_json_line_capabilities(struct sw_json_line *line)
{
    sw_json_object(&line->json, "capabilities");
    put_hello(line, "before_tls", sw_session_hello(line->session, false));
    put_hello(line, "after_tls", sw_session_hello(line->session, true));
    sw_json_end_object(&line->json);
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

static void put_attempt(struct sw_json_line *line, const struct sw_auth *auth)
{
    struct sw_json *json = &line->json;
    sw_json_object(json, NULL);
    sw_json_wire(json, "mechanism", auth->mechanism);
    if (auth->user.len > 0)
        sw_json_wire(json, "user", sw_veil_name(&line->part->veil, auth->user));
    else
        sw_json_null(json, "user");
    if (auth->computer.len > 0)
        sw_json_wire(json, "computer", sw_veil_name(&line->part->veil, auth->computer));
    else
        sw_json_null(json, "computer");
    sw_json_word(json, "result", sw_view_auth_name(auth->result));
    sw_json_line_reply_members(line, auth->reply);
    sw_json_bool(json, "encrypted", auth->encrypted);
    sw_json_frame(json, "frame", auth->command ? auth->command->first.frame : 0);
    sw_json_end_object(json);
}

void sw_json_line_auth(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_session *session = line->session;
    const struct sw_hello *hello = sw_session_hello(session, true);
    if (!hello)
        hello = sw_session_hello(session, false);
    struct mechanisms offered = {.count = 0};
    collect_mechanisms(&offered, hello);
    if (offered.count == 0 && !session->auths) {
        sw_json_null(json, "auth");
        return;
    }
    sw_json_object(json, "auth");
    sw_json_array(json, "offered");
    for (unsigned i = 0; i < offered.count; i++)
        sw_json_wire(json, NULL, offered.list[i]);
    sw_json_end_array(json);
    sw_json_array(json, "attempts");
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths)
        put_attempt(line, auth);
    sw_json_end_array(json);
    sw_json_end_object(json);
}
