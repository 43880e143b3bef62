/*
 * fin.h - the end of a direction: its FIN, be that in the capture or only in what the other side
 * acknowledges.
 */
#ifndef SW_FLOW_FIN_H
#define SW_FLOW_FIN_H

#include "flow/internal.h"

/* The peer has got something at `offset`: when all that was seen ends there, it may be a FIN that
 * the capture lacks. Who is the first to say so stays known. */
void sw_flow_note_maybe_fin(struct sw_half *half, uint64_t offset, struct sw_mark mark);
/* The direction ends at `offset`. */
void sw_flow_take_fin(struct sw_flow *flow, enum sw_side from, uint64_t offset,
                      struct sw_mark mark);
/* The capture lacks the FIN behind all that was passed on, and the peer has it. */
void sw_flow_take_unseen_fin(struct sw_flow *flow, enum sw_side from);
/* A packet of a side whose FIN is unseen, up to stream offset `end`: is that the FIN, or was it a
 * byte? */
void sw_flow_doubt_unseen_fin(struct sw_flow *flow, enum sw_side from,
                              const struct sw_packet *packet, uint64_t end, struct sw_mark mark);
/* Tells the sink of a FIN that was seen, once all before it was passed on. */
void sw_flow_tell_shut(struct sw_flow *flow, enum sw_side from);

#endif
