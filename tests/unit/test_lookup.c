#include "session/lookup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool says(const char *name)
{
    return sw_name_says_mail(sw_span_str(name));
}

static void test_names_that_say_mail(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "smtp.example.org",     "SMTP.example.org",  "mail2.example.org", "smtp-mail.example.org",
        "mx1.example.org",      "mta-3.example.org", "outbound.example",  "submission.example.org",
        "exchange.example.org", "smtps.example.org", "email.example.org", "send.example.org",
        "mailhost.example.org", "relay.example.org"};
    static const char *const no[] = {"www.example.org",       "mailing.example.org", "example.org",
                                     "imap.mail.example.org", "sender.example.org",  ""};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(says(yes[i]));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(says(no[i]));
}

static void test_owners(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"smtp.mail.example.org", "example.org"}, {"example.org", "example.org"}, {"org", "org"},
        {"smtp.example.co.uk", "example.co.uk"},  {"smtp.co.com", "co.com"},      {"", ""}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_true(sw_span_eq(sw_name_owner(sw_span_str(pairs[i][0])), sw_span_str(pairs[i][1])));
}

static void test_private_names(void **state)
{
    (void)state;
    assert_true(sw_name_is_private(sw_span_str("mail")));
    assert_true(sw_name_is_private(sw_span_str("mail.office.LAN")));
    assert_true(sw_name_is_private(sw_span_str("nas.local")));
    assert_false(sw_name_is_private(sw_span_str("smtp.example.org")));
    assert_false(sw_name_is_private(sw_span_str("smtp.homelan")));
}

static void test_kinds_of_addresses(void **state)
{
    (void)state;
    static const struct {
        uint8_t address[16];
        int version;
        enum sw_address_kind kind;
    } rows[] = {
        {{0, 0, 0, 0}, 4, SW_ADDRESS_NOWHERE},
        {{127, 0, 0, 53}, 4, SW_ADDRESS_NOWHERE},
        {{10, 1, 2, 3}, 4, SW_ADDRESS_PRIVATE},
        {{172, 31, 255, 1}, 4, SW_ADDRESS_PRIVATE},
        {{172, 32, 0, 1}, 4, SW_ADDRESS_PUBLIC},
        {{192, 168, 0, 1}, 4, SW_ADDRESS_PRIVATE},
        {{169, 254, 1, 1}, 4, SW_ADDRESS_PRIVATE},
        {{198, 51, 100, 25}, 4, SW_ADDRESS_PUBLIC},
        {{0}, 6, SW_ADDRESS_NOWHERE},
        {{[15] = 1}, 6, SW_ADDRESS_NOWHERE},
        {{[10] = 0xFF, 0xFF, 127, 0, 0, 1}, 6, SW_ADDRESS_NOWHERE},
        {{0xFD, 0x12}, 6, SW_ADDRESS_PRIVATE},
        {{0xFE, 0x80}, 6, SW_ADDRESS_PRIVATE},
        {{0x20, 0x01, 0x0D, 0xB8}, 6, SW_ADDRESS_PUBLIC},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(sw_address_kind_of(rows[i].address, rows[i].version), rows[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_say_mail),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_private_names),
        cmocka_unit_test(test_kinds_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
