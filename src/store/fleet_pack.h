/*
 * fleet_pack.h - a fact in three texts: what an audit judges, where it can be looked up, and what
 * is found at its client.
 *
 * ClickHouse takes as long for forty small columns as for the rest of an audit's question; texts
 * cost a third of that, and the shorter they are the less. Sessions with the same first text are
 * judged alike, but for measures and times, which have columns of their own; the least of the
 * second texts is that of the earliest session. Fields are separated by TAB; in them TAB, LF and
 * the backslash are written as in C.
 *
 * A finding is a code of six characters, made of its id and its severity.
 */
#ifndef SW_STORE_FLEET_PACK_H
#define SW_STORE_FLEET_PACK_H

#include "audit/fact.h"
#include "base/arena.h"

/* A text that grows. */
struct sw_fleet_text {
    char *bytes; /* owned */
    size_t used, room;
    bool failed; /* no memory; nothing is added any more */
};

/* Room for so many bytes more, or NULL; the caller adds what he wrote to `used`. */
char *sw_fleet_text_room(struct sw_fleet_text *text, size_t more);
void sw_fleet_text_put(struct sw_fleet_text *text, struct sw_span bytes);
void sw_fleet_text_number(struct sw_fleet_text *text, uint64_t value);
void sw_fleet_text_release(struct sw_fleet_text *text);

/* Each is written in place of what was there; the client's is empty without findings. */
void sw_fleet_pack_found(struct sw_fleet_text *text, const struct sw_fact *fact);
void sw_fleet_pack_alike(struct sw_fleet_text *text, const struct sw_fact *fact);
void sw_fleet_pack_example(struct sw_fleet_text *text, const struct sw_fact *fact,
                           const char *sensor);

/* Which finding a code stands for. */
struct sw_fleet_codes {
    uint32_t codes[SW_FINDING_COUNT];
};

void sw_fleet_codes_init(struct sw_fleet_codes *codes);

/*
 * And read back, into a fact that is empty before the first; the example comes last, as it has the
 * frames of what the others name. The fact borrows from the texts and the arena. What makes no
 * sense is passed over.
 */
void sw_fleet_unpack_found(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                           struct sw_span text);
/* The same where no example comes. */
void sw_fleet_unpack_found_alone(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                                 struct sw_span text);
void sw_fleet_unpack_alike(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                           struct sw_span text, struct sw_arena *arena);
void sw_fleet_unpack_example(struct sw_fact *fact, struct sw_span text, struct sw_arena *arena);

#endif
