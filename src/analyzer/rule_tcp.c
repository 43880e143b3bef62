/*
 * rule_tcp.c - what TCP itself proves: a receiver that takes nothing more, large packets that never
 * arrive while small ones do, losses, a window read without its scale, a RST that its sender did
 * not send. Asked before the replies: a server that says "timeout" after such a thing only says how
 * it ended. Both directions must be visible, else silence proves nothing.
 */
#include "analyzer/case.h"

#define ZERO_WINDOW_NS (10 * SW_NS_PER_S)
#define HOLE_NS (10 * SW_NS_PER_S)     /* a client waits that long for the rest of what began */
#define UPLOAD_NS (30 * SW_NS_PER_S)   /* a shorter one is not slow */
#define UNSCALED_NS (10 * SW_NS_PER_S) /* the windows prove it, not the time */

enum {
    ANSWERED_PROBES = 3,
    REPETITIONS = 3,
    FULL_SIZE_BYTES = 1200, /* where the SYN does not tell (RFC 9293 3.7.1: 1220 for IPv6) */
    LEAST_FULL_SIZE_BYTES = 500,
    LOSS_PART = 20, /* one in twenty, 5 % */
    LEAST_SEGMENTS = 20,
    UNSCALED_STOPS = 10,
    TTL_SPREAD = 2, /* routes change by a hop or two */
};

static struct sw_ruling stuck(enum sw_cause cause, enum sw_confidence confidence,
                              enum sw_stage stage)
{
    return (struct sw_ruling){
        .cause = cause, .outcome = SW_OUTCOME_STUCK, .confidence = confidence, .stage = stage};
}

static enum sw_origin origin_of(enum sw_side side)
{
    return side == SW_CLIENT ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER;
}

static enum sw_stage stage_of(const struct sw_case *c)
{
    return c->encrypted ? SW_STAGE_TLS : sw_case_waiting_stage(c);
}

/* How it ended: a word of the server within the text, or who closed. */
static void prove_end(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->refusal) {
        ruling->reply = c->refusal;
        sw_ruling_prove_step(ruling, c->refusal, "the server gives up");
    } else {
        sw_case_prove_close(c, ruling);
    }
}

/* --- a closed window (RFC 9293 3.8.6.1) --- */

static bool zero_window(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    bool open_again = server->zero_window_open_ns == 0;
    int64_t closed_ns = server->zero_window_answer.time_ns - server->zero_window.time_ns;
    if (open_again || server->zero_window_probes < ANSWERED_PROBES || closed_ns < ZERO_WINDOW_NS)
        return false;
    *ruling = stuck(SW_CAUSE_TCP_ZERO_WINDOW, SW_CONFIDENCE_LIKELY, stage_of(c));
    sw_ruling_prove(ruling, server->zero_window, SW_ORIGIN_SERVER,
                    "the server has no room for more data (window 0)");
    sw_ruling_prove(ruling, server->zero_window_answer, SW_ORIGIN_SERVER,
                    "still none, the last of several answers to the client's probes");
    prove_end(c, ruling);
    return true;
}

/* --- large packets --- */

/* What counts as full-size from this side: close to the largest that the peer takes. */
static uint32_t full_size(const struct sw_case *c, enum sw_side side)
{
    uint32_t mss = c->facts->half[sw_side_other(side)].mss;
    uint32_t full = mss ? mss * 9 / 10 : FULL_SIZE_BYTES;
    return full > LEAST_FULL_SIZE_BYTES ? full : LEAST_FULL_SIZE_BYTES;
}

bool sw_case_only_large_are_lost(const struct sw_case *c, enum sw_side side)
{
    const struct sw_half_facts *half = &c->facts->half[side];
    return half->rto_open >= REPETITIONS && half->rto_bytes >= full_size(c, side) &&
           half->max_acked_payload < half->rto_bytes;
}

/* The router that cannot pass them on says so (RFC 1191, RFC 8201), and is not heard. */
static const struct sw_flow_icmp *too_big(const struct sw_case *c)
{
    for (uint8_t i = 0; i < c->facts->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &c->facts->icmp[i];
        bool v4 = icmp->ip_version == 4 && icmp->type == 3 && icmp->code == 4;
        bool v6 = icmp->ip_version == 6 && icmp->type == 2;
        if (v4 || v6)
            return icmp;
    }
    return NULL;
}

static void prove_too_big(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_icmp *icmp = too_big(c);
    if (!icmp)
        return;
    sw_ruling_prove(ruling, icmp->mark, SW_ORIGIN_NETWORK,
                    "a router says that the packet is too large for the next link");
}

/*
 * Does the other side live, and do small packets reach it? It sends something when an answer to the
 * large ones would long have been there, and does not itself repeat again and again what was
 * acknowledged (then nothing reaches it, however small).
 */
static bool small_ones_pass(const struct sw_case *c, enum sw_side side)
{
    const struct sw_flow_facts *f = c->facts;
    const struct sw_half_facts *half = &f->half[side];
    const struct sw_half_facts *peer = &f->half[sw_side_other(side)];
    enum { REPEATS_MAX = 1 };
    int64_t round_trip = f->syn.frame ? f->established.time_ns - f->syn.time_ns : 0;
    int64_t since_ns = sw_time_between(half->front.time_ns, peer->last.time_ns);
    bool late = since_ns / 2 - SW_NS_PER_S / 20 > round_trip; /* later than twice that and 0.1 s */
    return half->front.frame && late && peer->spurious_retransmissions <= REPEATS_MAX;
}

/* What is lost is the text, also when the client has sent all of it and waits for the answer. */
static enum sw_stage stage_of_large(const struct sw_case *c, enum sw_side side)
{
    enum sw_stage stage = stage_of(c);
    return side == SW_CLIENT && stage == SW_STAGE_FINAL ? SW_STAGE_BODY : stage;
}

/* Repeated in vain, while small packets arrive (some that were sent behind them, says SACK) or a
 * router says why. */
static bool large_are_lost(const struct sw_case *c, enum sw_side side, struct sw_ruling *ruling)
{
    const struct sw_half_facts *half = &c->facts->half[side];
    const struct sw_half_facts *peer = &c->facts->half[sw_side_other(side)];
    bool alive = half->sacked.frame || small_ones_pass(c, side);
    if (!sw_case_only_large_are_lost(c, side) || (!alive && !too_big(c)))
        return false;
    *ruling =
        stuck(SW_CAUSE_TCP_PMTU_BLACKHOLE,
              too_big(c) ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, stage_of_large(c, side));
    sw_ruling_prove(ruling, half->rto_first, origin_of(side), "a full-size packet is sent again");
    sw_ruling_prove(ruling, half->rto_last, origin_of(side), "and again, never acknowledged");
    prove_too_big(c, ruling);
    if (alive)
        sw_ruling_prove(ruling, half->sacked.frame ? half->sacked : peer->last,
                        origin_of(sw_side_other(side)), "small packets still arrive");
    return true;
}

/* Seen from behind the bottleneck: a hole as large as full-size packets, a small one behind it. */
static bool large_never_came(const struct sw_case *c, enum sw_side side, struct sw_ruling *ruling)
{
    const struct sw_half_facts *half = &c->facts->half[side];
    uint32_t full = full_size(c, side);
    int64_t until = c->facts->closed.frame ? c->facts->closed.time_ns : c->facts->last.time_ns;
    bool waited = half->hole.frame && until - half->hole.time_ns >= HOLE_NS;
    if (half->hole_bytes < full || half->max_payload >= full || !waited)
        return false;
    *ruling = stuck(SW_CAUSE_TCP_PMTU_BLACKHOLE, SW_CONFIDENCE_LIKELY, stage_of(c));
    sw_ruling_prove(ruling, half->hole, origin_of(side),
                    "a small packet arrives, the large ones before it never do");
    prove_too_big(c, ruling);
    prove_end(c, ruling);
    return true;
}

static bool large_packets(const struct sw_case *c, struct sw_ruling *ruling)
{
    return large_are_lost(c, SW_CLIENT, ruling) || large_are_lost(c, SW_SERVER, ruling) ||
           large_never_came(c, SW_SERVER, ruling) || large_never_came(c, SW_CLIENT, ruling);
}

/* --- a slow upload, and why --- */

/* All that was sent has arrived, and nothing more was sent for a while: not the network is slow. */
static bool client_stands_still(const struct sw_case *c, struct sw_mark end)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    return client->unacked_bytes == 0 && end.time_ns - client->last_data.time_ns >= HOLE_NS;
}

static bool upload_broke_off(const struct sw_case *c, int64_t after_ns)
{
    const struct sw_message *m = c->session->message;
    bool in_text = c->waiting == SW_WAITING_BODY || (c->refusal && m && !m->end_of_data);
    if (!in_text || !m || !m->body_seen || !(c->facts->closed.frame || c->refusal))
        return false;
    struct sw_mark end = c->refusal ? c->refusal->first : c->facts->closed;
    return end.time_ns - m->body_first.time_ns >= after_ns && !client_stands_still(c, end);
}

static bool is_lossy(const struct sw_half_facts *client)
{
    uint64_t lost = client->retransmissions - client->spurious_retransmissions;
    return lost * LOSS_PART > client->data_packets && client->data_packets >= LEAST_SEGMENTS;
}

static void prove_upload(const struct sw_case *c, struct sw_ruling *ruling, const char *what)
{
    const struct sw_message *m = c->session->message;
    sw_ruling_prove(ruling, m->body_first, SW_ORIGIN_CLIENT, "the text begins");
    sw_ruling_prove(ruling, m->body_last, SW_ORIGIN_CLIENT, what);
    prove_end(c, ruling);
}

static bool lossy_upload(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    if (!is_lossy(client) || client->rto_open >= REPETITIONS || !upload_broke_off(c, UPLOAD_NS))
        return false;
    *ruling = stuck(SW_CAUSE_TCP_LOSSY_SLOW, SW_CONFIDENCE_LIKELY, SW_STAGE_BODY);
    sw_ruling_prove(ruling, client->rto_last, SW_ORIGIN_CLIENT,
                    "the last of many packets that had to be sent again");
    prove_upload(c, ruling, "last bytes of the text");
    return true;
}

static bool unscaled_upload(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    bool often = client->window_unscaled >= UNSCALED_STOPS &&
                 (uint64_t)client->window_unscaled * 4 >= client->data_packets;
    if (!often || is_lossy(client) || !upload_broke_off(c, UNSCALED_NS))
        return false;
    *ruling = stuck(SW_CAUSE_TCP_WINDOW_SCALING_BROKEN, SW_CONFIDENCE_LIKELY, SW_STAGE_BODY);
    sw_ruling_prove(ruling, c->facts->syn_ack, SW_ORIGIN_SERVER,
                    "both sides agree to scale their windows");
    prove_upload(c, ruling, "the client stops where the window without its scale ends, once more");
    return true;
}

/* --- a RST in the name of another --- */

/* A scanner makes its SYN itself, with a TTL of its own, and its system sends the RST; a server's
 * SYN/ACK is its system's as well. */
static bool ttl_differs(const struct sw_half_facts *half, enum sw_side side)
{
    uint64_t others = half->packets - 1;
    if (others < (side == SW_SERVER ? 1 : 2))
        return false;
    int rst = half->rst_ttl;
    return rst > half->ttl_max + TTL_SPREAD || rst + TTL_SPREAD < half->ttl_min;
}

static bool forged_reset(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    if (!c->reset || f->closed_by < 0 || c->refusal || c->orderly_quit)
        return false;
    enum sw_side side = (enum sw_side)f->closed_by;
    const struct sw_half_facts *half = &f->half[side];
    bool idle_probe = side == SW_CLIENT && !c->session->hellos && !c->server_spoke;
    if (idle_probe || half->rst.frame != f->closed.frame)
        return false;
    bool other_way = ttl_differs(half, side);
    if (!other_way && !half->after_rst.frame)
        return false;
    *ruling = stuck(SW_CAUSE_MBX_RST_INJECTED, SW_CONFIDENCE_LIKELY,
                    c->established ? stage_of(c) : SW_STAGE_CONNECT);
    sw_ruling_also(ruling,
                   side == SW_SERVER ? SW_CAUSE_TCP_RESET_BY_SERVER : SW_CAUSE_TCP_RESET_BY_CLIENT,
                   SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, half->first, origin_of(side), "a packet that is really from there");
    sw_ruling_prove(ruling, half->rst, SW_ORIGIN_NETWORK,
                    other_way ? "connection cut (RST), by a packet that came another way (its TTL)"
                              : "connection cut (RST)");
    sw_ruling_prove(ruling, half->after_rst, origin_of(side),
                    "and yet the alleged sender goes on with the connection");
    return true;
}

bool sw_case_tcp_proves(const struct sw_case *c, struct sw_ruling *ruling)
{
    /* Inside TLS it is not known what had been sent when it broke. */
    bool inside = c->session->tls == SW_TLS_APPLICATION;
    bool asked =
        c->established || c->facts->syn_ack.frame; /* else nothing of the server is known */
    if (!c->client_seen || !c->server_seen || c->answer_lost || inside || !asked)
        return false;
    /* A refusal stands by itself; "timeout" within the text only says how it ended. */
    bool timeout = c->refusal && c->refusal->phase == SW_PHASE_BODY &&
                   (c->reading.cause == SW_CAUSE_SERVER_IDLE_TIMEOUT ||
                    c->reading.cause == SW_CAUSE_DATA_CLIENT_STALLED);
    if (c->refusal && !timeout)
        return false;
    return zero_window(c, ruling) || large_packets(c, ruling) || forged_reset(c, ruling) ||
           lossy_upload(c, ruling) || unscaled_upload(c, ruling);
}

bool sw_rule_tcp(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->outcome == SW_OUTCOME_DELIVERED || c->outcome == SW_OUTCOME_PARTIAL)
        return false;
    return sw_case_tcp_proves(c, ruling);
}
