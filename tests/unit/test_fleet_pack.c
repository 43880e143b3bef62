/*
 * What the fleet store keeps of a fact comes back as it was; an answer can come in any pieces, and
 * one that makes no sense is survived.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "store/fleet_query.h"

enum { FINDINGS = 3, ROOM = 8192 };

static struct sw_fact make(void)
{
    static const char *const files[] = {"mail.pcap0", "mail\t.pcap1\\"};
    struct sw_fact fact = {
        .id = "0123456789abcdef",
        .start_ns = -5,
        .file = files[0],
        .files = files,
        .file_count = 2,
        .first_frame = 1000,
        .has_server = true,
        .ip_version = 6,
        .client = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0xff, [15] = 0x9a},
        .server = {0x20, 1, 0xd, 0xb8, [15] = 25},
        .server_port = 587,
        .server_name = sw_span_str("mx.example.org"),
        .outcome = SW_OUTCOME_STUCK,
        .cause = sw_cause_by_id(sw_span_str("auth-bad-credentials")),
        .login = SW_SEEN_YES,
        .logins = {{.user = sw_span_str("a\tb\\\n"), .exposed = true, .frame = 1004},
                   {.user = sw_span_str("bob"), .frame = 0},
                   {.user = {NULL, 0}, .exposed = true, .frame = (UINT64_C(1) << 48) + 2}},
        .login_count = 3,
        .starttls_frame = 1000,
        .tls = SW_SEEN_YES,
        .tls_version = 0x0304,
        .tls_frame = 999, /* before the first: an earlier session's */
        .certified = SW_SEEN_YES,
        .certificate = {.known = true,
                        .subject = sw_span_str("CN=mx"),
                        .issuer = sw_span_str("CN=ca"),
                        .names = sw_span_str("a.example\nb.example"),
                        .sha256 = "feed",
                        .not_before = "2024-01-01T00:00:00Z",
                        .not_after = "2025-01-01T00:00:00Z",
                        .problems = 5,
                        .frame = 1010},
        .greeting_delay_ns = SW_TIME_NONE,
        .greeting_due = true,
    };
    for (unsigned i = 0; i < FINDINGS; i++)
        fact.findings[fact.finding_count++] = (struct sw_fact_finding){
            (enum sw_finding_id)(i * 7), (enum sw_severity)(i + 1), i == 1 ? 0 : 1000 + i};
    return fact;
}

static void assert_same_findings(const struct sw_fact *a, const struct sw_fact *b)
{
    assert_int_equal(a->finding_count, b->finding_count);
    for (unsigned i = 0; i < a->finding_count; i++) {
        assert_int_equal(a->findings[i].id, b->findings[i].id);
        assert_int_equal(a->findings[i].severity, b->findings[i].severity);
        assert_int_equal(a->findings[i].frame, b->findings[i].frame);
    }
}

#define ASSERT_SAME_SPAN(a, b) assert_true(sw_span_eq((a), (b)))

static void assert_same_certificate(const struct sw_fact_certificate *a,
                                    const struct sw_fact_certificate *b)
{
    assert_int_equal(a->known, b->known);
    ASSERT_SAME_SPAN(a->subject, b->subject);
    ASSERT_SAME_SPAN(a->issuer, b->issuer);
    ASSERT_SAME_SPAN(a->names, b->names);
    assert_string_equal(a->sha256, b->sha256);
    assert_string_equal(a->not_before, b->not_before);
    assert_string_equal(a->not_after, b->not_after);
    assert_int_equal(a->problems, b->problems);
    assert_int_equal(a->frame, b->frame);
}

static void assert_same(const struct sw_fact *a, const struct sw_fact *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->start_ns, b->start_ns);
    assert_int_equal(a->first_frame, b->first_frame);
    assert_int_equal(a->has_server, b->has_server);
    assert_int_equal(a->ip_version, b->ip_version);
    assert_memory_equal(a->client, b->client, sizeof(a->client));
    assert_memory_equal(a->server, b->server, sizeof(a->server));
    assert_int_equal(a->server_port, b->server_port);
    ASSERT_SAME_SPAN(a->server_name, b->server_name);
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->login, b->login);
    assert_int_equal(a->login_count, b->login_count);
    for (unsigned i = 0; i < a->login_count; i++) {
        ASSERT_SAME_SPAN(a->logins[i].user, b->logins[i].user);
        assert_int_equal(a->logins[i].exposed, b->logins[i].exposed);
        assert_int_equal(a->logins[i].frame, b->logins[i].frame);
    }
    assert_int_equal(a->clear_mail_frame, b->clear_mail_frame);
    assert_int_equal(a->starttls_frame, b->starttls_frame);
    assert_int_equal(a->tls, b->tls);
    assert_int_equal(a->tls_version, b->tls_version);
    assert_int_equal(a->tls_frame, b->tls_frame);
    assert_int_equal(a->certified, b->certified);
    assert_same_certificate(&a->certificate, &b->certificate);
    assert_int_equal(a->greeting_due, b->greeting_due);
    assert_int_equal(a->greeting_frame, b->greeting_frame);
    assert_same_findings(a, b);
}

static struct sw_span written(const struct sw_fleet_text *text)
{
    assert_false(text->failed);
    return sw_span_make(text->bytes, text->used);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct sw_fact fact = make();
    struct sw_fact back = {.id = "", .greeting_delay_ns = SW_TIME_NONE};
    struct sw_fleet_text alike = {.bytes = NULL};
    struct sw_fleet_text example = {.bytes = NULL};
    struct sw_fleet_codes codes;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    sw_fleet_codes_init(&codes);
    sw_fleet_pack_alike(&alike, &fact);
    sw_fleet_pack_example(&example, &fact, "sensor");
    sw_fleet_unpack_alike(&back, &codes, written(&alike), &arena);
    sw_fleet_unpack_example(&back, written(&example), &arena);
    assert_same(&back, &fact);
    assert_string_equal(back.file, "sensor:mail.pcap0");
    assert_int_equal(back.file_count, 2);
    assert_string_equal(back.files[1], "sensor:mail\t.pcap1\\");
    sw_arena_release(&arena);
    sw_fleet_text_release(&alike);
    sw_fleet_text_release(&example);
}

static void test_what_is_found_at_a_client(void **state)
{
    (void)state;
    struct sw_fact fact = make();
    struct sw_fact back = {.id = ""};
    struct sw_fleet_text text = {.bytes = NULL};
    struct sw_fleet_codes codes;
    sw_fleet_codes_init(&codes);
    sw_fleet_pack_found(&text, &fact);
    sw_fleet_unpack_found_alone(&back, &codes, written(&text));
    assert_int_equal(back.ip_version, 6);
    assert_memory_equal(back.client, fact.client, sizeof(fact.client));
    for (unsigned i = 0; i < FINDINGS; i++)
        fact.findings[i].frame = 0;
    assert_same_findings(&back, &fact);
    fact.finding_count = 0;
    sw_fleet_pack_found(&text, &fact);
    assert_int_equal(text.used, 0);
    sw_fleet_text_release(&text);
}

/* One that a later version made: it has gone, and the frames of the others are theirs. */
static void test_a_finding_that_is_not_known(void **state)
{
    (void)state;
    struct sw_fact fact = make();
    struct sw_fact back = {.id = ""};
    struct sw_fleet_text text = {.bytes = NULL};
    struct sw_fleet_text example = {.bytes = NULL};
    struct sw_fleet_codes codes;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    sw_fleet_codes_init(&codes);
    sw_fleet_pack_found(&text, &fact);
    sw_fleet_pack_example(&example, &fact, "sensor");
    codes.codes[fact.findings[0].id] ^= 1;
    sw_fleet_unpack_found(&back, &codes, written(&text));
    sw_fleet_unpack_example(&back, written(&example), &arena);
    memmove(fact.findings, fact.findings + 1, (FINDINGS - 1) * sizeof(fact.findings[0]));
    fact.finding_count--;
    assert_same_findings(&back, &fact);
    sw_arena_release(&arena);
    sw_fleet_text_release(&text);
    sw_fleet_text_release(&example);
}

/* The codes stand in stores: they must differ, and never become others. */
static void test_codes(void **state)
{
    (void)state;
    struct sw_fleet_codes codes;
    sw_fleet_codes_init(&codes);
    for (int i = 0; i < SW_FINDING_COUNT; i++) {
        for (int k = 0; k < i; k++)
            assert_int_not_equal(codes.codes[i], codes.codes[k]);
    }
    struct sw_fact fact = {.ip_version = 4, .client = {192, 0, 2, 1}, .finding_count = 1};
    fact.findings[0] =
        (struct sw_fact_finding){SW_FINDING_PLAINTEXT_AUTH_USED, SW_SEVERITY_CRITICAL, 0};
    struct sw_fleet_text text = {.bytes = NULL};
    sw_fleet_pack_found(&text, &fact);
    assert_true(sw_span_eq(written(&text), SW_SPAN_LIT("4c0000201 t23l94")));
    sw_fleet_text_release(&text);
}

struct answer {
    uint8_t bytes[ROOM];
    size_t used;
};

static void put_number(struct answer *answer, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        answer->bytes[answer->used++] = (uint8_t)(value >> 8 * i);
}

static void put_text(struct answer *answer, struct sw_span text)
{
    size_t left = text.len;
    for (; left >= 128; left >>= 7)
        answer->bytes[answer->used++] = (uint8_t)(left | 128);
    answer->bytes[answer->used++] = (uint8_t)left;
    memcpy(answer->bytes + answer->used, text.ptr, text.len);
    answer->used += text.len;
}

static void make_answer(struct answer *answer, enum sw_fact_part part, unsigned rows, bool keywords)
{
    struct sw_fact fact = make();
    struct sw_fleet_text text = {.bytes = NULL};
    struct sw_fleet_text example = {.bytes = NULL};
    answer->used = 0;
    for (unsigned i = 0; i < rows; i++) {
        fact.server_port = (uint16_t)i;
        put_number(answer, i + 1);
        if (part == SW_FACT_BUT_CLIENT)
            sw_fleet_pack_alike(&text, &fact);
        else
            sw_fleet_pack_found(&text, &fact);
        put_text(answer, written(&text));
        if (part == SW_FACT_CLIENT_COUNT)
            continue;
        sw_fleet_pack_example(&example, &fact, "s");
        put_text(answer, written(&example));
        put_number(answer, (uint64_t)(fact.start_ns + 10));
        for (unsigned k = 0; part == SW_FACT_BUT_CLIENT && k < 2; k++)
            put_number(answer, 77 + k);
        if (part == SW_FACT_BUT_CLIENT && keywords) {
            put_text(answer, SW_SPAN_LIT("STARTTLS SIZE=1000"));
            put_text(answer, SW_SPAN_LIT(""));
        }
    }
    sw_fleet_text_release(&text);
    sw_fleet_text_release(&example);
}

struct seen {
    enum sw_fact_part part;
    const char *keywords;
    uint64_t rows, sessions;
};

static void on_fact(void *ctx, const struct sw_fact *fact)
{
    struct seen *seen = ctx;
    struct sw_fact wanted = make();
    assert_int_equal(fact->part, seen->part);
    assert_memory_equal(fact->client, wanted.client, sizeof(wanted.client));
    assert_int_equal(fact->finding_count, FINDINGS);
    if (seen->part != SW_FACT_CLIENT_COUNT)
        assert_int_equal(fact->span_ns, 10);
    if (seen->part == SW_FACT_BUT_CLIENT)
        assert_int_equal(fact->greeting_wait_ns, 78);
    if (seen->part == SW_FACT_BUT_CLIENT)
        assert_int_equal(fact->server_port, seen->rows);
    assert_true(sw_span_eq(fact->clear_keywords, sw_span_str(seen->keywords)));
    assert_int_equal(fact->inner_keywords.len, 0);
    seen->rows++;
    seen->sessions += sw_fact_count(fact);
}

static void test_an_answer_in_pieces(void **state)
{
    (void)state;
    static const enum sw_fact_part parts[] = {SW_FACT_BUT_CLIENT, SW_FACT_CLIENT,
                                              SW_FACT_CLIENT_COUNT, SW_FACT_BUT_CLIENT};
    struct answer answer;
    for (unsigned p = 0; p < 4; p++) {
        make_answer(&answer, parts[p], 3, p == 3);
        for (size_t piece = 1; piece <= answer.used; piece += piece < 20 ? 1 : 97) {
            struct seen seen = {.part = parts[p], .keywords = p == 3 ? "STARTTLS SIZE=1000" : ""};
            struct sw_fleet_reader reader;
            sw_fleet_reader_init(&reader, on_fact, &seen);
            reader.part = parts[p];
            reader.keywords = p == 3;
            for (size_t at = 0; at < answer.used; at += piece) {
                size_t n = answer.used - at < piece ? answer.used - at : piece;
                assert_true(sw_fleet_reader_take(&reader, sw_span_make(answer.bytes + at, n)));
                assert_int_equal(sw_fleet_reader_is_done(&reader),
                                 at + n == answer.used || reader.used == 0);
            }
            assert_true(sw_fleet_reader_is_done(&reader));
            assert_int_equal(seen.rows, 3);
            assert_int_equal(seen.sessions, 6);
            sw_fleet_reader_release(&reader);
        }
    }
}

static void ignore(void *ctx, const struct sw_fact *fact)
{
    uint64_t *sum = ctx;
    for (unsigned i = 0; i < fact->finding_count; i++)
        assert_true(fact->findings[i].id < SW_FINDING_COUNT);
    *sum += sw_fact_count(fact) + fact->login_count;
}

/* A server may answer anything. */
static void test_nonsense_is_survived(void **state)
{
    (void)state;
    struct answer answer;
    uint64_t chance = 4711;
    uint64_t sum = 0;
    for (unsigned round = 0; round < 20000; round++) {
        enum sw_fact_part part = (enum sw_fact_part)(1 + round % 3);
        make_answer(&answer, part, 2, round % 2);
        for (unsigned i = 0; i < 1 + round % 5; i++) {
            chance = chance * 6364136223846793005u + 1442695040888963407u;
            answer.bytes[(chance >> 33) % answer.used] = (uint8_t)(chance >> 20);
        }
        struct sw_fleet_reader reader;
        sw_fleet_reader_init(&reader, ignore, &sum);
        reader.part = part;
        reader.keywords = round % 2;
        (void)sw_fleet_reader_take(&reader,
                                   sw_span_make(answer.bytes, answer.used - (chance >> 60)));
        sw_fleet_reader_release(&reader);
    }
    assert_true(sum > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_found_at_a_client),
        cmocka_unit_test(test_a_finding_that_is_not_known),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_an_answer_in_pieces),
        cmocka_unit_test(test_nonsense_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
