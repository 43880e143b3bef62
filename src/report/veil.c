#include "report/veil.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { TOKEN_BYTES = 320, SHORTEST_NAME = 3 };

void sw_veil_init(struct sw_veil *veil, bool on, struct sw_hash_key key)
{
    *veil = (struct sw_veil){.on = on, .key = key};
    sw_writer_open_memory(&veil->text);
}

void sw_veil_release(struct sw_veil *veil)
{
    sw_writer_release(&veil->text);
}

static bool is_joint(uint8_t c)
{
    return c == ':' || c == '=' || c == '%' || c == '+' || c == '~';
}

static bool is_token_byte(uint8_t c)
{
    return sw_ascii_alpha(c) || sw_ascii_digit(c) || c >= 0x80 || c == '.' || c == '-' ||
           c == '_' || c == '@' || is_joint(c);
}

/* ASCII case does not make another name (RFC 1035 2.3.3). */
static uint64_t hash_name(const struct sw_veil *veil, struct sw_span name)
{
    uint8_t lower[TOKEN_BYTES];
    size_t len = name.len < sizeof(lower) ? name.len : sizeof(lower);
    for (size_t i = 0; i < len; i++)
        lower[i] = sw_ascii_lower(name.ptr[i]);
    return sw_hash_bytes(&veil->key, sw_span_make(lower, len));
}

/* Where a word stands in the table, or the empty place for it. */
static uint32_t place_of(const struct sw_veil *veil, struct sw_span word)
{
    uint32_t at = (uint32_t)(hash_name(veil, word) % SW_VEIL_WORDS);
    while (veil->words[at].len > 0 && !sw_span_eq_nocase(veil->words[at], word))
        at = (at + 1) % SW_VEIL_WORDS;
    return at;
}

static void learn_word(struct sw_veil *veil, struct sw_span word)
{
    enum { MOST = SW_VEIL_WORDS / 4 * 3 };
    uint32_t at = place_of(veil, word);
    if (veil->words[at].len > 0 || veil->word_count == MOST)
        return;
    veil->words[at] = word;
    veil->word_count++;
}

static void learn(struct sw_veil *veil, struct sw_span name)
{
    name = sw_span_trim(name);
    bool single = true;
    for (size_t i = 0; i < name.len; i++)
        single = single && is_token_byte(name.ptr[i]);
    if (single && name.len > 0)
        learn_word(veil, name);
    else if (name.len >= SHORTEST_NAME && veil->phrase_count < SW_VEIL_PHRASES)
        veil->phrases[veil->phrase_count++] = name;
}

/* A name, and the words that it is made of: "CORP\\anna", "Anna Smith". */
static void learn_parts(struct sw_veil *veil, struct sw_span name)
{
    learn(veil, name);
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && is_token_byte(name.ptr[i]))
            continue;
        if (i > start && i - start < name.len && i - start >= SHORTEST_NAME)
            learn(veil, sw_span_sub(name, start, i - start));
        start = i + 1;
    }
}

/* The mailbox name of an address; the whole of what has no @. */
static struct sw_span local_part(struct sw_span address)
{
    size_t at = address.len; /* the last one: a name in quotation marks may hold others */
    for (size_t i = 0; i < address.len; i++)
        at = address.ptr[i] == '@' ? i : at;
    return sw_span_sub(address, 0, at);
}

static void learn_mailbox(struct sw_veil *veil, struct sw_span address)
{
    struct sw_span local = local_part(address);
    learn(veil, local);
    bool quoted = local.len > 2 && local.ptr[0] == '"' && local.ptr[local.len - 1] == '"';
    if (quoted)
        learn(veil, sw_span_sub(local, 1, local.len - 2));
}

/* The words behind the '=' in "CN=Mail Root,O=Example Corp". */
static void learn_values(struct sw_veil *veil, struct sw_span name)
{
    bool value = false;
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        uint8_t c = i < name.len ? name.ptr[i] : ',';
        bool inside =
            sw_ascii_alpha(c) || sw_ascii_digit(c) || c >= 0x80 || c == '-' || c == '_' || c == '.';
        if (inside)
            continue;
        if (value)
            learn(veil, sw_span_sub(name, start, i - start));
        if (c == '=')
            value = true;
        else if (c == ',' || c == '+')
            value = false;
        start = i + 1;
    }
}

/* Whom a certificate is for is a name; who issued it, unless the whole world knows. */
static void learn_certificates(struct sw_veil *veil, const struct sw_tls *tls)
{
    const struct sw_certificate *c;
    uint32_t private = 1u << SW_CERTIFICATE_NOT_TRUSTED | 1u << SW_CERTIFICATE_SELF_SIGNED;
    bool known = tls->certificates && !(tls->certificates->problems & private);
    learn(veil, tls->sni);
    SW_EACH(c, tls->certificates) {
        if (c == tls->certificates || !known)
            learn_values(veil, c->subject);
        if (!known)
            learn_values(veil, c->issuer);
    }
}

/* What a side calls itself stands first in its greeting (RFC 5321 4.2), unless that says other
 * things. */
static void learn_greeting(struct sw_veil *veil, const struct sw_step *reply)
{
    static const char *const others[] = {"ESMTP", "SMTP",  "LMTP",    "Welcome", "Hello",  "Hi",
                                         "OK",    "Ready", "Service", "Mail",    "Server", "The"};
    struct sw_span text = reply && reply->code / 100 == 2 ? reply->text : (struct sw_span){NULL, 0};
    struct sw_span line = sw_span_sub(text, 0, sw_span_index(text, '\n'));
    struct sw_span word = sw_span_word(&line);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (sw_span_eq_nocase(word, sw_span_str(others[i])))
            return;
    }
    learn(veil, word);
}

/* NAME=... of a proxy's words, AUTH=... of MAIL. */
static void learn_parameters(struct sw_veil *veil, struct sw_span parameters)
{
    static const char *const names[] = {"NAME", "LOGIN", "HELO", "DESTADDR", "AUTH", "ENVID"};
    struct sw_span value;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (smtp_param_find(parameters, names[i], &value) && value.ptr && value.len > 0 &&
            value.ptr[0] != '[')
            learn(veil, value);
    }
}

static void learn_command(struct sw_veil *veil, const struct sw_step *step)
{
    enum smtp_verb verb = step->verb;
    struct sw_span path, parameters;
    if (verb == SMTP_VERB_VRFY || verb == SMTP_VERB_EXPN || verb == SMTP_VERB_ETRN ||
        verb == SMTP_VERB_ATRN) {
        learn_mailbox(veil, step->argument);
    } else if (verb == SMTP_VERB_XCLIENT || verb == SMTP_VERB_XFORWARD) {
        learn_parameters(veil, step->argument);
    } else if ((verb == SMTP_VERB_MAIL || verb == SMTP_VERB_RCPT) &&
               smtp_path_parse(step->argument, &path, &parameters)) {
        learn_mailbox(veil, path);
        learn_parameters(veil, parameters);
    }
}

/* Whom the answer to VRFY or EXPN names before an address: "Anna Smith <anna@example.net>" (RFC
 * 5321 3.5.1). */
static void learn_members(struct sw_veil *veil, const struct sw_step *reply)
{
    if (reply->verb != SMTP_VERB_VRFY && reply->verb != SMTP_VERB_EXPN)
        return;
    for (struct sw_span rest = reply->text; rest.len > 0;) {
        size_t end = sw_span_index(rest, '\n');
        struct sw_span line = sw_span_sub(rest, 0, end);
        struct smtp_enhanced enhanced;
        size_t code;
        if (smtp_enhanced_parse(line, &enhanced, &code))
            line = sw_span_from(line, code);
        size_t address = sw_span_index(line, '<');
        struct sw_span name = sw_span_trim(sw_span_sub(line, 0, address));
        if (name.len > 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
            name = sw_span_sub(name, 1, name.len - 2);
        if (address < line.len)
            learn_parts(veil, name);
        rest = sw_span_from(rest, end < rest.len ? end + 1 : end);
    }
}

static void forget(struct sw_veil *veil)
{
    if (veil->word_count > 0)
        memset(veil->words, 0, sizeof(veil->words));
    veil->word_count = 0;
    veil->phrase_count = 0;
}

void sw_veil_session(struct sw_veil *veil, const struct sw_session *session)
{
    if (!veil->on)
        return;
    forget(veil);
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths) {
        learn_parts(veil, auth->user);
        learn(veil, auth->computer);
        learn(veil, local_part(auth->user));
    }
    learn_greeting(veil, session->greeting);
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello->command)
            learn(veil, hello->command->argument);
        learn_greeting(veil, hello->reply);
    }
    const struct sw_message *message;
    SW_EACH(message, session->messages) {
        learn_mailbox(veil, message->sender);
        learn(veil, message->message_id);
        const struct sw_recipient *recipient;
        SW_EACH(recipient, message->recipients)
            learn_mailbox(veil, recipient->address);
    }
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        if (step->from == SW_CLIENT)
            learn_command(veil, step);
        else
            learn_members(veil, step);
    }
    if (session->tls_facts)
        learn_certificates(veil, session->tls_facts);
}

void sw_veil_delivery(struct sw_veil *veil, const struct sw_delivery *delivery)
{
    if (!veil->on)
        return;
    forget(veil);
    learn_mailbox(veil, delivery->sender);
    for (uint32_t i = 0; i < delivery->recipient_count; i++)
        learn_mailbox(veil, delivery->recipients[i]);
    learn(veil, delivery->server_name);
}

static void put_pseudonym(struct sw_veil *veil, const char *kind, struct sw_span name,
                          const char *behind)
{
    sw_writer_format(&veil->text, "%s-%08x%s", kind,
                     (unsigned)(hash_name(veil, name) & 0xFFFFFFFFu), behind);
}

size_t sw_veil_address(const struct sw_veil *veil, const uint8_t address[16], int ip_version,
                       char out[SW_ADDRESS_TEXT_BYTES])
{
    if (!veil->on)
        return sw_address_format(address, ip_version, out);
    uint64_t hash = sw_hash_bytes(&veil->key, sw_span_make(address, ip_version == 4 ? 4 : 16));
    uint8_t other[16] = {0};
    if (ip_version == 4) {
        for (unsigned i = 0; i < 4; i++)
            other[i] = (uint8_t)(hash >> (8 * i));
        other[0] |= 0xF0;
    } else {
        other[0] = 0xFD;
        for (unsigned i = 0; i < 8; i++)
            other[8 + i] = (uint8_t)(hash >> (8 * i));
    }
    return sw_address_format(other, ip_version, out);
}

void sw_veil_id(const struct sw_veil *veil, const char id[17], char out[17])
{
    if (veil->on)
        (void)snprintf(out, 17, "%016llx",
                       (unsigned long long)sw_hash_bytes(&veil->key, sw_span_str(id)));
    else
        memcpy(out, id, 17);
}

/* An IP address in any form, perhaps with "IPv6:" before it (RFC 5321 4.1.3) or ":port" behind an
 * IPv4 one. */
static bool put_address(struct sw_veil *veil, struct sw_span token)
{
    char text[64];
    uint8_t bytes[16] = {0};
    char other[SW_ADDRESS_TEXT_BYTES];
    struct sw_span tag = SW_SPAN_LIT("IPv6:");
    bool tagged = sw_span_starts_nocase(token, tag);
    struct sw_span bare = tagged ? sw_span_from(token, tag.len) : token;
    if (bare.len < 2 || bare.len >= sizeof(text))
        return false;
    memcpy(text, bare.ptr, bare.len);
    text[bare.len] = '\0';
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        sw_veil_address(veil, bytes, 6, other);
        sw_writer_format(&veil->text, "%s%s", tagged ? "IPv6:" : "", other);
        return true;
    }
    size_t colon = sw_span_index(bare, ':');
    text[colon] = '\0';
    if (inet_pton(AF_INET, text, bytes) != 1)
        return false;
    sw_veil_address(veil, bytes, 4, other);
    sw_writer_text(&veil->text, other);
    sw_writer_put(&veil->text, sw_span_from(bare, colon));
    return true;
}

/* "010.000.000.001": four numbers of up to three digits. */
static bool put_padded_address(struct sw_veil *veil, struct sw_span token)
{
    unsigned dots = 0;
    size_t digits = 0;
    for (size_t i = 0; i < token.len; i++) {
        bool dot = token.ptr[i] == '.';
        if ((!dot && !sw_ascii_digit(token.ptr[i])) || (dot && digits == 0) || digits > 3)
            return false;
        dots += dot;
        digits = dot ? 0 : digits + 1;
    }
    if (dots != 3 || digits == 0 || digits > 3)
        return false;
    put_pseudonym(veil, "host", token, ".example");
    return true;
}

/* Two labels or more, the last of them letters only (or an IDNA label). */
static bool is_domain(struct sw_span token)
{
    size_t last = 0;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] == '.')
            last = i + 1;
        else if (!sw_ascii_alpha(token.ptr[i]) && !sw_ascii_digit(token.ptr[i]) &&
                 token.ptr[i] != '-' && token.ptr[i] != '_' && token.ptr[i] < 0x80)
            return false;
    }
    struct sw_span tld = sw_span_from(token, last);
    if (last < 2 || tld.len < 2)
        return false;
    if (sw_span_starts_nocase(tld, SW_SPAN_LIT("xn--")))
        return true;
    for (size_t i = 0; i < tld.len; i++) {
        if (!sw_ascii_alpha(tld.ptr[i]) && tld.ptr[i] < 0x80)
            return false;
    }
    return true;
}

/* A name of two letters may be any word; `named`: the text itself says that it is a name. */
static bool is_known_name(const struct sw_veil *veil, struct sw_span token, bool named)
{
    bool long_enough = token.len >= SHORTEST_NAME || named;
    return veil->word_count > 0 && token.len > 0 && long_enough &&
           veil->words[place_of(veil, token)].len > 0;
}

/* Where a mail address has its @, also in the spelling of URLs; *behind is what follows it. */
static size_t find_at(struct sw_span token, size_t *behind)
{
    size_t at = sw_span_index(token, '@');
    size_t url = sw_span_find_nocase(token, SW_SPAN_LIT("%40"));
    *behind = at < url ? at + 1 : url + 3;
    return at < url ? at : url;
}

/* What a login's challenge looks like: base64 (RFC 4648), in which anything may be. */
static bool is_encoded(struct sw_span token)
{
    enum { LEAST = 20 };
    bool upper = false, lower = false, other = false;
    for (size_t i = 0; i < token.len; i++) {
        uint8_t c = token.ptr[i];
        bool letter = sw_ascii_alpha(c);
        upper = upper || (letter && c != sw_ascii_lower(c));
        lower = lower || (letter && c == sw_ascii_lower(c));
        other = other || !letter;
    }
    return token.len >= LEAST && upper && lower && other;
}

static bool put_name(struct sw_veil *veil, struct sw_span token, bool named)
{
    size_t behind;
    size_t at = find_at(token, &behind);
    if (at > 0 && behind < token.len) {
        put_pseudonym(veil, "user", sw_span_sub(token, 0, at), "@");
        put_pseudonym(veil, "host", sw_span_from(token, behind), ".example");
        return true;
    }
    if (at == 0 && behind < token.len) {
        sw_writer_char(&veil->text, '@');
        put_pseudonym(veil, "host", sw_span_from(token, behind), ".example");
        return true;
    }
    if (at > 0 && behind == token.len && at < token.len) {
        put_pseudonym(veil, "user", sw_span_sub(token, 0, at), "@");
        return true;
    }
    if (put_address(veil, token) || put_padded_address(veil, token))
        return true;
    if (is_domain(token)) {
        put_pseudonym(veil, "host", token, ".example");
        return true;
    }
    if (is_known_name(veil, token, named)) {
        put_pseudonym(veil, "user", token, "");
        return true;
    }
    return false;
}

/* "192.0.2": what is left of an address. */
static bool is_part_of_address(struct sw_span token)
{
    unsigned dots = 0;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] != '.' && !sw_ascii_digit(token.ptr[i]))
            return false;
        dots += token.ptr[i] == '.';
    }
    return dots > 0;
}

/* A token as a whole, else its parts between joints ("user=anna", "host.example:25"). */
static void put_token(struct sw_veil *veil, struct sw_span token, bool named)
{
    size_t end = token.len;
    while (end > 0 &&
           (token.ptr[end - 1] == '.' || token.ptr[end - 1] == ':' || token.ptr[end - 1] == '-'))
        end--;
    struct sw_span behind = sw_span_from(token, end);
    token = sw_span_sub(token, 0, end);
    bool cut = behind.len > 1; /* "192.0.2...": a text that was shortened in the middle of it */
    if (cut && is_part_of_address(token)) {
        token.len = 0;
    } else if (token.len > 0 && put_name(veil, token, named)) {
        token.len = 0;
    }
    while (token.len > 0) {
        size_t n = 0;
        while (n < token.len && !is_joint(token.ptr[n]))
            n++;
        struct sw_span part = sw_span_sub(token, 0, n);
        if (n == 0 || !put_name(veil, part, named))
            sw_writer_put(&veil->text, part);
        sw_writer_put(&veil->text, sw_span_sub(token, n, 1));
        token = sw_span_from(token, n + 1);
        /* behind "ip=" or "IPv6:" a name may have joints of its own */
        if (token.len <= TOKEN_BYTES && put_name(veil, token, named))
            token.len = 0;
    }
    sw_writer_put(&veil->text, behind);
}

static bool is_base64_byte(uint8_t c)
{
    return sw_ascii_alpha(c) || sw_ascii_digit(c) || c == '+' || c == '/' || c == '=';
}

/* The length of a learned phrase at the start of the text, or 0. */
static size_t phrase_length(const struct sw_veil *veil, struct sw_span text)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < veil->phrase_count; i++) {
        struct sw_span phrase = veil->phrases[i];
        if (phrase.len > longest && sw_span_starts_nocase(text, phrase))
            longest = phrase.len;
    }
    return longest;
}

/* Behind these words stands a name. */
static bool announces_name(struct sw_span token)
{
    return sw_span_eq_nocase(token, SW_SPAN_LIT("EHLO")) ||
           sw_span_eq_nocase(token, SW_SPAN_LIT("HELO")) ||
           sw_span_eq_nocase(token, SW_SPAN_LIT("LHLO")) ||
           sw_span_eq_nocase(token, SW_SPAN_LIT("Hello"));
}

/* Behind a run of base64 that begins at `at`, or `at`; *judged is how far runs have been looked at.
 */
static size_t encoded_end(struct sw_span text, size_t at, size_t *judged)
{
    size_t end = at;
    while (at >= *judged && end < text.len && is_base64_byte(text.ptr[end]))
        end++;
    if (end > at)
        *judged = end;
    return is_encoded(sw_span_sub(text, at, end - at)) ? end : at;
}

struct sw_span sw_veil_text(struct sw_veil *veil, struct sw_span text)
{
    if (!veil->on)
        return text;
    sw_writer_clear(&veil->text);
    bool named = is_known_name(veil, text, true); /* it is one as a whole */
    size_t judged = 0;
    for (size_t at = 0; at < text.len;) {
        size_t end = at + phrase_length(veil, sw_span_from(text, at));
        if (end == at)
            end = encoded_end(text, at, &judged);
        if (end > at) {
            put_pseudonym(veil, "user", sw_span_sub(text, at, end - at), "");
            at = end;
            continue;
        }
        while (end < text.len && is_token_byte(text.ptr[end]))
            end++;
        struct sw_span token = sw_span_sub(text, at, end - at);
        bool domain = end + 1 < text.len && text.ptr[end] == '\\' && /* CORP\anna */
                      sw_ascii_alpha(text.ptr[end + 1]);
        if (token.len > 0 && domain)
            put_pseudonym(veil, "user", token, "");
        else if (token.len > 0)
            put_token(veil, token, named);
        if (token.len > 0)
            named = announces_name(token);
        sw_writer_put(&veil->text, sw_span_sub(text, end, 1));
        at = end + 1;
    }
    return sw_writer_span(&veil->text);
}

struct sw_span sw_veil_name(struct sw_veil *veil, struct sw_span name)
{
    if (!veil->on || name.len == 0)
        return name;
    sw_writer_clear(&veil->text);
    if (!put_name(veil, name, true))
        put_pseudonym(veil, "user", name, "");
    return sw_writer_span(&veil->text);
}
