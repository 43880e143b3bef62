/*
 * replies.h - reads the tables of replies in this folder, for the tests.
 *
 * Lines that begin with '#' are comments, the first other line names the columns, columns are
 * separated by TAB. A reply is written as the server sends it, "\n" separates its lines.
 */
#ifndef SW_TEST_REPLIES_H
#define SW_TEST_REPLIES_H

#include "analyzer/explanation_query.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPLY_COLUMNS = 5, REPLY_LINE_BYTES = 8192 };

struct reply_table {
    FILE *file;
    char line[REPLY_LINE_BYTES];
    const char *column[REPLY_COLUMNS]; /* of the current row, "" where there is none */
    unsigned row;
};

static inline void reply_table_open(struct reply_table *t, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/tests/replies/%s", SW_SOURCE_DIR, name);
    memset(t, 0, sizeof(*t));
    t->file = fopen(path, "r");
    if (!t->file) {
        fprintf(stderr, "cannot open %s\n", path);
        abort();
    }
}

/* The next row, or false at the end (the file is closed then). */
static inline bool reply_table_next(struct reply_table *t)
{
    while (fgets(t->line, sizeof(t->line), t->file)) {
        t->line[strcspn(t->line, "\n")] = '\0';
        if (t->line[0] == '\0' || t->line[0] == '#' || strncmp(t->line, "stage\t", 6) == 0)
            continue;
        char *at = t->line;
        for (unsigned i = 0; i < REPLY_COLUMNS; i++) {
            t->column[i] = at;
            at += strcspn(at, "\t");
            if (*at == '\t')
                *at++ = '\0';
        }
        t->row++;
        return true;
    }
    fclose(t->file);
    return false;
}

/* Reads the reply of the current row at its stage; false when row or stage are malformed. */
static inline bool reply_table_read(const struct reply_table *t, const struct sw_reply_kb *kb,
                                    struct sw_reply_reading *reading)
{
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    struct sw_query_reply reply;
    bool good = sw_query_reply_read(sw_span_str(t->column[1]), &arena, &reply);
    struct sw_reply_context context = {0};
    bool known = false;
    for (unsigned i = 0; i < SW_REPLY_STAGE_COUNT; i++) {
        if (strcmp(sw_reply_stage_name((enum sw_reply_stage)i), t->column[0]) == 0) {
            context.stage = (enum sw_reply_stage)i;
            known = true;
        }
    }
    if (good && known)
        sw_reply_read(kb, reply.code, reply.enhanced, reply.text, &context, reading);
    sw_arena_release(&arena);
    return good && known;
}

#endif
