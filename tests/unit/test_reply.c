#include "analyzer/reply.h"

#include "replies/replies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int build_kb(void **state)
{
    struct sw_reply_kb *kb = malloc(sizeof(*kb));
    assert_non_null(kb);
    assert_true(sw_reply_kb_init(kb));
    *state = kb;
    return 0;
}

static int free_kb(void **state)
{
    sw_reply_kb_release(*state);
    free(*state);
    return 0;
}

static struct sw_reply_reading read_at(void **state, enum sw_reply_stage stage, int code,
                                       const char *text)
{
    struct sw_reply_context context = {.stage = stage};
    struct sw_reply_reading reading;
    struct sw_enhanced enhanced = {0};
    (void)sw_enhanced_parse(sw_span_str(text), &enhanced);
    sw_reply_read(*state, code, enhanced, sw_span_str(text), &context, &reading);
    return reading;
}

#define ASSERT_CAUSE(reading, cause_name)                                                          \
    assert_string_equal(sw_cause_name((reading).cause), sw_cause_name(SW_CAUSE_##cause_name))

static void every_fixture_is_read_right(void **state)
{
    struct reply_table t;
    reply_table_open(&t, "fixtures.tsv");
    unsigned wrong = 0;
    while (reply_table_next(&t)) {
        struct sw_reply_reading r;
        assert_true(reply_table_read(&t, *state, &r));
        if (strcmp(t.column[2], sw_cause_name(r.cause)) != 0 ||
            strcmp(t.column[3], sw_reply_decided_name(r.decided_by)) != 0) {
            print_error("%s: %s\n  is %s by %s, not %s by %s\n", t.column[0], t.column[1],
                        sw_cause_name(r.cause), sw_reply_decided_name(r.decided_by), t.column[2],
                        t.column[3]);
            wrong++;
        }
    }
    assert_int_equal(t.row, 120);
    assert_int_equal(wrong, 0);
}

/* Is the current row of `t` in misses.tsv, with what it is read as and a reason? */
static bool is_listed_miss(const struct reply_table *t, const char *read_as)
{
    struct reply_table misses;
    reply_table_open(&misses, "misses.tsv");
    bool listed = false;
    while (reply_table_next(&misses)) {
        if (strcmp(misses.column[0], t->column[0]) == 0 &&
            strcmp(misses.column[1], t->column[1]) == 0)
            listed = strcmp(misses.column[2], t->column[2]) == 0 &&
                     strcmp(misses.column[3], read_as) == 0 && misses.column[4][0] != '\0';
    }
    return listed;
}

static unsigned count_misses(void **state, const char *name, unsigned *rows)
{
    struct reply_table t;
    reply_table_open(&t, name);
    unsigned misses = 0, hidden = 0;
    while (reply_table_next(&t)) {
        struct sw_reply_reading r;
        if (!reply_table_read(&t, *state, &r) || t.column[3][0] == '\0') {
            print_error("%s: malformed: %s\n", name, t.column[1]);
            hidden++;
            continue;
        }
        assert_int_not_equal(sw_cause_by_id(sw_span_str(t.column[2])), SW_CAUSE_NONE);
        if (strcmp(t.column[2], sw_cause_name(r.cause)) == 0)
            continue;
        misses++;
        bool listed = is_listed_miss(&t, sw_cause_name(r.cause));
        print_message("%s: %s: %s\n  is %s, not %s%s\n", name, t.column[0], t.column[1],
                      sw_cause_name(r.cause), t.column[2], listed ? "" : " (and not listed)");
        hidden += listed ? 0 : 1;
    }
    *rows = t.row;
    assert_int_equal(hidden, 0);
    return misses;
}

static void corpus_is_read_as_an_expert_would(void **state)
{
    unsigned rows;
    unsigned misses = count_misses(state, "corpus.tsv", &rows);
    print_message("corpus: %u of %u right\n", rows - misses, rows);
    assert_true(rows >= 400);
    assert_true(misses * 100 <= rows * 3);
}

static void unlisted_wordings_land_by_their_generic_words(void **state)
{
    unsigned rows;
    unsigned misses = count_misses(state, "unlisted.tsv", &rows);
    print_message("unlisted: %u of %u right\n", rows - misses, rows);
    assert_true(rows >= 100);
    assert_true(misses * 100 <= rows * 10);
}

static void listed_misses_are_still_misses(void **state)
{
    struct reply_table t;
    reply_table_open(&t, "misses.tsv");
    while (reply_table_next(&t)) {
        struct sw_reply_reading r;
        assert_true(reply_table_read(&t, *state, &r));
        assert_string_equal(sw_cause_name(r.cause), t.column[3]);
    }
}

/* A row that repeats a whole published reply would only prove that it was copied. */
static void no_row_is_a_whole_line_of_the_corpus(void **state)
{
    (void)state;
    enum { GENERIC_BYTES = 32 }; /* shorter sentences are all distinctive part */
    size_t rows;
    const struct sw_reply_pattern *patterns = sw_reply_patterns(&rows);
    struct reply_table t;
    reply_table_open(&t, "corpus.tsv");
    while (reply_table_next(&t)) {
        struct sw_span text = sw_span_str(t.column[1]);
        struct sw_enhanced code;
        text = sw_span_trim(sw_span_from(text, 4));
        text = sw_span_trim(sw_span_from(text, sw_enhanced_parse(text, &code)));
        while (text.len > 0 && text.ptr[text.len - 1] == '.')
            text.len--;
        for (size_t i = 0; i < rows && text.len >= GENERIC_BYTES; i++) {
            if (sw_span_eq_nocase(text, sw_span_str(patterns[i].needle)))
                fail_msg("row \"%s\" is a whole reply", patterns[i].needle);
        }
    }
}

static bool is_plain(const char *needle)
{
    size_t length = strlen(needle);
    for (size_t i = 0; i < length; i++) {
        uint8_t c = (uint8_t)needle[i];
        bool blank_twice = c == ' ' && i > 0 && needle[i - 1] == ' ';
        bool folded = c >= 0xC0 && c < 0xE3; /* what stands for such a letter is a Latin one */
        if (folded || c < ' ' || (c >= 'A' && c <= 'Z') || blank_twice)
            return false;
        if (c == '|' && i != 0 && i != length - 1)
            return false;
    }
    return length >= 3 && needle[0] != ' ' && needle[length - 1] != ' ';
}

static void rows_are_well_formed(void **state)
{
    (void)state;
    size_t rows;
    const struct sw_reply_pattern *p = sw_reply_patterns(&rows);
    for (size_t i = 0; i < rows; i++) {
        if (!is_plain(p[i].needle) || (p[i].companion && !is_plain(p[i].companion)))
            fail_msg("row \"%s\" can never match", p[i].needle);
        assert_true(p[i].stages != 0 && p[i].stages < (1u << SW_REPLY_STAGE_COUNT));
        assert_true(p[i].codes == 0 || p[i].codes == 4 || p[i].codes == 5 ||
                    (p[i].codes >= 400 && p[i].codes <= 599));
        assert_true(p[i].cause > SW_CAUSE_NONE && p[i].cause < SW_CAUSE_COUNT);
        assert_true(p[i].source[0] != '\0' && p[i].example_code[0] != '\0');
        assert_true(p[i].example_code[0] >= '2' && p[i].example_code[0] <= '5');
    }
}

/* The words of a row, without the bars. */
static const char *bare(const char *needle, char out[128])
{
    snprintf(out, 128, "%s", needle[0] == '|' ? needle + 1 : needle);
    size_t length = strlen(out);
    if (length > 0 && out[length - 1] == '|')
        out[length - 1] = '\0';
    return out;
}

static bool decides_somewhere(void **state, const struct sw_reply_pattern *row)
{
    static const int tries[] = {421, 451, 550, 554};
    char first[128], second[128], text[512];
    for (unsigned stage = 0; stage < SW_REPLY_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < 8; i++) {
            int code = row->codes >= 100 ? row->codes : tries[i % 4];
            snprintf(text, sizeof(text), i < 4 ? "x %s %s x" : "x %s zz %s x",
                     bare(row->needle, first), bare(row->companion ? row->companion : "", second));
            if (read_at(state, (enum sw_reply_stage)stage, code, text).row == row)
                return true;
        }
    }
    return false;
}

static void no_row_is_dead(void **state)
{
    size_t rows;
    const struct sw_reply_pattern *p = sw_reply_patterns(&rows);
    unsigned dead = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!decides_somewhere(state, &p[i])) {
            print_error("row \"%s\" is always outranked\n", p[i].needle);
            dead++;
        }
    }
    assert_int_equal(dead, 0);
}

static void every_stage_and_code_has_a_reading(void **state)
{
    for (unsigned stage = 0; stage < SW_REPLY_STAGE_COUNT; stage++) {
        for (int code = 400; code <= 599; code++) {
            struct sw_reply_reading r = read_at(state, (enum sw_reply_stage)stage, code, "xyzzy");
            assert_int_not_equal(r.cause, SW_CAUSE_NONE);
            assert_int_equal(r.decided_by, SW_REPLY_BY_CODE);
            assert_int_equal(r.permanence,
                             code < 500 ? SW_PERMANENCE_TEMPORARY : SW_PERMANENCE_PERMANENT);
        }
    }
}

static void text_outranks_enhanced_code_outranks_code(void **state)
{
    struct sw_reply_reading r = read_at(state, SW_REPLY_STAGE_RCPT, 550, "5.7.1 rate limited");
    ASSERT_CAUSE(r, MAIL_RATE_LIMITED);
    assert_int_equal(r.decided_by, SW_REPLY_BY_TEXT);
    r = read_at(state, SW_REPLY_STAGE_RCPT, 550, "5.2.2 no");
    ASSERT_CAUSE(r, RCPT_MAILBOX_FULL);
    assert_int_equal(r.decided_by, SW_REPLY_BY_ENHANCED);
    r = read_at(state, SW_REPLY_STAGE_RCPT, 550, "no");
    ASSERT_CAUSE(r, RCPT_UNKNOWN_USER);
    assert_int_equal(r.decided_by, SW_REPLY_BY_CODE);
}

static void an_enhanced_code_inside_the_sentence_counts(void **state)
{
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 554, "sorry (#5.1.1)"), RCPT_UNKNOWN_USER);
    /* but not one of another class */
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 554, "sorry (#4.1.1)"), RCPT_POLICY_DENIED);
}

static void the_deciding_words_are_told(void **state)
{
    const char *text = "5.1.1 <x@y>:\n5.1.1   User   UNKNOWN\nhere";
    struct sw_reply_reading r = read_at(state, SW_REPLY_STAGE_RCPT, 550, text);
    ASSERT_CAUSE(r, RCPT_UNKNOWN_USER);
    struct sw_span words = sw_span_sub(sw_span_str(text), r.text_offset, r.text_length);
    assert_true(sw_span_eq(words, SW_SPAN_LIT("User   UNKNOWN")));
    assert_string_equal(r.row->needle, "user unknown");
}

static void words_may_be_broken_over_lines(void **state)
{
    struct sw_reply_reading r =
        read_at(state, SW_REPLY_STAGE_RCPT, 550, "5.7.1 sorry, relaying\r\n5.7.1 denied here");
    ASSERT_CAUSE(r, RCPT_RELAY_DENIED);
}

static void accents_are_folded(void **state)
{
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 552, "Bo\xc3\xaete pleine"),
                 RCPT_MAILBOX_FULL);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 552, "Bo\xeete pleine"), RCPT_MAILBOX_FULL);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 552, "Nachricht zu gro\xc3\x9f"),
                 DATA_SIZE_EXCEEDED);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 554, "This user doesn\xe2\x80\x99t exist"),
                 RCPT_UNKNOWN_USER);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 554, "Nieznany u\xc5\xbcytkownik"),
                 RCPT_UNKNOWN_USER);
}

static void other_scripts_are_read(void **state)
{
    struct sw_reply_reading r =
        read_at(state, SW_REPLY_STAGE_FINAL, 554, "\xd0\xa1\xd0\x9f\xd0\x90\xd0\x9c!");
    ASSERT_CAUSE(r, DATA_SPAM_REJECTED); /* by sound; the place is that of the letters themselves */
    assert_int_equal(r.text_offset, 0);
    assert_int_equal(r.text_length, 8);
    r = read_at(state, SW_REPLY_STAGE_FINAL, 554, "x \xe3\x82\xb9\xe3\x83\x91\xe3\x83\xa0");
    ASSERT_CAUSE(r, DATA_SPAM_REJECTED);
    assert_int_equal(r.text_offset, 2);
    assert_int_equal(r.text_length, 9);
    /* cut in the middle of a letter */
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 554, "\xe3\x82"), DATA_POLICY_REJECTED);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 554, "\xd0"), DATA_POLICY_REJECTED);
}

static void bars_ask_for_word_boundaries(void **state)
{
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 550, "5.7.1 SPF: no"), DATA_AUTH_POLICY);
    /* "spf" inside another word says nothing */
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 550, "5.7.1 transpfer"),
                 DATA_POLICY_REJECTED);
}

static void words_in_mail_addresses_say_nothing(void **state)
{
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 550,
                         "5.1.1 <dmarc-reports@example.org>: Recipient rejected: User unknown"),
                 RCPT_UNKNOWN_USER);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 550, "5.1.1 spamhaus@example.org: no"),
                 RCPT_UNKNOWN_USER);
    /* a lone '@' is no address */
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_FINAL, 550, "5.7.1 spam @ home"),
                 DATA_SPAM_REJECTED);
}

static void nothing_behind_64_kib_is_looked_at(void **state)
{
    size_t length = 70000;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, '.', length);
    memcpy(text + 66000, "relaying denied", 15);
    struct sw_reply_context context = {.stage = SW_REPLY_STAGE_RCPT};
    struct sw_reply_reading r;
    sw_reply_read(*state, 550, (struct sw_enhanced){0}, sw_span_make(text, length), &context, &r);
    ASSERT_CAUSE(r, RCPT_UNKNOWN_USER);
    memcpy(text + 60000, "relaying denied", 15);
    sw_reply_read(*state, 550, (struct sw_enhanced){0}, sw_span_make(text, length), &context, &r);
    ASSERT_CAUSE(r, RCPT_RELAY_DENIED);
    assert_int_equal(r.text_offset, 60000);
    free(text);
}

static void the_stage_changes_the_meaning(void **state)
{
    static const struct {
        enum sw_reply_stage stage;
        enum sw_cause cause;
    } expected[] = {
        {SW_REPLY_STAGE_GREETING, SW_CAUSE_GREET_DNSBL},
        {SW_REPLY_STAGE_HELLO, SW_CAUSE_GREET_DNSBL},
        {SW_REPLY_STAGE_MAIL, SW_CAUSE_RCPT_DNSBL},
        {SW_REPLY_STAGE_RCPT, SW_CAUSE_RCPT_DNSBL},
        {SW_REPLY_STAGE_FINAL, SW_CAUSE_RCPT_DNSBL},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct sw_reply_reading r =
            read_at(state, expected[i].stage, 554, "5.7.1 blocked using zen.spamhaus.org");
        assert_int_equal(r.cause, expected[i].cause);
        assert_int_equal(r.remapped, expected[i].cause != SW_CAUSE_GREET_DNSBL);
    }
}

static void a_deferral_is_no_rejection(void **state)
{
    struct sw_reply_reading r =
        read_at(state, SW_REPLY_STAGE_FINAL, 451, "4.3.0 looks like spam or a virus");
    ASSERT_CAUSE(r, DATA_TEMP_FAILURE);
    assert_int_equal(r.permanence, SW_PERMANENCE_TEMPORARY);
}

static void a_bare_invalid_recipient_may_be_relaying(void **state)
{
    struct sw_reply_reading r = read_at(state, SW_REPLY_STAGE_RCPT, 550, "Invalid recipient <x@y>");
    ASSERT_CAUSE(r, RCPT_UNKNOWN_USER);
    assert_int_equal(r.also, SW_CAUSE_RCPT_RELAY_DENIED);
}

static void positive_replies_have_no_cause(void **state)
{
    assert_int_equal(read_at(state, SW_REPLY_STAGE_FINAL, 250, "2.0.0 spam queued").cause,
                     SW_CAUSE_NONE);
    assert_int_equal(read_at(state, SW_REPLY_STAGE_DATA, 354, "go").cause, SW_CAUSE_NONE);
    assert_int_equal(read_at(state, SW_REPLY_STAGE_RCPT, 600, "no").cause, SW_CAUSE_NONE);
    assert_int_equal(read_at(state, SW_REPLY_STAGE_RCPT, 0, "").cause, SW_CAUSE_NONE);
    ASSERT_CAUSE(
        read_at(state, SW_REPLY_STAGE_HELLO, 221, "2.7.0 Error: I can break rules, too. Goodbye."),
        OK_NO_ATTEMPT);
}

static void the_session_decides_where_the_reply_is_silent(void **state)
{
    struct sw_reply_context context = {.stage = SW_REPLY_STAGE_AUTH, .dialogue_known = true};
    struct sw_reply_reading r;
    struct sw_span text = SW_SPAN_LIT("AUTH command used when not advertised");
    sw_reply_read(*state, 503, (struct sw_enhanced){0}, text, &context, &r);
    ASSERT_CAUSE(r, AUTH_NOT_OFFERED);
    context.starttls_offered = true;
    sw_reply_read(*state, 503, (struct sw_enhanced){0}, text, &context, &r);
    ASSERT_CAUSE(r, AUTH_HIDDEN_UNTIL_TLS);
    context.tls_active = true;
    sw_reply_read(*state, 503, (struct sw_enhanced){0}, text, &context, &r);
    ASSERT_CAUSE(r, AUTH_NOT_OFFERED);

    context = (struct sw_reply_context){.stage = SW_REPLY_STAGE_MAIL, .dialogue_known = true};
    sw_reply_read(*state, 530, (struct sw_enhanced){0}, SW_SPAN_LIT("first"), &context, &r);
    ASSERT_CAUSE(r, AUTH_REQUIRED_NOT_ATTEMPTED);
    context.starttls_offered = true;
    sw_reply_read(*state, 530, (struct sw_enhanced){0}, SW_SPAN_LIT("first"), &context, &r);
    ASSERT_CAUSE(r, STARTTLS_REQUIRED_NOT_USED);
}

static void logins_are_told_apart(void **state)
{
    struct sw_reply_context context = {.stage = SW_REPLY_STAGE_AUTH, .dialogue_known = true};
    struct sw_reply_reading r;
    context.auth_oauth = true;
    sw_reply_read(*state, 535, (struct sw_enhanced){5, 7, 8}, SW_SPAN_LIT("no"), &context, &r);
    ASSERT_CAUSE(r, AUTH_OAUTH_REJECTED);
    context.auth_oauth = false;
    context.auth_cancelled = true;
    sw_reply_read(*state, 501, (struct sw_enhanced){0}, SW_SPAN_LIT("no"), &context, &r);
    ASSERT_CAUSE(r, AUTH_CANCELLED);
    context.auth_cancelled = false;
    context.failed_logins = 3;
    sw_reply_read(*state, 421, (struct sw_enhanced){4, 7, 0}, SW_SPAN_LIT("too many errors"),
                  &context, &r);
    ASSERT_CAUSE(r, AUTH_BAD_CREDENTIALS);
    assert_int_equal(r.also, SW_CAUSE_AUTH_TOO_MANY_FAILURES);
}

static void the_senders_address_stays_one_at_rcpt(void **state)
{
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 501, "Syntactically invalid address"),
                 RCPT_SYNTAX);
    ASSERT_CAUSE(read_at(state, SW_REPLY_STAGE_RCPT, 553, "5.1.7 no"), MAIL_SENDER_SYNTAX);
}

static void every_enhanced_code_has_words(void **state)
{
    (void)state;
    size_t count;
    const struct sw_enhanced_info *infos = sw_enhanced_infos(&count);
    unsigned registered = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(infos[i].meaning) > 10 && infos[i].reference[0] != '\0');
        assert_true(infos[i].detail <= infos[i].last_detail);
        registered += infos[i].origin == SW_ENHANCED_REGISTERED ? 1 : 0;
        struct sw_enhanced code = {5, infos[i].subject, infos[i].detail};
        if (infos[i].origin == SW_ENHANCED_REGISTERED)
            assert_ptr_equal(sw_enhanced_registered(code), &infos[i]);
    }
    assert_int_equal(registered, 81);
    const struct sw_reply_code_info *basics = sw_reply_code_infos(&count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(sw_reply_code_info(basics[i].code), &basics[i]);
        assert_true(strlen(basics[i].meaning) > 3 && basics[i].reference[0] != '\0');
        assert_true(i == 0 || basics[i - 1].code < basics[i].code);
    }
}

static void enhanced_codes_are_parsed_strictly(void **state)
{
    (void)state;
    struct sw_enhanced code = {0};
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5.7.139 no"), &code), 7);
    assert_int_equal(code.detail, 139);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5.7.1"), &code), 5);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("3.7.1"), &code), 0);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5.7"), &code), 0);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5.7.1.2"), &code), 0);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5.7.1234"), &code), 0);
    assert_int_equal(sw_enhanced_parse(SW_SPAN_LIT("5..1 a"), &code), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_is_read_right),
        cmocka_unit_test(corpus_is_read_as_an_expert_would),
        cmocka_unit_test(unlisted_wordings_land_by_their_generic_words),
        cmocka_unit_test(listed_misses_are_still_misses),
        cmocka_unit_test(no_row_is_a_whole_line_of_the_corpus),
        cmocka_unit_test(rows_are_well_formed),
        cmocka_unit_test(no_row_is_dead),
        cmocka_unit_test(every_stage_and_code_has_a_reading),
        cmocka_unit_test(text_outranks_enhanced_code_outranks_code),
        cmocka_unit_test(an_enhanced_code_inside_the_sentence_counts),
        cmocka_unit_test(the_deciding_words_are_told),
        cmocka_unit_test(words_may_be_broken_over_lines),
        cmocka_unit_test(accents_are_folded),
        cmocka_unit_test(other_scripts_are_read),
        cmocka_unit_test(bars_ask_for_word_boundaries),
        cmocka_unit_test(words_in_mail_addresses_say_nothing),
        cmocka_unit_test(nothing_behind_64_kib_is_looked_at),
        cmocka_unit_test(the_stage_changes_the_meaning),
        cmocka_unit_test(a_deferral_is_no_rejection),
        cmocka_unit_test(a_bare_invalid_recipient_may_be_relaying),
        cmocka_unit_test(positive_replies_have_no_cause),
        cmocka_unit_test(the_session_decides_where_the_reply_is_silent),
        cmocka_unit_test(logins_are_told_apart),
        cmocka_unit_test(the_senders_address_stays_one_at_rcpt),
        cmocka_unit_test(every_enhanced_code_has_words),
        cmocka_unit_test(enhanced_codes_are_parsed_strictly),
    };
    return cmocka_run_group_tests(tests, build_kb, free_kb);
}
