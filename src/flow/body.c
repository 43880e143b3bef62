/*
 * body.c - what is known of a connection, and its sleep.
 *
 * A SYN says little: what of it matters is kept, and when the next packet comes, or the end, the
 * body is made again with the very code that makes it of a packet.
 */
#include "flow/internal.h"

#include <assert.h>
#include <stdlib.h>

enum { SPARES = 64 }; /* bodies that are kept for the next connections */

struct sw_flow_body *sw_flow_body_take(struct sw_flow_table *table, bool short_lived)
{
    for (uint32_t desk = 0; short_lived && desk < SW_ENDING; desk++) {
        if (!(table->desks_in_use & 1u << desk)) {
            table->desks_in_use |= 1u << desk;
            return &table->desks[desk];
        }
    }
    struct sw_flow_body *body = table->spare;
    if (body) {
        table->spare = body->spare;
        table->spares--;
    } else {
        body = malloc(sizeof(*body));
    }
    if (body)
        sw_account_take(table->account, sizeof(*body));
    return body;
}

void sw_flow_body_give(struct sw_flow_table *table, struct sw_flow_body *body)
{
    for (uint32_t desk = 0; desk < SW_ENDING; desk++) {
        if (body == &table->desks[desk]) {
            table->desks_in_use &= ~(1u << desk);
            return;
        }
    }
    sw_account_give(table->account, sizeof(*body));
    if (table->spares == SPARES) {
        free(body);
        return;
    }
    body->spare = table->spare;
    table->spare = body;
    table->spares++;
}

bool sw_flow_begin(struct sw_flow *flow, bool short_lived)
{
    struct sw_flow_table *table = flow->table;
    flow->body = sw_flow_body_take(table, short_lived);
    if (!flow->body)
        return false;
    memset(flow->body, 0, sizeof(*flow->body));
    flow->body->facts.closed_by = -1;
    flow->body->half[0].zero_since_ns = flow->body->half[1].zero_since_ns = SW_TIME_NONE;
    return true;
}

void sw_flow_introduce(struct sw_flow *flow, const struct sw_tuple *tuple, bool known,
                       uint8_t time_digits, struct sw_mark mark)
{
    struct sw_flow_facts *facts = &flow->body->facts;
    facts->tuple = *tuple;
    facts->client_known = known;
    facts->midstream = !known;
    facts->first = facts->last = mark;
    facts->time_digits = time_digits;
    facts->space = flow->space;
}

void sw_flow_body_free(struct sw_flow *flow)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_body *body = flow->body;
    flow->body = NULL;
    sw_half_free(table, &body->half[0]);
    sw_half_free(table, &body->half[1]);
    if (body->tunnel)
        sw_account_give(table->account, sizeof(*body->tunnel));
    free(body->tunnel);
    sw_flow_body_give(table, body);
}

void sw_flow_bodies_release(struct sw_flow_table *table)
{
    while (table->spare) {
        struct sw_flow_body *next = table->spare->spare;
        free(table->spare);
        table->spare = next;
    }
    sw_blocks_release(&table->blocks);
}

/* The desk is needed for others: the body moves to memory of its own. */
static bool leave_desk(struct sw_flow *flow)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_body *body = sw_flow_body_take(table, false);
    if (!body)
        return false;
    *body = *flow->body;
    sw_flow_body_give(table, flow->body);
    flow->body = body;
    sw_flow_is_awake(flow);
    return true;
}

bool sw_flow_is_mere_syn(const struct sw_packet *packet)
{
    uint8_t flags = packet->tcp.flags & (SW_TCP_SYN | SW_TCP_ACK | SW_TCP_FIN | SW_TCP_RST);
    return flags == SW_TCP_SYN && packet->payload_wire == 0 && packet->tcp.sack_count == 0 &&
           packet->tunnel.count == 0 && !packet->conflicting;
}

/* The one whose turn it is sleeps, if nothing has come of it meanwhile. */
static void sleep_now(const struct sw_flow_awake *place)
{
    struct sw_flow *flow = place->flow;
    if (!flow || flow->serial != place->serial || !flow->dozes)
        return;
    flow->dozes = false;
    if (flow->user || flow->body->facts.stall_told)
        sw_flow_is_awake(flow);
    else
        sw_flow_body_free(flow);
}

void sw_flow_doze(struct sw_flow *flow, const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_flow_table *table = flow->table;
    const struct sw_tcp_header *tcp = &packet->tcp;
    flow->syn = (struct sw_flow_syn){
        .mark = mark,
        .seq = tcp->seq,
        .ack = tcp->ack,
        .timestamp = tcp->timestamp,
        .window = tcp->window,
        .mss = tcp->mss,
        .ip_id = packet->ip_id,
        .vlan = packet->vlan,
        .flags = tcp->flags,
        .ttl = packet->ttl,
        .scale = tcp->window_scale,
        .time_digits = flow->body->facts.time_digits,
        .has_timestamp = tcp->has_timestamp,
        .has_mss = tcp->has_mss,
        .has_scale = tcp->has_window_scale,
        .checksum_right = flow->body->facts.half[SW_CLIENT].checksums_right,
    };
    struct sw_flow_awake *place = &table->dozing[table->dozing_at];
    uint32_t places = table->limits.awake < SW_DOZING ? table->limits.awake : SW_DOZING;
    table->dozing_at = table->dozing_at + 1 < places ? table->dozing_at + 1 : 0;
    sleep_now(place);
    *place = (struct sw_flow_awake){flow, flow->serial};
}

/* The SYN as it came. */
static void packet_of(const struct sw_flow *flow, struct sw_packet *packet)
{
    const struct sw_flow_syn *syn = &flow->syn;
    const struct sw_flow_key *key = &flow->key;
    bool low = flow->client_is_low;
    memset(packet, 0, offsetof(struct sw_packet, icmp));
    packet->payload = (struct sw_span){NULL, 0};
    packet->payload_wire = 0;
    packet->tunnel.count = 0;
    memcpy(packet->tuple.src, low ? key->low : key->high, sizeof(packet->tuple.src));
    memcpy(packet->tuple.dst, low ? key->high : key->low, sizeof(packet->tuple.dst));
    packet->tuple.src_port = (uint16_t)(low ? key->rest : key->rest >> 16);
    packet->tuple.dst_port = (uint16_t)(low ? key->rest >> 16 : key->rest);
    packet->tuple.ip_version = (uint8_t)(key->rest >> 32);
    packet->tuple.transport = SW_FLOW_TRANSPORT_TCP;
    packet->transport = SW_TRANSPORT_TCP;
    packet->ttl = syn->ttl;
    packet->ip_id = syn->ip_id;
    packet->vlan = syn->vlan;
    packet->space = flow->space;
    packet->tcp.seq = syn->seq;
    packet->tcp.ack = syn->ack;
    packet->tcp.window = syn->window;
    packet->tcp.flags = syn->flags;
    packet->tcp.has_mss = syn->has_mss;
    packet->tcp.mss = syn->mss;
    packet->tcp.has_window_scale = syn->has_scale;
    packet->tcp.window_scale = syn->scale;
    packet->tcp.has_timestamp = syn->has_timestamp;
    packet->tcp.timestamp = syn->timestamp;
}

bool sw_flow_wake_up(struct sw_flow *flow, bool to_end)
{
    if (flow->dozes) {
        flow->dozes = to_end; /* it may only be looked at */
        if (!to_end)
            sw_flow_is_awake(flow);
    }
    if (flow->body)
        return true;
    if (flow->resting)
        return sw_flow_end_rest(flow, to_end);
    if (!sw_flow_begin(flow, to_end))
        return false;
    struct sw_packet packet;
    packet_of(flow, &packet);
    sw_flow_introduce(flow, &packet.tuple, true, flow->syn.time_digits, flow->syn.mark);
    bool first = sw_flow_take(flow, SW_CLIENT, &packet, flow->syn.mark);
    assert(first);
    (void)first;
    flow->body->facts.half[SW_CLIENT].checksums_right = flow->syn.checksum_right;
    if (!sw_flow_is_on_desk(flow))
        sw_flow_is_awake(flow);
    return true;
}

void sw_flow_sleep_on(struct sw_flow *flow)
{
    if (!flow->body->facts.stall_told)
        sw_flow_body_free(flow);
    else if (sw_flow_is_on_desk(flow) && !leave_desk(flow))
        sw_flow_body_free(flow); /* it will be noted again */
}

struct sw_mark sw_flow_first(const struct sw_flow *flow)
{
    return flow->body ? flow->body->facts.first : flow->resting ? flow->rest.first : flow->syn.mark;
}

struct sw_mark sw_flow_last(const struct sw_flow *flow)
{
    return flow->body ? flow->body->facts.last : flow->resting ? flow->rest.last : flow->syn.mark;
}
