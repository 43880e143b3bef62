#include "session/lookup.h"

static bool in4(const uint8_t a[16], uint8_t first, uint8_t second, unsigned bits_of_second)
{
    uint8_t mask = (uint8_t)(0xFF00u >> bits_of_second);
    return a[0] == first && ((a[1] ^ second) & mask) == 0;
}

static enum sw_address_kind kind4(const uint8_t a[16])
{
    if (a[0] == 0 || a[0] == 127)
        return SW_ADDRESS_NOWHERE;
    bool private_use = a[0] == 10 || in4(a, 172, 16, 4) || in4(a, 192, 168, 8);
    bool link_local = in4(a, 169, 254, 8);
    return private_use || link_local ? SW_ADDRESS_PRIVATE : SW_ADDRESS_PUBLIC;
}

enum sw_address_kind sw_address_kind_of(const uint8_t a[16], int ip_version)
{
    if (ip_version == 4)
        return kind4(a);
    static const uint8_t zeros[16] = {0};
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (memcmp(a, mapped, sizeof(mapped)) == 0) {
        uint8_t inner[16] = {a[12], a[13], a[14], a[15]};
        return kind4(inner);
    }
    if (memcmp(a, zeros, 15) == 0 && a[15] <= 1)
        return SW_ADDRESS_NOWHERE;
    bool unique_local = (a[0] & 0xFE) == 0xFC;
    bool link_local = a[0] == 0xFE && (a[1] & 0xC0) == 0x80;
    return unique_local || link_local ? SW_ADDRESS_PRIVATE : SW_ADDRESS_PUBLIC;
}

bool sw_name_says_mail(struct sw_span name)
{
    static const char *const words[] = {"smtp", "smtps", "mail",     "relay",   "submission",
                                        "send", "email", "mailhost", "exchange"};
    static const char *const beginnings[] = {"mx", "mta", "out"};
    struct sw_span label = sw_span_sub(name, 0, sw_span_index(name, '.'));
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (sw_span_starts_nocase(label, sw_span_str(beginnings[i])))
            return true;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct sw_span word = sw_span_str(words[i]);
        if (!sw_span_starts_nocase(label, word))
            continue;
        struct sw_span rest = sw_span_from(label, word.len); /* mail2, smtp-out */
        if (rest.len == 0 || rest.ptr[0] == '-' || sw_ascii_digit(rest.ptr[0]))
            return true;
    }
    return false;
}

static struct sw_span last_labels(struct sw_span name, unsigned count)
{
    for (size_t at = name.len; at > 0; at--) {
        if (name.ptr[at - 1] == '.' && --count == 0)
            return sw_span_from(name, at);
    }
    return name;
}

bool sw_name_is_private(struct sw_span name)
{
    /* RFC 6761, 6762, 8375, and what people use without asking */
    static const char *const tops[] = {"local", "lan",         "home",    "internal", "intranet",
                                       "corp",  "localdomain", "private", "arpa",     "localhost"};
    struct sw_span top = last_labels(name, 1);
    if (top.len == name.len)
        return true;
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        if (sw_span_eq_nocase(top, sw_span_str(tops[i])))
            return true;
    }
    return false;
}

struct sw_span sw_name_owner(struct sw_span name)
{
    static const char *const seconds[] = {"co",  "com", "net", "org", "ac",
                                          "gov", "edu", "ne",  "or"};
    struct sw_span two = last_labels(name, 2);
    bool country = last_labels(two, 1).len == 2;
    if (!country)
        return two;
    struct sw_span second = sw_span_sub(two, 0, sw_span_index(two, '.'));
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        if (sw_span_eq_nocase(second, sw_span_str(seconds[i])))
            return last_labels(name, 3);
    }
    return two;
}
