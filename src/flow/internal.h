/*
 * internal.h - the insides of a connection; private to the flow room.
 */
#ifndef SW_FLOW_INTERNAL_H
#define SW_FLOW_INTERNAL_H

#include "base/account.h"
#include "base/blocks.h"
#include "base/fetch.h"
#include "flow/flow.h"
#include "flow/seq.h"

enum {
    SW_WAIT_PACKETS = 8, /* how long missing bytes may still turn up, out of order */
    SW_LANES = 16,       /* networks whose connections are told from others of the same addresses */
    SW_VLANS = 4,        /* VLANs of one direction that are remembered */
    SW_SENT = 8,         /* segments on their way whose size is remembered */
    SW_SIGNATURES = 4,   /* packets of a direction that a copy is compared with */
    SW_AWAKE = 2048,     /* connections whose body is at hand; the rest of them rest */
    SW_FLOW_SLAB = 64,
    SW_ENDING = 8, /* connections that end together */
    SW_DOZING = 8, /* connections that are about to sleep: the next SYN/ACK is near */
    SW_PAST_BYTES =
        16 *
        1024, /* passed-on bytes of the dialogue that a second copy is compared with, at most */
    SW_FLOW_TRANSPORT_TCP = 6,   /* as addresses say it */
    SW_PAST_FIRST_BYTES = 128,   /* a client says little before its mail */
    SW_PAST_SEGMENT_BYTES = 256, /* longer client segments are no dialogue and are not kept */
};

#define SW_WAIT_NS (50 * SW_NS_PER_MS)
/* No system in use sends again sooner than this (RFC 6298 would have a second): what comes earlier
 * is the same packet, seen elsewhere or recorded late. */
#define SW_SENT_AGAIN_NS (200 * SW_NS_PER_MS)

/* Bytes that cannot be passed on yet. */
struct sw_held {
    uint64_t offset;
    uint64_t needs; /* offset of the other side that must have been passed on before */
    uint32_t wire;  /* length on the wire; more than captured when the snaplen cut it */
    uint32_t captured;
    struct sw_mark mark;
    uint8_t *bytes; /* captured of them */
    bool doubtful;  /* probes a closed window, or has a wrong checksum: real only once the peer
                     * acknowledges it */
    bool damaged;   /* has a wrong checksum, and others have right ones */
    bool fin;       /* doubtful, and the end of its direction */
};

/* A segment on its way: when it is acknowledged, segments of its size get through. */
struct sw_sent {
    uint64_t end;
    uint32_t bytes;
};

/* One direction, as its sender. */
struct sw_half {
    /* what every packet looks at */
    bool based; /* base is known */
    bool has_fin;
    bool shut_told;
    bool has_scale;
    bool probe_pending; /* this side sent into a closed window and awaits the answer */
    bool checksum_good; /* a segment with a right checksum was seen: wrong ones are doubtful */
    bool waiting;       /* for bytes that the peer has and the capture (so far) has not */
    uint8_t scale;
    uint8_t signature_at;
    uint8_t sent_at;
    uint8_t sent_open; /* a bit for each of them that was not acknowledged */
    uint8_t vlan_count;
    uint32_t base;            /* sequence number of offset 0 */
    uint64_t next;            /* everything below was passed on */
    uint64_t high;            /* end of the highest byte seen */
    uint64_t acked;           /* the peer has everything below */
    int64_t zero_since_ns;    /* SW_TIME_NONE = the window is open */
    uint32_t vlans[SW_VLANS]; /* that packets of this side came in, copies too: packet->space, or in
                                 a tunnel the VLAN alone */
    uint16_t held_count, held_room;
    uint16_t window;                    /* last announced, unscaled */
    uint64_t signatures[SW_SIGNATURES]; /* of packets; 0: none */
    int64_t signature_ns[SW_SIGNATURES];
    struct sw_sent sent[SW_SENT];
    uint32_t dup_acks; /* of the peer, in a row, for the same byte of this side */
    uint32_t rto_count;
    uint64_t rto_offset;
    int64_t high_ns; /* when the highest byte was seen */
    uint8_t *past;   /* bytes that were passed on: [past_from, past_to) of the stream */
    uint64_t past_from, past_to;
    uint64_t lost_from, lost_to; /* the last gap of the capture's */
    uint32_t past_room;
    uint32_t held_bytes;
    struct sw_held *held; /* sorted by offset, disjoint, all at or above next */
    uint64_t fin_offset;
    struct sw_mark fin_mark;
    uint32_t wrong_before; /* segments with a wrong checksum that were taken before a right one */
    uint32_t wait_packets;
    uint32_t ack_repeats; /* acknowledgements of bytes beyond everything seen */
    int64_t wait_since_ns;
    int64_t dup_ack_ns;
};

/* Everything that is known of a connection but the little that struct sw_flow has. */
struct sw_flow_body {
    struct sw_half half[2];
    struct sw_flow_facts facts;
    struct sw_tunnel *tunnel;
    int64_t dead_since_ns;
    bool even;      /* established, and nothing is missing, held, closed or odd (progress.c) */
    bool stray_rst; /* the RST that closed it was not where its sender had come to */
    /* a SYN with another number on a connection that was still open */
    bool reuse;
    uint32_t reuse_isn;
    struct sw_mark reuse_mark;
    struct sw_flow_body *spare; /* the next one that is not in use */
};

/* A connection's two ends, the lower one first, so that both directions find it. */
struct sw_flow_key {
    uint8_t low[16], high[16];
    uint64_t rest; /* ports, IP version and lane (lane.c), as one word */
};

/* All that matters of a SYN that nothing has followed so far. */
struct sw_flow_syn {
    struct sw_mark mark;
    uint32_t seq, ack, timestamp;
    uint16_t window, mss, ip_id, vlan;
    uint8_t flags, ttl, scale, time_digits;
    bool has_timestamp, has_mss, has_scale, checksum_right;
};

/* A body that is squeezed (rest.c), and what must be known of it all the same. */
struct sw_flow_rest {
    uint8_t *bytes; /* the body, then what of its directions was passed on */
    uint32_t length;
    bool closed;
    int64_t deadline_ns;
    struct sw_mark first, last;
};

/*
 * A connection. While nothing but one SYN was seen of it, it dozes until a few others have begun,
 * and then sleeps: it has no body, which is made again from that SYN when it is needed (body.c). So
 * a flood of connection requests costs a tenth of the memory that as many connections would. One of
 * which nothing was heard for a while, among many, rests: its body is squeezed (rest.c).
 */
struct sw_flow {
    /* what every packet looks at, in one line of the cache */
    _Alignas(SW_CACHE_LINE) uint64_t hash;
    struct sw_flow_key key;
    struct sw_flow_body *body; /* NULL while it sleeps or rests */
    bool resting;
    bool dozes;     /* nothing but one SYN was seen of it, its body is there so far */
    bool touched;   /* heard of since somebody looked for one that may rest */
    uint8_t listed; /* enum sw_flow_rank: which list */
    uint8_t rank;   /* enum sw_flow_rank: which one when it is established */
    bool half_open;
    bool client_is_low; /* the client is the lower end of the key */
    bool forgotten;
    bool dead;           /* closed for good; only stragglers come */
    bool sheds_mute;     /* its end is not told when it is shed in its sleep */
    bool ending;         /* its end was told, it is freed in a moment */
    uint32_t space;      /* packet->space of its first packet */
    uint32_t place;      /* the number of its place: the first one is 1 */
    int64_t deadline_ns; /* when the timer looks at it again; may be earlier than needed */
    uint64_t serial;     /* in the order of first frames; 0: the place is free */
    struct sw_flow_table *table;
    struct sw_flow *older; /* in the list that it stands in, oldest first; or the next free place */
    struct sw_flow *newer;
    void *user;
    union {
        struct sw_flow_syn syn;   /* while it dozes or sleeps */
        struct sw_flow_rest rest; /* while it rests */
    };
};

/* A connection in the hash table: others are passed over without a look at them, which are far away
 * in memory. */
struct sw_flow_entry {
    uint32_t hash;  /* the lower half */
    uint32_t place; /* 0: the entry is free */
};

/* A lane (lane.c) and its connections; none: the place is free. */
struct sw_lane {
    uint32_t lane, flows;
};

/* When a connection is looked at. It holds as long as its connection is there and has not planned
 * anything else since. */
struct sw_timer {
    int64_t deadline_ns;
    uint32_t serial; /* the lower half: what is further apart only has another order at one time */
    uint32_t place;
};

/* One whose body is at hand, as long as it is that connection. */
struct sw_flow_awake {
    struct sw_flow *flow;
    uint64_t serial;
};

/* Connections of one rank in the order of their first frames. */
struct sw_flow_list {
    struct sw_flow *oldest, *newest;
    uint32_t count;
};

/* Connections whose memory is taken at once; it stays until the table goes, so that a timer may
 * look at a place that is free. */
struct sw_flow_slab {
    struct sw_flow places[SW_FLOW_SLAB];
};

struct sw_flow_table {
    size_t *account, own_account;
    struct sw_flow_limits limits;
    struct sw_flow_sink sink;
    struct sw_flow_counters count;
    struct sw_hash_key key;
    struct sw_flow_entry *entries;
    struct sw_flow *last; /* the one that was found last, or NULL */
    uint32_t entry_mask;
    uint32_t flows;
    uint32_t half_open;
    struct sw_flow_list lists[SW_FLOW_RANKS];
    struct sw_timer *timers; /* a heap by deadline, then serial */
    uint32_t timer_count, timer_room;
    struct sw_flow_slab **slabs;
    uint32_t slab_count;
    struct sw_flow *free_place;
    struct sw_flow *ending[SW_ENDING];
    uint32_t ending_count;
    struct sw_flow_body desks[SW_ENDING]; /* for those that end in their sleep, or are looked at */
    uint32_t desks_in_use;                /* a bit for each */
    struct sw_flow_body *spare;
    uint32_t spares;
    struct sw_blocks blocks;              /* of all that hangs on bodies */
    struct sw_flow_awake awake[SW_AWAKE]; /* a ring */
    uint32_t awake_at;
    struct sw_flow_awake dozing[SW_DOZING]; /* another ring */
    uint32_t dozing_at;
    uint64_t next_serial;
    uint64_t held_bytes; /* of all connections */
    int64_t now_ns;
    int64_t jump_ns; /* a time far ahead that only one packet has named so far */
    bool has_now;
    struct sw_tomb *tombs;
    uint8_t *tomb_marks;    /* a byte of each tomb's hash */
    struct sw_tomb *buried; /* that of the packet before, or NULL */
    uint64_t buried_hash;
    struct sw_flow_key buried_key;
    struct sw_lane lanes[SW_LANES];
    uint32_t lane_flows; /* lanes that are in use */
};

static inline bool sw_flow_is_on_desk(const struct sw_flow *flow)
{
    uintptr_t body = (uintptr_t)flow->body;
    return body - (uintptr_t)flow->table->desks < sizeof(flow->table->desks);
}

static inline bool sw_flow_has_payload(const struct sw_flow *flow)
{
    return flow->body->facts.half[0].bytes + flow->body->facts.half[1].bytes > 0;
}

/* Both sides have said their last word. */
static inline bool sw_flow_is_closed(const struct sw_flow *flow)
{
    if (flow->resting)
        return flow->rest.closed;
    return flow->body && flow->body->facts.half[0].fin.frame && flow->body->facts.half[1].fin.frame;
}

/* --- index.c: finding connections --- */

static inline struct sw_flow *sw_flow_at(const struct sw_flow_table *table, uint32_t place)
{
    return &table->slabs[(place - 1) / SW_FLOW_SLAB]->places[(place - 1) % SW_FLOW_SLAB];
}

static inline bool sw_flow_is_same_key(const struct sw_flow_key *a, const struct sw_flow_key *b)
{
    uint64_t differ = a->rest ^ b->rest;
    for (size_t at = 0; at < sizeof(a->low); at += sizeof(uint64_t))
        differ |= (sw_hash_load(a->low + at, 8) ^ sw_hash_load(b->low + at, 8)) |
                  (sw_hash_load(a->high + at, 8) ^ sw_hash_load(b->high + at, 8));
    return differ == 0;
}

static inline uint64_t sw_flow_load_be64(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | (uint64_t)at[7];
}

static inline bool sw_flow_source_is_low(const struct sw_tuple *t)
{
    uint64_t src = sw_flow_load_be64(t->src);
    uint64_t dst = sw_flow_load_be64(t->dst);
    if (src == dst) { /* the same network of IPv6, or one host with itself */
        src = sw_flow_load_be64(t->src + 8);
        dst = sw_flow_load_be64(t->dst + 8);
    }
    return src != dst ? src < dst : t->src_port <= t->dst_port;
}

static inline struct sw_flow_key sw_flow_key_of(const struct sw_tuple *t, bool *source_is_low)
{
    bool low = *source_is_low = sw_flow_source_is_low(t);
    uint16_t low_port = low ? t->src_port : t->dst_port;
    uint16_t high_port = low ? t->dst_port : t->src_port;
    struct sw_flow_key key;
    memcpy(key.low, low ? t->src : t->dst, 16);
    memcpy(key.high, low ? t->dst : t->src, 16);
    key.rest = low_port | (uint64_t)high_port << 16 | (uint64_t)t->ip_version << 32;
    return key;
}

static inline enum sw_side sw_flow_side(const struct sw_flow *flow, bool source_is_low)
{
    return source_is_low == flow->client_is_low ? SW_CLIENT : SW_SERVER;
}

static inline enum sw_side sw_flow_side_of(const struct sw_flow *flow, const struct sw_tuple *tuple)
{
    return sw_flow_side(flow, sw_flow_source_is_low(tuple));
}

uint64_t sw_flow_hash(const struct sw_hash_key *hash_key, const struct sw_flow_key *key);
bool sw_flow_index_init(struct sw_flow_table *table);
/* Gives back all connections, too. */
void sw_flow_index_release(struct sw_flow_table *table);
struct sw_flow *sw_flow_find(const struct sw_flow_table *table, const struct sw_flow_key *key,
                             uint64_t hash);
/* The next open connection in the order of memory, or NULL; the first one is behind NULL. */
struct sw_flow *sw_flow_next_place(const struct sw_flow_table *table, const struct sw_flow *flow);
/* A connection with nothing in it; NULL without memory. */
struct sw_flow *sw_flow_place(struct sw_flow_table *table);
/* Puts it into the table and plans its deadline; false without memory, then the place is free. */
bool sw_flow_insert(struct sw_flow_table *table, struct sw_flow *flow);
/* Takes the connection out of the table and gives its memory back. */
void sw_flow_remove(struct sw_flow_table *table, struct sw_flow *flow);
/* Moves it to the list of its rank as it is now. */
void sw_flow_relist(struct sw_flow_table *table, struct sw_flow *flow);
/* It waits for its handshake, or does so no more. */
void sw_flow_wait_open(struct sw_flow_table *table, struct sw_flow *flow);
void sw_flow_wait_over(struct sw_flow_table *table, struct sw_flow *flow);
bool sw_flow_lies_there(const struct sw_flow_table *table, struct sw_tomb *tomb, uint64_t hash);
/* Packets of this connection are not wanted any more; quiet: every packet prolongs that. */
void sw_flow_bury(struct sw_flow_table *table, const struct sw_flow *flow, bool quiet);
bool sw_flow_is_buried(struct sw_flow_table *table, const struct sw_flow_key *key);
/* The same of a connection that the packet before was of; else false. */
static inline bool sw_flow_is_buried_again(struct sw_flow_table *table,
                                           const struct sw_flow_key *key)
{
    return table->buried && sw_flow_is_same_key(&table->buried_key, key) &&
           sw_flow_lies_there(table, table->buried, table->buried_hash);
}
/* It will be asked for in a moment: the processor gets it from far away meanwhile. */
void sw_flow_fetch_tomb(const struct sw_flow_table *table, const struct sw_flow_key *key);
void sw_flow_unbury(struct sw_flow_table *table, const struct sw_flow_key *key);

/* --- lane.c: the same addresses and ports in several networks --- */

/* The connection of a packet that is not, or may not be, of `plain`, the one without a lane; NULL:
 * none. *key, *hash: what it is, or is to be, found by. */
struct sw_flow *sw_flow_lane(struct sw_flow_table *table, const struct sw_packet *packet,
                             struct sw_flow *plain, struct sw_flow_key *key, uint64_t *hash);
/* The connection of that network that has a lane of its own, or NULL. */
struct sw_flow *sw_flow_in_lane(struct sw_flow_table *table, uint32_t space,
                                const struct sw_flow_key *key);
bool sw_flow_key_has_lane(const struct sw_flow_key *key);
struct sw_flow_key sw_flow_key_without_lane(const struct sw_flow_key *key);
/* A connection with a lane comes into the table, or goes. */
void sw_flow_lane_enter(struct sw_flow_table *table, const struct sw_flow_key *key);
void sw_flow_lane_leave(struct sw_flow_table *table, const struct sw_flow_key *key);

/* --- table.c --- */

/* The tick that such a moment belongs to: timers fire at ticks, so that connections end together,
 * by code that has come into the cache once for all of them. */
static inline int64_t sw_flow_tick(int64_t time_ns)
{
    const int64_t tick_ns = 1 << 23; /* 8.4 ms */
    return (time_ns + tick_ns - 1) & -tick_ns;
}
/* When the connection is to be ended if nothing more comes: a tick. */
int64_t sw_flow_real_deadline(const struct sw_flow *flow);

/* --- end.c: connections that are over --- */

/* It is over: what can be told of it is told, then it is freed. */
void sw_flow_end(struct sw_flow_table *table, struct sw_flow *flow, struct sw_mark mark);
/* The same, but it is freed by the next sw_flow_end_all(), which comes before anything else happens
 * in the table. */
void sw_flow_end_soon(struct sw_flow_table *table, struct sw_flow *flow, struct sw_mark mark);
void sw_flow_end_all(struct sw_flow_table *table);
/* Ends what is due at that time; something must be. */
void sw_flow_fire_timers(struct sw_flow_table *table, int64_t now_ns);

/* --- shed.c: too many of them --- */

/* Ends the one that can best be spared; true when something was lost. There must be one. */
bool sw_flow_shed_one(struct sw_flow_table *table);
/* Ends the oldest whose handshake is not complete; there must be one. */
void sw_flow_shed_half_open(struct sw_flow_table *table);

/* --- timers.c: when connections are looked at --- */

/* Plans what flow->deadline_ns says; what was planned before does not hold any more. False without
 * memory. */
bool sw_timers_plan(struct sw_flow_table *table, struct sw_flow *flow);
/* The one that is due first, or NULL. */
struct sw_flow *sw_timers_first(struct sw_flow_table *table);
/* The first one has become due later, at flow->deadline_ns. */
void sw_timers_later(struct sw_flow_table *table);

/* Takes timers of the tick of the first one out, at most so many, and has fetched what they are
 * for. */
uint32_t sw_timers_take(struct sw_flow_table *table, struct sw_timer *due, uint32_t most);
/* The connection that a timer was planned for, or NULL: that does not hold any more. */
struct sw_flow *sw_timers_holder(const struct sw_flow_table *table, const struct sw_timer *timer);

/* --- ahead.c: what will be needed soon --- */

/* Fetches the connection itself; it may be gone. */
void sw_flow_fetch(const struct sw_flow *flow);
/* Fetches the body, and what the user has of it, of a connection that was fetched before. Both at
 * once are more than can be on the way at a time. */
void sw_flow_fetch_body(const struct sw_flow *flow);
void sw_flow_fetch_user(const struct sw_flow *flow);

/* --- body.c: what is known of a connection, and its sleep --- */

/* True for a SYN that says all there is to say: its connection may sleep. */
bool sw_flow_is_mere_syn(const struct sw_packet *packet);
/* The body of a connection, as before its first packet; `short_lived`: it will end soon. False
 * without memory. */
bool sw_flow_begin(struct sw_flow *flow, bool short_lived);
/* One that dozes will sleep, when a few others have come to that, unless something is heard of it
 * until then: nothing but this packet was seen of it. */
void sw_flow_doze(struct sw_flow *flow, const struct sw_packet *packet, struct sw_mark mark);
bool sw_flow_wake_up(struct sw_flow *flow, bool to_end);
/* Makes the body of a connection that sleeps or rests; `to_end`: it will not be needed for long.
 * False without memory: then it is as it was. */
static inline bool sw_flow_wake(struct sw_flow *flow, bool to_end)
{
    return (flow->body && !flow->dozes) || sw_flow_wake_up(flow, to_end);
}
/* Memory for a body, not cleared, or NULL; `short_lived`: a desk, when one is free. */
struct sw_flow_body *sw_flow_body_take(struct sw_flow_table *table, bool short_lived);
/* Gives back that memory alone. */
void sw_flow_body_give(struct sw_flow_table *table, struct sw_flow_body *body);
void sw_flow_body_free(struct sw_flow *flow);
/* It was woken only to be looked at, and sleeps on, unless something was noted. */
void sw_flow_sleep_on(struct sw_flow *flow);
void sw_flow_bodies_release(struct sw_flow_table *table);
/* Whose connection this is, and since when; `known`: the client is who the tuple says. */
void sw_flow_introduce(struct sw_flow *flow, const struct sw_tuple *tuple, bool known,
                       uint8_t time_digits, struct sw_mark mark);
/* When it was first seen, and last; also while it sleeps. */
struct sw_mark sw_flow_first(const struct sw_flow *flow);
struct sw_mark sw_flow_last(const struct sw_flow *flow);

/* --- take.c: one packet --- */

/* Takes it, as far as the connection itself is concerned. False: a copy of an earlier one. */
bool sw_flow_take(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  struct sw_mark mark);

/* --- rest.c: many connections that wait --- */

/* The connection has a body from now on, not for the moment only: another one may have to rest. */
void sw_flow_is_awake(struct sw_flow *flow);
/* Squeezes the body; false without memory: then it is as it was. */
bool sw_flow_rest(struct sw_flow *flow);
/* The body of one that rests; false without memory: then it is as it was. */
bool sw_flow_end_rest(struct sw_flow *flow, bool to_end);
/* It was woken only to be looked at. */
void sw_flow_rest_on(struct sw_flow *flow);

/* --- segment.c: bytes in order --- */

/* The payload (and FIN) of one packet. */
void sw_flow_data(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  int64_t offset, struct sw_mark mark);
/* The same of a packet with a wrong checksum: it counts only if the peer acknowledges it. */
void sw_flow_doubtful_data(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                           int64_t offset, struct sw_mark mark);
/* Passes on the next bytes of a side; there must be some. */
void sw_flow_pass_on(struct sw_flow *flow, enum sw_side from, struct sw_span bytes,
                     struct sw_mark mark);
/* The next bytes of a side are not in the capture, which kept less of their packet. */
void sw_flow_miss(struct sw_flow *flow, enum sw_side from, uint32_t n_bytes, struct sw_mark mark);
/* Both; `wire`: how many bytes they were on the wire. */
static inline void sw_flow_deliver(struct sw_flow *flow, enum sw_side from, struct sw_span bytes,
                                   uint32_t wire, struct sw_mark mark)
{
    if (bytes.len > 0)
        sw_flow_pass_on(flow, from, bytes, mark);
    if (wire > bytes.len)
        sw_flow_miss(flow, from, wire - (uint32_t)bytes.len, mark);
}
void sw_flow_waited_for(struct sw_flow *flow, enum sw_side side, struct sw_mark mark);
/* One more packet of the connection was handled: missing bytes have had one more chance. */
static inline void sw_flow_waited(struct sw_flow *flow, struct sw_mark mark)
{
    for (int side = 0; side < 2; side++) {
        const struct sw_half *half = &flow->body->half[side];
        if (half->held_count > 0 || half->acked > half->next)
            sw_flow_waited_for(flow, (enum sw_side)side, mark);
    }
}
/* The connection ends: gaps that are certain are told, what can still be passed on is. */
void sw_flow_flush(struct sw_flow *flow, struct sw_mark mark);
void sw_half_free(struct sw_flow_table *table, struct sw_half *half);
/* --- past.c: what was passed on --- */

/* Keeps bytes of the dialogue that are passed on, so that a second copy can be compared. Long texts
 * are not kept. */
void sw_half_remember(struct sw_flow *flow, enum sw_side from, uint64_t offset,
                      struct sw_span bytes);
/* Compares a second copy with what was passed on, as far as that is still known. */
bool sw_half_differs_from_past(const struct sw_half *half, uint64_t offset, struct sw_span bytes);
/* Gives back what is remembered. */
void sw_half_free_past(struct sw_flow_table *table, struct sw_half *half);
/* Remembers the bytes of [past_from, past_to), where nothing is remembered; without memory they are
 * forgotten. */
void sw_half_set_past(struct sw_flow_table *table, struct sw_half *half, const uint8_t *bytes);

/* --- progress.c: what segments and acknowledgements tell --- */

/* An acknowledgement from `from` (of the other side's bytes). */
void sw_flow_acknowledge(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                         struct sw_mark mark);
/* A keep-alive or a probe of a closed window: its byte, if it has one, is no data. */
bool sw_flow_is_keepalive(const struct sw_half *half, const struct sw_packet *packet,
                          int64_t offset);
/* Can packets come that sw_flow_take_expected() takes? */
bool sw_flow_is_even(const struct sw_flow *flow);
/* The short way of a packet that is what nearly every one is: the next bytes of its sender, or
 * none, and an acknowledgement of nothing but what was seen. It comes to the same as the long one;
 * false: it has to be that. */
bool sw_flow_take_expected(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                           struct sw_mark mark);
/* Payload [begin, end), before it is taken: new, sent again, or out of order? */
void sw_flow_note_segment(struct sw_flow *flow, enum sw_side from, uint64_t begin, uint64_t end,
                          struct sw_mark mark);

/* --- control.c: SYN, RST, windows, duplicates, facts --- */

/* True when the packet is a second copy of one that was handled already. */
bool sw_flow_is_copy(struct sw_half *half, const struct sw_packet *packet, int64_t time_ns);
void sw_flow_syn(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                 struct sw_mark mark);
void sw_flow_rst(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                 struct sw_mark mark);
void sw_flow_note_new_path(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet);
/* VLAN and tunnel of a packet, also of one that is a copy. */
static inline void sw_flow_note_path(struct sw_flow *flow, enum sw_side from,
                                     const struct sw_packet *packet)
{
    const struct sw_half *half = &flow->body->half[from];
    bool known = half->vlan_count > 0 && half->vlans[0] == packet->space;
    if (!known || packet->tunnel.count > 0)
        sw_flow_note_new_path(flow, from, packet);
}
/* How many packets, the last one, the TTL. */
static inline void sw_flow_heard(struct sw_flow_facts *f, enum sw_side from,
                                 const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_half_facts *half = &f->half[from];
    half->packets++;
    sw_mark_set(&half->last, mark);
    sw_mark_set(&f->last, mark);
    if (packet->tcp.flags & SW_TCP_RST)
        return;
    if (packet->ttl < half->ttl_min)
        half->ttl_min = packet->ttl;
    if (packet->ttl > half->ttl_max)
        half->ttl_max = packet->ttl;
}
/* Window, TTL, first and last packet: what every packet tells. */
void sw_flow_note(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  struct sw_mark mark);
/* A FIN or an accepted RST: the first one decides who closed. */
void sw_flow_closing(struct sw_flow *flow, enum sw_side from, bool rst, struct sw_mark mark);
/* The last facts, when the connection ends. */
void sw_flow_settle(struct sw_flow *flow, struct sw_mark mark);

#endif
