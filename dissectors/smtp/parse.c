/*
 * parse.c - parts of lines: paths, ESMTP parameters, EHLO keywords, enhanced codes, mechanisms.
 */
#include "dissectors/smtp/internal.h"

/* The index of the bracket that ends a path, or what is beyond all of it; in a quoted string it is
 * none. */
static size_t path_end(struct sw_span path)
{
    size_t end = sw_span_index(path, '>');
    if (sw_span_index(sw_span_sub(path, 0, end), '"') == end)
        return end;
    bool quoted = false;
    for (end = 1; end < path.len && (quoted || path.ptr[end] != '>'); end++) {
        if (path.ptr[end] == '\\' && quoted)
            end++;
        else if (path.ptr[end] == '"')
            quoted = !quoted;
    }
    return end;
}

/* RFC 5321 4.1.2; what clients really send ("FROM: <a@b>", "FROM:a@b") is taken too. */
bool smtp_path_parse(struct sw_span argument, struct sw_span *path, struct sw_span *params)
{
    size_t colon = sw_span_index(argument, ':');
    if (colon == argument.len)
        return false;
    struct sw_span rest = sw_span_trim(sw_span_from(argument, colon + 1));
    if (rest.len > 0 && rest.ptr[0] == '<') {
        size_t end = path_end(rest);
        *path = sw_span_sub(rest, 1, end > rest.len ? rest.len - 1 : end - 1);
        *params = sw_span_trim(sw_span_from(rest, end + 1));
        return true;
    }
    *path = sw_span_word(&rest);
    *params = sw_span_trim(rest);
    return true;
}

bool smtp_param_find(struct sw_span params, const char *keyword, struct sw_span *value)
{
    struct sw_span name = sw_span_str(keyword);
    struct sw_span rest = params;
    for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest)) {
        if (!sw_span_starts_nocase(word, name))
            continue;
        struct sw_span behind = sw_span_from(word, name.len);
        if (behind.len > 0 && behind.ptr[0] != '=')
            continue;
        *value = sw_span_from(behind, 1);
        return true;
    }
    return false;
}

void smtp_keyword_parse(struct sw_span line, struct sw_span *keyword, struct sw_span *params)
{
    const struct sw_span legacy = SW_SPAN_LIT("AUTH="); /* the first mechanism is joined to it */
    struct sw_span whole = sw_span_trim(line);
    if (sw_span_starts_nocase(whole, legacy)) {
        *keyword = sw_span_sub(whole, 0, legacy.len);
        *params = sw_span_trim(sw_span_from(whole, legacy.len));
        return;
    }
    struct sw_span rest = whole;
    struct sw_span word = sw_span_word(&rest);
    *keyword = word;
    *params = sw_span_trim(rest);
}

/* Up to three digits; false when there is none. */
static bool digits(struct sw_span text, size_t *at, uint16_t *value)
{
    size_t start = *at;
    *value = 0;
    while (*at < text.len && *at - start < 3 && sw_ascii_digit(text.ptr[*at]))
        *value = (uint16_t)(*value * 10 + (text.ptr[(*at)++] - '0'));
    return *at > start;
}

bool smtp_enhanced_parse(struct sw_span text, struct smtp_enhanced *enhanced, size_t *used)
{
    size_t at = 0;
    uint16_t klass, subject, detail;
    if (!digits(text, &at, &klass) || (klass != 2 && klass != 4 && klass != 5))
        return false;
    if (at >= text.len || text.ptr[at++] != '.' || !digits(text, &at, &subject))
        return false;
    if (at >= text.len || text.ptr[at++] != '.' || !digits(text, &at, &detail))
        return false;
    if (at < text.len && text.ptr[at] != ' ' && text.ptr[at] != '\t')
        return false;
    *enhanced = (struct smtp_enhanced){klass & 0xFu, subject & 0x3FFFu, detail & 0x3FFFu};
    *used = at < text.len ? at + 1 : at;
    return true;
}

enum smtp_mechanism smtp_mechanism_of(struct sw_span name)
{
    static const struct {
        const char *name;
        enum smtp_mechanism mechanism;
        bool family; /* the name of many that begin so */
    } known[] = {
        {"PLAIN", SMTP_MECH_PLAIN, false},       {"LOGIN", SMTP_MECH_LOGIN, false},
        {"CRAM-MD5", SMTP_MECH_CRAM_MD5, false}, {"DIGEST-MD5", SMTP_MECH_DIGEST_MD5, false},
        {"SCRAM-", SMTP_MECH_SCRAM, true},       {"NTLM", SMTP_MECH_NTLM, false},
        {"MSN", SMTP_MECH_NTLM, false},          {"GSSAPI", SMTP_MECH_GSSAPI, false},
        {"GS2-", SMTP_MECH_GSSAPI, true},        {"GSS-", SMTP_MECH_GSSAPI, true},
        {"NEGOTIATE", SMTP_MECH_GSSAPI, false},  {"EXCHANGEAUTH", SMTP_MECH_GSSAPI, false},
        {"XOAUTH2", SMTP_MECH_XOAUTH2, false},   {"OAUTHBEARER", SMTP_MECH_OAUTHBEARER, false},
        {"EXTERNAL", SMTP_MECH_EXTERNAL, false}, {"ANONYMOUS", SMTP_MECH_ANONYMOUS, false},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct sw_span wanted = sw_span_str(known[i].name);
        if (known[i].family ? sw_span_starts_nocase(name, wanted) : sw_span_eq_nocase(name, wanted))
            return known[i].mechanism;
    }
    return SMTP_MECH_UNKNOWN;
}
