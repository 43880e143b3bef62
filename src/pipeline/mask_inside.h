/*
 * mask_inside.h - what the files of the mask share; nobody else includes it.
 */
#ifndef SW_PIPELINE_MASK_INSIDE_H
#define SW_PIPELINE_MASK_INSIDE_H

#include "pipeline/mask.h"

enum { SW_MASK_TCP = 6, SW_MASK_PART_BUCKETS = 1 << 14 };

/* --- mask_index.c: which session a packet belongs to --- */

struct sw_mask_key {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint8_t ip_version;
    uint8_t none; /* no byte of it is padding: keys are compared and hashed as bytes */
};

enum sw_mask_kind { SW_MASK_CONNECTIONS, SW_MASK_LOOKUPS };

/* The same for both directions. */
struct sw_mask_key sw_mask_tuple_key(const struct sw_tuple *tuple);
struct sw_mask_key sw_mask_client_key(const uint8_t address[16], uint8_t ip_version);
/* Fills the tables from the plan. */
void sw_mask_index(struct sw_mask *mask);
/* The session of this key that a frame stands in; `early`: so many frames before it count, too. */
bool sw_mask_find(const struct sw_mask *mask, enum sw_mask_kind kind, const struct sw_mask_key *key,
                  uint64_t ref, uint64_t early, uint32_t *session);
/* The connection that a packet is part of. Several may have its addresses and ports, in networks of
 * their own (flow/lane.c): the numbers of TCP tell which one it is, if any. */
bool sw_mask_find_connection(const struct sw_mask *mask, const struct sw_packet *packet,
                             uint64_t ref, uint32_t *session);
/* Is it one of the further frames of the plan? */
bool sw_mask_is_further(const struct sw_mask *mask, uint64_t ref);

/* --- mask_bytes.c: what is masked, and the checksums --- */

/*
 * Payload of one side at `bytes`: what is not kept becomes 'A'. `at` counts from the checksummed
 * header; the result is what that changes in its sum. NULL for side: nothing is known, all is
 * masked. `near` is the offset that was seen last.
 */
uint32_t sw_mask_bytes(struct sw_mask *mask, const struct sw_extract_side *side, uint64_t *near,
                       uint32_t seq, uint8_t *bytes, size_t len, uint64_t at);
void sw_mask_fix_checksum(uint8_t *field, uint32_t delta);
enum sw_side sw_mask_side_of(const struct sw_extract_session *session,
                             const struct sw_tuple *tuple);
/* Where a borrowed byte of the frame stands in the copy that may be written to. */
uint8_t *sw_mask_own(const struct sw_frame *frame, const uint8_t *borrowed, uint8_t *scratch);
bool sw_mask_is_inside(const struct sw_frame *frame, struct sw_span span);
/* Behind the payload there may stand what was in the card's memory before. */
void sw_mask_clear_behind(const struct sw_frame *frame, struct sw_span payload, uint8_t *scratch);
/* A whole TCP packet; `session` may be NULL. `near` is of both sides. */
void sw_mask_segment(struct sw_mask *mask, const struct sw_frame *frame,
                     const struct sw_packet *packet, const struct sw_extract_session *session,
                     uint64_t *near);
/* The packet that an ICMP error quotes. */
void sw_mask_quote(struct sw_mask *mask, const struct sw_frame *frame,
                   const struct sw_packet *packet, const struct sw_extract_session *session,
                   uint64_t *near);

/* --- mask_part.c: packets in parts --- */

/* False: the part belongs to no session. */
bool sw_mask_take_part(struct sw_mask *mask, const struct sw_frame *frame,
                       const struct sw_packet *packet, uint64_t ref);

/* --- mask.c --- */

/* The frame's bytes into the scratch. False without memory. */
bool sw_mask_copy(struct sw_mask *mask, const struct sw_frame *frame);

#endif
