#include "analyzer/client_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { ROWS = 277 };

static const struct sw_client_code *find(const char *words)
{
    return sw_client_code_find(sw_span_str(words), NULL);
}

static void assert_found(const char *words, const char *code)
{
    const struct sw_client_code *row = find(words);
    if (!row || strcmp(row->code, code) != 0)
        fail_msg("\"%s\" finds %s, not %s", words, row ? row->code : "nothing", code);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    size_t count;
    const struct sw_client_code *codes = sw_client_codes(&count);
    assert_int_equal(count, ROWS);
    for (size_t i = 0; i < count; i++) {
        assert_true(codes[i].client[0] != '\0' && codes[i].code[0] != '\0');
        assert_true(codes[i].message[0] != '\0' || codes[i].wire[0] != '\0');
        for (size_t j = 0; j < SW_CLIENT_CODE_CAUSES && codes[i].causes[j] != SW_CAUSE_NONE; j++) {
            assert_true(codes[i].causes[j] < SW_CAUSE_COUNT);
            for (size_t k = 0; k < j; k++)
                assert_int_not_equal(codes[i].causes[k], codes[i].causes[j]);
        }
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(codes[i].client, codes[j].client) == 0 &&
                         strcmp(codes[i].code, codes[j].code) == 0 &&
                         strcmp(codes[i].code, "-") != 0);
    }
}

static void causes_lead_to_codes_and_back(void **state)
{
    (void)state;
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        const struct sw_client_code *before = NULL;
        for (const struct sw_client_code *row = sw_client_code_next((enum sw_cause)i, NULL); row;
             row = sw_client_code_next((enum sw_cause)i, row)) {
            assert_true(!before || row > before);
            assert_string_not_equal(row->code, "-");
            before = row;
        }
    }
    size_t count;
    const struct sw_client_code *rows = sw_client_codes(&count);
    for (size_t i = 0; i < count * SW_CLIENT_CODE_CAUSES; i++) { /* and none is passed over */
        const struct sw_client_code *named = &rows[i / SW_CLIENT_CODE_CAUSES];
        enum sw_cause cause = named->causes[i % SW_CLIENT_CODE_CAUSES];
        const struct sw_client_code *found = NULL;
        while (cause != SW_CAUSE_NONE && (found = sw_client_code_next(cause, found)) &&
               found != named)
            continue;
        bool shown = cause != SW_CAUSE_NONE && sw_client_code_listed(named);
        assert_true(found == (shown ? named : NULL));
    }
    const struct sw_client_code *row = sw_client_code_next(SW_CAUSE_TCP_REFUSED, NULL);
    assert_non_null(row);
    assert_string_equal(row->code, "0x800CCC04");
}

static void numbers_are_found_in_every_form(void **state)
{
    (void)state;
    assert_found("0x800CCC0B", "0x800CCC0B");
    assert_found("0x800ccc0b", "0x800CCC0B");
    assert_found("800CCC0B", "0x800CCC0B");
    assert_found("(0x800CCC0B)", "0x800CCC0B");
    assert_found("2148322315", "0x800CCC0B");
    assert_found("-2146644981", "0x800CCC0B");
    assert_found("Outlook says error 0x800CCC0B when I send", "0x800CCC0B");
    assert_found("0x80040600", "0x80040119 / 0x80040600");
    assert_found("0x800CCC1C", "0x800CCC1B-0x800CCC29");
    assert_found("0x800CCC92", "0x800CCC90-0x800CCC97");
    assert_found("Socket Error: 10060", "10060");
    assert_found("-2147220977", "0x8004020F");
    assert_null(find("0x12345678"));
    assert_null(find("0x800CCCFF"));
}

static void names_are_found(void **state)
{
    (void)state;
    assert_found("smtpSendTimeout", "smtpSendTimeout");
    assert_found("NS_ERROR_SMTP_AUTH_FAILURE", "smtpAuthFailure");
    assert_found("WSAECONNREFUSED", "10061");
    assert_found("CURLE_SSL_CONNECT_ERROR", "35");
    assert_found("IXP_E_TIMEOUT", "0x800CCC19");
    assert_found("CDO_E_FAILED_TO_CONNECT", "0x80040213");
    assert_found("SEC_ERROR_UNKNOWN_ISSUER", "smtpSecurityIssue + NSS text");
    assert_found("EX_TEMPFAIL", "75");
}

static void small_numbers_need_their_program(void **state)
{
    (void)state;
    assert_found("curl: (35) TLS connect error", "35");
    assert_found("msmtp exit status 77", "77");
    assert_found("35", "35");
    assert_null(find("35 messages are waiting"));
    assert_null(find("line 77 of the file"));
}

static void sentences_are_found(void **state)
{
    (void)state;
    assert_found("connect to mx.example.org[192.0.2.1]:25: Connection refused",
                 "connect to h[ip]:25: Connection refused");
    assert_found("lost connection with mx.example.org[192.0.2.1] while receiving the initial "
                 "server greeting",
                 "lost connection with … while receiving the initial server greeting");
    assert_found("Connected to 192.0.2.1 but greeting failed.",
                 "ZConnected to … but greeting failed");
    assert_found("all hosts for 'example.org' have been failing for a long time",
                 "retry time not reached for any host / retry timeout exceeded / all hosts … have "
                 "been failing for a long time");
    assert_found(
        "The recipient \"bob\" was rejected by the server because it does not allow relaying.",
        "'Cannot Send Mail - A copy has been placed in your Outbox. The recipient \"x\" was "
        "rejected by the server because it does not allow relaying.'");
    assert_null(find("nothing of the kind"));
    assert_null(find(""));
}

static void the_best_comes_first_and_all_come_once(void **state)
{
    (void)state;
    struct sw_span words = SW_SPAN_LIT("Socket Error: 10060, Error Number: 0x800CCC0E");
    const struct sw_client_code *first = sw_client_code_find(words, NULL);
    assert_string_equal(first->code, "0x800CCC0E");
    const struct sw_client_code *second = sw_client_code_find(words, first);
    assert_string_equal(second->code, "10060");
    size_t count = 0;
    for (const struct sw_client_code *row = first; row; row = sw_client_code_find(words, row))
        assert_true(++count < ROWS);
    assert_true(sw_client_code_certain(first, words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(causes_lead_to_codes_and_back),
        cmocka_unit_test(numbers_are_found_in_every_form),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(small_numbers_need_their_program),
        cmocka_unit_test(sentences_are_found),
        cmocka_unit_test(the_best_comes_first_and_all_come_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
