/*
 * generate.c - large, realistic, repeatable captures for the benchmark, with the truth beside them.
 *
 *   generate KIND SIZE FILE.pcap > truth.tsv
 *
 * KIND bulk (SIZE = megabytes of large mails), sessions (SIZE = number of short sessions with mixed
 * ends), noise (SIZE = megabytes, 3 % of the packets are mail), hostile (SIZE = thousands of
 * hostile connections among honest ones), open (SIZE = sessions open at once). The truth: one line
 * "name<TAB>number" for sessions and for each outcome; on hostile the names of the honest sessions
 * only.
 */
#include "wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct truth {
    uint64_t sessions, delivered, partial, stuck, no_mail, recipients;
};

static struct wire_flow new_flow(struct wire *w, uint32_t number, uint16_t port)
{
    struct wire_flow f = {
        .address = {0x0a000000u + number % 60000u + 1u, 0xc6336400u + number % 200u + 1u},
        .port = {(uint16_t)(1024 + number / 60000u % 60000u + number % 7u), port},
        .seq = {(uint32_t)wire_random(w), (uint32_t)wire_random(w)},
    };
    return f;
}

static void say_hello(struct wire *w, struct wire_flow *f)
{
    wire_open(w, f);
    wire_say(w, f, 1, "220 mx.example.org ESMTP Postfix\r\n");
    wire_say(w, f, 0, "EHLO pc.example.net\r\n");
    wire_say(w, f, 1,
             "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-STARTTLS\r\n250 "
             "8BITMIME\r\n");
}

static void say_goodbye(struct wire *w, struct wire_flow *f)
{
    wire_say(w, f, 0, "QUIT\r\n");
    wire_say(w, f, 1, "221 2.0.0 Bye\r\n");
    wire_close(w, f, 1);
}

/* A body of base64 lines, as an attachment looks; `len` octets of whole lines. */
static const char *body_of(size_t len)
{
    static char *text;
    enum { LARGEST = 4 << 20 };
    if (!text) {
        static const char alphabet[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        text = malloc(LARGEST);
        uint64_t x = 88172645463325252u;
        for (size_t i = 0; text && i < LARGEST; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            size_t column = i % 78;
            text[i] = column == 76 ? '\r' : column == 77 ? '\n' : alphabet[x % 64];
        }
    }
    (void)len;
    return text;
}

static void send_mail(struct wire *w, struct wire_flow *f, size_t octets, unsigned recipients)
{
    wire_say(w, f, 0, "MAIL FROM:<anna@example.net>\r\n");
    wire_say(w, f, 1, "250 2.1.0 Ok\r\n");
    for (unsigned i = 0; i < recipients; i++) {
        char line[64];
        snprintf(line, sizeof(line), "RCPT TO:<user%u@example.org>\r\n", i);
        wire_say(w, f, 0, line);
        wire_say(w, f, 1, "250 2.1.5 Ok\r\n");
    }
    wire_say(w, f, 0, "DATA\r\n");
    wire_say(w, f, 1, "354 End data with <CR><LF>.<CR><LF>\r\n");
    wire_say(w, f, 0, "From: anna@example.net\r\nTo: user0@example.org\r\nSubject: test\r\n\r\n");
    wire_send(w, f, 0, body_of(octets), octets / 78 * 78);
    wire_say(w, f, 0, ".\r\n");
    wire_say(w, f, 1, "250 2.0.0 Ok: queued as 4F1B2C3D\r\n");
}

/* One short session; which of its eight ends, `kind` says. */
static void short_session(struct wire *w, struct wire_flow *f, unsigned kind, struct truth *truth)
{
    truth->sessions++;
    switch (kind) {
    case 0: /* refused connection */
        wire_segment(w, f, 0, WIRE_SYN, f->seq[0]++, 0, NULL, 0);
        wire_segment(w, f, 1, WIRE_RST | WIRE_ACK, 0, f->seq[0], NULL, 0);
        truth->stuck++;
        return;
    case 1: /* busy */
        wire_open(w, f);
        wire_say(w, f, 1, "421 4.7.0 Error: too many connections\r\n");
        wire_close(w, f, 1);
        truth->stuck++;
        return;
    case 2: /* wrong password */
        say_hello(w, f);
        wire_say(w, f, 0, "AUTH PLAIN AGFubmEAbm90LWEtcmVhbC1zZWNyZXQ=\r\n");
        wire_say(w, f, 1, "535 5.7.8 Error: authentication failed\r\n");
        say_goodbye(w, f);
        truth->stuck++;
        return;
    case 3: /* no such user */
        say_hello(w, f);
        wire_say(w, f, 0, "MAIL FROM:<anna@example.net>\r\n");
        wire_say(w, f, 1, "250 2.1.0 Ok\r\n");
        wire_say(w, f, 0, "RCPT TO:<nobody@example.org>\r\n");
        wire_say(w, f, 1,
                 "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown\r\n");
        say_goodbye(w, f);
        truth->stuck++;
        return;
    case 4: /* a probe */
        wire_open(w, f);
        wire_say(w, f, 1, "220 mx.example.org ESMTP\r\n");
        say_goodbye(w, f);
        truth->no_mail++;
        return;
    case 5: /* one of two recipients */
        say_hello(w, f);
        wire_say(w, f, 0,
                 "MAIL FROM:<anna@example.net>\r\nRCPT TO:<a@example.org>\r\nRCPT "
                 "TO:<b@example.org>\r\nDATA\r\n");
        wire_say(w, f, 1,
                 "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 User unknown\r\n354 Go ahead\r\n");
        wire_say(w, f, 0, "Subject: x\r\n\r\nHello\r\n.\r\n");
        wire_say(w, f, 1, "250 2.0.0 Ok: queued as 4F1B2C3D\r\n");
        say_goodbye(w, f);
        truth->partial++;
        truth->recipients++;
        return;
    default: /* most mail goes */
        say_hello(w, f);
        send_mail(w, f, 500 + wire_below(w, 3000), 1 + kind % 2);
        say_goodbye(w, f);
        truth->delivered++;
        truth->recipients += 1 + kind % 2;
        return;
    }
}

static void make_bulk(struct wire *w, uint64_t megabytes, struct truth *truth)
{
    for (uint32_t n = 0; w->bytes < megabytes << 20; n++) {
        struct wire_flow f = new_flow(w, n, 25);
        say_hello(w, &f);
        send_mail(w, &f, (200u + wire_below(w, 3800)) << 10, 1);
        say_goodbye(w, &f);
        truth->sessions++;
        truth->delivered++;
        truth->recipients++;
    }
}

static void make_sessions(struct wire *w, uint64_t count, struct truth *truth)
{
    for (uint32_t n = 0; n < count; n++) {
        struct wire_flow f = new_flow(w, n, n % 3 ? 25 : 587);
        short_session(w, &f, wire_below(w, 14), truth);
    }
}

/* Web-like traffic: long downloads on port 443 and short exchanges on many ports, interleaved with
 * mail. */
static void make_noise(struct wire *w, uint64_t megabytes, struct truth *truth)
{
    enum { STREAMS = 64 };
    struct wire_flow streams[STREAMS];
    for (uint32_t i = 0; i < STREAMS; i++) {
        streams[i] = new_flow(w, 100000 + i, 443);
        wire_open(w, &streams[i]);
    }
    uint64_t mail_frames = 0;
    uint32_t mails = 0;
    while (w->bytes < megabytes << 20) {
        struct wire_flow *f = &streams[wire_below(w, STREAMS)];
        uint8_t record[WIRE_MSS];
        memcpy(record, body_of(sizeof(record)), sizeof(record));
        record[0] = 0x17;
        record[1] = 3;
        record[2] = 3;
        wire_send(w, f, (int)wire_below(w, 8) == 0 ? 0 : 1, record, sizeof(record));
        if (mail_frames * 100 < w->frames * 3) {
            uint64_t before = w->frames;
            struct wire_flow mail = new_flow(w, mails++, 25);
            short_session(w, &mail, wire_below(w, 14), truth);
            mail_frames += w->frames - before;
        }
    }
}

static void flood(struct wire *w, uint32_t n)
{
    struct wire_flow f = new_flow(w, n, 25);
    f.address[0] = 0x0b000000u + (uint32_t)(wire_random(w) & 0xffffff);
    f.port[0] = (uint16_t)(1024 + wire_below(w, 60000));
    wire_segment(w, &f, 0, WIRE_SYN, f.seq[0], 0, NULL, 0);
}

/* Half-open, reordered, overlapping, cut: a session that nobody can judge with certainty, or a
 * delivered one. */
static void mangled(struct wire *w, uint32_t n)
{
    struct wire_flow f = new_flow(w, 3000000 + n, 25);
    wire_open(w, &f);
    wire_say(w, &f, 1, "220 mx.example.org ESMTP\r\n");
    const char *text = "EHLO pc\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n";
    size_t len = strlen(text);
    uint32_t base = f.seq[0];
    for (int i = 0; i < 12; i++) { /* pieces in any order, overlapping, some with other bytes */
        size_t from = wire_below(w, (uint32_t)len);
        size_t part = 1 + wire_below(w, (uint32_t)(len - from));
        char copy[128];
        memcpy(copy, text + from, part);
        if (wire_below(w, 4) == 0)
            copy[wire_below(w, (uint32_t)part)] = 'x';
        wire_segment(w, &f, 0, WIRE_ACK | WIRE_PSH, base + (uint32_t)from, f.seq[1], copy, part);
    }
    if (wire_below(w, 2))
        wire_segment(w, &f, 1, WIRE_RST | WIRE_ACK, f.seq[1], base, NULL, 0);
}

/* An IPv4 fragment that never finds its rest. */
static void fragment(struct wire *w)
{
    uint8_t frame[14 + 20 + 64] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 84};
    uint64_t r = wire_random(w);
    memcpy(frame + 18, &r, 2);
    frame[20] = 0x20;
    frame[22] = 64;
    frame[23] = 6;
    memcpy(frame + 26, &r, 8);
    wire_frame(w, frame, sizeof(frame));
}

static void make_hostile(struct wire *w, uint64_t thousands, struct truth *truth)
{
    uint32_t honest = 0;
    for (uint32_t n = 0; n < thousands * 1000; n++) {
        switch (wire_below(w, 8)) {
        case 0:
            mangled(w, n);
            break;
        case 1:
            fragment(w);
            break;
        default:
            flood(w, n);
            break;
        }
        if (n % 500 == 0) {
            struct wire_flow f = new_flow(w, honest++, 587);
            short_session(w, &f, 6 + honest % 2, truth);
        }
    }
}

static void make_open(struct wire *w, uint64_t count, struct truth *truth)
{
    for (uint32_t n = 0; n < count; n++) {
        struct wire_flow f = new_flow(w, n, 25);
        say_hello(w, &f);
        wire_say(w, &f, 0, "MAIL FROM:<anna@example.net>\r\n");
        wire_say(w, &f, 1, "250 2.1.0 Ok\r\n");
        truth->sessions++;
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(struct wire *w, uint64_t size, struct truth *truth);
    } kinds[] = {{"bulk", make_bulk},
                 {"sessions", make_sessions},
                 {"noise", make_noise},
                 {"hostile", make_hostile},
                 {"open", make_open}};
    for (size_t i = 0; argc == 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        FILE *out = strcmp(argv[3], "-") == 0 ? stdout : fopen(argv[3], "wb");
        if (!out) {
            perror(argv[3]);
            return 1;
        }
        setvbuf(out, NULL, _IOFBF, 1 << 20);
        struct wire w;
        struct truth truth = {0};
        wire_begin(&w, out, 42);
        kinds[i].make(&w, strtoull(argv[2], NULL, 10), &truth);
        if (fclose(out) != 0) {
            perror(argv[3]);
            return 1;
        }
        FILE *report = strcmp(argv[3], "-") == 0 ? stderr : stdout;
        fprintf(report,
                "frames\t%" PRIu64 "\nsessions\t%" PRIu64 "\ndelivered\t%" PRIu64
                "\npartial\t%" PRIu64 "\nstuck\t%" PRIu64 "\nno-mail\t%" PRIu64
                "\nrecipients\t%" PRIu64 "\n",
                w.frames, truth.sessions, truth.delivered, truth.partial, truth.stuck,
                truth.no_mail, truth.recipients);
        return 0;
    }
    fprintf(stderr,
            "usage: generate bulk|sessions|noise|hostile|open SIZE FILE.pcap > truth.tsv\n");
    return 2;
}
