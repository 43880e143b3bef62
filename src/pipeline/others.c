#include "pipeline/others.h"

#include "base/frame_ref.h"
#include "decode/decode.h"
#include "pipeline/mask_inside.h"

#include <stdlib.h>

enum { WEB_PORT = 80 };

/* A connection that is not in the plan, and the frame of it that is wanted. */
struct sw_other {
    struct sw_mask_key key;
    struct sw_tuple tuple;
    uint64_t frame;
    bool added;
};

bool sw_others_init(struct sw_others *others, struct sw_extract *plan, bool keys)
{
    *others = (struct sw_others){.plan = plan, .keys = keys};
    return sw_mask_init(&others->mask, plan);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

void sw_others_look(struct sw_others *others, const struct sw_frame *frame)
{
    const struct sw_extract *plan = others->plan;
    struct sw_packet packet = {.payload = {NULL, 0}};
    uint64_t ref = sw_frame_ref(frame->file, frame->number);
    uint32_t session;
    if (!bsearch(&ref, plan->others, plan->other_count, sizeof(ref), by_number) ||
        frame->link_type == SW_NO_LINK_TYPE || sw_decode(frame, &packet) != SW_DECODE_IP ||
        packet.transport != SW_TRANSPORT_TCP)
        return;
    struct sw_mask_key key = sw_mask_tuple_key(&packet.tuple);
    if (sw_mask_find(&others->mask, SW_MASK_CONNECTIONS, &key, ref, 0, &session))
        return;
    if (others->count == others->room) {
        uint32_t room = others->room ? 2 * others->room : 16;
        struct sw_other *more = realloc(others->list, room * sizeof(*more));
        others->short_of_memory = others->short_of_memory || !more;
        if (!more)
            return;
        others->list = more;
        others->room = room;
    }
    others->list[others->count++] =
        (struct sw_other){.key = key, .tuple = packet.tuple, .frame = ref};
}

static int by_key(const void *a, const void *b)
{
    const struct sw_other *x = a;
    const struct sw_other *y = b;
    int order = memcmp(&x->key, &y->key, sizeof(x->key));
    return order ? order : x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* The first one of a key, or of a later one. */
static uint32_t first_of(const struct sw_others *others, const struct sw_mask_key *key)
{
    uint32_t low = 0;
    uint32_t high = others->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(&others->list[middle].key, key, sizeof(*key)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void on_record(void *ctx, const struct sw_record *record)
{
    struct sw_others *others = ctx;
    if (record->kind != SW_RECORD_SESSION || record->session->lookup)
        return;
    const struct sw_flow_facts *facts = record->session->facts;
    struct sw_mask_key key = sw_mask_tuple_key(&facts->tuple);
    bool wanted = false;
    for (uint32_t i = first_of(others, &key); i < others->count; i++) {
        struct sw_other *other = &others->list[i];
        if (memcmp(&other->key, &key, sizeof(key)) != 0)
            break;
        if (other->frame < facts->first.frame || other->frame > facts->last.frame)
            continue;
        wanted = true;
        other->added = true;
    }
    if (wanted)
        sw_extract_add_beside(others->plan, record->session, others->keys);
}

bool sw_others_add(struct sw_others *others, const struct sw_run *run, const char *const *paths,
                   unsigned count)
{
    struct sw_run_options options = run->options;
    options.record = on_record;
    options.record_ctx = others;
    options.progress = NULL;
    if (others->count == 0 || others->short_of_memory)
        return !others->short_of_memory;
    qsort(others->list, others->count, sizeof(others->list[0]), by_key);
    struct sw_run *again = sw_run_new(&options, NULL, 0);
    if (!again)
        return false;
    again->limits.session.aside = true;
    (void)sw_run_files(again, paths, count); /* what is wrong with them was told before */
    sw_run_free(again);
    for (uint32_t i = 0; i < others->count; i++) {
        const struct sw_other *other = &others->list[i];
        bool web = other->tuple.src_port == WEB_PORT || other->tuple.dst_port == WEB_PORT;
        if (!other->added)
            sw_extract_add_stranger(others->plan, &other->tuple, other->frame, web);
    }
    return true;
}

void sw_others_release(struct sw_others *others)
{
    sw_mask_release(&others->mask);
    free(others->list);
    *others = (struct sw_others){.plan = NULL};
}
