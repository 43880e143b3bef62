/*
 * report.h - the output formats behind one small table, and how the records of a run reach them.
 *
 * A report is one output (-o FORMAT[:PATH]). It is written in parts: one part for each capture,
 * with its session records, and a closing part with the summary. Parts are independent of each
 * other, so that captures may be rendered side by side on several threads, each into memory, and
 * joined in the order of the command line.
 *
 * A new format is one file that defines a struct sw_report_format, and one line in the table of
 * report.c.
 *
 * Life of a part: sw_part_open, sw_part_record ..., sw_part_close.
 */
#ifndef SW_REPORT_REPORT_H
#define SW_REPORT_REPORT_H

#include "analyzer/record.h"
#include "report/select.h"
#include "report/veil.h"
#include "report/writer.h"

/* What all parts of all outputs of one run share; read-only while parts are open. */
struct sw_report_style {
    bool verbose;  /* -v */
    bool quiet;    /* -q: the summary only */
    bool no_names; /* -n */
    bool live;     /* there is no end in sight: every session counts at once */
    bool anonymize;
    bool keep_keys, keep_credentials; /* of packet output */
    bool flow;                        /* --flow: a ladder for every session */
    bool color;
    bool ascii;          /* nothing but ASCII where we draw */
    unsigned width;      /* columns for text */
    unsigned files;      /* how many captures are given */
    const char *version; /* of the program */
    struct sw_hash_key veil_key;
    const struct sw_select *select; /* which sessions are shown; NULL shows all */
};

struct sw_part;
struct sw_extract;
struct sw_extract_sink;

/* One output format. All functions get the part; `state` of the part is the format's own, zeroed
 * before open. */
struct sw_report_format {
    const char *name;
    const char *what; /* for --help */
    /* NULL: one stream. Else the output is a directory with these files (NULL behind the last), and
     * part->out is the writer of the first, its `next` that of the second, ... */
    const char *const *files;
    bool general;     /* explain, causes and findings can write it too */
    bool letterheads; /* it shows more of the headers of mails than is kept by itself */
    bool sums_up;     /* its summary says something, which is what -q leaves of it */
    bool whole;       /* a file of it needs an end, the summary with it: lines alone are none */
    size_t state_bytes;
    void (*open)(struct sw_part *part); /* may be NULL */
    void (*session)(struct sw_part *part, const struct sw_session *session,
                    const struct sw_verdict *verdict);
    /* A story of several sessions; may be NULL. */
    void (*delivery)(struct sw_part *part, const struct sw_delivery *delivery);
    void (*summary)(struct sw_part *part, const struct sw_summary *summary); /* may be NULL */
    /* A provisional word on a session that is still open; NULL where only what is final counts. */
    void (*stall)(struct sw_part *part, const struct sw_stall *stall);
    /* A format that needs frames: between the last session of a capture and close it says which,
     * and who takes them (analyzer/extract.h); NULL when it wants none. May be NULL. */
    struct sw_extract *(*plan)(struct sw_part *part, const struct sw_extract_sink **sink);
    void (*close)(struct sw_part *part); /* may be NULL */
};

struct sw_part {
    const struct sw_report_format *format;
    const struct sw_report_style *style;
    struct sw_writer *out;
    const char *file;      /* the capture, NULL in the closing part */
    unsigned index;        /* 0 for the first part of the output */
    uint64_t seen;         /* session records so far */
    uint64_t shown;        /* of which the selection let through */
    uint64_t shown_before; /* closing part: shown in all parts before it */
    uint64_t stuck;        /* shown sessions that --fail-on stuck is about, less those recovered */
    bool matched;          /* --fail-on matched a session that is shown; known when it is closed */
    const char *warning;   /* for the user's eyes, when it is closed; NULL: none */
    /* What the owner has to say of the session that comes next, a line each; for people only. */
    struct sw_span remarks;
    struct sw_veil veil;
    void *state;
};

/* The formats, in the order of the help text; NULL behind the last. */
const struct sw_report_format *sw_report_format(size_t index);
/* The format of this name, or NULL. */
const struct sw_report_format *sw_report_format_find(const char *name);

/* How many writers a part of it has. */
unsigned sw_report_format_files(const struct sw_report_format *format);

/* Begins a part. False when memory is short. `out` stays the caller's; part->index and file are the
 * caller's to give. */
bool sw_part_open(struct sw_part *part, const struct sw_report_format *format,
                  const struct sw_report_style *style, struct sw_writer *out, const char *file,
                  unsigned index);
void sw_part_record(struct sw_part *part, const struct sw_record *record);
void sw_part_close(struct sw_part *part);

#endif
