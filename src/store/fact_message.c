/*
 * fact_message.c - one walk over a fact that either puts each value or gets it, so that the two
 * cannot differ.
 */
#include "store/fact_message.h"

#include "base/cursor.h"

#include <string.h>

struct walk {
    uint8_t *out; /* NULL: it reads */
    size_t used;
    struct sw_cursor in;
    bool bad;
};

static uint64_t number(struct walk *w, uint64_t value)
{
    uint8_t bytes[8];
    if (!w->out)
        return sw_cursor_be64(&w->in);
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    w->bad = w->bad || SW_FACT_MESSAGE_BYTES - w->used < sizeof(bytes);
    if (!w->bad) {
        memcpy(w->out + w->used, bytes, sizeof(bytes));
        w->used += sizeof(bytes);
    }
    return value;
}

/* A value of an enum or a count, or a number that has to be smaller than `limit` anyway. */
static unsigned below(struct walk *w, unsigned value, unsigned limit)
{
    uint64_t n = number(w, value);
    w->bad = w->bad || n >= limit;
    return n < limit ? (unsigned)n : 0;
}

static bool flag(struct walk *w, bool value)
{
    return below(w, value, 2) == 1;
}

static struct sw_span span(struct walk *w, struct sw_span value)
{
    size_t len = (size_t)number(w, value.len);
    if (!w->out)
        return sw_cursor_take(&w->in, len);
    w->bad = w->bad || SW_FACT_MESSAGE_BYTES - w->used < len;
    if (!w->bad && len > 0) {
        memcpy(w->out + w->used, value.ptr, len);
        w->used += len;
    }
    return value;
}

/* With the NUL at its end; never NULL when it was read. */
static const char *string(struct walk *w, const char *value)
{
    const char *text = value ? value : "";
    struct sw_span s = span(w, sw_span_make(text, strlen(text) + 1));
    bool whole = s.len > 0 && memchr(s.ptr, '\0', s.len) == s.ptr + s.len - 1;
    w->bad = w->bad || !whole;
    return whole ? (const char *)s.ptr : "";
}

static void bytes16(struct walk *w, uint8_t value[16])
{
    struct sw_span s = span(w, sw_span_make(value, 16));
    w->bad = w->bad || s.len != 16;
    if (!w->out && s.len == 16)
        memcpy(value, s.ptr, 16);
}

static enum sw_seen seen(struct walk *w, enum sw_seen value)
{
    return (enum sw_seen)below(w, (unsigned)value, SW_SEEN_YES + 1);
}

static void certificate(struct walk *w, struct sw_fact_certificate *c)
{
    c->known = flag(w, c->known);
    c->subject = span(w, c->subject);
    c->issuer = span(w, c->issuer);
    c->names = span(w, c->names);
    c->sha256 = string(w, c->sha256);
    c->not_before = string(w, c->not_before);
    c->not_after = string(w, c->not_after);
    c->problems = (uint32_t)number(w, c->problems);
    c->frame = number(w, c->frame);
}

static void lists(struct walk *w, struct sw_fact *f)
{
    f->login_count = below(w, f->login_count, SW_FACT_LOGINS + 1);
    for (unsigned i = 0; i < f->login_count; i++) {
        struct sw_fact_login *login = &f->logins[i];
        login->user = span(w, login->user);
        login->mechanism = span(w, login->mechanism);
        login->exposed = flag(w, login->exposed);
        login->accepted = flag(w, login->accepted);
        login->frame = number(w, login->frame);
    }
    f->finding_count = below(w, f->finding_count, SW_FACT_FINDINGS + 1);
    for (unsigned i = 0; i < f->finding_count; i++) {
        struct sw_fact_finding *finding = &f->findings[i];
        finding->id = (enum sw_finding_id)below(w, (unsigned)finding->id, SW_FINDING_COUNT);
        finding->severity =
            (enum sw_severity)below(w, (unsigned)finding->severity, SW_SEVERITY_COUNT);
        finding->frame = number(w, finding->frame);
    }
}

static void whole(struct walk *w, struct sw_fact *f)
{
    f->id = string(w, f->id);
    f->start_ns = (int64_t)number(w, (uint64_t)f->start_ns);
    f->file = string(w, f->file);
    f->first_frame = number(w, f->first_frame);
    f->has_server = flag(w, f->has_server);
    bytes16(w, f->client);
    bytes16(w, f->server);
    f->ip_version = (uint8_t)below(w, f->ip_version, 7);
    f->server_port = (uint16_t)below(w, f->server_port, 1 << 16);
    f->server_name = span(w, f->server_name);
    f->outcome = (enum sw_outcome)below(w, (unsigned)f->outcome, SW_OUTCOME_COUNT);
    f->cause = (enum sw_cause)below(w, (unsigned)f->cause, SW_CAUSE_COUNT);
    f->security =
        (enum sw_security)below(w, (unsigned)f->security, SW_SECURITY_IMPLICIT_TLS_FAILED + 1);
    f->login = seen(w, f->login);
    f->clear_mail = seen(w, f->clear_mail);
    f->clear_mail_frame = number(w, f->clear_mail_frame);
    f->starttls = seen(w, f->starttls);
    f->starttls_frame = number(w, f->starttls_frame);
    f->tls = seen(w, f->tls);
    f->tls_version = (uint16_t)below(w, f->tls_version, 1 << 16);
    f->tls_frame = number(w, f->tls_frame);
    f->certified = seen(w, f->certified);
    certificate(w, &f->certificate);
    f->greeting_delay_ns = (int64_t)number(w, (uint64_t)f->greeting_delay_ns);
    f->greeting_due = flag(w, f->greeting_due);
    f->greeting_wait_ns = (int64_t)number(w, (uint64_t)f->greeting_wait_ns);
    f->greeting_frame = number(w, f->greeting_frame);
    f->clear_keywords = span(w, f->clear_keywords);
    f->inner_keywords = span(w, f->inner_keywords);
    lists(w, f);
}

size_t sw_fact_message_write(const struct sw_fact *fact, uint8_t out[SW_FACT_MESSAGE_BYTES])
{
    struct walk w = {.out = out};
    struct sw_fact copy = *fact;
    whole(&w, &copy);
    return w.bad ? 0 : w.used;
}

bool sw_fact_message_read(struct sw_span message, struct sw_fact *fact)
{
    struct walk w = {.in = sw_cursor_make(message)};
    *fact = (struct sw_fact){.file_count = 0};
    whole(&w, fact);
    return !w.bad && !w.in.bad && w.in.left == 0;
}
