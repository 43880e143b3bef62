#include "report/view.h"

#include "base/format.h"

#include <inttypes.h>
#include <stdio.h>

void sw_view_enhanced(struct smtp_enhanced enhanced, char out[SW_VIEW_ENHANCED_BYTES])
{
    uint8_t text[3 * (SW_DIGITS + 1)];
    size_t n = 0;
    if (enhanced.klass) {
        n = sw_format_number(enhanced.klass, text);
        text[n++] = '.';
        n += sw_format_number(enhanced.subject, text + n);
        text[n++] = '.';
        n += sw_format_number(enhanced.detail, text + n);
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

int64_t sw_view_handshake_rtt(const struct sw_flow_facts *facts)
{
    if (!facts->syn.frame || !facts->syn_ack.frame || !facts->established.frame)
        return SW_TIME_NONE;
    /* A repeated SYN: only the last one before the answer can be the one that was answered. */
    const struct sw_mark *syn = &facts->syn;
    if (facts->last_syn.frame && facts->last_syn.time_ns <= facts->syn_ack.time_ns)
        syn = &facts->last_syn;
    int64_t rtt_ns = facts->established.time_ns - syn->time_ns;
    return rtt_ns >= 0 ? rtt_ns : SW_TIME_NONE;
}

static void pause_until(int64_t time_ns, int64_t *last_ns, int64_t *longest_ns)
{
    if (time_ns - *last_ns > *longest_ns)
        *longest_ns = time_ns - *last_ns;
    if (time_ns > *last_ns)
        *last_ns = time_ns;
}

int64_t sw_view_longest_silence(const struct sw_session *session)
{
    const struct sw_flow_facts *facts = session->facts;
    int64_t last_ns = facts->established.frame ? facts->established.time_ns : facts->first.time_ns;
    int64_t longest_ns = 0;
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        pause_until(step->first.time_ns, &last_ns, &longest_ns);
        pause_until(sw_step_last(step).time_ns, &last_ns, &longest_ns);
        /* The text of a message is no silence, though its lines are no steps. */
        const struct sw_message *message = step->message;
        if (message && message->body_seen && step == message->go_ahead) {
            pause_until(message->body_first.time_ns, &last_ns, &longest_ns);
            last_ns = message->body_last.time_ns > last_ns ? message->body_last.time_ns : last_ns;
        }
    }
    pause_until(facts->last.time_ns, &last_ns, &longest_ns);
    return longest_ns;
}

int64_t sw_view_since(int64_t from_ns, int64_t at_ns)
{
    return at_ns > from_ns ? at_ns - from_ns : 0;
}

int64_t sw_view_delay(const struct sw_session *session, const struct sw_step *reply)
{
    return reply ? sw_session_delay(session, reply) : SW_TIME_NONE;
}

const char *sw_view_close_name(enum sw_close_kind close)
{
    switch (close) {
    case SW_CLOSE_OPEN:
        return "open";
    case SW_CLOSE_FIN:
        return "fin";
    case SW_CLOSE_RST:
        return "rst";
    case SW_CLOSE_TIMEOUT:
        return "timeout";
    case SW_CLOSE_ICMP:
        return "icmp";
    }
    return "open";
}

const char *sw_view_closed_by(const struct sw_flow_facts *facts)
{
    if (facts->close == SW_CLOSE_ICMP)
        return "network";
    if (facts->closed_by == SW_CLIENT)
        return "client";
    return facts->closed_by == SW_SERVER ? "server" : NULL;
}

const char *sw_view_half_closed_by(const struct sw_flow_facts *facts)
{
    if (facts->closed_by < 0 || facts->close != SW_CLOSE_FIN)
        return NULL;
    const struct sw_half_facts *other = &facts->half[1 - facts->closed_by];
    bool went_on = other->last_data.frame && other->last_data.time_ns > facts->closed.time_ns;
    return went_on ? sw_view_closed_by(facts) : NULL;
}

int64_t sw_view_upload(const struct sw_message *message)
{
    if (!message->body_seen || message->body_last.time_ns < message->body_first.time_ns)
        return SW_TIME_NONE;
    return message->body_last.time_ns - message->body_first.time_ns;
}

uint64_t sw_view_upload_rate(const struct sw_message *message)
{
    int64_t took_us = sw_view_upload(message) / 1000;
    return took_us > 0 ? message->body_octets * 1000000 / (uint64_t)took_us : 0;
}

const char *sw_view_auth_name(enum sw_auth_result result)
{
    switch (result) {
    case SW_AUTH_UNANSWERED:
        return "unanswered";
    case SW_AUTH_ACCEPTED:
        return "accepted";
    case SW_AUTH_REJECTED:
        return "rejected";
    case SW_AUTH_TEMPORARY:
        return "temporary";
    case SW_AUTH_CANCELLED:
        return "cancelled";
    }
    return "unanswered";
}

struct sw_span sw_view_verb(const struct sw_step *command)
{
    return sw_step_word(command);
}

bool sw_view_argument(const struct sw_step *command, struct sw_span *out)
{
    if (command->verb == SMTP_VERB_END_OF_DATA)
        return false;
    if (command->verb == SMTP_VERB_AUTH_DATA) {
        *out = command->flags & SMTP_FLAG_CANCEL  ? SW_SPAN_LIT("*")
               : command->flags & SMTP_FLAG_EMPTY ? sw_span_str("")
                                                  : SW_SPAN_LIT("***");
        return true;
    }
    *out = command->flags & SMTP_FLAG_HIDDEN ? SW_SPAN_LIT("***") : command->argument;
    return out->len > 0;
}

bool sw_view_argument_hides(const struct sw_step *command)
{
    return command->verb == SMTP_VERB_AUTH && (command->flags & SMTP_FLAG_INITIAL) != 0;
}

void sw_view_command(const struct sw_step *step, struct sw_writer *out)
{
    struct sw_span argument;
    sw_writer_put(out, sw_view_verb(step));
    if (sw_view_argument(step, &argument)) {
        sw_writer_text(out, out->used > 0 ? " " : "");
        sw_writer_put(out, argument);
    }
    if (sw_view_argument_hides(step))
        sw_writer_text(out, " ***");
    const struct sw_message *m = step->message;
    if (step->verb == SMTP_VERB_END_OF_DATA && m)
        sw_writer_format(out, "  (end of the message, %" PRIu64 " octets)", m->body_octets);
}

/* Without the enhanced code that servers repeat at the start of each line. */
static struct sw_span without_code(struct sw_span line, const char *enhanced)
{
    struct sw_span code = sw_span_str(enhanced);
    if (code.len == 0 || !sw_span_starts(line, code))
        return line;
    struct sw_span rest = sw_span_from(line, code.len);
    if (rest.len > 0 && rest.ptr[0] != ' ')
        return line;
    return sw_span_trim(rest);
}

void sw_view_reply(const struct sw_step *reply, bool with_lines, struct sw_writer *out)
{
    char enhanced[SW_VIEW_ENHANCED_BYTES];
    sw_view_enhanced(reply->enhanced, enhanced);
    if (reply->code)
        sw_writer_format(out, "%03u%s%s", reply->code, enhanced[0] ? " " : "", enhanced);
    struct sw_span rest = reply->text;
    bool first = true;
    while (rest.len > 0) {
        size_t lf = sw_span_index(rest, '\n');
        struct sw_span line = without_code(sw_span_sub(rest, 0, lf), enhanced);
        sw_writer_text(out, first && !reply->code ? "" : with_lines && !first ? "\n" : " ");
        sw_writer_put(out, line);
        rest = sw_span_from(rest, lf + 1);
        first = false;
    }
}

bool sw_view_has_server(const struct sw_session *session)
{
    return !session->lookup || session->lookup->end == SW_LOOKUP_NEIGHBOUR;
}

enum { RANGE_BYTES = 2 * (SW_DIGITS + 20) };

/* Adds a literal; the room is there. */
#define LITERAL(at, text) ((uint8_t *)memcpy((at), "" text, sizeof(text) - 1) + sizeof(text) - 1)

/* The range tells a port that was used twice. */
static uint8_t *add_range(const struct sw_session *session, uint8_t *at)
{
    const struct sw_flow_facts *facts = session->facts;
    if (sw_session_spans_files(session))
        return at; /* each file counts its own frames */
    at = LITERAL(at, " && frame.number>=");
    at += sw_format_number(sw_frame_number(facts->first.frame), at);
    at = LITERAL(at, " && frame.number<=");
    return at + sw_format_number(sw_frame_number(facts->last.frame), at);
}

/* The frames of a look-up. A name with escapes in it is left out: a filter would need others. */
static void lookup_filter(const struct sw_session *session, const struct sw_veil *veil,
                          struct sw_writer *out)
{
    const struct sw_lookup *lookup = session->lookup;
    const struct sw_tuple *t = &session->facts->tuple;
    char ip[SW_ADDRESS_TEXT_BYTES];
    if (lookup->end == SW_LOOKUP_NEIGHBOUR) {
        sw_address_format(t->dst, t->ip_version, ip);
        const char *field =
            t->ip_version == 6 ? "icmpv6.nd.ns.target_address" : "arp.dst.proto_ipv4";
        if (veil->on)
            sw_writer_text(out, t->ip_version == 6 ? "icmpv6" : "arp");
        else
            sw_writer_format(out, "%s==%s", field, ip);
    } else {
        bool plain = sw_span_index(lookup->name, '\\') == lookup->name.len;
        sw_address_format(t->src, t->ip_version, ip);
        sw_writer_text(out, "dns");
        if (!veil->on)
            sw_writer_format(out, " && %s==%s", t->ip_version == 6 ? "ipv6.addr" : "ip.addr", ip);
        if (!veil->on && plain) {
            sw_writer_text(out, " && dns.qry.name==\"");
            sw_writer_put(out, lookup->name);
            sw_writer_text(out, "\"");
        }
    }
    uint8_t *at = sw_writer_room(out, RANGE_BYTES);
    if (at)
        out->used = (size_t)(add_range(session, at) - out->bytes);
}

static uint8_t *add_address(const uint8_t address[16], int ip_version, uint8_t *at)
{
    at = ip_version == 6 ? LITERAL(at, "ipv6.addr==") : LITERAL(at, "ip.addr==");
    at += sw_address_format(address, ip_version, (char *)at);
    return LITERAL(at, " && ");
}

void sw_view_filter(const struct sw_session *session, const struct sw_veil *veil,
                    struct sw_writer *out)
{
    enum { BYTES = 2 * SW_ADDRESS_TEXT_BYTES + RANGE_BYTES + 100 };
    if (session->lookup) {
        lookup_filter(session, veil, out);
        return;
    }
    uint8_t *at = sw_writer_room(out, BYTES);
    if (!at)
        return;
    const struct sw_tuple *t = &session->facts->tuple;
    if (!veil->on) {
        bool same = memcmp(t->src, t->dst, sizeof(t->src)) == 0; /* on the loopback */
        at = add_address(t->src, t->ip_version, at);
        if (!same)
            at = add_address(t->dst, t->ip_version, at);
    }
    at = LITERAL(at, "tcp.port==");
    at += sw_format_number(t->src_port, at);
    at = LITERAL(at, " && tcp.port==");
    at += sw_format_number(t->dst_port, at);
    out->used = (size_t)(add_range(session, at) - out->bytes);
}

static struct sw_span without_folders(struct sw_span name)
{
    for (size_t slash; (slash = sw_span_index(name, '/')) < name.len;)
        name = sw_span_from(name, slash + 1);
    return name;
}

void sw_view_frame(const struct sw_session *session, uint64_t frame, struct sw_writer *out)
{
    sw_writer_format(out, "frame %llu", (unsigned long long)sw_frame_number(frame));
    if (!sw_session_spans_files(session))
        return;
    struct sw_span file = sw_span_str(sw_session_file_of(session, frame));
    sw_writer_text(out, " of ");
    sw_writer_put(out, without_folders(file));
}

struct sw_span sw_view_server_name(const struct sw_verdict *verdict, bool no_names)
{
    return no_names || verdict->no_names ? (struct sw_span){NULL, 0} : verdict->server_name;
}

struct sw_span sw_view_file(const char *file, const struct sw_veil *veil)
{
    struct sw_span name = sw_span_str(file);
    return veil->on ? without_folders(name) : name;
}

void sw_view_duration(int64_t duration_ns, char out[SW_VIEW_DURATION_BYTES])
{
    int64_t ns = duration_ns > 0 ? duration_ns : 0;
    long long seconds = (long long)(ns / SW_NS_PER_S);
    if (ns < 10 * SW_NS_PER_MS)
        (void)snprintf(out, SW_VIEW_DURATION_BYTES, "%.1f ms", (double)ns / (double)SW_NS_PER_MS);
    else if (ns < SW_NS_PER_S)
        (void)snprintf(out, SW_VIEW_DURATION_BYTES, "%lld ms", (long long)(ns / SW_NS_PER_MS));
    else if (seconds < 60)
        (void)snprintf(out, SW_VIEW_DURATION_BYTES, "%.1f s", (double)ns / (double)SW_NS_PER_S);
    else if (seconds < 3600)
        (void)snprintf(out, SW_VIEW_DURATION_BYTES, "%lld min %lld s", seconds / 60, seconds % 60);
    else
        (void)snprintf(out, SW_VIEW_DURATION_BYTES, "%lld h %lld min", seconds / 3600,
                       seconds % 3600 / 60);
}

const char *sw_view_actor_words(enum sw_actor actor)
{
    static const char *const words[SW_ACTOR_COUNT] = {
        [SW_ACTOR_NONE] = "nobody",
        [SW_ACTOR_SENDER_CLIENT] = "the sender (the person or the mail program)",
        [SW_ACTOR_SENDER_NETWORK] = "the sender's network or its provider",
        [SW_ACTOR_SENDER_ADMIN] = "who runs the sending domain or outgoing server",
        [SW_ACTOR_SERVER_ADMIN] = "who runs this server",
        [SW_ACTOR_RECIPIENT_SIDE] = "the recipient's side",
        [SW_ACTOR_MIDDLEBOX] = "who runs the firewall, filter or proxy on the way",
    };
    return words[actor];
}

const char *sw_view_again_words(const struct sw_verdict *verdict)
{
    bool passes = sw_cause_info(verdict->cause)->permanence == SW_PERMANENCE_TEMPORARY;
    if (passes && verdict->permanence == SW_PERMANENCE_PERMANENT)
        return "trying again at once will not help";
    return sw_view_permanence_words(verdict->permanence);
}

const char *sw_view_permanence_words(enum sw_permanence permanence)
{
    static const char *const words[SW_PERMANENCE_COUNT] = {
        [SW_PERMANENCE_NONE] = NULL,
        [SW_PERMANENCE_TEMPORARY] = "trying again later may help",
        [SW_PERMANENCE_PERMANENT] = "trying again unchanged will not help",
        [SW_PERMANENCE_UNKNOWN] = NULL,
    };
    return words[permanence];
}
