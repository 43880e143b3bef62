/*
 * fleet_query.h - the question that an audit asks the store, in SQL, and how an answer is read.
 *
 * Sessions are grouped by all that an audit looks at; a group has its size and the columns of its
 * earliest session. Findings are told of each client, too: that is a question of its own, so that
 * many clients do not make many groups of everything. The answer comes as RowBinary.
 */
#ifndef SW_STORE_FLEET_QUERY_H
#define SW_STORE_FLEET_QUERY_H

#include "store/fleet.h"
#include "store/fleet_pack.h"

#include "base/arena.h"

/* The SQL, to be freed; NULL without memory. `sensor` may be NULL; `part` is BUT_CLIENT, CLIENT or
 * CLIENT_COUNT. */
char *sw_fleet_query_make(const struct sw_fleet_question *question, const char *table,
                          const char *sensor, enum sw_fact_part part);

struct sw_fleet_reader {
    uint8_t *bytes; /* what came and is no whole row yet */
    size_t used, room;
    struct sw_arena row;
    enum sw_fact_part part; /* that is being read */
    bool keywords;          /* BUT_CLIENT: they stand behind the others */
    struct sw_fleet_codes codes;
    struct sw_fact fact;
    uint64_t facts;
    void (*take)(void *ctx, const struct sw_fact *fact);
    void *ctx;
};

void sw_fleet_reader_init(struct sw_fleet_reader *reader,
                          void (*take)(void *ctx, const struct sw_fact *fact), void *ctx);
/* Takes the next bytes of the answer. False: they make no sense, or memory is short. */
bool sw_fleet_reader_take(void *reader, struct sw_span piece);
/* Was the last row whole? */
bool sw_fleet_reader_is_done(const struct sw_fleet_reader *reader);
void sw_fleet_reader_release(struct sw_fleet_reader *reader);

#endif
