/*
 * outputs.h - where the results of a run go: one writer and one style for each -o.
 */
#ifndef SW_CLI_OUTPUTS_H
#define SW_CLI_OUTPUTS_H

#include "cli/options.h"

struct sw_output {
    const struct sw_report_format *format; /* NULL in an audit */
    const struct sw_audit_format *audit;   /* NULL but there */
    const char *path;                      /* NULL: standard output */
    struct sw_writer writer;               /* where there are several files, of the first */
    struct sw_report_style style;
    uint64_t shown;  /* session records shown so far, over all parts */
    bool complained; /* its failure has been said */
};

struct sw_outputs {
    struct sw_output list[SW_OUTPUTS_MAX];
    unsigned count;
};

/*
 * Opens what the settings ask for; without any -o it is text on standard output. False after saying
 * on standard error what is wrong (a path that cannot be written, or that is one of the inputs).
 */
bool sw_outputs_open(struct sw_outputs *outputs, const struct sw_settings *settings);
/* Hands everything to the system; says the first failure of each output once. False when any
 * failed. */
bool sw_outputs_flush(struct sw_outputs *outputs);
/* Are there outputs, and has every one of them failed? */
bool sw_outputs_lost(const struct sw_outputs *outputs);
/* Paths of all files of all outputs, at most `room`, in one order; each is the caller's to free. */
unsigned sw_outputs_files(const struct sw_outputs *outputs, char **paths, unsigned room);
/* Who helps to open outputs anew; `output` is a place in the list. */
struct sw_outputs_again {
    void *ctx;
    /* The descriptor of a file, by its place in the order of sw_outputs_files(); or -1 with errno.
     */
    int (*open)(void *ctx, unsigned file);
    /* The file was moved away: what was begun in it is ended; then a new one begins. False: it
     * cannot be, and errno says why. */
    bool (*end)(void *ctx, unsigned output);
    bool (*begin)(void *ctx, unsigned output);
};

/*
 * Opens the files anew, as far as they were moved away or removed; one that stands where it stood
 * is left alone. One that cannot be opened is complained of, and written to as before. The result
 * is as of flush.
 */
bool sw_outputs_reopen(struct sw_outputs *outputs, const struct sw_outputs_again *again);
/* Flushes and closes; the result is as of flush. */
bool sw_outputs_close(struct sw_outputs *outputs);

/* Columns of standard output: a terminal's (80 to 120), or 100. */
unsigned sw_outputs_width(void);
/* Are colours wanted on standard output? */
bool sw_outputs_color(enum sw_when when);

#endif
