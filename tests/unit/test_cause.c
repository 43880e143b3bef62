#include "analyzer/advice.h"
#include "analyzer/cause.h"
#include "analyzer/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { CAUSES = 153, FINDINGS = 56, TIER_ONE = 99 };

static bool contains(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

static void every_cause_is_complete(void **state)
{
    (void)state;
    unsigned tier_one = 0;
    assert_int_equal(SW_CAUSE_COUNT - 1, CAUSES);
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        enum sw_cause cause = (enum sw_cause)i;
        const struct sw_cause_info *info = sw_cause_info(cause);
        assert_true(info->id[0] != '\0');
        assert_int_equal(sw_cause_by_id(sw_span_str(info->id)), cause); /* so ids are unique */
        assert_true(info->tier == 1 || info->tier == 2);
        assert_true(info->family < SW_FAMILY_COUNT && info->actor < SW_ACTOR_COUNT);
        tier_one += info->tier == 1 ? 1 : 0;
        /* a specialisation must say of what, and what it falls back to must stand by itself */
        if (info->tier == 2)
            assert_true(info->parent != SW_CAUSE_NONE);
        enum sw_cause parent = info->parent;
        for (unsigned depth = 0; parent != SW_CAUSE_NONE; depth++) {
            assert_true(depth < 5 && parent != cause);
            parent = sw_cause_info(parent)->parent;
        }
    }
    assert_int_equal(tier_one, TIER_ONE);
    assert_string_equal(sw_cause_name(SW_CAUSE_NONE), "");
    assert_int_equal(sw_cause_by_id(SW_SPAN_LIT("no-such-cause")), SW_CAUSE_NONE);
    assert_int_equal(sw_cause_by_id(SW_SPAN_LIT("TCP-Refused")), SW_CAUSE_TCP_REFUSED);
}

static void families_stand_together(void **state)
{
    (void)state;
    bool seen[SW_FAMILY_COUNT] = {false};
    enum sw_family before = SW_FAMILY_COUNT;
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        enum sw_family family = sw_cause_info((enum sw_cause)i)->family;
        if (family != before)
            assert_false(seen[family]);
        seen[family] = true;
        before = family;
    }
    for (unsigned i = 0; i < SW_FAMILY_COUNT; i++)
        assert_true(seen[i]);
}

static void causes_match_a_few_rows_of_the_public_list(void **state)
{
    (void)state;
    const struct sw_cause_info *info = sw_cause_info(SW_CAUSE_RCPT_SPF_FAIL);
    assert_string_equal(info->id, "rcpt-spf-fail");
    assert_int_equal(info->tier, 2);
    assert_int_equal(info->parent, SW_CAUSE_DATA_AUTH_POLICY);
    assert_int_equal(info->actor, SW_ACTOR_SENDER_ADMIN);
    assert_int_equal(info->permanence, SW_PERMANENCE_PERMANENT);
    info = sw_cause_info(SW_CAUSE_TCP_ATTEMPT_SUPERSEDED);
    assert_int_equal(info->permanence, SW_PERMANENCE_NONE);
    info = sw_cause_info(SW_CAUSE_ENC_NO_UPLOAD);
    assert_int_equal(info->permanence, SW_PERMANENCE_UNKNOWN);
    assert_string_equal(sw_family_name(sw_cause_info(SW_CAUSE_TCP_REFUSED)->family), "tcp-connect");
}

/* Words that a help desk cannot read out to a user. */
static const char *const jargon[] = {"SYN", "RST", "FIN",  "EHLO", "HELO",  "RCPT",   "STARTTLS",
                                     "TLS", "SSL", "ICMP", "ACK",  "SMTP ", "TCP",    "DATA",
                                     "PTR", "SPF", "DNS",  "4yz",  "5yz",   "{reply}"};

static bool is_one_sentence(const char *text)
{
    size_t length = strlen(text);
    return length > 20 && length < 220 && text[length - 1] == '.' && !contains(text, ". ") &&
           !contains(text, "\n");
}

static void every_summary_can_be_read_out(void **state)
{
    (void)state;
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        const char *summary = sw_cause_wording((enum sw_cause)i)->summary;
        if (!summary || !is_one_sentence(summary))
            fail_msg("%s: not one sentence", sw_cause_name((enum sw_cause)i));
        for (size_t j = 0; j < sizeof(jargon) / sizeof(jargon[0]); j++) {
            if (contains(summary, jargon[j]))
                fail_msg("%s: \"%s\" in the summary", sw_cause_name((enum sw_cause)i), jargon[j]);
        }
    }
}

/* A success: nothing failed, so nobody has to do anything. */
static bool is_success(enum sw_cause cause)
{
    const struct sw_cause_info *info = sw_cause_info(cause);
    bool family = info->family == SW_FAMILY_OUTCOME || info->family == SW_FAMILY_QUIT;
    bool encrypted = cause == SW_CAUSE_ENC_LIKELY_DELIVERED || cause == SW_CAUSE_ENC_NO_UPLOAD;
    return cause == SW_CAUSE_TCP_ATTEMPT_SUPERSEDED ||
           (family && info->actor == SW_ACTOR_NONE && !encrypted);
}

/* A whole step that somebody can take: no fragment, no filler. One in brackets is for some sessions
 * only. */
static bool is_advice(const char *step)
{
    size_t length = strlen(step);
    bool section =
        length > 4 && strncmp(step, "[[", 2) == 0 && strcmp(step + length - 2, "]]") == 0;
    char last = step[length - (section ? 3 : 1)];
    return length > 10 && last == '.' && step[0] != ' ';
}

static void every_cause_has_words(void **state)
{
    (void)state;
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        enum sw_cause cause = (enum sw_cause)i;
        const struct sw_cause_wording *w = sw_cause_wording(cause);
        if (!w->meaning || strlen(w->meaning) < 40 || w->meaning[strlen(w->meaning) - 1] != '.')
            fail_msg("%s: no explanation", sw_cause_name(cause));
        assert_true(w->references && w->references[0] != '\0');
        size_t steps = 0;
        for (; steps < SW_ADVICE_MAX && w->advice[steps]; steps++) {
            if (!is_advice(w->advice[steps]))
                fail_msg("%s: \"%s\" is no advice", sw_cause_name(cause), w->advice[steps]);
        }
        bool single = cause == SW_CAUSE_DATA_NO_VALID_RCPT || cause == SW_CAUSE_UNK_IN_PROGRESS;
        if (is_success(cause))
            assert_int_equal(steps, 0);
        else if (steps < (single ? 1u : 2u))
            fail_msg("%s: too little advice", sw_cause_name(cause));
    }
}

/* An explanation that fits two causes explains neither. */
static void no_two_causes_share_their_explanation(void **state)
{
    (void)state;
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        for (unsigned j = i + 1; j < SW_CAUSE_COUNT; j++) {
            const struct sw_cause_wording *a = sw_cause_wording((enum sw_cause)i);
            const struct sw_cause_wording *b = sw_cause_wording((enum sw_cause)j);
            if (strcmp(a->meaning, b->meaning) == 0)
                fail_msg("%s and %s say the same", sw_cause_name((enum sw_cause)i),
                         sw_cause_name((enum sw_cause)j));
        }
    }
}

/* The clients are named where a setting is to be changed in them. */
static void settings_are_named_as_in_the_menus(void **state)
{
    (void)state;
    static const enum sw_cause client_side[] = {
        SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED, SW_CAUSE_AUTH_BAD_CREDENTIALS,
        SW_CAUSE_STARTTLS_REQUIRED_NOT_USED,  SW_CAUSE_TCP_PORT25_BLOCKED,
        SW_CAUSE_RCPT_RELAY_DENIED,           SW_CAUSE_DNS_NXDOMAIN,
        SW_CAUSE_MODE_PLAIN_TO_TLS_PORT,      SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS,
    };
    static const char *const programs[] = {"Outlook", "Windows Live Mail", "Thunderbird",
                                           "Apple Mail"};
    for (size_t i = 0; i < sizeof(client_side) / sizeof(client_side[0]); i++) {
        const char *first = sw_cause_wording(client_side[i])->advice[0];
        for (size_t j = 0; j < sizeof(programs) / sizeof(programs[0]); j++)
            assert_true(contains(first, programs[j]));
    }
}

static void every_template_is_valid_and_fills(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 22, NULL);
    static const struct sw_template_values values = {
        .server = "mail.example.org",
        .port = "587",
        .reply = "\"550 no\"",
        .wait = "2 minutes",
        .recipient = "b@example.org",
        .sender = "a@example.org",
        .client = "192.0.2.7",
        .user = "a",
        .mechanism = "LOGIN",
        .code = "550",
        .size = "35 MB",
        .limit = "25 MB",
        .offered = "PLAIN",
        .what = "MAIL",
    };
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        const struct sw_cause_wording *w = sw_cause_wording((enum sw_cause)i);
        const char *texts[2 + SW_ADVICE_MAX] = {w->summary,   w->meaning,   w->advice[0],
                                                w->advice[1], w->advice[2], w->advice[3],
                                                w->advice[4]};
        for (size_t j = 0; j < 2 + SW_ADVICE_MAX && texts[j]; j++) {
            assert_true(sw_template_valid(texts[j]));
            for (unsigned known = 0; known < 2; known++) {
                const char *filled = sw_template_fill(texts[j], known ? &values : NULL, &arena);
                assert_non_null(filled);
                assert_false(contains(filled, "{") || contains(filled, "}"));
                assert_false(contains(filled, "[[") || contains(filled, "]]"));
                assert_false(contains(filled, "  ") || contains(filled, " ."));
                assert_false(contains(filled, "the the") || contains(filled, "port port"));
            }
        }
    }
    sw_arena_release(&arena);
}

static void templates_fall_back_to_nouns(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    struct sw_template_values values = {.server = "mail.example.org", .reply = "\"550 no\""};
    assert_string_equal(sw_template_fill("{server} said no on {port}.", NULL, &arena),
                        "The server said no on this port.");
    assert_string_equal(sw_template_fill("{server} said no to {recipient}.", &values, &arena),
                        "mail.example.org said no to the recipient.");
    assert_string_equal(sw_template_fill("No[[: {reply}]].", NULL, &arena), "No.");
    assert_string_equal(sw_template_fill("No[[: {reply}]].", &values, &arena), "No: \"550 no\".");
    assert_string_equal(sw_template_fill("A[[ ({size}, {limit})]]. {client} b.", NULL, &arena),
                        "A. The sending computer b.");
    values.port = "587";
    assert_string_equal(sw_template_fill("on {port}", &values, &arena), "on port 587");
    values.server = "";
    assert_string_equal(sw_template_fill("to {server}", &values, &arena), "to the server");
    assert_false(sw_template_valid("a {nonsense}"));
    assert_false(sw_template_valid("open [[ {reply}"));
    assert_false(sw_template_valid("{reply} outside of a section"));
    sw_arena_release(&arena);
}

static void names_in_a_template_are_found(void **state)
{
    (void)state;
    assert_int_equal(sw_template_names("No name {here} or {."), 0);
    assert_int_equal(sw_template_names("{server} [[{reply}]] {server}, {domain}"),
                     SW_TEMPLATE_NAME(server) | SW_TEMPLATE_NAME(reply) | SW_TEMPLATE_NAME(domain));
}

static void a_long_template_is_filled_as_a_whole(void **state)
{
    (void)state;
    enum { TIMES = 100 };
    static const char piece[] = "To {server}, ";
    static const char filled[] = "To mail.example.org, ";
    char text[TIMES * sizeof(piece)] = "";
    char expected[TIMES * sizeof(filled)] = "";
    for (size_t i = 0; i < TIMES; i++) {
        memcpy(text + i * (sizeof(piece) - 1), piece, sizeof(piece));
        memcpy(expected + i * (sizeof(filled) - 1), filled, sizeof(filled));
    }
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    const struct sw_template_values values = {.server = "mail.example.org"};
    assert_string_equal(sw_template_fill(text, &values, &arena), expected);
    sw_arena_release(&arena);
}

static void a_full_arena_gives_null(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 8, NULL);
    assert_null(sw_template_fill("a long text for {server} that does not fit", NULL, &arena));
    sw_arena_release(&arena);
}

static void names_are_those_of_the_record(void **state)
{
    (void)state;
    assert_string_equal(sw_stage_name(SW_STAGE_DNS), "dns");
    assert_string_equal(sw_stage_name(SW_STAGE_BODY), "body");
    assert_string_equal(sw_stage_name(SW_STAGE_QUIT), "quit");
    assert_string_equal(sw_actor_name(SW_ACTOR_RECIPIENT_SIDE), "recipient-side");
    assert_string_equal(sw_permanence_name(SW_PERMANENCE_UNKNOWN), "unknown");
    for (unsigned i = 0; i < SW_STAGE_COUNT; i++)
        assert_non_null(sw_stage_name((enum sw_stage)i));
    for (unsigned i = 0; i < SW_ACTOR_COUNT; i++)
        assert_non_null(sw_actor_name((enum sw_actor)i));
    for (unsigned i = 0; i < SW_FAMILY_COUNT; i++)
        assert_non_null(sw_family_name((enum sw_family)i));
}

static void every_finding_is_complete(void **state)
{
    (void)state;
    assert_int_equal(SW_FINDING_COUNT, FINDINGS);
    for (unsigned i = 0; i < SW_FINDING_COUNT; i++) {
        enum sw_finding_id id = (enum sw_finding_id)i;
        const struct sw_finding_info *info = sw_finding_info(id);
        const struct sw_finding_wording *w = sw_finding_wording(id);
        assert_int_equal(strncmp(info->id, "aud-", 4), 0);
        assert_int_equal(sw_finding_by_id(sw_span_str(info->id)), id);
        assert_true(info->severity < SW_SEVERITY_COUNT);
        assert_true(w->summary && is_one_sentence(w->summary));
        assert_true(w->meaning && strlen(w->meaning) > 20);
        assert_true(w->advice && strlen(w->advice) > 10);
        assert_true(w->references && w->references[0] != '\0');
        assert_true(!w->guard || strlen(w->guard) > 10);
    }
    assert_int_equal(sw_finding_by_id(SW_SPAN_LIT("aud-nothing")), SW_FINDING_COUNT);
    assert_int_equal(sw_finding_info(SW_FINDING_SMUGGLING_SEQUENCE)->severity,
                     SW_SEVERITY_CRITICAL);
}

static void severities_are_ordered_and_named(void **state)
{
    (void)state;
    assert_true(SW_SEVERITY_INFO < SW_SEVERITY_LOW && SW_SEVERITY_HIGH < SW_SEVERITY_CRITICAL);
    for (unsigned i = 0; i < SW_SEVERITY_COUNT; i++) {
        enum sw_severity severity = SW_SEVERITY_COUNT;
        const char *name = sw_severity_name((enum sw_severity)i);
        assert_true(sw_severity_by_name(sw_span_str(name), &severity));
        assert_int_equal(severity, i);
    }
    enum sw_severity severity;
    assert_false(sw_severity_by_name(SW_SPAN_LIT("grave"), &severity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_is_complete),
        cmocka_unit_test(families_stand_together),
        cmocka_unit_test(causes_match_a_few_rows_of_the_public_list),
        cmocka_unit_test(every_summary_can_be_read_out),
        cmocka_unit_test(every_cause_has_words),
        cmocka_unit_test(no_two_causes_share_their_explanation),
        cmocka_unit_test(settings_are_named_as_in_the_menus),
        cmocka_unit_test(every_template_is_valid_and_fills),
        cmocka_unit_test(templates_fall_back_to_nouns),
        cmocka_unit_test(names_in_a_template_are_found),
        cmocka_unit_test(a_long_template_is_filled_as_a_whole),
        cmocka_unit_test(a_full_arena_gives_null),
        cmocka_unit_test(names_are_those_of_the_record),
        cmocka_unit_test(every_finding_is_complete),
        cmocka_unit_test(severities_are_ordered_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
