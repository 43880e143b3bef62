#include "pipeline/recorder.h"

#include "base/wipe.h"
#include "capture/pcapng_writer.h"

#include <stdlib.h>

enum {
    INTERFACES_MAX = 16,
    BUFFER_BYTES = 64 * 1024,
    LEAST_HELD_BYTES = 1 << 20,
    MAILS_REMEMBERED = 4096, /* connections that were mail and are over; a power of two */
    DNS_PORT = 53,
    PROOFS = 64,  /* frames on which a verdict rests besides those of its session, */
    LOOKUPS = 16, /* and look-ups among them */
};

/* How long a connection may keep the frames behind it waiting for what it turns out to be. */
#define PATIENCE_NS (10 * SW_NS_PER_S)
/* How long before its answer a question for a name may stand. */
#define LOOKUP_NS (60 * SW_NS_PER_S)

enum state {
    STATE_OPEN, /* what its connection is decides */
    STATE_KEEP,
    STATE_PROVES, /* of a ring, for a moment: the session in work rests on it */
    STATE_DONE,   /* of a ring: written already */
};

/* A frame that is held; its bytes stand behind it. */
struct held {
    uint32_t size; /* of both together; 0: the rest of the buffer is empty */
    enum state state;
    uint64_t key; /* of its connection, 0 = none */
    struct sw_tuple tuple;
    struct sw_frame frame;
};

/* A connection that was mail. */
struct mail {
    uint64_t key;
    int64_t until_ns;
};

struct sw_recorder {
    struct sw_recording_options options;
    struct sw_recorder_interface interfaces[INTERFACES_MAX];
    unsigned interface_count;
    struct sw_engine *engine;
    struct sw_hash_key hash_key;
    struct sw_pcapng_writer writer;
    uint8_t buffer[BUFFER_BYTES];
    size_t buffered;
    bool begun, failed;
    uint64_t file_start_bytes;
    int64_t file_start_ns;
    uint64_t received[INTERFACES_MAX], by_kernel[INTERFACES_MAX], by_interface[INTERFACES_MAX];
    uint64_t untold_drops;
    /* what is held: entries from head on, to tail */
    uint8_t *room;
    size_t room_bytes, head, tail, used;
    struct mail mails[MAILS_REMEMBERED];
};

/* --- the file --- */

static struct held *at(const struct sw_recorder *r, size_t offset)
{
    return (struct held *)(void *)(r->room + offset);
}

/* The first entry at or behind an offset; NULL where the rest is empty. */
static struct held *entry_at(const struct sw_recorder *r, size_t *offset)
{
    if (r->room_bytes - *offset < sizeof(struct held) || at(r, *offset)->size == 0)
        *offset = 0;
    return at(r, *offset);
}

static void flush(struct sw_recorder *r)
{
    if (r->buffered > 0 && !r->failed)
        r->failed = !r->options.write(r->options.ctx, r->buffer, r->buffered);
    r->buffered = 0;
}

static void put(void *ctx, struct sw_span bytes)
{
    struct sw_recorder *r = ctx;
    while (bytes.len > 0) {
        size_t n = sizeof(r->buffer) - r->buffered;
        n = bytes.len < n ? bytes.len : n;
        memcpy(r->buffer + r->buffered, bytes.ptr, n);
        r->buffered += n;
        bytes = sw_span_from(bytes, n);
        if (r->buffered == sizeof(r->buffer))
            flush(r);
    }
}

static void put_head(const struct sw_recorder *r, struct sw_pcapng_writer *writer)
{
    sw_pcapng_put_section(writer, &(struct sw_pcapng_section_info){
                                      .system = "Linux", .application = r->options.application});
    for (unsigned i = 0; i < r->interface_count; i++) {
        const struct sw_recorder_interface *from = &r->interfaces[i];
        (void)sw_pcapng_put_interface(
            writer, &(struct sw_pcapng_interface_info){.link_type = from->link_type,
                                                       .snaplen = from->snaplen,
                                                       .time_digits = from->time_digits,
                                                       .name = from->name,
                                                       .filter = from->filter});
    }
}

static void begin_file(struct sw_recorder *r, int64_t time_ns)
{
    r->failed = r->failed || !r->options.begin(r->options.ctx, time_ns);
    r->begun = true;
    r->file_start_bytes = r->writer.bytes;
    r->file_start_ns = time_ns;
    put_head(r, &r->writer);
}

static void end_file(struct sw_recorder *r, int64_t now_ns)
{
    if (r->used > 0 && r->options.kind == SW_RECORDING_MAIL) { /* the next file goes on there */
        int64_t oldest_ns = entry_at(r, &r->head)->frame.time_ns;
        now_ns = oldest_ns < now_ns ? oldest_ns : now_ns;
    }
    for (unsigned i = 0; i < r->interface_count; i++) {
        const struct sw_pcapng_statistics_info statistics = {
            .time_ns = now_ns,
            .start_ns = r->file_start_ns,
            .end_ns = now_ns,
            .received = r->received[i],
            .dropped_by_interface = r->by_interface[i],
            .dropped_by_system = r->by_kernel[i],
        };
        sw_pcapng_put_statistics(&r->writer, i, r->interfaces[i].time_digits, &statistics);
    }
    flush(r);
}

static bool is_full(const struct sw_recorder *r, int64_t time_ns)
{
    const struct sw_recording_options *o = &r->options;
    return (o->file_bytes > 0 && r->writer.bytes - r->file_start_bytes >= o->file_bytes) ||
           (o->file_seconds > 0 &&
            time_ns >= r->file_start_ns + (int64_t)o->file_seconds * SW_NS_PER_S);
}

static void write_frame(struct sw_recorder *r, const struct sw_frame *frame)
{
    if (r->begun && is_full(r, frame->time_ns)) {
        end_file(r, frame->time_ns);
        r->begun = false;
    }
    if (!r->begun)
        begin_file(r, frame->time_ns);
    uint64_t drops = frame->drops + r->untold_drops;
    r->untold_drops = 0;
    sw_pcapng_put_frame(&r->writer, frame->interface, r->interfaces[frame->interface].time_digits,
                        frame, NULL, drops);
}

/* --- what is held --- */

static void pop(struct sw_recorder *r)
{
    const struct held *held = at(r, r->head);
    r->used -= held->size;
    r->head += held->size;
    if (r->used == 0)
        r->head = r->tail = 0;
}

static bool was_mail(const struct sw_recorder *r, const struct held *held)
{
    const struct mail *mail = &r->mails[held->key & (MAILS_REMEMBERED - 1)];
    return mail->key == held->key && held->frame.time_ns <= mail->until_ns;
}

/* Decides the oldest; false: it has to wait, unless `now`. */
static bool decide_first(struct sw_recorder *r, bool now)
{
    struct held *held = entry_at(r, &r->head);
    bool keep = held->state == STATE_KEEP;
    if (held->state == STATE_OPEN) {
        enum sw_interest interest = sw_engine_interest(r->engine, &held->tuple);
        keep = interest == SW_INTEREST_MAIL || was_mail(r, held);
        if (!keep && interest == SW_INTEREST_OPEN && !now)
            return false;
    }
    if (keep && r->options.kind == SW_RECORDING_MAIL)
        write_frame(r, &held->frame);
    else if (r->options.kind == SW_RECORDING_MAIL)
        r->untold_drops += held->frame.drops;
    pop(r);
    return true;
}

/* Room for an entry in one piece, made by letting the oldest go. False: it is larger than all. */
static bool make_room(struct sw_recorder *r, size_t size)
{
    if (size > r->room_bytes / 2)
        return false;
    for (;;) {
        if (r->used == 0)
            r->head = r->tail = 0;
        bool wrapped = r->used > 0 && r->tail <= r->head;
        if (wrapped ? r->head - r->tail >= size : r->room_bytes - r->tail >= size)
            return true;
        if (!wrapped && (r->used == 0 || r->head >= size)) { /* goes on at the beginning */
            if (r->room_bytes - r->tail >= sizeof(struct held))
                at(r, r->tail)->size = 0;
            r->tail = 0;
            continue;
        }
        (void)decide_first(r, true);
    }
}

static void hold(struct sw_recorder *r, const struct sw_frame *frame, enum state state,
                 uint64_t key, const struct sw_tuple *tuple)
{
    size_t size = (sizeof(struct held) + frame->caplen + 15) & ~(size_t)15;
    if (!make_room(r, size)) {
        r->untold_drops += frame->drops;
        return;
    }
    struct held *held = at(r, r->tail);
    *held = (struct held){
        .size = (uint32_t)size, .state = state, .key = key, .tuple = *tuple, .frame = *frame};
    uint8_t *bytes = r->room + r->tail + sizeof(*held);
    memcpy(bytes, frame->bytes, frame->caplen);
    held->frame.bytes = bytes;
    r->tail += size;
    r->used += size;
}

/* --- connections --- */

/* The same for both directions; never 0. */
static uint64_t key_of(const struct sw_recorder *r, const struct sw_tuple *t)
{
    struct {
        uint8_t low[16], high[16];
        uint16_t low_port, high_port;
        uint32_t ip_version;
    } ends;
    int order = memcmp(t->src, t->dst, sizeof(t->src));
    bool turned = order > 0 || (order == 0 && t->src_port > t->dst_port);
    memcpy(ends.low, turned ? t->dst : t->src, 16);
    memcpy(ends.high, turned ? t->src : t->dst, 16);
    ends.low_port = turned ? t->dst_port : t->src_port;
    ends.high_port = turned ? t->src_port : t->dst_port;
    ends.ip_version = t->ip_version;
    return sw_hash_bytes(&r->hash_key, sw_span_make(&ends, sizeof(ends))) | 1;
}

static bool holds_all(const struct sw_recorder *r)
{
    return r->options.kind == SW_RECORDING_RING || r->options.kind == SW_RECORDING_HELD;
}

void sw_recorder_frame(struct sw_recorder *r, const struct sw_frame *frame)
{
    const struct sw_seen seen = sw_engine_seen(r->engine);
    r->received[frame->interface]++;
    if (r->options.kind == SW_RECORDING_ALL) {
        write_frame(r, frame);
        return;
    }
    uint64_t key = seen.tuple.ip_version ? key_of(r, &seen.tuple) : 0;
    if (holds_all(r)) {
        if (key || seen.about_mail)
            hold(r, frame, STATE_KEEP, key, &seen.tuple);
        return;
    }
    if (!seen.about_mail && !seen.is_tcp) {
        r->untold_drops += frame->drops;
        return;
    }
    if (seen.about_mail && r->used == 0)
        write_frame(r, frame);
    else
        hold(r, frame, seen.about_mail ? STATE_KEEP : STATE_OPEN, key, &seen.tuple);
}

/* What a session and its verdict rest on besides its own packets. */
struct proofs {
    uint64_t frames[PROOFS];
    unsigned count;
    struct {
        uint64_t key;
        int64_t from_ns, to_ns;
    } lookups[LOOKUPS]; /* whole, with the questions */
    unsigned lookup_count;
};

static void add_proof(struct proofs *proofs, uint64_t frame)
{
    if (frame > 0 && proofs->count < PROOFS)
        proofs->frames[proofs->count++] = frame;
}

static void list_proofs(struct proofs *proofs, const struct sw_record *record)
{
    const struct sw_naming *naming = record->session->naming;
    const struct sw_flow_facts *facts = record->session->facts;
    const struct sw_evidence *e;
    proofs->count = proofs->lookup_count = 0;
    if (naming) {
        add_proof(proofs, naming->answered.frame);
        add_proof(proofs, naming->tlsa.frame);
        add_proof(proofs, naming->mta_sts.frame);
    }
    for (uint8_t i = 0; i < facts->icmp_count; i++)
        add_proof(proofs, facts->icmp[i].mark.frame);
    SW_EACH(e, record->verdict->evidence)
        add_proof(proofs, e->mark.frame);
}

/* A frame that is held proves something: it is chosen, and the look-up that it ends. */
static void choose(struct proofs *proofs, struct held *held)
{
    const struct sw_tuple *t = &held->tuple;
    bool lookup = held->key && (t->src_port == DNS_PORT || t->dst_port == DNS_PORT);
    held->state = STATE_PROVES;
    if (!lookup || proofs->lookup_count == LOOKUPS)
        return;
    proofs->lookups[proofs->lookup_count].key = held->key;
    proofs->lookups[proofs->lookup_count].from_ns = held->frame.time_ns - LOOKUP_NS;
    proofs->lookups[proofs->lookup_count].to_ns = held->frame.time_ns;
    proofs->lookup_count++;
}

static void choose_proofs(struct sw_recorder *r, struct proofs *proofs)
{
    size_t left = r->used;
    for (size_t offset = r->head; left > 0;) {
        struct held *held = entry_at(r, &offset);
        for (unsigned i = 0; i < proofs->count && held->state != STATE_DONE; i++) {
            if (held->frame.number == proofs->frames[i]) {
                choose(proofs, held);
                break;
            }
        }
        left -= held->size;
        offset += held->size;
    }
}

static bool is_of_lookup(const struct proofs *proofs, const struct held *held)
{
    for (unsigned i = 0; held->key && i < proofs->lookup_count; i++) {
        if (held->key == proofs->lookups[i].key &&
            held->frame.time_ns >= proofs->lookups[i].from_ns &&
            held->frame.time_ns <= proofs->lookups[i].to_ns)
            return true;
    }
    return false;
}

static struct sw_session_key key_for(const struct sw_session *session)
{
    const struct sw_tuple *t = &session->facts->tuple;
    struct sw_session_key key = {
        .client_port = session->lookup ? 0 : t->src_port,
        .server_port = session->lookup ? 0 : t->dst_port,
        .from_ns = session->facts->first.time_ns,
        .to_ns = session->final.time_ns,
    };
    memcpy(key.client, t->src, sizeof(key.client));
    memcpy(key.server, t->dst, sizeof(key.server));
    return key;
}

/* All that is held of a session, in the order in which it came, with what its verdict rests on. */
static void write_session(struct sw_recorder *r, const struct sw_record *record)
{
    const struct sw_session_key key = key_for(record->session);
    struct proofs proofs;
    list_proofs(&proofs, record);
    choose_proofs(r, &proofs);
    size_t left = r->used;
    for (size_t offset = r->head; left > 0;) {
        struct held *held = entry_at(r, &offset);
        const struct sw_tuple *t = &held->tuple;
        bool own = held->key && sw_session_key_fits(&key, t->src, t->dst, t->src_port, t->dst_port,
                                                    held->frame.time_ns);
        if (held->state != STATE_DONE &&
            (own || held->state == STATE_PROVES || is_of_lookup(&proofs, held))) {
            write_frame(r, &held->frame);
            held->state = STATE_DONE;
        }
        left -= held->size;
        offset += held->size;
    }
    flush(r);
}

void sw_recorder_session(struct sw_recorder *r, const struct sw_record *record)
{
    if (record->kind != SW_RECORD_SESSION)
        return;
    if (!record->session->lookup) {
        uint64_t key = key_of(r, &record->session->facts->tuple);
        r->mails[key & (MAILS_REMEMBERED - 1)] = (struct mail){key, record->session->final.time_ns};
    }
    bool left = record->verdict->outcome == SW_OUTCOME_STUCK ||
                record->verdict->outcome == SW_OUTCOME_PARTIAL;
    if (left && r->options.kind == SW_RECORDING_RING)
        write_session(r, record);
}

/* A file beside the recording. */
struct save {
    bool (*write)(void *ctx, const void *bytes, size_t size);
    void *ctx;
    bool failed;
};

static void put_saved(void *ctx, struct sw_span bytes)
{
    struct save *save = ctx;
    save->failed = save->failed || !save->write(save->ctx, bytes.ptr, bytes.len);
}

uint64_t sw_recorder_save(struct sw_recorder *r, const struct sw_session_key *key,
                          bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx)
{
    struct save save = {write, ctx, false};
    struct sw_pcapng_writer writer = {.put = put_saved, .ctx = &save};
    uint64_t frames = 0;
    size_t left = holds_all(r) ? r->used : 0;
    put_head(r, &writer);
    for (size_t offset = r->head; left > 0;) {
        const struct held *held = entry_at(r, &offset);
        const struct sw_tuple *t = &held->tuple;
        if (held->key && sw_session_key_fits(key, t->src, t->dst, t->src_port, t->dst_port,
                                             held->frame.time_ns)) {
            uint32_t interface = held->frame.interface;
            sw_pcapng_put_frame(&writer, interface, r->interfaces[interface].time_digits,
                                &held->frame, NULL, 0);
            frames++;
        }
        left -= held->size;
        offset += held->size;
    }
    return save.failed ? 0 : frames;
}

void sw_recorder_time(struct sw_recorder *r, int64_t now_ns)
{
    if (r->options.kind == SW_RECORDING_HELD)
        return;
    if (!r->begun && r->writer.bytes == 0)
        begin_file(r, now_ns);
    while (r->options.kind == SW_RECORDING_MAIL && r->used > 0 &&
           decide_first(r, entry_at(r, &r->head)->frame.time_ns < now_ns - PATIENCE_NS)) {
    }
    if (r->begun && r->options.file_seconds > 0 && is_full(r, now_ns)) { /* complete in time */
        end_file(r, now_ns);
        r->begun = false;
    }
    flush(r);
}

bool sw_recorder_writes(const struct sw_recorder *r)
{
    return r->begun && !r->failed;
}

void sw_recorder_rotate(struct sw_recorder *r, int64_t now_ns)
{
    if (!sw_recorder_writes(r))
        return;
    end_file(r, now_ns);
    begin_file(r, now_ns);
    flush(r);
}

void sw_recorder_losses(struct sw_recorder *r, unsigned interface, uint64_t by_kernel,
                        uint64_t by_interface)
{
    r->by_kernel[interface] = by_kernel;
    r->by_interface[interface] = by_interface;
}

bool sw_recorder_finish(struct sw_recorder *r, int64_t now_ns)
{
    if (r->options.kind == SW_RECORDING_HELD)
        return true;
    while (r->options.kind == SW_RECORDING_MAIL && r->used > 0)
        (void)decide_first(r, true);
    if (!r->begun && r->writer.bytes == 0)
        begin_file(r, now_ns);
    if (r->begun)
        end_file(r, now_ns);
    r->begun = false;
    return !r->failed;
}

struct sw_recorder *sw_recorder_new(const struct sw_recording_options *options,
                                    const struct sw_recorder_interface *interfaces, unsigned count,
                                    struct sw_engine *engine)
{
    struct sw_recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->options = *options;
    r->engine = engine;
    r->hash_key = sw_hash_random_key();
    r->writer = (struct sw_pcapng_writer){.put = put, .ctx = r};
    r->interface_count = count < INTERFACES_MAX ? count : INTERFACES_MAX;
    memcpy(r->interfaces, interfaces, r->interface_count * sizeof(*interfaces));
    if (options->kind != SW_RECORDING_ALL) {
        r->room_bytes = options->held_bytes > LEAST_HELD_BYTES ? options->held_bytes
                                                               : (uint64_t)LEAST_HELD_BYTES;
        r->room = malloc(r->room_bytes);
    }
    if (options->kind != SW_RECORDING_ALL && !r->room) {
        free(r);
        return NULL;
    }
    return r;
}

void sw_recorder_free(struct sw_recorder *r)
{
    if (!r)
        return;
    sw_wipe_free(r->room, r->room_bytes); /* raw packets */
    sw_wipe_free(r, sizeof(*r));
}
