/*
 * The ladder of a session: which rungs there are, in which order, and what is marked.
 */
#include "report/ladder.h"
#include "report/ladder_json.h"
#include "report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void build(struct sw_ladder *ladder, struct fixture *f, bool anonymize)
{
    struct sw_veil veil;
    sw_veil_init(&veil, anonymize, sw_hash_fixed_key);
    sw_veil_session(&veil, &f->session);
    sw_ladder_build(ladder, &f->session, &f->verdict, &veil);
    sw_veil_release(&veil);
    assert_false(ladder->cut);
}

static void assert_rung(const struct sw_rung *rung, enum sw_rung_kind kind, uint64_t frame,
                        const char *text)
{
    assert_int_equal(rung->kind, kind);
    assert_int_equal(rung->first.frame, frame);
    assert_int_equal(rung->text.len, strlen(text));
    assert_memory_equal(rung->text.ptr, text, strlen(text));
}

static void test_unanswered(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    fixture_init(&f);
    f.facts.last_syn.time_ns += 7 * SW_NS_PER_S;
    f.facts.syn_ns[2] = f.facts.last_syn.time_ns;
    f.facts.last = f.facts.last_syn;
    f.evidence.mark = f.facts.last_syn;
    build(&ladder, &f, false);
    assert_int_equal(ladder.count, 3);
    assert_rung(&ladder.rungs[0], SW_RUNG_TCP, 1, "SYN");
    assert_true(ladder.rungs[0].lost);
    assert_rung(&ladder.rungs[1], SW_RUNG_SILENCE, 0, "nothing for 7.2 s, waiting for the server");
    assert_int_equal(ladder.rungs[1].from, SW_ORIGIN_SERVER);
    assert_rung(&ladder.rungs[2], SW_RUNG_TCP, 3, "SYN again, 3 in all: after 0.1 and 7.2 s");
    assert_int_equal(ladder.rungs[2].evidence, 1);
    assert_int_equal(ladder.rungs[0].evidence, 0);
    sw_ladder_release(&ladder);
}

static void test_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    fixture_refused(&f, SW_SPAN_LIT("5.7.1 Relay access denied"));
    build(&ladder, &f, false);
    assert_rung(&ladder.rungs[0], SW_RUNG_TCP, 1, "SYN");
    assert_false(ladder.rungs[0].lost);
    assert_rung(&ladder.rungs[1], SW_RUNG_TCP, 2, "SYN, ACK");
    assert_rung(&ladder.rungs[2], SW_RUNG_TCP, 3, "ACK: connected");
    assert_rung(&ladder.rungs[3], SW_RUNG_REPLY, 4, "220 mx.example.org ESMTP");
    assert_rung(&ladder.rungs[4], SW_RUNG_COMMAND, 5, "EHLO LAPTOP-ANNA");
    const struct sw_rung *last = &ladder.rungs[ladder.count - 1];
    assert_rung(last, SW_RUNG_REPLY, f.evidence.mark.frame, "550 5.7.1 Relay access denied");
    assert_int_equal(last->mood, SW_RUNG_BAD);
    assert_int_equal(last->evidence, 1);
    assert_int_equal(last->code, 550);
    sw_ladder_release(&ladder);
}

/* Evidence that no rung shows gets one. */
static void test_evidence_of_its_own(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    fixture_refused(&f, SW_SPAN_LIT("no"));
    f.evidence.mark = fixture_mark(77);
    f.evidence.from = SW_ORIGIN_NETWORK;
    f.evidence.what = "last frame of the connection";
    build(&ladder, &f, false);
    const struct sw_rung *found = NULL;
    for (uint32_t i = 0; i < ladder.count; i++)
        found = ladder.rungs[i].evidence ? &ladder.rungs[i] : found;
    assert_non_null(found);
    assert_rung(found, SW_RUNG_TCP, 77, "last frame of the connection");
    sw_ladder_release(&ladder);
}

/* Several commands in one frame: the mark is on the one that is meant, or on what is none. */
static void test_evidence_among_pipelined_commands(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    fixture_refused(&f, SW_SPAN_LIT("no"));
    struct sw_step *rcpt = f.recipient.command;
    f.message.mail->first = rcpt->first;
    f.facts.half[SW_CLIENT].fin = rcpt->first;
    f.evidence = (struct sw_evidence){
        .mark = rcpt->first, .step = rcpt, .from = SW_ORIGIN_CLIENT, .what = "RCPT"};
    const char *marked[] = {"RCPT TO:<bob@example.org>", "FIN: closes"};
    for (int i = 0; i < 2; i++) {
        build(&ladder, &f, false);
        for (uint32_t k = 0; k < ladder.count; k++) {
            if (ladder.rungs[k].evidence)
                assert_memory_equal(ladder.rungs[k].text.ptr, marked[i], strlen(marked[i]));
        }
        sw_ladder_release(&ladder);
        f.evidence.step = NULL; /* the end of the connection, in the same frame */
    }
}

static void test_secrets_and_names(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    fixture_delivered(&f);
    build(&ladder, &f, true);
    bool masked = false;
    for (uint32_t i = 0; i < ladder.count; i++) {
        struct sw_span text = ladder.rungs[i].text;
        assert_int_equal(sw_span_find_nocase(text, SW_SPAN_LIT("bob@example.org")), text.len);
        assert_int_equal(sw_span_find_nocase(text, SW_SPAN_LIT("192.0.2.10")), text.len);
        masked = masked || sw_span_find_nocase(text, SW_SPAN_LIT("AUTH PLAIN ***")) < text.len;
    }
    assert_true(masked);
    sw_ladder_release(&ladder);
}

static void test_json(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_ladder ladder;
    struct sw_writer out;
    struct sw_json json;
    fixture_init(&f);
    build(&ladder, &f, false);
    sw_writer_open_memory(&out);
    sw_json_begin(&json, &out);
    sw_json_object(&json, NULL);
    sw_ladder_json(&ladder, &json, "ladder");
    sw_json_end_object(&json);
    sw_writer_char(&out, '\0');
    assert_string_equal(
        (const char *)out.bytes,
        "{\"ladder\":[{\"kind\":\"tcp\",\"mood\":\"plain\",\"stage\":\"connect\",\"from\":"
        "\"client\",\"frame\":1,\"last_frame\":1,\"t_s\":0,\"lasted_s\":0,\"packets\":1,"
        "\"code\":null,\"lost\":true,\"encrypted\":false,\"evidence\":null,\"proves\":null,"
        "\"text\":\"SYN\"},{\"kind\":\"tcp\",\"mood\":\"odd\",\"stage\":\"connect\",\"from\":"
        "\"client\",\"frame\":3,\"last_frame\":3,\"t_s\":0.2,\"lasted_s\":0,\"packets\":2,"
        "\"code\":null,\"lost\":true,\"encrypted\":false,\"evidence\":1,\"proves\":\"third "
        "SYN\",\"text\":\"SYN again, 3 in all: after 0.1 and 0.2 s\"}]}");
    sw_writer_release(&out);
    sw_ladder_release(&ladder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unanswered),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_evidence_of_its_own),
        cmocka_unit_test(test_evidence_among_pipelined_commands),
        cmocka_unit_test(test_secrets_and_names),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
