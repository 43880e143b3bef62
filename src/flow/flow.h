/*
 * flow.h - TCP connections: the table, the reassembly, and what TCP itself can tell.
 *
 * Packets go in; for every connection each direction's bytes come out once, in order, together in
 * one sequence in capture order, as soon as they are contiguous. In-order bytes are passed on from
 * the frame without a copy.
 *
 * Invariants
 * - Of two copies of the same byte the one captured first wins; a difference is told
 * (sink->conflict).
 * - Bytes that the peer acknowledged but that the capture lacks are a gap (the capture lost them);
 * one more than all that was seen, with nothing behind it, is a FIN that the capture lacks.
 * Bytes that were never acknowledged are never passed over: they are counted as undelivered at the
 * end (the wire lost them).
 * - A connection is its addresses and ports, whatever VLAN or tunnel its packets were seen in,
 * unless their sequence numbers prove that they are of two, in two networks.
 * - Causes come before effects: a segment that acknowledges bytes of the other direction which are
 * still missing waits (a few packets or 50 ms) for them, so that a reply is not passed on before
 * the command it answers.
 * - All clocks are packet time. Nothing that is emitted depends on the order of the hash table.
 * - Memory is bounded by the limits below; what is shed is counted by reason.
 */
#ifndef SW_FLOW_FLOW_H
#define SW_FLOW_FLOW_H

#include "base/frame_ref.h"
#include "base/hash.h"
#include "base/time.h"
#include "decode/packet.h"

/* Who speaks. The client is who opened the connection. */
enum sw_side {
    SW_CLIENT = 0,
    SW_SERVER = 1,
};

static inline enum sw_side sw_side_other(enum sw_side side)
{
    return side == SW_CLIENT ? SW_SERVER : SW_CLIENT;
}

enum sw_gap_kind {
    SW_GAP_CAPTURE,   /* acknowledged by the peer but not in the capture */
    SW_GAP_TRUNCATED, /* cut off by the snaplen */
    SW_GAP_UNKNOWN,   /* missing in a capture that shows only one side */
    SW_GAP_LIMIT,     /* given up because a limit was reached */
};

enum sw_close_kind {
    SW_CLOSE_OPEN, /* not closed while it was watched */
    SW_CLOSE_FIN,
    SW_CLOSE_RST,
    SW_CLOSE_TIMEOUT, /* nothing seen for so long that it was given up */
    SW_CLOSE_ICMP,    /* never established, an ICMP error answered */
};

/* Where a fact was seen. frame is a reference (base/frame_ref.h), 0 = never. */
struct sw_mark {
    uint64_t frame;
    int64_t time_ns;
};

/* By its fields: as a whole it would come from memory, where it has only just been put together in
 * two writes, and processors wait for that. For what is done with every packet. */
static inline void sw_mark_set(struct sw_mark *to, struct sw_mark mark)
{
    to->frame = mark.frame;
    to->time_ns = mark.time_ns;
}

/* Contiguous bytes of one direction. */
struct sw_chunk {
    enum sw_side from;
    uint64_t
        offset; /* in the direction's stream, 0 = first byte after the SYN (or first byte seen) */
    struct sw_span bytes;
    struct sw_mark mark; /* of the frame that carried them */
};

/*
 * What TCP tells about one direction (the sender's side of it), in the words of Wireshark where it
 * has one. A segment is judged once: as new, retransmitted (of which some are fast or spurious), or
 * out of order.
 */
struct sw_half_facts {
    uint64_t packets;         /* all packets from this side */
    uint64_t data_packets;    /* with payload, first copies */
    uint64_t bytes;           /* distinct payload bytes seen */
    uint64_t retransmissions; /* segments sent again: bytes seen before, or a hole filled late (the
                                 first copy was lost before it came to the recorder) */
    uint64_t fast_retransmissions;     /* of these, after two or more duplicate acknowledgements */
    uint64_t spurious_retransmissions; /* of these, bytes that had been acknowledged already */
    uint64_t duplicates;               /* the same packet captured twice */
    uint64_t out_of_order;             /* segments that came a moment after later ones */
    uint64_t gap_bytes;                /* lost by the capture */
    uint64_t gap_count;
    uint64_t came_late;       /* segments out of a gap that came when it had been told */
    uint64_t truncated_bytes; /* cut off by the snaplen */
    uint64_t unacked_bytes;   /* seen or missing below the highest sent byte and not acknowledged at
                                 the end */
    uint64_t acked_bytes;     /* highest offset that the peer acknowledged */
    uint64_t hole_bytes;      /* never seen and never acknowledged, below bytes that were seen: the
                                 network lost them for good */
    struct sw_mark hole;      /* the first segment behind that hole */
    uint32_t rto_chain; /* longest run of retransmissions of one offset, current one at the end in
                           rto_open */
    uint32_t rto_open;  /* retransmissions of the first unacknowledged byte that were still
                           unanswered at the end */
    uint32_t rto_bytes; /* payload of the last of those */
    struct sw_mark rto_first, rto_last; /* the first and the last of those */
    struct sw_mark front; /* since when the first unacknowledged byte waits: sent, or moved to the
                             front by an acknowledgement of what was before it */
    uint32_t max_payload; /* the largest segment; many at once where the card segments */
    uint32_t max_acked_payload; /* the largest of which the peer acknowledged the whole */
    struct sw_mark sacked;      /* the last word of the peer that it has bytes behind a hole (SACK),
                                   as long as that hole is open */
    uint32_t damaged; /* segments that were taken, acknowledged, with a wrong checksum among right
                         ones: their bytes may be others than those that arrived */
    bool first_wrong; /* so had the first segment of all, before any right one was seen; and */
    bool checksums_right; /* a SYN or a segment had a right one, so wrong ones mean something */
    uint32_t keepalives;
    int64_t zero_window_ns; /* total time this side announced a zero window while established */
    int64_t zero_window_open_ns; /* of which the last one that had not been reopened at the end */
    uint32_t zero_window_probes; /* answered probes of the peer during zero window */
    struct sw_mark zero_window;  /* when the last one began */
    struct sw_mark zero_window_answer; /* the last answer to a probe */
    uint32_t window_unscaled; /* how often the bytes in flight of this side came up to exactly what
                                 the peer's window is without its scale, and waited */
    uint16_t mss;             /* announced in the SYN, 0 = none seen */
    uint32_t isn;             /* initial sequence number, when the SYN was seen */
    bool based;               /* at the end: the place of the stream is known, and */
    uint32_t base;            /* this is the sequence number of its offset 0 */
    uint8_t ttl_min, ttl_max;
    struct sw_mark first, last;           /* any packet */
    struct sw_mark first_data, last_data; /* payload, first copies */
    struct sw_mark last_ack_progress; /* when this side last acknowledged new bytes of the peer */
    struct sw_mark fin, rst;
    uint64_t fin_confirmed; /* the frame of the peer that acknowledged the FIN before it was seen,
                               if ever it was; 0: it was seen first */
    uint8_t rst_ttl;
    struct sw_mark after_rst; /* the first packet of this side that came after its own RST: whoever
                                 sent that RST, it was not this side */
    bool seen;
    bool fin_ahead;  /* it acknowledges bytes that had not been seen when it was recorded */
    bool fin_unseen; /* the capture lacks the FIN: `fin` is the packet of the peer that was the
                        first to acknowledge it */
};

struct sw_flow_icmp {
    struct sw_mark mark;
    uint8_t type, code, ip_version;
    uint16_t mtu;
    uint8_t from[16]; /* the router or host that sent the error */
};

enum { SW_FLOW_ICMP_MAX = 4, SW_FLOW_SYN_TIMES = 12 };

/* Everything TCP knows of a connection. Borrowed from the flow; valid in every sink call. */
struct sw_flow_facts {
    struct sw_tuple tuple; /* src = client */
    bool client_known;     /* by SYN or SYN/ACK; else guessed (ports), the user of the flow may swap
                              sides */
    bool midstream;        /* no SYN was seen */
    struct sw_mark first, last;
    struct sw_mark syn;      /* first SYN */
    struct sw_mark last_syn; /* last retransmission of it */
    struct sw_mark syn_ack;
    struct sw_mark last_syn_ack; /* its last repetition, when there was one */
    struct sw_mark established; /* the client's ACK of the SYN/ACK, or first data; the SYN/ACK where
                                   the capture lacks its ACK */
    uint32_t syn_count;
    int64_t syn_ns[SW_FLOW_SYN_TIMES]; /* when the first of them were sent */
    uint32_t syn_ack_count;
    bool refused;                               /* RST answered the SYN */
    struct sw_half_facts half[2];               /* indexed by enum sw_side */
    struct sw_flow_icmp icmp[SW_FLOW_ICMP_MAX]; /* errors that quote this connection */
    uint8_t icmp_count;
    enum sw_close_kind close;
    int closed_by;                  /* enum sw_side of the first FIN or RST, -1 = nobody */
    struct sw_mark closed;          /* that first FIN or RST */
    uint64_t conflicts;             /* overlapping copies that differed */
    bool limit_hit;                 /* a cap cut this connection short */
    bool vlan_asymmetric;           /* the two directions never used the same VLAN */
    const struct sw_tunnel *tunnel; /* headers around the first packet that had any, or NULL */
    uint64_t stall_told;            /* the silence behind this frame has been told */
    uint32_t space;                 /* packet->space of the first frame */
    uint16_t file;                  /* input file of it */
    uint8_t time_digits;
};

/* Was the connection request answered? What the client sent afterwards shows it, too, where the
 * capture lacks the server's side. */
static inline bool sw_flow_was_answered(const struct sw_flow_facts *facts)
{
    const struct sw_half_facts *client = &facts->half[SW_CLIENT];
    bool went_on = client->packets > facts->syn_count && !client->rst.frame;
    return facts->syn_ack.frame || facts->refused || facts->icmp_count > 0 ||
           facts->established.frame || went_on;
}

struct sw_flow;

/* What the table calls while packets and time go in. `user` pointers are the sink's, set with
 * sw_flow_set_user(). */
struct sw_flow_sink {
    void *ctx;
    /* A new connection (first packet). Return false to ignore it: no reassembly, no further calls
     * for it but none. */
    bool (*open)(void *ctx, struct sw_flow *flow, const struct sw_packet *packet);
    void (*chunk)(void *ctx, struct sw_flow *flow, const struct sw_chunk *chunk);
    void (*gap)(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                uint64_t length, enum sw_gap_kind kind, struct sw_mark mark);
    /* Two copies of the bytes at `offset` differ; `second` is the copy that was not used. */
    void (*conflict)(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                     struct sw_span second, struct sw_mark mark);
    /* A FIN or an accepted RST that was seen, in sequence with the chunks: all bytes before it have
     * been passed on. */
    void (*shut)(void *ctx, struct sw_flow *flow, enum sw_side from, bool rst, struct sw_mark mark);
    /* The connection is final: closed and lingered, timed out, or the capture ended. */
    void (*end)(void *ctx, struct sw_flow *flow, struct sw_mark mark);
    /* Those that ended since the last call are freed afterwards: until then their facts and users
     * stay as they are. May be NULL. */
    void (*ended)(void *ctx);
    /* Among many the connection waits for a while: the user makes small what hangs on it. Its facts
     * are not there until wake(), which comes before anything else. That may fail for lack of
     * memory: then the connection rests on. Both may be NULL. */
    void (*rest)(void *ctx, struct sw_flow *flow);
    bool (*wake)(void *ctx, struct sw_flow *flow);
    /* How many bytes of what hangs on a connection (sw_flow_user()) its end will read, about, and
     * when it rests: they are fetched ahead. */
    uint16_t user_bytes, rest_bytes;
};

/* Caps; fields that are 0 take their defaults. */
struct sw_flow_limits {
    uint32_t flows;     /* connections watched at once */
    uint32_t half_open; /* of these, connections that are not established yet */
    uint32_t awake;     /* of these, connections whose state is at hand; the others rest */
    uint32_t held_per_side_bytes; /* out-of-order bytes of one direction */
    uint32_t held_segments;       /* and segments of one direction */
    uint64_t held_total_bytes;    /* out-of-order bytes of all connections */
    int64_t idle_ns;              /* an established connection without packets is given up */
    int64_t connect_ns;           /* an unanswered SYN is given up, counted from the last one */
    int64_t linger_ns;            /* how long a closed connection is kept for stragglers */
};

/*
 * What is lost with a connection that ends early because memory or places run out. The lowest rank
 * goes first, and of one rank the oldest; closed connections that only linger go before all, and
 * those that have only just begun are spared as long as most carry something.
 */
enum sw_flow_rank {
    SW_FLOW_OTHER,    /* of no interest so far */
    SW_FLOW_ASKING,   /* its handshake is not complete; set by the table itself */
    SW_FLOW_EMPTY,    /* of interest, without data */
    SW_FLOW_CARRYING, /* it carries what this is all about */
    SW_FLOW_RANKS
};

struct sw_flow_counters {
    uint64_t opened;
    uint64_t open;           /* at the moment */
    uint64_t ignored;        /* the sink did not want them */
    uint64_t shed_flows;     /* ended early because of limits.flows */
    uint64_t shed_half_open; /* attempts ended early because of limits.half_open */
    uint64_t shed_memory;    /* ended early by sw_flow_table_shed() */
    uint64_t held_limit;     /* times a cap on held bytes was hit */
    uint64_t duplicates;     /* packets recognised as captured twice */
    uint64_t bad_checksum;
};

struct sw_flow_table;

/* Makes a table; the sink struct and the limits are copied. NULL when memory is short. */
struct sw_flow_table *sw_flow_table_new(const struct sw_flow_limits *limits,
                                        const struct sw_hash_key *key,
                                        const struct sw_flow_sink *sink);
/* Where memory is counted from now on, instead of nowhere; outlives the table. Before the first
 * packet. */
void sw_flow_table_account(struct sw_flow_table *table, size_t *account);
/* Ends the connection that can best be spared, see enum sw_flow_rank; false: there is none. */
bool sw_flow_table_shed(struct sw_flow_table *table);
/* One TCP packet. Fires the timers that are due before it. */
void sw_flow_table_tcp(struct sw_flow_table *table, const struct sw_frame *frame,
                       const struct sw_packet *packet);
/* A packet between these comes next, of another connection than the one before. */
void sw_flow_table_fetch(const struct sw_flow_table *table, const struct sw_tuple *tuple);
/* One ICMP error; attached to the connection it quotes, if there is one. */
void sw_flow_table_icmp(struct sw_flow_table *table, const struct sw_frame *frame,
                        const struct sw_packet *packet);
/* Packet time moves on (any other frame, or an idle tick); fires the timers that are due, in order
 * of their time. */
void sw_flow_table_time(struct sw_flow_table *table, int64_t now_ns);
/* The open connection of a packet's tuple, in either direction, or NULL. */
const struct sw_flow *sw_flow_table_find(const struct sw_flow_table *table,
                                         const struct sw_tuple *tuple);
/* Calls visit() for every open connection, in no order; the table must not be changed meanwhile. */
void sw_flow_table_each(struct sw_flow_table *table, void (*visit)(void *ctx, struct sw_flow *flow),
                        void *ctx);
/* The silence behind a frame has been told (facts->stall_told). */
void sw_flow_stall_told(struct sw_flow *flow, uint64_t frame);
/* The capture is over: every connection ends, in the order of their first frames. */
void sw_flow_table_finish(struct sw_flow_table *table);
const struct sw_flow_counters *sw_flow_table_count(const struct sw_flow_table *table);
void sw_flow_table_free(struct sw_flow_table *table);

const struct sw_flow_facts *sw_flow_facts(const struct sw_flow *flow);
void sw_flow_set_user(struct sw_flow *flow, void *user);
void *sw_flow_user(const struct sw_flow *flow);
void sw_flow_set_rank(struct sw_flow *flow, enum sw_flow_rank rank);
enum sw_flow_rank sw_flow_rank_of(const struct sw_flow *flow);
/*
 * The sides were guessed wrong (a capture that starts in mid-stream): what came from the client so
 * far came from the server. Facts are swapped; only allowed while facts->client_known is false,
 * which it sets.
 */
void sw_flow_swap_sides(struct sw_flow *flow);
/* Nobody needs to be told of the end of the connection when it is shed before its first SYN was
 * followed by anything. */
void sw_flow_shed_mute(struct sw_flow *flow);
/* The connection, which does not rest and is not in work, rests; false without memory. */
bool sw_flow_make_rest(struct sw_flow *flow);
/* No more interest: reassembly stops, end() is not called, later packets of the connection are
 * dropped at once. */
void sw_flow_forget(struct sw_flow *flow);

#endif
