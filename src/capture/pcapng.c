/*
 * pcapng.c - the frames of pcapng files (draft-ietf-opsawg-pcapng), and the way on behind damage.
 *
 * A block has its length at both ends, so that one of them may be wrong and the block still be
 * found: the length in front by the next block that makes sense, the one behind by what follows it.
 */
#include "capture/pcapng.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    HEAD_BYTES = 8,
    TRAILER_BYTES = 4,
    SEARCH_BYTES = 1 << 20, /* how far behind damage the next block may be */
    FAULTS_MAX = 100,       /* in one file, then it is given up */
    SYSDIG_FIRST = 0x204,   /* event blocks of sysdig, with holes in between */
    SYSDIG_LAST = 0x223,
};

struct block {
    uint32_t type;
    uint32_t length;
    struct sw_span body;
};

/* Records that Wireshark numbers like frames, though no packet is in them. */
static bool counts_as_frame(uint32_t type)
{
    return type == SW_BLOCK_CUSTOM || type == SW_BLOCK_CUSTOM_NO_COPY || type == SW_BLOCK_JOURNAL ||
           (type >= SYSDIG_FIRST && type <= SYSDIG_LAST && type != 0x209 && type != 0x210);
}

static bool is_well_known(uint32_t type)
{
    switch (type) {
    case SW_BLOCK_INTERFACE:
    case SW_BLOCK_PACKET:
    case SW_BLOCK_SIMPLE_PACKET:
    case SW_BLOCK_NAMES:
    case SW_BLOCK_STATISTICS:
    case SW_BLOCK_ENHANCED_PACKET:
    case SW_BLOCK_SECRETS:
    case SW_BLOCK_SECTION:
        return true;
    default:
        return false;
    }
}

static bool length_is_possible(uint32_t length)
{
    return length >= SW_BLOCK_LEAST_BYTES && length % 4 == 0 && length <= SW_BLOCK_MAX_BYTES;
}

/* --- the way on behind damage --- */

static uint32_t u32_at(const struct sw_pcapng *ng, struct sw_span all, size_t at)
{
    struct sw_cursor c = sw_cursor_make(sw_span_sub(all, at, 4));
    return sw_pcapng_u32(ng, &c);
}

/* A section says its own byte order. */
static bool section_begins(struct sw_span all, size_t at)
{
    struct sw_cursor c = sw_cursor_make(sw_span_sub(all, at, 12));
    bool section = sw_cursor_be32(&c) == SW_BLOCK_SECTION;
    sw_cursor_skip(&c, 4);
    uint32_t order = sw_cursor_be32(&c);
    return section && (order == 0x1A2B3C4D || order == 0x4D3C2B1A);
}

/* A whole block of a well-known type with the same length at both ends. */
static bool block_stands_at(const struct sw_pcapng *ng, struct sw_span all, size_t at)
{
    if (section_begins(all, at))
        return true;
    uint32_t type = u32_at(ng, all, at);
    uint32_t length = u32_at(ng, all, at + 4);
    return ng->in_section && is_well_known(type) && length_is_possible(length) &&
           length <= all.len - at && u32_at(ng, all, at + length - TRAILER_BYTES) == length;
}

/*
 * The block at input->at is damaged. Finds out whether it can be read nevertheless (its length is
 * right at one of its ends: ng->repaired), or else where the next one begins. Returns how far
 * behind the damaged block's beginning reading goes on, SIZE_MAX when it cannot.
 */
static size_t find_way(struct sw_capture *capture)
{
    struct sw_pcapng *ng = capture->pcapng;
    struct sw_span all = sw_input_peek(capture->input, SEARCH_BYTES);
    uint32_t type = u32_at(ng, all, 0);
    uint32_t length = u32_at(ng, all, 4);
    bool readable = ng->in_section && is_well_known(type) && type != SW_BLOCK_SECTION;
    if (ng->faults >= FAULTS_MAX || all.len < SW_BLOCK_LEAST_BYTES)
        return SIZE_MAX;
    if (readable && length_is_possible(length) && length <= all.len) {
        bool last = length == all.len && capture->input->ended;
        if (last || block_stands_at(ng, all, length)) {
            ng->repaired = length;
            return 0;
        }
    }
    for (size_t at = 4; at + SW_BLOCK_LEAST_BYTES <= all.len; at++) {
        if (!block_stands_at(ng, all, at))
            continue;
        if (readable && at >= SW_BLOCK_LEAST_BYTES && at % 4 == 0 &&
            u32_at(ng, all, at - TRAILER_BYTES) == at) {
            ng->repaired = (uint32_t)at;
            return 0;
        }
        return at;
    }
    /* The last block of the file ends where the file does. */
    if (readable && capture->input->ended && length_is_possible((uint32_t)all.len) &&
        u32_at(ng, all, all.len - TRAILER_BYTES) == all.len) {
        ng->repaired = (uint32_t)all.len;
        return 0;
    }
    return SIZE_MAX;
}

/* `at_worst` says what is wrong when nothing behind it can be read. */
static enum sw_status_code damaged(struct sw_capture *capture, const char *what,
                                   const char *at_worst)
{
    struct sw_pcapng *ng = capture->pcapng;
    uint64_t offset = sw_input_offset(capture->input);
    size_t way = find_way(capture);
    ng->faults++;
    ng->lost = way == SIZE_MAX;
    if (ng->lost)
        return sw_capture_damage(capture, offset, 0, at_worst);
    (void)sw_input_skip(capture->input, way);
    return sw_capture_damage(capture, offset, offset + way, what);
}

/* The contents of a block make no sense, though its lengths do: it is left out. */
static enum sw_status_code senseless(struct sw_capture *capture, const struct block *block,
                                     const char *what)
{
    struct sw_pcapng *ng = capture->pcapng;
    uint64_t offset = sw_input_offset(capture->input);
    (void)sw_input_skip(capture->input, block->length);
    ng->lost = ++ng->faults > FAULTS_MAX;
    return sw_capture_damage(capture, offset, ng->lost ? 0 : sw_input_offset(capture->input), what);
}

/* A field of a frame is wrong, but the frame can be had from what else is known. */
static enum sw_status_code repairable(struct sw_capture *capture, const struct block *block,
                                      const char *what)
{
    struct sw_pcapng *ng = capture->pcapng;
    if (++ng->faults > FAULTS_MAX)
        return senseless(capture, block, what);
    uint64_t offset = sw_input_offset(capture->input);
    ng->repaired = block->length;
    ng->repair_frame = true;
    return sw_capture_damage(capture, offset, offset, what);
}

/* --- frames --- */

struct packet {
    uint32_t interface;
    uint32_t drops; /* before it, where the block itself has a count */
    bool timed;
    uint64_t ticks;
    uint32_t caplen, len;
    struct sw_cursor rest; /* the bytes and what is behind them */
    bool has_options;
};

static bool read_enhanced(const struct sw_pcapng *ng, struct sw_span body, struct packet *p)
{
    struct sw_cursor c = sw_cursor_make(body);
    p->interface = sw_pcapng_u32(ng, &c);
    uint64_t high = sw_pcapng_u32(ng, &c);
    p->ticks = high << 32 | sw_pcapng_u32(ng, &c);
    p->caplen = sw_pcapng_u32(ng, &c);
    p->len = sw_pcapng_u32(ng, &c);
    p->drops = 0;
    p->timed = true;
    p->has_options = true;
    p->rest = c;
    return !c.bad;
}

/* The obsolete packet block: a short interface number and a drop count in front. */
static bool read_obsolete(const struct sw_pcapng *ng, struct sw_span body, struct packet *p)
{
    struct sw_cursor c = sw_cursor_make(body);
    p->interface = sw_pcapng_u16(ng, &c);
    uint16_t drops = sw_pcapng_u16(ng, &c);
    uint64_t high = sw_pcapng_u32(ng, &c);
    p->ticks = high << 32 | sw_pcapng_u32(ng, &c);
    p->caplen = sw_pcapng_u32(ng, &c);
    p->len = sw_pcapng_u32(ng, &c);
    p->timed = true;
    p->has_options = true;
    p->rest = c;
    p->drops = drops == UINT16_MAX ? 0 : drops; /* not known */
    return !c.bad;
}

/* The simple one: of the first interface, without a time; cut to its snapshot length. */
static bool read_simple(const struct sw_pcapng *ng, struct sw_span body, struct packet *p)
{
    struct sw_cursor c = sw_cursor_make(body);
    p->len = sw_pcapng_u32(ng, &c);
    p->caplen = p->len < c.left ? p->len : (uint32_t)c.left;
    uint32_t snaplen = ng->count > 0 ? ng->interfaces[0].snaplen : 0;
    if (snaplen > 0 && p->caplen > snaplen)
        p->caplen = snaplen;
    p->interface = 0;
    p->drops = 0;
    p->timed = false;
    p->has_options = false;
    p->rest = c;
    return !c.bad;
}

static enum sw_status_code give_packet(struct sw_capture *capture, const struct block *block,
                                       struct packet *p, struct sw_frame *frame,
                                       const struct sw_filter_slot **filter)
{
    struct sw_pcapng *ng = capture->pcapng;
    bool repair = ng->repair_frame;
    ng->repair_frame = false;
    if (p->interface >= ng->count) {
        if (ng->count == 1 && !repair)
            return repairable(capture, block, "a frame of an interface that is not described");
        if (ng->count != 1)
            return senseless(capture, block, "a frame of an interface that is not described");
        p->interface = 0; /* there is no other */
    }
    if (p->caplen > p->rest.left || p->caplen > SW_FRAME_MAX_BYTES) {
        if (!repair)
            return repairable(capture, block, "a frame that is longer than its block");
        p->caplen = (uint32_t)(p->len < p->rest.left ? p->len : p->rest.left);
        if (p->caplen > SW_FRAME_MAX_BYTES)
            p->caplen = SW_FRAME_MAX_BYTES;
    }
    struct sw_interface *interface = &ng->interfaces[p->interface];
    frame->time_ns = p->timed ? sw_pcapng_time(interface, p->ticks) : ng->last_ns;
    frame->bytes = p->rest.at;
    frame->caplen = p->caplen;
    frame->len = p->len;
    frame->interface = ng->before + p->interface;
    frame->link_type = interface->link_type;
    frame->time_digits = interface->digits;
    ng->last_ns = frame->time_ns;
    uint64_t drops_before = interface->drops_in_frames;
    if (p->drops > 0) {
        interface->drops_in_frames += p->drops;
        sw_pcapng_count_drops(capture, interface);
    }
    *filter = interface->filter;
    size_t padded = ((size_t)p->caplen + 3) & ~(size_t)3;
    if (p->has_options && p->rest.left > padded)
        sw_pcapng_frame_options(capture, interface, capture->count.frames + 1,
                                sw_span_from(sw_cursor_rest(&p->rest), padded));
    uint64_t drops = interface->drops_in_frames - drops_before;
    frame->drops = drops < UINT32_MAX ? (uint32_t)drops : UINT32_MAX;
    capture->count.unsupported += !interface->known;
    (void)sw_input_skip(capture->input, block->length);
    return SW_OK;
}

/* A record that counts as a frame and holds no packet. */
static enum sw_status_code give_other(struct sw_capture *capture, const struct block *block,
                                      struct sw_frame *frame, const struct sw_filter_slot **filter)
{
    bool fits = block->body.len <= SW_FRAME_MAX_BYTES;
    frame->time_ns = capture->pcapng->last_ns;
    frame->bytes = block->body.ptr;
    frame->caplen = fits ? (uint32_t)block->body.len : SW_FRAME_MAX_BYTES;
    frame->len = (uint32_t)block->body.len;
    frame->interface = 0;
    frame->drops = 0;
    frame->link_type = SW_NO_LINK_TYPE;
    frame->time_digits = 6;
    *filter = NULL;
    (void)sw_input_skip(capture->input, block->length);
    return SW_OK;
}

/* --- blocks --- */

static const char wrong_length[] = "a block with an impossible length";
static const char two_lengths[] = "a block whose two lengths differ";

/* The next block, whole; SW_END at the end, SW_DAMAGED with the fault told. */
static enum sw_status_code next_block(struct sw_capture *capture, struct block *block)
{
    struct sw_pcapng *ng = capture->pcapng;
    struct sw_input *input = capture->input;
    if (!sw_input_has(input, SW_BLOCK_LEAST_BYTES))
        return sw_capture_short(capture, sw_input_offset(input));
    struct sw_cursor c = sw_cursor_make(sw_span_make(input->at, SW_BLOCK_LEAST_BYTES));
    block->type = sw_pcapng_u32(ng, &c);
    if (block->type == SW_BLOCK_SECTION) { /* its byte order comes before its length */
        struct sw_cursor order = c;
        sw_cursor_skip(&order, 4);
        uint32_t magic = sw_cursor_be32(&order);
        if (magic != 0x1A2B3C4D && magic != 0x4D3C2B1A)
            return damaged(capture, "a section without a byte order",
                           "a section without a byte order");
        ng->big = magic == 0x1A2B3C4D;
    }
    block->length = sw_pcapng_u32(ng, &c);
    bool repaired = ng->repaired != 0;
    if (repaired)
        block->length = ng->repaired;
    ng->repaired = 0;
    if (!length_is_possible(block->length))
        return damaged(capture, wrong_length, wrong_length);
    if (!sw_input_has(input, block->length))
        return input->why == SW_INPUT_WHOLE && sw_input_left(input) > SW_BLOCK_LEAST_BYTES
                   ? damaged(capture, wrong_length, "the file ends inside the next record")
                   : sw_capture_short(capture, sw_input_offset(input));
    struct sw_span whole = sw_span_make(input->at, block->length);
    if (!repaired && u32_at(ng, whole, block->length - TRAILER_BYTES) != block->length)
        return damaged(capture, two_lengths, two_lengths);
    block->body = sw_span_sub(whole, HEAD_BYTES, block->length - SW_BLOCK_LEAST_BYTES);
    return SW_OK;
}

/* A block without a frame. */
static enum sw_status_code take_meta(struct sw_capture *capture, const struct block *block)
{
    enum sw_status_code code;
    bool good = true;
    switch (block->type) {
    case SW_BLOCK_SECTION:
        good = sw_pcapng_section(capture, block->body);
        break;
    case SW_BLOCK_INTERFACE:
        code = sw_pcapng_interface(capture, block->body);
        if (code != SW_OK && code != SW_DAMAGED) {
            capture->ended = true;
            return code;
        }
        good = code == SW_OK;
        break;
    case SW_BLOCK_NAMES:
        good = sw_pcapng_names(capture, block->body);
        break;
    case SW_BLOCK_STATISTICS:
        good = sw_pcapng_statistics(capture, block->body);
        break;
    case SW_BLOCK_SECRETS:
        good = sw_pcapng_secrets(capture, block->body);
        break;
    default: /* nothing that we know or need */
        break;
    }
    if (!good)
        return senseless(capture, block, "a block whose contents make no sense");
    (void)sw_input_skip(capture->input, block->length);
    return SW_OK;
}

static enum sw_status_code read_frame(struct sw_capture *capture, struct sw_frame *frame,
                                      const struct sw_filter_slot **filter)
{
    struct sw_pcapng *ng = capture->pcapng;
    while (!ng->lost) {
        struct block block;
        struct packet p;
        enum sw_status_code code = next_block(capture, &block);
        if (code != SW_OK)
            return code;
        bool packet = true;
        bool good = true;
        switch (block.type) {
        case SW_BLOCK_ENHANCED_PACKET:
            good = read_enhanced(ng, block.body, &p);
            break;
        case SW_BLOCK_PACKET:
            good = read_obsolete(ng, block.body, &p);
            break;
        case SW_BLOCK_SIMPLE_PACKET:
            good = read_simple(ng, block.body, &p);
            break;
        default:
            packet = false;
            break;
        }
        if (!good)
            return senseless(capture, &block, "a block that is too short for a frame");
        if (packet)
            return give_packet(capture, &block, &p, frame, filter);
        if (counts_as_frame(block.type))
            return give_other(capture, &block, frame, filter);
        code = take_meta(capture, &block);
        if (code != SW_OK)
            return code;
    }
    return SW_END;
}

enum sw_status_code sw_pcapng_next(struct sw_capture *capture, struct sw_frame *frame,
                                   const struct sw_filter_slot **filter)
{
    struct sw_pcapng *ng = capture->pcapng;
    if (!ng->has_first)
        return capture->ended ? SW_END : read_frame(capture, frame, filter);
    ng->has_first = false;
    *frame = ng->first;
    *filter = ng->first_filter;
    return ng->first_code;
}

struct sw_status sw_pcapng_open(struct sw_capture *capture)
{
    struct sw_pcapng *ng = calloc(1, sizeof(*ng));
    capture->pcapng = ng;
    if (!ng)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", capture->name);
    ng->first_code = read_frame(capture, &ng->first, &ng->first_filter);
    ng->has_first = true;
    const struct sw_status *fault = &capture->fault;
    if (ng->first_code == SW_USAGE || ng->first_code == SW_NO_MEMORY)
        return *fault;
    if (ng->first_code == SW_DAMAGED && ng->in_all == 0)
        return sw_status_make(SW_UNREADABLE, fault->offset_bytes,
                              "%s: its header cannot be used, at byte %" PRIu64
                              "; record or copy it again",
                              capture->name, fault->offset_bytes);
    return sw_status_ok();
}

void sw_pcapng_close(struct sw_capture *capture)
{
    if (!capture->pcapng)
        return;
    free(capture->pcapng->interfaces);
    free(capture->pcapng);
}
