/*
 * lane.c - the same addresses and ports in several networks at once.
 *
 * A mirror port may show a packet in front of a router and behind it, with different VLAN tags:
 * that is one connection. It may as well show two customers who use the same private addresses:
 * these are two. The numbers of TCP tell them apart: both ends choose theirs at random (RFC 9293
 * 3.4.1). So a packet from another network belongs to the connection that is known, unless its
 * numbers prove otherwise; then its connection gets a key with a lane of its own.
 */
#include "flow/internal.h"

enum { LANE_SHIFT = 40, LANE_MASK = 0xFFFFFF, FAR_BYTES = 16 * 1024 * 1024 };

static uint32_t lane_of(uint32_t space)
{
    uint32_t lane = (space ^ space >> 24) & LANE_MASK;
    return lane ? lane : 1;
}

static struct sw_flow *find_in(struct sw_flow_table *table, uint32_t lane, struct sw_flow_key *key,
                               uint64_t *hash)
{
    key->rest = (key->rest & ((UINT64_C(1) << LANE_SHIFT) - 1)) | (uint64_t)lane << LANE_SHIFT;
    *hash = sw_flow_hash(&table->key, key);
    return sw_flow_find(table, key, *hash);
}

bool sw_flow_key_has_lane(const struct sw_flow_key *key)
{
    return key->rest >> LANE_SHIFT != 0;
}

struct sw_flow_key sw_flow_key_without_lane(const struct sw_flow_key *key)
{
    struct sw_flow_key plain = *key;
    plain.rest &= (UINT64_C(1) << LANE_SHIFT) - 1;
    return plain;
}

static struct sw_lane *slot_of(struct sw_flow_table *table, uint32_t lane)
{
    for (int i = 0; i < SW_LANES; i++) {
        if (table->lanes[i].flows > 0 && table->lanes[i].lane == lane)
            return &table->lanes[i];
    }
    return NULL;
}

void sw_flow_lane_enter(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    uint32_t lane = (uint32_t)(key->rest >> LANE_SHIFT);
    struct sw_lane *slot = slot_of(table, lane);
    for (int i = 0; i < SW_LANES && !slot; i++) {
        if (table->lanes[i].flows == 0)
            slot = &table->lanes[i];
    }
    if (!slot)
        return; /* sw_flow_lane() has seen to it that there is one */
    slot->lane = lane;
    table->lane_flows += slot->flows++ == 0 ? 1 : 0;
}

void sw_flow_lane_leave(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    struct sw_lane *slot = slot_of(table, (uint32_t)(key->rest >> LANE_SHIFT));
    if (slot)
        table->lane_flows -= --slot->flows == 0 ? 1 : 0;
}

struct sw_flow *sw_flow_in_lane(struct sw_flow_table *table, uint32_t space,
                                const struct sw_flow_key *key)
{
    uint32_t lane = lane_of(space);
    struct sw_flow_key laned = *key;
    uint64_t hash;
    return slot_of(table, lane) ? find_in(table, lane, &laned, &hash) : NULL;
}

static bool is_near(uint32_t number, uint32_t expected, bool exactly)
{
    int32_t apart = seq_diff(number, expected);
    return exactly ? apart == 0 : apart > -FAR_BYTES && apart < FAR_BYTES;
}

/* Can the packet be one of this connection, by its numbers? */
static bool fits(struct sw_flow *flow, const struct sw_packet *packet)
{
    bool asks = (packet->tcp.flags & SW_TCP_SYN) != 0;
    bool confirms = (packet->tcp.flags & SW_TCP_ACK) != 0;
    enum sw_side from = sw_flow_side_of(flow, &packet->tuple);
    if (!flow->body && !flow->resting) { /* nothing but one SYN of the client */
        uint32_t isn = flow->syn.seq;
        if (from == SW_CLIENT)
            return is_near(packet->tcp.seq, isn, asks);
        return !confirms || is_near(packet->tcp.ack, isn + 1, asks);
    }
    if (!sw_flow_wake(flow, false))
        return true;
    const struct sw_half *own = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    uint32_t own_at = own->base + (asks ? UINT32_MAX : (uint32_t)own->next);
    uint32_t peer_at = peer->base + (asks ? 0 : (uint32_t)peer->next);
    return (!own->based || is_near(packet->tcp.seq, own_at, asks)) &&
           (!peer->based || !confirms || is_near(packet->tcp.ack, peer_at, asks));
}

static bool was_seen_in(const struct sw_flow *flow, const struct sw_packet *packet)
{
    if (!flow->body || packet->tunnel.count > 0)
        return false;
    for (int side = 0; side < 2; side++) {
        const struct sw_half *half = &flow->body->half[side];
        for (uint8_t i = 0; i < half->vlan_count; i++) {
            if (half->vlans[i] == packet->space)
                return true;
        }
    }
    return false;
}

struct sw_flow *sw_flow_lane(struct sw_flow_table *table, const struct sw_packet *packet,
                             struct sw_flow *plain, struct sw_flow_key *key, uint64_t *hash)
{
    struct sw_flow_key plain_key = *key;
    uint64_t plain_hash = *hash;
    uint32_t lane = lane_of(packet->space);
    struct sw_flow *flow = slot_of(table, lane) ? find_in(table, lane, key, hash) : NULL;
    if (flow)
        return flow;
    bool begins = (packet->tcp.flags & (SW_TCP_SYN | SW_TCP_ACK)) == SW_TCP_SYN;
    bool of_plain = plain && (plain->space == packet->space || was_seen_in(plain, packet) ||
                              fits(plain, packet));
    for (int i = 0; i < SW_LANES && !of_plain && !(begins && !plain); i++) {
        if (table->lanes[i].flows > 0 && table->lanes[i].lane != lane &&
            (flow = find_in(table, table->lanes[i].lane, key, hash)) && fits(flow, packet))
            return flow;
    }
    bool room = table->lane_flows < SW_LANES || slot_of(table, lane);
    if (plain && !of_plain && room && !(packet->tcp.flags & SW_TCP_RST)) {
        (void)find_in(table, lane, key, hash);
        return NULL;
    }
    *key = plain_key;
    *hash = plain_hash;
    return plain;
}
