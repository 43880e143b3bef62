/*
 * name.c - names of versions, cipher suites and alerts.
 */
#include "dissectors/tls/internal.h"

struct cipher {
    uint16_t number;
    const char *name;
};

#define TLS_CIPHER(number, name) {number, name},
static const struct cipher ciphers[] = {
#include "dissectors/tls/cipher.def"
};
#undef TLS_CIPHER

#define TLS_ALERT(number, name) [number] = (name),
static const char *const alerts[256] = {
#include "dissectors/tls/alert.def"
};
#undef TLS_ALERT

const char *tls_cipher_name(uint16_t cipher)
{
    size_t low = 0;
    size_t high = sizeof(ciphers) / sizeof(ciphers[0]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ciphers[middle].number < cipher)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sizeof(ciphers) / sizeof(ciphers[0]) && ciphers[low].number == cipher;
    return found ? ciphers[low].name : NULL;
}

const char *tls_alert_name(uint8_t description)
{
    return alerts[description];
}

const char *tls_version_name(uint16_t version)
{
    switch (version) {
    case TLS_VERSION_SSL2:
        return "SSLv2";
    case TLS_VERSION_SSL3:
        return "SSLv3";
    case TLS_VERSION_1_0:
        return "TLSv1.0";
    case TLS_VERSION_1_1:
        return "TLSv1.1";
    case TLS_VERSION_1_2:
        return "TLSv1.2";
    case TLS_VERSION_1_3:
        return "TLSv1.3";
    default:
        return NULL;
    }
}

bool tls_is_grease(uint16_t code)
{
    return (code & 0x0F0F) == 0x0A0A && code >> 8 == (code & 0xFF);
}

bool tls_alert_is_error(uint8_t description)
{
    return description != 0 && description != 90 && description != 100;
}
