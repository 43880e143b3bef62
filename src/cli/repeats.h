/*
 * repeats.h - counts sessions that several captures show: an audit of captures counts each of them,
 * and should say so.
 *
 * A session is known by its id. So many ids are kept; sessions beyond are not looked at.
 */
#ifndef SW_CLI_REPEATS_H
#define SW_CLI_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SW_REPEATS_IDS = 4 << 20 }; /* that are kept: 64 MB */

struct sw_repeats {
    uint64_t *ids; /* owned; a power of two of them, 0 is free */
    size_t room, used;
    uint64_t again; /* times that a session was seen before */
};

/* `id` has 16 hex digits. */
void sw_repeats_note(struct sw_repeats *repeats, const char *id);
void sw_repeats_release(struct sw_repeats *repeats);

#endif
