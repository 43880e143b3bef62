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

static void learn(struct sw_veil *veil, struct sw_span word)
{
    if (word.len >= SHORTEST_NAME && veil->word_count < SW_VEIL_WORDS)
        veil->words[veil->word_count++] = word;
}

/* The mailbox name of an address; the whole of what has no @. */
static struct sw_span local_part(struct sw_span address)
{
    return sw_span_sub(address, 0, sw_span_index(address, '@'));
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

void sw_veil_session(struct sw_veil *veil, const struct sw_session *session)
{
    veil->word_count = 0;
    if (!veil->on)
        return;
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths) {
        learn(veil, auth->user);
        learn(veil, auth->computer);
        learn(veil, local_part(auth->user));
    }
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello->command)
            learn(veil, sw_span_trim(hello->command->argument));
    }
    const struct sw_message *message;
    SW_EACH(message, session->messages) {
        learn(veil, local_part(message->sender));
        const struct sw_recipient *recipient;
        SW_EACH(recipient, message->recipients)
            learn(veil, local_part(recipient->address));
    }
    if (session->tls_facts)
        learn_certificates(veil, session->tls_facts);
}

void sw_veil_delivery(struct sw_veil *veil, const struct sw_delivery *delivery)
{
    veil->word_count = 0;
    if (!veil->on)
        return;
    learn(veil, local_part(delivery->sender));
    for (uint32_t i = 0; i < delivery->recipient_count; i++)
        learn(veil, local_part(delivery->recipients[i]));
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

static void put_pseudonym(struct sw_veil *veil, const char *kind, struct sw_span name,
                          const char *behind)
{
    sw_writer_format(&veil->text, "%s-%08x%s", kind,
                     (unsigned)(hash_name(veil, name) & 0xFFFFFFFFu), behind);
}

void sw_veil_address(const struct sw_veil *veil, const uint8_t address[16], int ip_version,
                     char out[SW_ADDRESS_TEXT_BYTES])
{
    if (!veil->on) {
        sw_address_format(address, ip_version, out);
        return;
    }
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
    sw_address_format(other, ip_version, out);
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

static bool is_known_name(const struct sw_veil *veil, struct sw_span token)
{
    for (uint32_t i = 0; i < veil->word_count; i++) {
        if (sw_span_eq_nocase(veil->words[i], token))
            return true;
    }
    return false;
}

static bool put_name(struct sw_veil *veil, struct sw_span token)
{
    size_t at = sw_span_index(token, '@');
    if (at > 0 && at + 1 < token.len) {
        put_pseudonym(veil, "user", sw_span_sub(token, 0, at), "@");
        put_pseudonym(veil, "host", sw_span_from(token, at + 1), ".example");
        return true;
    }
    if (put_address(veil, token))
        return true;
    if (is_domain(token)) {
        put_pseudonym(veil, "host", token, ".example");
        return true;
    }
    if (is_known_name(veil, token)) {
        put_pseudonym(veil, "user", token, "");
        return true;
    }
    return false;
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

/* A token as a whole, else its parts between joints ("user=anna", "host.example:25"). */
static void put_token(struct sw_veil *veil, struct sw_span token)
{
    size_t end = token.len;
    while (end > 0 &&
           (token.ptr[end - 1] == '.' || token.ptr[end - 1] == ':' || token.ptr[end - 1] == '-'))
        end--;
    struct sw_span behind = sw_span_from(token, end);
    token = sw_span_sub(token, 0, end);
    if (token.len > 0 && !put_name(veil, token)) {
        while (token.len > 0) {
            size_t n = 0;
            while (n < token.len && !is_joint(token.ptr[n]))
                n++;
            struct sw_span part = sw_span_sub(token, 0, n);
            if (n == 0 || !put_name(veil, part))
                sw_writer_put(&veil->text, part);
            sw_writer_put(&veil->text, sw_span_sub(token, n, 1));
            token = sw_span_from(token, n + 1);
        }
    }
    sw_writer_put(&veil->text, behind);
}

struct sw_span sw_veil_text(struct sw_veil *veil, struct sw_span text)
{
    if (!veil->on)
        return text;
    sw_writer_clear(&veil->text);
    while (text.len > 0) {
        size_t n = 0;
        while (n < text.len && is_token_byte(text.ptr[n]))
            n++;
        if (n > 0)
            put_token(veil, sw_span_sub(text, 0, n));
        sw_writer_put(&veil->text, sw_span_sub(text, n, 1));
        text = sw_span_from(text, n + 1);
    }
    return sw_writer_span(&veil->text);
}

struct sw_span sw_veil_name(struct sw_veil *veil, struct sw_span name)
{
    if (!veil->on || name.len == 0)
        return name;
    sw_writer_clear(&veil->text);
    if (!put_name(veil, name))
        put_pseudonym(veil, "user", name, "");
    return sw_writer_span(&veil->text);
}
