/*
 * suite.c - what a cipher suite is made of. The registered names follow one grammar
 * (TLS_<key exchange>_WITH_<cipher>_<hash>; TLS 1.3: TLS_<cipher>_<hash>), so the name is the
 * table.
 */
#include "dissectors/tls/internal.h"

static bool has(struct sw_span name, const char *part)
{
    return sw_span_find_nocase(name, sw_span_str(part)) < name.len;
}

static bool begins(struct sw_span name, const char *part)
{
    return sw_span_starts(name, sw_span_str(part));
}

static bool ends(struct sw_span name, const char *part)
{
    struct sw_span tail = sw_span_str(part);
    return name.len >= tail.len && sw_span_eq(sw_span_from(name, name.len - tail.len), tail);
}

static enum tls_mode mode_of(struct sw_span name)
{
    if (has(name, "_GCM"))
        return TLS_MODE_GCM;
    if (has(name, "_CCM_8"))
        return TLS_MODE_CCM_8;
    if (has(name, "_CCM"))
        return TLS_MODE_CCM;
    if (has(name, "CHACHA20"))
        return TLS_MODE_CHACHA;
    if (has(name, "_CBC"))
        return TLS_MODE_CBC;
    if (has(name, "_RC4_"))
        return TLS_MODE_STREAM;
    return has(name, "_NULL_") ? TLS_MODE_NULL : TLS_MODE_UNKNOWN;
}

static uint8_t mac_of(struct sw_span name)
{
    if (ends(name, "_MD5"))
        return 16;
    if (ends(name, "_SHA256"))
        return 32;
    if (ends(name, "_SHA384"))
        return 48;
    return ends(name, "_SHA") ? 20 : 0;
}

bool tls_suite(uint16_t cipher, struct tls_suite *out)
{
    *out = (struct tls_suite){0};
    const char *text = tls_cipher_name(cipher);
    if (!text)
        return false;
    struct sw_span name = sw_span_str(text);
    out->mode = mode_of(name);
    bool aead = out->mode == TLS_MODE_GCM || out->mode == TLS_MODE_CCM ||
                out->mode == TLS_MODE_CCM_8 || out->mode == TLS_MODE_CHACHA;
    out->mac_bytes = aead ? 0 : mac_of(name);
    out->hash_bytes = ends(name, "_SHA384") ? 48 : 32;
    bool des = has(name, "_DES_") || has(name, "_DES40_") || has(name, "3DES");
    bool small_block = des || has(name, "_IDEA_") || has(name, "_RC2_");
    out->block_bytes = out->mode != TLS_MODE_CBC ? 0 : small_block ? 8 : 16;
    out->tls13 = !has(name, "_WITH_");
    out->anonymous = has(name, "_anon_");
    out->psk = has(name, "_PSK_");
    bool bare_psk = begins(name, "TLS_PSK_");
    bool ephemeral = has(name, "DHE_") || has(name, "_anon_") || has(name, "ECCPWD");
    out->static_key = !out->tls13 && !ephemeral && !bare_psk;
    out->exported = has(name, "_EXPORT_");
    out->weak = small_block || out->mode == TLS_MODE_STREAM || out->mode == TLS_MODE_NULL ||
                out->exported || ends(name, "_MD5");
    return true;
}
