/*
 * policy_value.c - the values of a policy: limits, lists of findings, addresses and names.
 */
#include "audit/policy_inside.h"

static bool word_is(struct sw_span text, const char *word)
{
    return sw_span_eq_nocase(text, sw_span_str(word));
}

/* One of two words: the first makes the rule hold, the second switches it off. */
static bool read_switch(struct sw_span text, const char *on, const char *off,
                        struct sw_demand *demand)
{
    demand->off = word_is(text, off);
    return demand->off || word_is(text, on);
}

enum { MICRO = 1000000, DECIMALS = 6, WHOLE_DIGITS = 7 };

/* A decimal number in millionths, with its unit behind it. */
static bool read_number(struct sw_span text, int64_t *micro, struct sw_span *unit)
{
    size_t n = 0;
    int64_t whole = 0;
    int64_t part = 0;
    for (; n < text.len && sw_ascii_digit(text.ptr[n]); n++) {
        if (n == WHOLE_DIGITS)
            return false;
        whole = whole * 10 + (text.ptr[n] - '0');
    }
    if (n == 0)
        return false;
    if (n < text.len && text.ptr[n] == '.') {
        size_t point = n++;
        int64_t worth = MICRO;
        for (; n < text.len && sw_ascii_digit(text.ptr[n]); n++) {
            worth /= 10;
            part += worth * (text.ptr[n] - '0');
        }
        if (n == point + 1 || n > point + 1 + DECIMALS)
            return false;
    }
    *micro = whole * MICRO + part;
    *unit = sw_span_trim(sw_span_from(text, n));
    return true;
}

static bool read_version(struct sw_span text, struct sw_demand *demand)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (word_is(text, names[i])) {
            demand->limit = 0x0301 + (int64_t)i;
            return true;
        }
    }
    return false;
}

static bool read_duration(struct sw_span text, struct sw_demand *demand)
{
    static const struct {
        const char *name;
        int64_t micros_ns; /* a millionth of it */
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}};
    int64_t micro = 0;
    struct sw_span unit;
    if (!read_number(text, &micro, &unit))
        return false;
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (word_is(unit, units[i].name)) {
            demand->limit = micro * units[i].micros_ns;
            return true;
        }
    }
    return false;
}

/* Days, whole ones. */
static bool read_days(struct sw_span text, struct sw_demand *demand)
{
    int64_t micro = 0;
    struct sw_span unit;
    if (!read_number(text, &micro, &unit) || unit.len > 0 || micro % MICRO != 0)
        return false;
    demand->limit = micro / MICRO;
    return true;
}

/* Parts of a million. */
static bool read_percent(struct sw_span text, struct sw_demand *demand)
{
    int64_t micro = 0;
    struct sw_span unit;
    if (!read_number(text, &micro, &unit) || !word_is(unit, "%") || micro > INT64_C(100) * MICRO)
        return false;
    demand->limit = micro / 100;
    return true;
}

static bool read_level(struct sw_span text, struct sw_demand *demand)
{
    enum sw_severity severity;
    if (!sw_severity_by_name(text, &severity))
        return false;
    demand->limit = severity;
    return true;
}

bool sw_policy_read_findings(struct sw_span text, uint64_t findings[SW_FINDING_WORDS],
                             struct sw_span *item, const char **wrong)
{
    *wrong = "is no finding; 'smtpwhy findings' lists them all";
    while (sw_span_item(&text, item)) {
        enum sw_finding_id id = sw_finding_by_id(*item);
        if (id == SW_FINDING_COUNT)
            return false;
        findings[id / 64] |= UINT64_C(1) << (id % 64);
    }
    return true;
}

bool sw_policy_read_demand(struct sw_arena *arena, enum sw_rule rule, struct sw_span text,
                           struct sw_demand *demand, struct sw_span *item, const char **wrong)
{
    struct sw_span kept = sw_arena_copy(arena, text);
    char *shown = sw_arena_printf(arena, "%.*s", (int)kept.len, (const char *)kept.ptr);
    *demand = (struct sw_demand){.given = true, .text = shown ? shown : ""};
    *item = text;
    if (word_is(text, "off")) {
        demand->off = true;
        return true;
    }
    switch (sw_rule_info(rule)->value) {
    case SW_RULE_VALUE_FORBID:
        *wrong = "is neither 'forbid' nor 'allow'";
        return read_switch(text, "forbid", "allow", demand);
    case SW_RULE_VALUE_REQUIRE:
        *wrong = "is neither 'require' nor 'ignore'";
        return read_switch(text, "require", "ignore", demand);
    case SW_RULE_VALUE_VERSION:
        *wrong = "is no version of TLS; write 1.0, 1.1, 1.2 or 1.3";
        return read_version(text, demand);
    case SW_RULE_VALUE_DAYS:
        *wrong = "is no number of days; write for example 14";
        return read_days(text, demand);
    case SW_RULE_VALUE_DURATION:
        *wrong = "is no time; write for example 500ms, 10s or 2min";
        return read_duration(text, demand);
    case SW_RULE_VALUE_PERCENT:
        *wrong = "is no part of a hundred; write for example 5%";
        return read_percent(text, demand);
    case SW_RULE_VALUE_LEVEL:
        *wrong = "is no level; write info, low, medium, high or critical";
        return read_level(text, demand);
    case SW_RULE_VALUE_FINDINGS:
        return sw_policy_read_findings(text, demand->findings, item, wrong);
    }
    return false;
}

static bool is_name_pattern(struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == '[' || c == ']')
            return false;
    }
    return text.len > 0;
}

bool sw_policy_read_patterns(struct sw_arena *arena, struct sw_span text, enum sw_pattern_kind kind,
                             struct sw_pattern **list, struct sw_span *item, const char **wrong)
{
    static const char *const wanted[] = {
        [SW_PATTERN_NETWORK] = "is no address or network; write for example 192.0.2.0/24",
        [SW_PATTERN_HOST] = "is no address, network (192.0.2.0/24) or name (*.example.com)",
        [SW_PATTERN_NAME] = "is no name; '*' stands for anything",
    };
    struct sw_pattern **tail = list;
    while (*tail)
        tail = &(*tail)->next;
    *item = text;
    *wrong = wanted[kind];
    while (sw_span_item(&text, item)) {
        struct sw_pattern pattern = {.next = NULL};
        pattern.is_network = kind != SW_PATTERN_NAME && sw_network_parse(*item, &pattern.network);
        if (!pattern.is_network && (kind == SW_PATTERN_NETWORK || !is_name_pattern(*item)))
            return false;
        pattern.name = sw_arena_copy(arena, *item);
        *tail = SW_ARENA_NEW(arena, struct sw_pattern);
        if (!*tail)
            return false;
        **tail = pattern;
        tail = &(*tail)->next;
    }
    return *list != NULL;
}
