/*
 * smtpwhy.h - the library: captures in, one record for each mail session out, and what a code or a
 * reply means.
 *
 * A run reads captures one after the other on the calling thread and hands out records in the order
 * in which they become final. Records are opaque here and borrowed during the callback; a report
 * (report/report.h) writes them. Several runs may exist side by side on different threads. The
 * library never prints and never exits.
 *
 * Life: sw_run_new, sw_run_file or sw_run_files ..., sw_run_finish, sw_run_free.
 */
#ifndef SMTPWHY_H
#define SMTPWHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SW_API __attribute__((visibility("default")))
#else
#define SW_API
#endif

#define SMTPWHY_VERSION "0.1.0"

struct sw_run;
struct sw_record;

/* What to look for and how far to go. Zero-initialise, then set what differs. Strings are borrowed
 * by the run. */
struct sw_run_options {
    const char *filter;            /* pcap filter expression, or NULL */
    const char *ports;             /* mail ports "25,465,587,2525,24", or NULL for these */
    uint64_t stop_after_frames;    /* per run, 0 = no limit */
    const char *limits;            /* "name=value,..." or NULL */
    const char *ca_file, *ca_path; /* trust anchors for certificates; both NULL = the system's */
    const char *keylog;            /* file in the format of SSLKEYLOGFILE, or NULL */
    const char *rsa_key;           /* file with a server's RSA private key (PEM), or NULL */
    const char *server_name;       /* the name that certificates must bear, or NULL: SNI tells */
    /* Called for every record; required. */
    void (*record)(void *ctx, const struct sw_record *record);
    void *record_ctx;
    /* Called now and then while a file is read, with bytes done and in all (0 = unknown); may be
     * NULL. */
    void (*progress)(void *ctx, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_ctx;
};

/* How a call went. */
enum sw_result {
    SW_RESULT_OK = 0,
    SW_RESULT_UNREADABLE, /* the input could not be read at all */
    SW_RESULT_INCOMPLETE, /* analysed, but something is missing (damage, limits, drops) */
    SW_RESULT_USAGE,      /* an option cannot be honoured */
};

/*
 * A new run, or NULL: then `message` (may be NULL, `room` bytes) says why (an option that cannot be
 * honoured, no memory). The options struct is copied, its strings are borrowed until sw_run_free().
 */
SW_API struct sw_run *sw_run_new(const struct sw_run_options *options, char *message, size_t room);
/*
 * Analyses one capture from its first to its last frame; "-" is standard input. The records of its
 * sessions are handed out during the call. For any result but OK, sw_run_message() says what, where
 * and what to do.
 */
SW_API enum sw_result sw_run_file(struct sw_run *run, const char *path);
/*
 * The same for captures that one recorder wrote one after the other (sw_series_find), in the order
 * of time: they are analysed as one, so that a session that crosses files comes out once. Where one
 * does not continue the other after all (it begins earlier, or more than a minute later and its
 * number shows no connection) the analysis begins anew. `count` is at most SW_SERIES_FILES_MAX.
 */
SW_API enum sw_result sw_run_files(struct sw_run *run, const char *const *paths, unsigned count);
SW_API const char *sw_run_message(const struct sw_run *run);
/* Adds the counts of `from` to those of `into`, in argument order, for runs that worked side by
 * side. */
SW_API void sw_run_absorb(struct sw_run *into, struct sw_run *from);
/* Hands out the summary record. Result INCOMPLETE when anything in the whole run was. */
SW_API enum sw_result sw_run_finish(struct sw_run *run);
SW_API void sw_run_free(struct sw_run *run);

enum { SW_SERIES_FILES_MAX = 65535 };

/* Captures that belong together, in the order of their first frames; one alone where none does. */
struct sw_series {
    const char *const *paths;
    unsigned count;
};

/*
 * Finds the series among captures by their names (tcpdump -C, -W and -G, Wireshark's ring buffer)
 * and the times of their first frames, which it looks at. In the order in which the first of each
 * was named. The paths stay the caller's; the result is freed with sw_series_free(). NULL without
 * captures or without memory.
 */
SW_API struct sw_series *sw_series_find(const char *const *paths, unsigned count,
                                        unsigned *series_count);
SW_API void sw_series_free(struct sw_series *series);

/* One row of the table of limits, for --help limits. */
struct sw_limit_info {
    const char *name;
    const char *what;
    uint64_t fallback; /* the default */
    bool seconds;      /* the value is a time in seconds */
};

/* Fills *info with the index-th limit; false when there are no more. */
SW_API bool sw_limit_describe(size_t index, struct sw_limit_info *info);

#endif
