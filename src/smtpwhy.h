/*
 * smtpwhy.h - the library: captures in, one record for each mail session out, and what a code or a
 * reply means.
 *
 * A run reads captures one after the other on the calling thread and hands out records in the order
 * in which they become final. Records are opaque here and borrowed during the callback;
 * sw_record_describe() says what is in one. Several runs may exist side by side on different
 * threads. The library never prints and never exits. docs/example.c shows how it is used.
 *
 * Life: sw_run_new, sw_run_file or sw_run_files ... (or a watch, see below), sw_run_finish,
 * sw_run_free.
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

/* Versions of the libraries at work ("3.0.17"). */
struct sw_build_info {
    char ndpi[24], openssl[24], libpcap[24];
};

SW_API void sw_build_describe(struct sw_build_info *info);

struct sw_run;
struct sw_record;

/* What to look for and how far to go. Zero-initialise, then set what differs. Strings are borrowed
 * by the run. */
struct sw_run_options {
    const char *filter;            /* pcap filter expression, or NULL */
    const char *ports;             /* mail ports "25,465,587,2525,24", or NULL for these */
    uint64_t stop_after_frames;    /* per run, 0 = no limit */
    const char *limits;            /* "name=value,..." or NULL */
    unsigned beside;               /* so many runs at a time share limit `memory`; 0 = 1 */
    struct sw_run *sibling;        /* what is costly to load is used together with this run, on
                                      whichever thread; it must outlive the new one. NULL = none */
    const char *ca_file, *ca_path; /* trust anchors for certificates; both NULL = the system's */
    const char *keylog;            /* file in the format of SSLKEYLOGFILE, or NULL */
    const char *rsa_key;           /* file with a server's RSA private key (PEM), or NULL */
    bool no_names;                 /* sentences call hosts by their addresses only */
    bool letterheads;              /* keep more of the headers of mails: a report shows them */
    const char *server_name;       /* the name that certificates must bear, or NULL: SNI tells */
    /* When it becomes another value than 0 (in a signal handler, say), reading ends at the next
     * frame, and what was read is judged; the result is INCOMPLETE. Borrowed; NULL = never. */
    const volatile int *stop;
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
struct sw_extract;
struct sw_extract_sink;
/*
 * Reads captures that were analysed once more and hands out the frames of a plan, with everything
 * masked that may be a login (analyzer/extract.h); connections on which its verdicts rest besides
 * are added to it, and are masked but for what shows that. False when they cannot be read again or
 * memory is short; standard input cannot.
 */
SW_API bool sw_run_copy(struct sw_run *run, const char *const *paths, unsigned count,
                        struct sw_extract *plan, const struct sw_extract_sink *sink);
SW_API const char *sw_run_message(const struct sw_run *run);
/* Adds the counts of `from` to those of `into`, in argument order, for runs that worked side by
 * side. */
SW_API void sw_run_absorb(struct sw_run *into, struct sw_run *from);
/* Hands out the summary record. Result INCOMPLETE when anything in the whole run was. */
SW_API enum sw_result sw_run_finish(struct sw_run *run);
SW_API void sw_run_free(struct sw_run *run);

/* A frame that proves a verdict. */
struct sw_evidence_info {
    uint64_t frame; /* from 1, as Wireshark counts */
    int64_t time_ns;
    const char *from; /* "client", "server" or "network" */
    const char *what;
};

enum { SW_EVIDENCE_MAX = 4 };

/* What a record says, in the words of the JSON report (docs/OUTPUT.md). What does not apply is
 * NULL, 0 or "". */
struct sw_record_info {
    const char *type; /* "session", "delivery" (a mail over several sessions), "summary", "stall" */
    const char *id;
    const char *file; /* the capture of its first frame */
    char client_ip[46], server_ip[46];
    uint16_t client_port, server_port;
    int64_t start_ns; /* since 1970 */
    uint64_t first_frame, last_frame;
    const char *outcome;    /* "delivered", "partial", "stuck", "no-mail" or "unknown" */
    const char *cause;      /* "rcpt-relay-denied" */
    const char *stage;      /* "rcpt" */
    const char *permanence; /* "temporary", "permanent", "none" or "unknown" */
    const char *actor;      /* who must act: "sender-client" */
    const char *confidence; /* "certain", "likely" or "possible" */
    const char *summary;    /* one sentence */
    const char *explanation;
    const char *const *advice; /* steps, the first is to be tried first; ends with NULL */
    struct sw_evidence_info evidence[SW_EVIDENCE_MAX];
    unsigned evidence_count;
    /* of a summary: */
    uint64_t frames, sessions;
    uint64_t mails_delivered, mails_partial, mails_stuck, mails_unknown;
};

/* For use in the record callback: all strings are borrowed until it returns. */
SW_API void sw_record_describe(const struct sw_record *record, struct sw_record_info *info);

/* What a cause, a finding, what a mail program shows (0x800CCC0B), a reply code or a pasted reply
 * means. */
struct sw_meaning_info {
    const char *kind; /* "cause", "finding", "client-code", "reply", "reply-code" or "unknown" */
    const char *cause;
    const char *permanence, *actor; /* as above; NULL for unknown input */
    const char *summary, *meaning;  /* NULL for unknown input */
    const char *const *advice;      /* ends with NULL */
    const char *const *nearest;     /* ids that are written alike, for unknown input */
};

struct sw_meaning;

/* Fills *info, whose strings live until sw_meaning_free(). NULL without memory. */
SW_API struct sw_meaning *sw_meaning_new(const char *query, struct sw_meaning_info *info);
SW_API void sw_meaning_free(struct sw_meaning *meaning);

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

/*
 * Live traffic in place of files: sw_watch_open, then as long as one likes: wait until a descriptor
 * is readable or a moment has passed, sw_watch_take; at the end sw_watch_close, sw_run_finish.
 *
 * No call waits. After the open nothing more is opened by the library, so that privileges can be
 * given up and the process be shut in before the first packet is looked at.
 */
enum { SW_WATCH_DEVICES_MAX = 16 };

/* Which frames of a watch are recorded. */
enum sw_recording_kind {
    SW_RECORDING_NONE,
    SW_RECORDING_ALL,
    SW_RECORDING_MAIL, /* those of mail, and what verdicts on it may depend on */
    SW_RECORDING_HELD, /* none of itself: the last ones are held for sw_watch_save() */
    SW_RECORDING_RING, /* those of sessions that turn out stuck, as far as they are still held */
};

/*
 * A recording: pcapng, handed out as it is made. Frames hold everything that was said, passwords
 * too.
 */
struct sw_recording_options {
    enum sw_recording_kind kind;
    uint64_t held_bytes;     /* memory for frames that are not decided yet, or of the ring */
    uint64_t file_bytes;     /* a new file begins when one has so many bytes; 0 = never */
    uint32_t file_seconds;   /* or so many seconds of packet time; 0 = never */
    const char *application; /* named in the files */
    void *ctx;
    /* The file before is complete: a new one begins, with frames from `time_ns` on. */
    bool (*begin)(void *ctx, int64_t time_ns);
    bool (*write)(void *ctx, const void *bytes, size_t size);
};

struct sw_watch_options {
    const struct sw_recording_options *recording; /* copied; NULL: none */
    const char *const *devices;                   /* names of interfaces, "any" among them */
    unsigned device_count;                        /* 1 to SW_WATCH_DEVICES_MAX */
    uint32_t snaplen_bytes;                       /* 0 = whole frames */
    uint32_t buffer_bytes;                        /* of the kernel for each device; 0 = 32 MiB */
    /* A device is gone; the others are watched on. May be NULL. */
    void (*gone)(void *ctx, const char *message);
    void *gone_ctx;
};

/* What a watch has seen so far. */
struct sw_watch_counts {
    uint64_t frames, bytes;
    uint64_t kernel_drops;    /* the kernel had no room for them */
    uint64_t interface_drops; /* lost by the card or its driver */
    uint64_t frames_decoded, frames_other, frames_undecodable;
    uint64_t sessions, connections;
    uint64_t open_connections; /* at the moment */
    uint64_t shed_connections, shed_half_open;
    uint64_t memory_bytes, memory_cap_bytes; /* that grows with the traffic */
    int64_t last_frame_ns;                   /* 0 = none so far */
    bool recording_failed, recording_open;   /* open: a file of it is begun and not complete */
};

/* The options are copied, the names borrowed until sw_watch_close(). */
SW_API enum sw_result sw_watch_open(struct sw_run *run, const struct sw_watch_options *options);
/* Fills at most `room` descriptors to wait for; returns how many there are. */
SW_API unsigned sw_watch_descriptors(const struct sw_run *run, int *descriptors, unsigned room);
enum sw_watch_state {
    SW_WATCH_IDLE,   /* nothing more has arrived */
    SW_WATCH_MORE,   /* there is more at once */
    SW_WATCH_ENOUGH, /* stop_after_frames is reached */
    SW_WATCH_GONE,   /* the last device is gone: sw_run_message() */
};

/*
 * Analyses what has arrived, at most some thousand frames. `now_ns` is the wall clock, read just
 * before the call; it takes the place of packets where none come, so that silences are judged.
 */
SW_API enum sw_watch_state sw_watch_take(struct sw_run *run, int64_t now_ns);
SW_API void sw_watch_count(struct sw_run *run, struct sw_watch_counts *counts);
/* Hands out the summary of all so far, as sw_run_finish() does at the end. */
SW_API void sw_watch_tell(struct sw_run *run);
/* The open file of the recording is completed, and another begun; without one nothing is done. */
SW_API void sw_watch_rotate(struct sw_run *run);
/* How long after a frame came the kernel may still keep it back, in milliseconds. */
SW_API unsigned sw_watch_delay_ms(void);
/* Every open connection becomes final. INCOMPLETE when frames were lost. */
SW_API enum sw_result sw_watch_close(struct sw_run *run);

/* Calls tell() for every device that can be captured on; false: message says why there are none. */
SW_API bool sw_watch_devices(void (*tell)(void *ctx, const char *name, const char *description),
                             void *ctx, char *message, size_t room);

/* Which packets are those of a session: addresses (IPv4 in the first 4 bytes), ports, and times.
 * Without ports: the client's look-ups and its searches for neighbours. */
struct sw_session_key {
    uint8_t client[16], server[16];
    uint16_t client_port, server_port;
    int64_t from_ns, to_ns;
};

/*
 * Writes the packets of a session that a recording still holds (SW_RECORDING_HELD, _RING) as a
 * pcapng file. Returns how many there were.
 */
SW_API uint64_t sw_watch_save(struct sw_run *run, const struct sw_session_key *key,
                              bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx);
/* The same out of saved captures. False: message says why, or that none was found. */
SW_API bool sw_extract_session(const char *const *paths, unsigned count,
                               const struct sw_session_key *key,
                               bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx,
                               uint64_t *frames, char *message, size_t room);

/* One row of the table of limits, for --help limits. */
struct sw_limit_info {
    const char *name;
    const char *what;
    const char *shed;  /* what becomes of what is over it */
    uint64_t fallback; /* the default */
    bool seconds;      /* the value is a time in seconds */
    bool bytes;        /* the value is a size */
};

/* Fills *info with the index-th limit; false when there are no more. */
SW_API bool sw_limit_describe(size_t index, struct sw_limit_info *info);

#endif
