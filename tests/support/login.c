#define _GNU_SOURCE /* memfd_create */
#include "support/login.h"

#include "analyzer/extract.h"
#include "analyzer/record.h"
#include "smtpwhy.h"
#include "support/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    STREAM_BYTES = 8192,
    PIECES = 256,
    FRAMES = 1024,
    MADE_BYTES = 512, /* of a frame: small, since all are cleared each time */
    ITEMS = 6,
    HEADERS = 54, /* Ethernet, IP, TCP */
    IP_AT = 14,
    TCP_AT = 34,
    CLIENT = 0,
    SERVER = 1,
};

/* What one side says in one go. */
struct piece {
    int from;
    size_t begin, end; /* in its stream */
};

/* A frame of the capture, with what it holds of a stream. */
struct made {
    uint8_t bytes[MADE_BYTES];
    uint32_t len, caplen;
    int from;
    uint32_t at;     /* where the payload begins in the frame */
    size_t offset;   /* of its first byte in the stream */
    uint32_t whole;  /* the place + 1 of the frame that this one is the other part of, 0: none */
    bool part, more; /* of an IP packet; the first one */
};

struct login {
    const uint8_t *choices;
    size_t left;
    uint8_t text[2][STREAM_BYTES];
    bool secret[2][STREAM_BYTES];
    size_t used[2];
    struct piece pieces[PIECES];
    unsigned piece_count;
    struct made *frames;
    unsigned frame_count;
    size_t acked[2];
    bool cuts; /* the recorder keeps the beginning of frames only */
    struct sw_extract plan;
    struct login_told *told;
    uint8_t (*out)[MADE_BYTES]; /* what came out of each frame */
    bool *came;
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static unsigned choose(struct login *l, unsigned most)
{
    if (l->left == 0)
        return 0;
    l->left--;
    return *l->choices++ % most;
}

/* --- the dialogue --- */

static void begin(struct login *l, int from)
{
    must(l->piece_count < PIECES);
    l->pieces[l->piece_count++] = (struct piece){from, l->used[from], l->used[from]};
}

static void add(struct login *l, int from, const char *text, bool secret)
{
    size_t n = strlen(text);
    must(l->used[from] + n <= STREAM_BYTES && l->piece_count > 0);
    memcpy(l->text[from] + l->used[from], text, n);
    memset(l->secret[from] + l->used[from], secret, n);
    l->used[from] += n;
    l->pieces[l->piece_count - 1].end = l->used[from];
}

static void say(struct login *l, int from, const char *text)
{
    begin(l, from);
    add(l, from, text, false);
}

enum { SECRET_BYTES = 64 };

/* No 'A' and no '=': these stay what they are. */
static void make_secret(struct login *l, char secret[SECRET_BYTES])
{
    static const char letters[] = "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 8 + choose(l, 48);
    for (size_t i = 0; i < n; i++)
        secret[i] = letters[(choose(l, 255) + 7 * i) % (sizeof(letters) - 1)];
    secret[n] = '\0';
}

static void verdict_on_login(struct login *l, const char *secret)
{
    static const char *const replies[] = {"535 5.7.8 Error: authentication failed\r\n",
                                          "235 2.7.0 Authentication successful\r\n",
                                          "454 4.7.0 Temporary authentication failure\r\n",
                                          "501 5.5.2 cannot decode\r\n", "421 4.7.0 enough\r\n"};
    unsigned which = choose(l, 6);
    if (which < 5) {
        say(l, SERVER, replies[which]);
        return;
    }
    /* What the recorder lost of a login cannot be found again where the server repeats it. */
    say(l, SERVER, "535 5.7.8 no such password: ");
    add(l, SERVER, l->cuts ? "not told" : secret, !l->cuts);
    add(l, SERVER, "\r\n", false);
}

/* The command, and what follows it word for word; `asked` in reply to 334s. */
static void log_in(struct login *l, const char *command, const char *user, bool asked)
{
    char secret[SECRET_BYTES];
    bool pipelined = choose(l, 3) == 2;
    make_secret(l, secret);
    say(l, CLIENT, command);
    if (asked)
        add(l, CLIENT, "\r\n", false);
    if (asked && !pipelined)
        say(l, SERVER, "334 VXNlcm5hbWU6\r\n");
    if (user && !pipelined) {
        say(l, CLIENT, user);
        say(l, SERVER, "334 UGFzc3dvcmQ6\r\n");
    } else if (user) {
        add(l, CLIENT, user, false);
    }
    if (asked && !pipelined)
        begin(l, CLIENT);
    add(l, CLIENT, secret, true);
    add(l, CLIENT, "\r\n", false);
    if (asked && pipelined)
        say(l, SERVER, "334 VXNlcm5hbWU6\r\n");
    if (user && pipelined)
        say(l, SERVER, "334 UGFzc3dvcmQ6\r\n");
    verdict_on_login(l, secret);
}

/* Refused at once, or given up; a client that does not listen says its words all the same. */
static void log_in_vainly(struct login *l)
{
    char secret[SECRET_BYTES];
    make_secret(l, secret);
    say(l, CLIENT, "AUTH LOGIN\r\n");
    if (choose(l, 2) == 0) {
        say(l, SERVER, "334 VXNlcm5hbWU6\r\n");
        say(l, CLIENT, "*\r\n");
        say(l, SERVER, "501 5.7.0 Authentication aborted\r\n");
        return;
    }
    add(l, CLIENT, "YW5uYQ==\r\n", false);
    add(l, CLIENT, secret, true);
    add(l, CLIENT, "\r\n", false);
    say(l, SERVER, "503 5.5.1 Error: authentication not enabled\r\n");
    say(l, SERVER, "500 5.5.2 Error: command not recognized\r\n");
    say(l, SERVER, "500 5.5.2 Error: command not recognized\r\n");
}

static void mail(struct login *l)
{
    say(l, CLIENT, "MAIL FROM:<anna@example.net>\r\n");
    say(l, SERVER, "250 2.1.0 Ok\r\n");
    say(l, CLIENT, "RCPT TO:<bob@example.org>\r\n");
    if (choose(l, 2) == 0) {
        say(l, SERVER, "550 5.1.1 No such user\r\n");
        return;
    }
    say(l, SERVER, "250 2.1.5 Ok\r\n");
    say(l, CLIENT, "DATA\r\n");
    say(l, SERVER, "354 End data with <CR><LF>.<CR><LF>\r\n");
    say(l, CLIENT, "Subject: x\r\n\r\nAUTH PLAIN is a command\r\n.\r\n");
    say(l, SERVER, "250 2.0.0 Ok: queued\r\n");
}

static void make_dialogue(struct login *l)
{
    say(l, SERVER, "220 mx.example.org ESMTP\r\n");
    say(l, CLIENT, "EHLO pc.example.net\r\n");
    say(l, SERVER, "250-mx.example.org\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n");
    unsigned items = 1 + choose(l, ITEMS);
    for (unsigned i = 0; i < items; i++) {
        switch (choose(l, 8)) {
        case 0:
            log_in(l, "AUTH PLAIN ", NULL, false);
            break;
        case 1:
            log_in(l, "AUTH LOGIN", "YW5uYQ==\r\n", true);
            break;
        case 2:
            log_in(l, "AUTH PLAIN", NULL, true);
            break;
        case 3:
            log_in(l, "AUTH LOGIN YW5uYQ==", NULL, true);
            break;
        case 4:
            log_in(l, "auth cram-md5", NULL, true);
            break;
        case 5:
            log_in(l, "AUTH XOAUTH2 ", NULL, false);
            break;
        case 6:
            log_in_vainly(l);
            break;
        default:
            mail(l);
            break;
        }
    }
    say(l, CLIENT, "QUIT\r\n");
    say(l, SERVER, "221 2.0.0 Bye\r\n");
}

/* --- its packets --- */

static const uint32_t first_seq[2] = {0xFFFFFF00u, 0x01020304u}; /* one of them wraps */

static void set32(struct frames *f, size_t at, uint32_t value)
{
    frames_set16(f, at, value >> 16);
    frames_set16(f, at + 2, value & 0xFFFF);
}

static void keep(struct login *l, const struct frames *f, int from, size_t offset)
{
    must(l->frame_count < FRAMES && f->len <= MADE_BYTES);
    struct made *made = &l->frames[l->frame_count++];
    *made = (struct made){.len = (uint32_t)f->len, .from = from, .at = HEADERS, .offset = offset};
    memcpy(made->bytes, f->bytes, f->len);
    made->caplen = l->cuts && choose(l, 4) == 3 ? made->len - choose(l, 40) % made->len : made->len;
}

static void set_part(struct made *made, unsigned offset_and_more)
{
    made->bytes[IP_AT + 2] = (uint8_t)((made->len - IP_AT) >> 8);
    made->bytes[IP_AT + 3] = (uint8_t)(made->len - IP_AT);
    made->bytes[IP_AT + 6] = (uint8_t)(offset_and_more >> 8);
    made->bytes[IP_AT + 7] = (uint8_t)offset_and_more;
}

/* The last frame becomes two, cut behind 8 * units bytes of what the IP header carries. */
static void split(struct login *l, unsigned units)
{
    static unsigned id;
    struct made *first = &l->frames[l->frame_count - 1];
    uint32_t cut = TCP_AT + 8 * units;
    if (l->frame_count == FRAMES || cut >= first->len || first->caplen < first->len)
        return;
    struct made *rest = &l->frames[l->frame_count++];
    *rest = *first;
    id++;
    first->bytes[IP_AT + 4] = (uint8_t)(id >> 8);
    first->bytes[IP_AT + 5] = (uint8_t)id;
    memcpy(rest->bytes + IP_AT, first->bytes + IP_AT, 20);
    rest->len = rest->caplen = TCP_AT + (first->len - cut);
    memcpy(rest->bytes + TCP_AT, first->bytes + cut, first->len - cut);
    rest->at = cut >= HEADERS ? TCP_AT : TCP_AT + (HEADERS - cut);
    rest->offset = first->offset + (cut >= HEADERS ? cut - HEADERS : 0);
    first->len = first->caplen = cut;
    first->at = cut < HEADERS ? cut : HEADERS;
    first->part = rest->part = first->more = true;
    set_part(first, 0x2000);
    set_part(rest, units);
    rest->whole = l->frame_count - 1; /* the place of first, + 1 */
}

static void send_segment(struct login *l, int from, unsigned flags, size_t begin_at, size_t end_at,
                         uint32_t seq)
{
    struct frames f = {.len = 0};
    frames_ethernet(&f, 0x0800);
    frames_ip4(&f, 6);
    frames_tcp(&f, flags, NULL, 0);
    if (from == SERVER) {
        memcpy(f.bytes + IP_AT + 12, frames_dst4, 4);
        memcpy(f.bytes + IP_AT + 16, frames_src4, 4);
        frames_set16(&f, TCP_AT, FRAMES_DST_PORT);
        frames_set16(&f, TCP_AT + 2, FRAMES_SRC_PORT);
    }
    set32(&f, TCP_AT + 4, seq);
    set32(&f, TCP_AT + 8,
          flags == SW_TCP_SYN ? 0 : first_seq[!from] + 1 + (uint32_t)l->acked[!from]);
    frames_set16(&f, IP_AT + 6, 0); /* it may be taken apart */
    frames_bytes(&f, l->text[from] + begin_at, end_at - begin_at);
    frames_finish(&f);
    keep(l, &f, from, begin_at);
}

static void send_bytes(struct login *l, int from, size_t begin_at, size_t end_at)
{
    send_segment(l, from, SW_TCP_ACK | SW_TCP_PSH, begin_at, end_at,
                 first_seq[from] + 1 + (uint32_t)begin_at);
    if (choose(l, 8) == 7)
        split(l, 1 + choose(l, 12));
}

static void send_piece(struct login *l, const struct piece *piece)
{
    for (size_t at = piece->begin; at < piece->end;) {
        size_t n = choose(l, 5) == 4 ? 1 + choose(l, 40) : piece->end - at;
        n = n < piece->end - at ? n : piece->end - at;
        send_bytes(l, piece->from, at, at + n);
        at += n;
        if (choose(l, 8) == 7) { /* again, from somewhere before on */
            size_t back = 1 + choose(l, 60);
            size_t from_at = at > back ? at - back : 0;
            send_bytes(l, piece->from, from_at, at);
        }
    }
    l->acked[piece->from] = piece->end;
}

static void make_packets(struct login *l)
{
    send_segment(l, CLIENT, SW_TCP_SYN, 0, 0, first_seq[CLIENT]);
    send_segment(l, SERVER, SW_TCP_SYN | SW_TCP_ACK, 0, 0, first_seq[SERVER]);
    send_segment(l, CLIENT, SW_TCP_ACK, 0, 0, first_seq[CLIENT] + 1);
    for (unsigned i = 0; i < l->piece_count && l->frame_count + 500 < FRAMES; i++)
        send_piece(l, &l->pieces[i]);
}

static void put32(FILE *file, uint32_t value)
{
    must(fwrite(&value, sizeof(value), 1, file) == 1);
}

static void write_capture(const struct login *l, int fd)
{
    FILE *file = fdopen(dup(fd), "wb");
    must(file != NULL);
    const uint32_t head[] = {0xA1B2C3D4u, 2 | 4 << 16, 0, 0, 65535, 1};
    must(fwrite(head, sizeof(head), 1, file) == 1);
    for (unsigned i = 0; i < l->frame_count; i++) {
        put32(file, 1700000000 + i / 1000);
        put32(file, i % 1000 * 1000);
        put32(file, l->frames[i].caplen);
        put32(file, l->frames[i].len);
        must(fwrite(l->frames[i].bytes, l->frames[i].caplen, 1, file) == 1);
    }
    must(fclose(file) == 0);
}

/* --- what comes out --- */

static void on_record(void *ctx, const struct sw_record *record)
{
    struct login *l = ctx;
    if (record->kind == SW_RECORD_SESSION)
        sw_extract_add(&l->plan, record->session, record->verdict);
}

static void on_frame(void *ctx, const struct sw_frame *frame)
{
    struct login *l = ctx;
    must(frame->number >= 1 && frame->number <= l->frame_count);
    const struct made *made = &l->frames[frame->number - 1];
    must(frame->caplen == made->caplen && frame->len == made->len);
    l->told->frames++;
    memcpy(l->out[frame->number - 1], frame->bytes, frame->caplen);
    l->came[frame->number - 1] = true;
    for (uint32_t i = 0; i < frame->caplen; i++) {
        bool payload = i >= made->at;
        size_t offset = made->offset + (i - made->at);
        if (payload && l->secret[made->from][offset]) {
            must(frame->bytes[i] == 'A');
            l->told->secrets++;
        } else if (payload) {
            bool same = frame->bytes[i] == made->bytes[i];
            must(same || frame->bytes[i] == 'A');
            l->told->shown += same;
        } else if (i < TCP_AT || (i < HEADERS - 4 && !made->part)) {
            must(frame->bytes[i] == made->bytes[i]); /* headers up to the checksum */
        }
    }
}

/* Of a segment at the innermost header, from its first byte on. */
static void check_sum(struct login *l, const uint8_t *ip, const uint8_t *tcp, size_t n)
{
    uint32_t sum = frames_sum16(6 + (uint32_t)n, ip + 12, 8);
    must(frames_sum16(sum, tcp, n) == 0xFFFF);
    l->told->checksums++;
}

static void check_sums(struct login *l)
{
    for (unsigned i = 0; i < l->frame_count; i++) {
        const struct made *made = &l->frames[i];
        if (!l->came[i] || made->caplen < made->len || made->more)
            continue;
        if (made->whole == 0) {
            check_sum(l, l->out[i] + IP_AT, l->out[i] + TCP_AT, made->len - TCP_AT);
        } else if (l->came[made->whole - 1]) {
            const struct made *first = &l->frames[made->whole - 1];
            uint8_t both[2 * MADE_BYTES];
            size_t n = first->len - TCP_AT;
            memcpy(both, l->out[made->whole - 1] + TCP_AT, n);
            memcpy(both + n, l->out[i] + TCP_AT, made->len - TCP_AT);
            check_sum(l, l->out[i] + IP_AT, both, n + made->len - TCP_AT);
        }
    }
}

static void analyse_and_copy(struct login *l)
{
    char path[64];
    const char *paths[] = {path};
    int fd = memfd_create("login", 0);
    must(fd >= 0);
    write_capture(l, fd);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    sw_extract_init(&l->plan, false);
    const struct sw_run_options options = {.record = on_record, .record_ctx = l};
    const struct sw_extract_sink sink = {.ctx = l, .frame = on_frame};
    struct sw_run *run = sw_run_new(&options, NULL, 0);
    must(run != NULL);
    (void)sw_run_file(run, path);
    sw_extract_ready(&l->plan);
    must(sw_run_copy(run, paths, 1, &l->plan, &sink));
    check_sums(l);
    sw_run_free(run);
    sw_extract_release(&l->plan);
    (void)close(fd);
}

void login_check(const uint8_t *choices, size_t size, struct login_told *told)
{
    struct login *l = calloc(1, sizeof(*l));
    must(l != NULL);
    *told = (struct login_told){0};
    l->choices = choices;
    l->left = size;
    l->told = told;
    l->frames = calloc(FRAMES, sizeof(*l->frames));
    l->out = calloc(FRAMES, sizeof(*l->out));
    l->came = calloc(FRAMES, sizeof(*l->came));
    must(l->frames && l->out && l->came);
    l->cuts = choose(l, 8) == 7;
    make_dialogue(l);
    make_packets(l);
    analyse_and_copy(l);
    free(l->frames);
    free(l->out);
    free(l->came);
    free(l);
}
