/*
 * example.h - keeps the earliest place of several; private to the audit.
 */
#ifndef SW_AUDIT_EXAMPLE_H
#define SW_AUDIT_EXAMPLE_H

#include "audit/audit.h"
#include "audit/table.h"

/* The names of captures that examples point to, each kept once. */
struct sw_example_files {
    struct sw_table table;
    struct sw_arena *arena;
    const char *last; /* that was kept or found: mostly the next one too */
};

void sw_example_files_init(struct sw_example_files *files, struct sw_arena *arena);
void sw_example_files_release(struct sw_example_files *files);

/*
 * The frame (0: the session's first) becomes the example when the session is earlier than the one
 * that is known; of the same time, the id that sorts first. True when it did.
 */
bool sw_example_offer(struct sw_example_files *files, struct sw_example *example,
                      const struct sw_fact *fact, uint64_t frame);
/* The same with the example of another table. */
bool sw_example_merge(struct sw_example_files *files, struct sw_example *into,
                      const struct sw_example *from);
/* Is it told earlier than the one that is kept? Of the same time, the one that sorts first. */
bool sw_name_is_better(struct sw_span kept, int64_t kept_ns, struct sw_span name, int64_t at_ns);
/* Would it? */
bool sw_example_is_earlier(const struct sw_example *example, const struct sw_fact *fact);

#endif
