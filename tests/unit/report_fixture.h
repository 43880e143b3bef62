/*
 * report_fixture.h - sessions made by hand, as the engine would hand them to a report: for the
 * tests of src/report.
 *
 * Every fixture owns its storage; sessions borrow it. Frames are numbered by the steps, times are a
 * tenth of a second apart from 2023-11-14T22:13:20Z.
 */
#ifndef SW_TESTS_REPORT_FIXTURE_H
#define SW_TESTS_REPORT_FIXTURE_H

#include "analyzer/record.h"
#include "base/time.h"
#include "report/report.h"

enum { FIXTURE_STEPS = 16 };

#define FIXTURE_START_NS (INT64_C(1700000000) * SW_NS_PER_S)

struct fixture {
    struct sw_flow_facts facts;
    struct sw_session session;
    struct sw_verdict verdict;
    struct sw_step steps[FIXTURE_STEPS];
    unsigned step_count;
    struct sw_message message;
    struct sw_recipient recipient;
    struct sw_message_verdict message_verdict;
    struct sw_recipient_verdict recipient_verdict;
    struct sw_auth auth;
    struct sw_hello hello;
    struct sw_capability capabilities[4];
    struct sw_evidence evidence;
    struct sw_finding finding;
    struct sw_also also;
    const char *advice[3];
};

static inline struct sw_mark fixture_mark(uint64_t frame)
{
    return (struct sw_mark){frame, FIXTURE_START_NS + (int64_t)frame * 100 * SW_NS_PER_MS};
}

/* A connection attempt and nothing else: most fields stay empty. */
static inline void fixture_init(struct fixture *f)
{
    static const uint8_t client[4] = {192, 0, 2, 10};
    static const uint8_t server[4] = {198, 51, 100, 25};
    *f = (struct fixture){.message.header = &sw_header_none};
    memcpy(f->facts.tuple.src, client, 4);
    memcpy(f->facts.tuple.dst, server, 4);
    f->facts.tuple.src_port = 40000;
    f->facts.tuple.dst_port = 25;
    f->facts.tuple.ip_version = 4;
    f->facts.tuple.transport = 6;
    f->facts.time_digits = 6;
    f->facts.first = fixture_mark(1);
    f->facts.last = fixture_mark(3);
    f->facts.syn = f->facts.first;
    f->facts.last_syn = f->facts.last;
    f->facts.syn_count = 3;
    for (uint64_t i = 0; i < 3; i++)
        f->facts.syn_ns[i] = fixture_mark(i + 1).time_ns;
    f->facts.closed_by = -1;
    f->facts.close = SW_CLOSE_TIMEOUT;
    f->session.facts = &f->facts;
    memcpy(f->session.id, "0123456789abcdef", 17);
    memcpy(f->session.community_id, "1:abc=", 7);
    f->session.file = "dir/mail.pcap";
    f->session.steps_tail = &f->session.steps;
    f->verdict.outcome = SW_OUTCOME_STUCK;
    f->verdict.cause = SW_CAUSE_TCP_SYN_TIMEOUT;
    f->verdict.stage = SW_STAGE_CONNECT;
    f->verdict.permanence = SW_PERMANENCE_TEMPORARY;
    f->verdict.actor = SW_ACTOR_SENDER_NETWORK;
    f->verdict.summary = "The mail was not sent because 198.51.100.25 did not answer.";
    f->verdict.explanation = "The client asked 3 times for a connection (frames 1 to 3).";
    f->advice[0] = "Check the firewall.";
    f->verdict.advice = f->advice;
    f->verdict.protocol = "unknown";
    f->verdict.security = SW_SECURITY_NONE;
    f->evidence =
        (struct sw_evidence){.mark = f->facts.last, .from = SW_ORIGIN_CLIENT, .what = "third SYN"};
    f->verdict.evidence = &f->evidence;
}

static inline struct sw_step *fixture_step(struct fixture *f, enum sw_side from,
                                           enum smtp_verb verb, struct sw_mark mark)
{
    struct sw_step *step = &f->steps[f->step_count++];
    *step = (struct sw_step){.from = from, .verb = verb, .first = mark};
    *f->session.steps_tail = step;
    f->session.steps_tail = &step->next;
    f->session.step_count++;
    f->facts.last = mark;
    return step;
}

static inline struct sw_step *fixture_command(struct fixture *f, enum smtp_verb verb,
                                              const char *argument)
{
    struct sw_step *step = fixture_step(f, SW_CLIENT, verb, fixture_mark(f->step_count + 4));
    step->argument = sw_span_str(argument);
    return step;
}

static inline struct sw_step *fixture_reply(struct fixture *f, struct sw_step *command,
                                            uint16_t code, struct sw_span text)
{
    struct sw_step *step = fixture_step(f, SW_SERVER, command ? command->verb : SMTP_VERB_NONE,
                                        fixture_mark(f->step_count + 4));
    step->code = code;
    step->text = text;
    step->command = command;
    if (command)
        command->reply = step;
    return step;
}

/* Greeting, EHLO with capabilities, MAIL and RCPT; the RCPT's reply is the caller's. Returns the
 * RCPT. */
static inline struct sw_step *fixture_dialogue(struct fixture *f)
{
    f->facts.syn_count = 1;
    f->facts.last_syn = f->facts.syn;
    f->facts.syn_ack = fixture_mark(2);
    f->facts.established = fixture_mark(3);
    f->facts.close = SW_CLOSE_FIN;
    f->facts.closed_by = SW_CLIENT;
    f->session.greeting = fixture_reply(f, NULL, 220, SW_SPAN_LIT("mx.example.org ESMTP"));
    f->session.greeting_delay_ns = 100 * SW_NS_PER_MS;
    struct sw_step *hello = fixture_command(f, SMTP_VERB_EHLO, "LAPTOP-ANNA");
    f->hello = (struct sw_hello){.command = hello, .capabilities = f->capabilities};
    f->hello.reply =
        fixture_reply(f, hello, 250, SW_SPAN_LIT("mx.example.org\nAUTH PLAIN LOGIN\nSIZE 1000"));
    f->capabilities[0] = (struct sw_capability){&f->capabilities[1], SW_SPAN_LIT("AUTH"),
                                                SW_SPAN_LIT("PLAIN LOGIN")};
    f->capabilities[1] =
        (struct sw_capability){&f->capabilities[2], SW_SPAN_LIT("SIZE"), SW_SPAN_LIT("1000")};
    f->capabilities[2] =
        (struct sw_capability){&f->capabilities[3], SW_SPAN_LIT("AUTH"), SW_SPAN_LIT("XOAUTH2")};
    f->capabilities[3] = (struct sw_capability){NULL, SW_SPAN_LIT("8BITMIME"), {NULL, 0}};
    f->session.hellos = f->session.hello = &f->hello;
    f->message.mail = fixture_command(f, SMTP_VERB_MAIL, "FROM:<anna@example.net> SIZE=500");
    fixture_reply(f, f->message.mail, 250, SW_SPAN_LIT("2.1.0 Ok"));
    f->message.sender = SW_SPAN_LIT("anna@example.net");
    f->message.has_size = true;
    f->message.size_declared = 500;
    f->recipient.address = SW_SPAN_LIT("bob@example.org");
    f->recipient.command = fixture_command(f, SMTP_VERB_RCPT, "TO:<bob@example.org>");
    f->message.recipients = &f->recipient;
    f->message.recipient_count = 1;
    f->session.messages = &f->message;
    f->session.message_count = 1;
    f->recipient_verdict.recipient = &f->recipient;
    f->message_verdict.message = &f->message;
    f->message_verdict.counts = true;
    f->message_verdict.recipients = &f->recipient_verdict;
    f->message_verdict.recipient_count = 1;
    f->verdict.messages = &f->message_verdict;
    f->verdict.message_count = 1;
    f->verdict.protocol = "smtp";
    f->verdict.server_name = SW_SPAN_LIT("mx.example.org");
    f->verdict.server_name_source = "banner";
    return f->recipient.command;
}

/* The recipient is refused with this text. */
static inline void fixture_refused(struct fixture *f, struct sw_span text)
{
    fixture_init(f);
    struct sw_step *reply = fixture_reply(f, fixture_dialogue(f), 550, text);
    reply->enhanced = (struct smtp_enhanced){5, 7, 1};
    f->recipient.reply = reply;
    f->recipient_verdict.outcome = f->message_verdict.outcome = SW_OUTCOME_STUCK;
    f->recipient_verdict.cause = f->message_verdict.cause = SW_CAUSE_RCPT_RELAY_DENIED;
    f->recipient_verdict.reply = f->message_verdict.reply = reply;
    f->verdict.cause = SW_CAUSE_RCPT_RELAY_DENIED;
    f->verdict.stage = SW_STAGE_RCPT;
    f->verdict.permanence = SW_PERMANENCE_PERMANENT;
    f->verdict.actor = SW_ACTOR_SENDER_CLIENT;
    f->verdict.reply = reply;
    f->verdict.has_client_codes = true;
    f->verdict.summary =
        "The mail to bob@example.org was not sent because mx.example.org does not forward it.";
    f->evidence.mark = reply->first;
    f->evidence.from = SW_ORIGIN_SERVER;
    f->evidence.what = "refuses bob@example.org";
    f->also = (struct sw_also){.cause = SW_CAUSE_RCPT_POLICY_DENIED,
                               .confidence = SW_CONFIDENCE_POSSIBLE};
    f->verdict.also = &f->also;
}

/* Delivered, after a login. */
static inline void fixture_delivered(struct fixture *f)
{
    fixture_init(f);
    struct sw_step *rcpt = fixture_dialogue(f);
    f->recipient.reply = fixture_reply(f, rcpt, 250, SW_SPAN_LIT("2.1.5 Ok"));
    f->message.data = fixture_command(f, SMTP_VERB_DATA, "");
    f->message.go_ahead = fixture_reply(f, f->message.data, 354, SW_SPAN_LIT("go on"));
    f->message.end_of_data = fixture_command(f, SMTP_VERB_END_OF_DATA, "");
    f->message.end_of_data->message = &f->message;
    f->message.body_seen = true;
    f->message.body_octets = 321;
    f->message.final =
        fixture_reply(f, f->message.end_of_data, 250, SW_SPAN_LIT("2.0.0 queued as 4F1B2"));
    f->message.subject = SW_SPAN_LIT("Our secret plan");
    f->message.message_id = SW_SPAN_LIT("<1@laptop.example.net>");
    struct sw_step *login = fixture_command(f, SMTP_VERB_AUTH, "PLAIN");
    login->flags = SMTP_FLAG_INITIAL;
    f->auth = (struct sw_auth){
        .mechanism = SW_SPAN_LIT("PLAIN"), .user = SW_SPAN_LIT("annalogin"), .command = login};
    f->auth.result = SW_AUTH_ACCEPTED;
    f->auth.reply =
        fixture_reply(f, login, 235, SW_SPAN_LIT("2.7.0 welcome annalogin from 192.0.2.10"));
    f->session.auths = &f->auth;
    f->verdict.outcome = f->message_verdict.outcome = f->recipient_verdict.outcome =
        SW_OUTCOME_DELIVERED;
    f->recipient_verdict.reply = f->message.final;
    f->verdict.cause = SW_CAUSE_OK_DELIVERED;
    f->verdict.stage = SW_STAGE_FINAL;
    f->verdict.permanence = SW_PERMANENCE_NONE;
    f->verdict.actor = SW_ACTOR_NONE;
    f->advice[0] = NULL;
    f->verdict.summary = "The mail from anna@example.net was delivered to mx.example.org.";
    f->finding = (struct sw_finding){.id = SW_FINDING_PLAINTEXT_AUTH_USED,
                                     .severity = SW_SEVERITY_CRITICAL,
                                     .summary = "annalogin logged in without encryption.",
                                     .frame = 18};
    f->verdict.findings = &f->finding;
    f->verdict.quality[SW_QUALITY_GAPS] = 2;
}

/* One session through one format into memory; the caller releases `out`. */
static inline void fixture_render(const struct fixture *f, const char *format,
                                  const struct sw_report_style *style, struct sw_writer *out)
{
    struct sw_part part;
    struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f->session, .verdict = &f->verdict};
    sw_writer_open_memory(out);
    if (!sw_part_open(&part, sw_report_format_find(format), style, out, "mail.pcap", 0))
        return;
    sw_part_record(&part, &record);
    sw_part_close(&part);
    sw_writer_char(out, '\0'); /* for strstr */
}

#endif
