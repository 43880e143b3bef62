/*
 * certificate.c - what was read from the server's certificates, and whose products issue some.
 */
#include "session/build.h"

struct interceptor {
    const char *part, *product;
    enum sw_interceptor_kind kind;
};

#define SW_INTERCEPTOR(part, product, kind) {(part), (product), SW_INTERCEPTOR_##kind},
static const struct interceptor interceptors[] = {
#include "session/interceptor.def"
};
#undef SW_INTERCEPTOR

static void find_interceptor(struct sw_certificate *certificate)
{
    for (size_t i = 0; i < sizeof(interceptors) / sizeof(interceptors[0]); i++) {
        struct sw_span part = sw_span_str(interceptors[i].part);
        if (sw_span_find_nocase(certificate->issuer, part) == certificate->issuer.len)
            continue;
        certificate->interceptor = interceptors[i].kind;
        certificate->product = interceptors[i].product;
        certificate->problems |= 1u << SW_CERTIFICATE_INTERCEPTED;
        return;
    }
}

void sw_session_certificate(struct sw_certificate *certificate)
{
    if (certificate->read && !certificate->interceptor)
        find_interceptor(certificate);
}

/* Names that millions of people send through; who signs for them is known. */
static const char *const public_providers[] = {
    "gmail.com",     "googlemail.com", "google.com",    "outlook.com",
    "office365.com", "office.com",     "live.com",      "hotmail.com",
    "yahoo.com",     "aol.com",        "icloud.com",    "me.com",
    "gmx.net",       "gmx.com",        "gmx.de",        "web.de",
    "t-online.de",   "ionos.com",      "ionos.de",      "1und1.de",
    "zoho.com",      "zoho.eu",        "yandex.com",    "yandex.ru",
    "mail.ru",       "protonmail.ch",  "fastmail.com",  "orange.fr",
    "free.fr",       "libero.it",      "amazonaws.com", "sendgrid.net",
    "mailgun.org",   "comcast.net",    "att.net",       "protection.outlook.com",
    "qq.com",        "163.com",        "mailbox.org",   "posteo.de",
};

bool sw_is_public_provider(struct sw_span name)
{
    for (size_t i = 0; i < sizeof(public_providers) / sizeof(public_providers[0]); i++) {
        struct sw_span domain = sw_span_str(public_providers[i]);
        if (name.len < domain.len ||
            !sw_span_eq_nocase(sw_span_from(name, name.len - domain.len), domain))
            continue;
        if (name.len == domain.len || name.ptr[name.len - domain.len - 1] == '.')
            return true;
    }
    return false;
}
