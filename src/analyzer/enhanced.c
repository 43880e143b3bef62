#include "analyzer/enhanced.h"

#define SW_ENHANCED(klass, subject, first, last, origin, meaning, reference)                       \
    {klass, subject, first, last, SW_ENHANCED_##origin, meaning, reference},

static const struct sw_enhanced_info infos[] = {
#include "analyzer/enhanced.def"
};

#define SW_BASIC(code, meaning, reference) {code, meaning, reference},

static const struct sw_reply_code_info basics[] = {
#include "analyzer/enhanced_basic.def"
};

enum {
    INFO_COUNT = sizeof(infos) / sizeof(infos[0]),
    BASIC_COUNT = sizeof(basics) / sizeof(basics[0]),
};

static bool fits(const struct sw_enhanced_info *info, struct sw_enhanced code)
{
    return (info->klass == 0 || info->klass == code.klass) && info->subject == code.subject &&
           code.detail >= info->detail && code.detail <= info->last_detail;
}

const struct sw_enhanced_info *sw_enhanced_registered(struct sw_enhanced code)
{
    for (size_t i = 0; i < INFO_COUNT; i++) {
        if (infos[i].origin == SW_ENHANCED_REGISTERED && fits(&infos[i], code))
            return &infos[i];
    }
    return NULL;
}

const struct sw_enhanced_info *sw_enhanced_vendor(struct sw_enhanced code,
                                                  const struct sw_enhanced_info *before)
{
    size_t from = before ? (size_t)(before - infos) + 1 : 0;
    for (size_t i = from; i < INFO_COUNT; i++) {
        if (infos[i].origin == SW_ENHANCED_VENDOR && fits(&infos[i], code))
            return &infos[i];
    }
    return NULL;
}

const struct sw_enhanced_info *sw_enhanced_infos(size_t *count)
{
    *count = INFO_COUNT;
    return infos;
}

const struct sw_reply_code_info *sw_reply_code_info(int code)
{
    for (size_t i = 0; i < BASIC_COUNT; i++) {
        if (basics[i].code == code)
            return &basics[i];
    }
    return NULL;
}

const struct sw_reply_code_info *sw_reply_code_infos(size_t *count)
{
    *count = BASIC_COUNT;
    return basics;
}

const char *sw_reply_class_meaning(int code)
{
    switch (code / 100) {
    case 2:
        return "the command was carried out";
    case 3:
        return "the server waits for more";
    case 4:
        return "refused for now; trying again later may work";
    case 5:
        return "refused; trying again unchanged will not work";
    default:
        return NULL;
    }
}

/* Up to three digits at *at; moves behind them. Returns false when there are none or too many. */
static bool read_number(struct sw_span text, size_t *at, uint16_t *value)
{
    size_t from = *at;
    uint16_t v = 0;
    while (*at < text.len && *at - from < 3 && sw_ascii_digit(text.ptr[*at])) {
        v = (uint16_t)(v * 10 + (text.ptr[*at] - '0'));
        (*at)++;
    }
    *value = v;
    return *at > from && !(*at < text.len && sw_ascii_digit(text.ptr[*at]));
}

size_t sw_enhanced_parse(struct sw_span text, struct sw_enhanced *code)
{
    if (text.len < 5 || text.ptr[1] != '.')
        return 0;
    uint8_t klass = text.ptr[0];
    if (klass != '2' && klass != '4' && klass != '5')
        return 0;
    struct sw_enhanced read = {.klass = (uint8_t)(klass - '0')};
    size_t at = 2;
    if (!read_number(text, &at, &read.subject) || at >= text.len || text.ptr[at] != '.')
        return 0;
    at++;
    if (!read_number(text, &at, &read.detail))
        return 0;
    if (at < text.len && text.ptr[at] == '.')
        return 0; /* the start of an address, 5.6.7.8 */
    *code = read;
    return at;
}
