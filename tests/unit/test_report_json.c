/*
 * The JSON writer (any bytes become valid JSON) and the session record made of sessions built by
 * hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "report/json_writer.h"
#include "report_fixture.h"

#include <stdio.h>

/* --- a strict reader of JSON, to check what the writer wrote --- */

static const char *skip_value(const char *at, int depth);

static const char *skip_string(const char *at)
{
    assert_int_equal(*at++, '"');
    while (*at != '"') {
        assert_true((unsigned char)*at >= 0x20);
        if (*at == '\\') {
            at++;
            assert_non_null(strchr("\"\\/bfnrtu", *at));
            for (int i = 1; *at == 'u' && i <= 4; i++)
                assert_non_null(strchr("0123456789abcdefABCDEF", at[i]));
        }
        at++;
    }
    return at + 1;
}

static const char *skip_number(const char *at)
{
    if (*at == '-')
        at++;
    assert_true(sw_ascii_digit((uint8_t)*at));
    if (*at == '0')
        assert_false(sw_ascii_digit((uint8_t)at[1]));
    while (sw_ascii_digit((uint8_t)*at))
        at++;
    if (*at == '.') {
        at++;
        assert_true(sw_ascii_digit((uint8_t)*at));
        while (sw_ascii_digit((uint8_t)*at))
            at++;
        assert_true(at[-1] != '0'); /* no trailing zeros */
    }
    assert_true(*at != 'e' && *at != 'E');
    return at;
}

static const char *skip_members(const char *at, char end, int depth)
{
    at++;
    while (*at != end) {
        if (end == '}') {
            at = skip_string(at);
            assert_int_equal(*at++, ':');
        }
        at = skip_value(at, depth + 1);
        assert_true(*at == ',' || *at == end);
        if (*at == ',')
            assert_true(*++at != end);
    }
    return at + 1;
}

static const char *skip_value(const char *at, int depth)
{
    assert_true(depth < 20);
    switch (*at) {
    case '"':
        return skip_string(at);
    case '{':
        return skip_members(at, '}', depth);
    case '[':
        return skip_members(at, ']', depth);
    case 'n':
        assert_memory_equal(at, "null", 4);
        return at + 4;
    case 't':
        assert_memory_equal(at, "true", 4);
        return at + 4;
    case 'f':
        assert_memory_equal(at, "false", 5);
        return at + 5;
    default:
        return skip_number(at);
    }
}

/* One line, valid JSON and valid UTF-8, nothing behind it. */
static void assert_json_line(const char *text)
{
    assert_true(sw_text_is_utf8(sw_span_str(text)));
    const char *end = skip_value(text, 0);
    assert_string_equal(end, "\n");
}

static void test_reader_of_this_test_can_fail(void **state)
{
    (void)state;
    assert_string_equal(skip_value("{\"a\":[1,-0.25,null,\"x\\u0000\"],\"b\":{}}", 0), "");
    assert_string_equal(skip_value("[]]", 0), "]");
}

/* --- the writer --- */

static const char *written(struct sw_writer *out)
{
    sw_writer_char(out, '\0');
    return (const char *)out->bytes;
}

static void wire_text(struct sw_writer *out, struct sw_span bytes)
{
    struct sw_json json;
    sw_writer_open_memory(out);
    sw_json_begin(&json, out);
    sw_json_object(&json, NULL);
    sw_json_wire(&json, "text", bytes);
    sw_json_number(&json, "after", 1);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}

static void test_plain_text_has_no_sibling(void **state)
{
    (void)state;
    struct sw_writer out;
    wire_text(&out, SW_SPAN_LIT("say \"hi\" \\ \t\n\r gr\xc3\xbc\xc3\x9f"));
    assert_string_equal(
        written(&out),
        "{\"text\":\"say \\\"hi\\\" \\\\ \\t\\n\\r gr\xc3\xbc\xc3\x9f\",\"after\":1}\n");
    sw_writer_release(&out);
}

static void test_bad_bytes_become_replacement_and_hex(void **state)
{
    (void)state;
    struct sw_writer out;
    wire_text(&out, SW_SPAN_LIT("a\xff\xc0z"));
    assert_string_equal(
        written(&out),
        "{\"text\":\"a\xef\xbf\xbd\xef\xbf\xbdz\",\"text_hex\":\"61ffc07a\",\"after\":1}\n");
    sw_writer_release(&out);
}

static void test_controls_and_direction_marks_are_escaped(void **state)
{
    (void)state;
    struct sw_writer out;
    wire_text(&out, SW_SPAN_LIT("\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81"));
    assert_string_equal(
        written(&out),
        "{\"text\":\"\\u001b[2J\\u007f\\u009b\\u202e\\udb40\\udc01\",\"after\":1}\n");
    sw_writer_release(&out);
}

static void test_any_bytes_make_a_valid_line(void **state)
{
    (void)state;
    uint32_t random = 12345;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[24];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(round < 256 && i < 2 ? round : (int)(random >> 24));
        }
        struct sw_writer out;
        wire_text(&out, sw_span_make(bytes, sizeof(bytes)));
        assert_null(memchr(out.bytes, 0, out.used));
        assert_json_line(written(&out));
        sw_writer_release(&out);
    }
}

/* Texts of every short length, and around what has room behind its key, with an odd byte anywhere
 * near either end. */
static void test_an_odd_byte_is_escaped_wherever_it_stands(void **state)
{
    (void)state;
    static const char odd[] = {'"', '\\'};
    for (size_t n = 1; n < 1200; n += n < 70 ? 1 : n == 790 ? 1 : n == 830 ? 180 : 5) {
        for (size_t at = 0; at < n; at += at < 34 || at + 35 > n ? 1 : n - at - 34) {
            uint8_t bytes[1200];
            memset(bytes, 'a', n);
            bytes[at] = (uint8_t)odd[n % sizeof(odd)];
            struct sw_writer out;
            wire_text(&out, sw_span_make(bytes, n));
            const char *text = written(&out) + strlen("{\"text\":\"");
            assert_int_equal(strspn(text, "a"), at);
            assert_int_equal(text[at], '\\');
            assert_int_equal(text[at + 1], bytes[at]);
            assert_int_equal(strspn(text + at + 2, "a"), n - at - 1);
            assert_string_equal(text + n + 1, "\",\"after\":1}\n");
            sw_writer_release(&out);
        }
    }
}

static void seconds(int64_t duration_ns, const char *expected)
{
    struct sw_writer out;
    struct sw_json json;
    sw_writer_open_memory(&out);
    sw_json_begin(&json, &out);
    sw_json_seconds(&json, NULL, duration_ns);
    assert_string_equal(written(&out), expected);
    sw_writer_release(&out);
}

static void test_seconds_are_plain_decimals(void **state)
{
    (void)state;
    seconds(0, "0");
    seconds(1, "0.000000001");
    seconds(1500000000, "1.5");
    seconds(-250000000, "-0.25");
    seconds(120 * SW_NS_PER_S, "120");
    seconds(SW_TIME_NONE, "null");
    seconds(SW_TIME_NONE + 1, "-9223372036.854775807");
}

/* --- sessions --- */

static const char *session_line(const struct fixture *f, const struct sw_report_style *style,
                                struct sw_writer *out)
{
    fixture_render(f, "json", style, out);
    assert_json_line((const char *)out->bytes);
    return (const char *)out->bytes;
}

static void assert_has(const char *line, const char *part)
{
    if (!strstr(line, part))
        fail_msg("%s\nis not in\n%s", part, line);
}

static const struct sw_report_style plain_style = {.width = 100, .files = 1, .version = "1"};

static void test_session_without_anything(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_init(&f);
    const char *line = session_line(&f, &plain_style, &out);
    assert_has(line, "{\"type\":\"session\",\"schema\":1,\"id\":\"0123456789abcdef\",\"community_"
                     "id\":\"1:abc=\",");
    assert_has(line, "\"start\":\"2023-11-14T22:13:20.100000Z\",\"end\":\"2023-11-14T22:13:20."
                     "300000Z\",\"duration_s\":0.2,");
    assert_has(
        line,
        "tcp.port==40000 && tcp.port==25 && frame.number>=1 && frame.number<=3\",\"tunnel\":null}");
    assert_has(
        line,
        "\"messages\":[],\"dialogue\":[],\"capabilities\":{\"before_tls\":null,\"after_tls\":null},"
        "\"auth\":null,\"tls\":null,\"tcp\":{\"handshake_rtt_s\":null,\"syn_count\":3,"
        "\"syn_times_s\":[0,0.1,0.2],");
    assert_has(line, "\"closed_by\":null,\"close\":\"timeout\"");
    assert_has(line, "\"reply\":null,\"also\":[]");
    assert_has(line, "\"advice\":[\"Check the firewall.\"]");
    sw_writer_release(&out);
}

static void test_keys_keep_their_order(void **state)
{
    (void)state;
    static const char *const keys[] = {"type",         "schema",       "id",
                                       "community_id", "capture",      "start",
                                       "end",          "duration_s",   "client",
                                       "server",       "protocol",     "security",
                                       "outcome",      "verdict",      "messages",
                                       "dialogue",     "capabilities", "auth",
                                       "tls",          "tcp",          "capture_quality",
                                       "findings"};
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    const char *at = session_line(&f, &plain_style, &out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char quoted[32];
        (void)snprintf(quoted, sizeof(quoted), "\"%s\":", keys[i]);
        at = strstr(at, quoted);
        assert_non_null(at);
    }
    sw_writer_release(&out);
}

static void test_delivered_session(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    const char *line = session_line(&f, &plain_style, &out);
    assert_has(line, "\"server\":{\"ip\":\"198.51.100.25\",\"port\":25,\"name\":\"mx.example.org\","
                     "\"name_source\":\"banner\"}");
    assert_has(line, "\"size_declared\":500,\"size_seen\":321,");
    assert_has(line, "\"final_reply\":{\"code\":250,\"enhanced\":null,\"text\":\"2.0.0 queued as "
                     "4F1B2\",\"frame\":14}");
    assert_has(
        line,
        "\"before_tls\":{\"AUTH\":\"PLAIN LOGIN XOAUTH2\",\"SIZE\":\"1000\",\"8BITMIME\":\"\"}");
    assert_has(line, "\"offered\":[\"PLAIN\",\"LOGIN\",\"XOAUTH2\"]");
    assert_has(line,
               "\"user\":\"annalogin\",\"computer\":null,\"result\":\"accepted\",\"code\":235,");
    assert_has(line, "\"verb\":\"AUTH\",\"argument\":\"PLAIN ***\"");
    assert_has(line, "\"handshake_rtt_s\":0.2,");
    assert_has(line, "\"greeting_delay_s\":0.1,");
    assert_has(line, "\"capture_quality\":[{\"kind\":\"gaps\",\"count\":2}]");
    assert_has(line, "\"id\":\"aud-plaintext-auth-used\",\"severity\":\"critical\"");
    assert_has(line, "\"advice\":[],\"client_codes\":[]");
    sw_writer_release(&out);
}

static void test_refused_session(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_refused(&f, SW_SPAN_LIT("5.7.1 no \xff relay\nsecond"));
    const char *line = session_line(&f, &plain_style, &out);
    assert_has(line, "\"reply\":{\"code\":550,\"enhanced\":\"5.7.1\",\"text\":\"5.7.1 no "
                     "\xef\xbf\xbd relay\\nsecond\","
                     "\"text_hex\":\"352e372e31206e6f20ff2072656c61790a7365636f6e64\"}");
    assert_has(
        line,
        "\"also\":[{\"cause\":\"rcpt-policy-denied\",\"confidence\":\"possible\",\"frame\":null}]");
    assert_has(line, "{\"client\":\"OE/WinMail/WLM/Outlook\",\"code\":\"0x800CCC");
    assert_has(line, "\"outcome\":\"stuck\",\"cause\":\"rcpt-relay-denied\",\"code\":550,"
                     "\"enhanced\":\"5.7.1\",");
    assert_has(line, "\"size_seen\":null");
    sw_writer_release(&out);
}

static void test_hostile_names_stay_one_object(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    f.capabilities[0].keyword = SW_SPAN_LIT("X\"},\n\x01\xff");
    f.message.sender = SW_SPAN_LIT("\xff\"\\");
    f.recipient.address = SW_SPAN_LIT("");
    f.auth.user = SW_SPAN_LIT("a\0b");
    const char *line = session_line(&f, &plain_style, &out);
    assert_has(line, "\"mail_from\":\"\xef\xbf\xbd\\\"\\\\\",\"mail_from_hex\":\"ff225c\"");
    assert_has(line, "\"user\":\"a\\u0000b\"");
    assert_has(line, "{\"X\\\"},\\n\\u0001\xef\xbf\xbd\":\"PLAIN LOGIN\"");
    sw_writer_release(&out);
}

static void test_keywords_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    enum { MANY = 300 };
    static struct sw_capability many[MANY];
    static char names[MANY][8];
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "X%u", (unsigned)i % 1000);
        many[i] = (struct sw_capability){
            i + 1 < MANY ? &many[i + 1] : NULL, sw_span_str(names[i]), {NULL, 0}};
    }
    f.hello.capabilities = many;
    assert_has(session_line(&f, &plain_style, &out), "\"X127\":\"\",\"...\":172}");
    sw_writer_release(&out);
}

static void test_times_have_the_precision_of_the_capture(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_init(&f);
    f.facts.time_digits = 9;
    f.facts.first.time_ns += 1;
    assert_has(session_line(&f, &plain_style, &out),
               "\"start\":\"2023-11-14T22:13:20.100000001Z\"");
    sw_writer_release(&out);
}

static void test_ipv6_filter_and_icmp(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_init(&f);
    memset(&f.facts.tuple.src, 0, 32);
    f.facts.tuple.ip_version = 6;
    f.facts.tuple.src[0] = f.facts.tuple.dst[0] = 0xFD;
    f.facts.tuple.dst[15] = 1;
    f.facts.close = SW_CLOSE_ICMP;
    f.facts.icmp_count = 1;
    f.facts.icmp[0] =
        (struct sw_flow_icmp){.mark = fixture_mark(2), .type = 1, .code = 4, .ip_version = 6};
    memcpy(f.facts.icmp[0].from, f.facts.tuple.dst, 16);
    const char *line = session_line(&f, &plain_style, &out);
    assert_has(line, "ipv6.addr==fd00:: && ipv6.addr==fd00::1 && ");
    assert_has(
        line,
        "\"icmp\":[{\"type\":1,\"code\":4,\"from\":\"server\",\"frame\":2,\"ip\":\"fd00::1\"}]");
    assert_has(line, "\"closed_by\":\"network\",\"close\":\"icmp\"");
    sw_writer_release(&out);
}

/* A story of two sessions, the second of which was accepted. */
static void make_delivery(struct sw_delivery *d, struct sw_delivery_attempt attempts[2])
{
    static const struct sw_span recipients[] = {SW_SPAN_LIT("bob@example.org"),
                                                SW_SPAN_LIT("c\xff\x1b@example.org")};
    struct fixture f;
    fixture_init(&f);
    *d = (struct sw_delivery){.attempts = attempts, .attempt_count = 2};
    memcpy(d->id, "00000000000000aa", 17);
    for (int i = 0; i < 2; i++) {
        attempts[i] = (struct sw_delivery_attempt){
            .number = (uint64_t)i + 1,
            .tuple = f.facts.tuple,
            .has_server = true,
            .start_ns = FIXTURE_START_NS + i * SW_NS_PER_S,
            .outcome = i ? SW_OUTCOME_DELIVERED : SW_OUTCOME_STUCK,
            .settled = i == 0,
        };
        memcpy(attempts[i].id, i ? "0000000000000002" : "0000000000000001", 17);
    }
    d->tuple = f.facts.tuple;
    d->has_server = true;
    d->server_name = SW_SPAN_LIT("mx.example.org");
    d->server_name_source = "banner";
    d->has_sender = true;
    d->recipients = recipients;
    d->recipient_count = 2;
    d->outcome = SW_OUTCOME_DELIVERED;
    d->cause = SW_CAUSE_RCPT_GREYLISTED;
    d->confidence = SW_CONFIDENCE_LIKELY;
    d->first_attempt_ns = FIXTURE_START_NS;
    d->delivered_ns = FIXTURE_START_NS + 1500 * SW_NS_PER_MS;
    d->time_digits = 6;
    d->recovered_by = attempts[1].id;
    (void)snprintf(d->summary, sizeof(d->summary), "greylisted at 22:13:20, and so on");
}

static void test_delivery_line(void **state)
{
    (void)state;
    struct sw_delivery delivery;
    struct sw_delivery_attempt attempts[2];
    struct sw_part part;
    struct sw_writer out;
    make_delivery(&delivery, attempts);
    struct sw_record record = {.kind = SW_RECORD_DELIVERY, .delivery = &delivery};
    sw_writer_open_memory(&out);
    assert_true(
        sw_part_open(&part, sw_report_format_find("json"), &plain_style, &out, "m.pcap", 0));
    sw_part_record(&part, &record);
    delivery.recovered_by = NULL;
    delivery.cause = SW_CAUSE_NONE;
    delivery.has_sender = false;
    delivery.recipient_count = 0;
    delivery.delivered_ns = SW_TIME_NONE;
    attempts[1].same_as = true;
    sw_part_record(&part, &record);
    sw_part_close(&part);
    sw_writer_char(&out, '\0');
    char *line = (char *)out.bytes;
    char *second = strchr(line, '\n') + 1;
    assert_string_equal(second,
                        "{\"type\":\"delivery\",\"schema\":1,\"id\":\"00000000000000aa\","
                        "\"client\":{\"ip\":\"192.0.2.10\",\"port\":null,\"name\":null,"
                        "\"name_source\":null,\"proxied_for\":null},"
                        "\"destination\":{\"ip\":\"198.51.100.25\",\"port\":25,"
                        "\"name\":\"mx.example.org\",\"name_source\":\"banner\"},"
                        "\"mail_from\":null,\"recipients\":[],"
                        "\"attempts\":[\"0000000000000001\",\"0000000000000002\"],"
                        "\"outcome\":\"delivered\",\"cause\":null,"
                        "\"first_attempt\":\"2023-11-14T22:13:20.000000Z\",\"delivered_at\":null,"
                        "\"waited_s\":null,\"summary\":\"greylisted at 22:13:20, and so on\","
                        "\"recovered_by\":null,\"same_as\":[\"0000000000000002\"],"
                        "\"confidence\":\"likely\"}\n");
    second[0] = '\0';
    assert_json_line(line);
    assert_has(line, "\"mail_from\":\"\",\"recipients\":[\"bob@example.org\",\"c\xef\xbf\xbd");
    assert_has(line, "\"cause\":\"rcpt-greylisted\"");
    assert_has(line, "\"delivered_at\":\"2023-11-14T22:13:21.500000Z\",\"waited_s\":1.5,");
    assert_has(line, "\"recovered_by\":\"0000000000000002\",\"same_as\":[],");
    sw_writer_release(&out);
}

/* --fail-on stuck goes by the mail, not by the session. */
static void test_recovered_session_does_not_fail(void **state)
{
    (void)state;
    char message[SW_SELECT_MESSAGE_BYTES];
    for (int recovered = 0; recovered < 2; recovered++) {
        struct sw_select select = {0};
        struct sw_report_style style = plain_style;
        struct sw_delivery delivery;
        struct sw_delivery_attempt attempts[2];
        struct fixture f;
        struct sw_part part;
        struct sw_writer out;
        assert_true(sw_select_fail_on(&select, "stuck", message));
        style.select = &select;
        fixture_init(&f);
        make_delivery(&delivery, attempts);
        attempts[0].settled = recovered;
        sw_writer_open_memory(&out);
        assert_true(sw_part_open(&part, sw_report_format_find("json"), &style, &out, "m.pcap", 0));
        sw_part_record(&part, &(struct sw_record){.kind = SW_RECORD_SESSION,
                                                  .session = &f.session,
                                                  .verdict = &f.verdict});
        sw_part_record(&part,
                       &(struct sw_record){.kind = SW_RECORD_DELIVERY, .delivery = &delivery});
        sw_part_close(&part);
        assert_int_equal(part.matched, !recovered);
        sw_writer_release(&out);
    }
}

static void test_summary_line(void **state)
{
    (void)state;
    static struct sw_summary summary;
    struct fixture f;
    struct sw_part part;
    struct sw_writer out;
    sw_summary_init(&summary);
    fixture_delivered(&f);
    sw_summary_add(&summary, &f.session, &f.verdict);
    fixture_init(&f);
    sw_summary_add(&summary, &f.session, &f.verdict);
    sw_summary_damage(&summary, "a.pcap", 99, "cut \xff");
    summary.frames_read = 7;
    sw_writer_open_memory(&out);
    assert_true(sw_part_open(&part, sw_report_format_find("json"), &plain_style, &out, NULL, 1));
    struct sw_record record = {.kind = SW_RECORD_SUMMARY, .summary = &summary};
    sw_part_record(&part, &record);
    sw_part_close(&part);
    const char *line = written(&out);
    assert_json_line(line);
    assert_has(line, "{\"type\":\"summary\",\"schema\":1,\"frames\":{\"read\":7,");
    assert_has(
        line,
        "\"by_outcome\":{\"delivered\":1,\"partial\":0,\"stuck\":1,\"no-mail\":0,\"unknown\":0}");
    assert_has(line, "\"by_cause\":{\"tcp-syn-timeout\":1,\"ok-delivered\":1}");
    assert_has(line, "\"by_client\":[{\"ip\":\"192.0.2.10\",\"sessions\":2,");
    assert_has(line, "\"damage\":[{\"file\":\"a.pcap\",\"offset\":99,\"what\":\"cut "
                     "\xef\xbf\xbd\",\"what_hex\":\"63757420ff\"}]");
    sw_writer_release(&out);
    sw_summary_clear(&summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_of_this_test_can_fail),
        cmocka_unit_test(test_plain_text_has_no_sibling),
        cmocka_unit_test(test_bad_bytes_become_replacement_and_hex),
        cmocka_unit_test(test_controls_and_direction_marks_are_escaped),
        cmocka_unit_test(test_any_bytes_make_a_valid_line),
        cmocka_unit_test(test_an_odd_byte_is_escaped_wherever_it_stands),
        cmocka_unit_test(test_seconds_are_plain_decimals),
        cmocka_unit_test(test_session_without_anything),
        cmocka_unit_test(test_keys_keep_their_order),
        cmocka_unit_test(test_delivered_session),
        cmocka_unit_test(test_refused_session),
        cmocka_unit_test(test_hostile_names_stay_one_object),
        cmocka_unit_test(test_keywords_beyond_the_cap_are_counted),
        cmocka_unit_test(test_times_have_the_precision_of_the_capture),
        cmocka_unit_test(test_ipv6_filter_and_icmp),
        cmocka_unit_test(test_delivery_line),
        cmocka_unit_test(test_recovered_session_does_not_fail),
        cmocka_unit_test(test_summary_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
