/*
 * options.h - the command line: one table of options, one of subcommands, and what a command line
 * asks for.
 *
 * The table in options.c is the one truth: the parser, --help, the test of the man page and the
 * completions read it. An option of a later version has its row too, with `built` false: it is
 * refused with a message, never ignored.
 */
#ifndef SW_CLI_OPTIONS_H
#define SW_CLI_OPTIONS_H

#include "report/audit.h"
#include "report/report.h"
#include "smtpwhy.h"

enum sw_command {
    SW_COMMAND_ANALYSE,
    SW_COMMAND_EXPLAIN,
    SW_COMMAND_CAUSES,
    SW_COMMAND_FINDINGS,
    SW_COMMAND_LIVE,
    SW_COMMAND_AUDIT,
    SW_COMMAND_TUI,
    SW_COMMAND_COUNT,
};

enum sw_when {
    SW_WHEN_AUTO,
    SW_WHEN_ALWAYS,
    SW_WHEN_NEVER,
};

enum { SW_OUTPUTS_MAX = 8, SW_CLI_MESSAGE_BYTES = 400, SW_LIVE_NAME_BYTES = 64 };

/* One -o. */
struct sw_output_choice {
    const struct sw_report_format *format; /* NULL in an audit, which has formats of its own: */
    const struct sw_audit_format *audit;
    const char *path; /* NULL: standard output */
};

/* What only live asks for. */
struct sw_live_settings {
    char names[SW_WATCH_DEVICES_MAX][SW_LIVE_NAME_BYTES];
    unsigned device_count;
    bool list_devices;
    bool no_sandbox;
    const char *record_path; /* -w */
    enum sw_recording_kind record_kind;
    uint64_t record_file_bytes; /* -C */
    uint32_t record_seconds, record_files;
    uint64_t ring_bytes;
    const char *http; /* ADDR, or NULL */
    bool tui;
    uint32_t snaplen_bytes; /* 0 = whole frames */
    uint32_t buffer_bytes;  /* of the kernel; 0 = the default */
};

/* What a command line asks for. Strings are borrowed from argv. */
struct sw_settings {
    enum sw_command command;
    const char **words; /* FILEs or THINGs, in order; room for argc of them, owned by the caller */
    unsigned word_count;
    struct sw_output_choice outputs[SW_OUTPUTS_MAX];
    unsigned output_count;
    const char *filter;
    const char *ports;
    const char *limits;
    const char *ca_file, *ca_path, *server_name, *keylog, *rsa_key;
    uint64_t stop_after_frames;
    unsigned jobs;
    bool no_names, verbose, flow, quiet, anonymize, keep_keys, keep_credentials;
    enum sw_when color, progress;
    struct sw_select select;
    struct sw_live_settings live;
    bool help, version;
    const char *help_topic; /* "limits", "options", "policy", or NULL */
    const char *policy;     /* --policy, or NULL */
    const char *db;         /* --db, or NULL */
    const char *diff;       /* --diff: "last", or a time: */
    int64_t diff_ns;
    unsigned retain_days; /* --retain, 0 = for ever */
    const char *store;    /* --store, or NULL, and what goes with it: */
    const char *cluster, *sensor, *spool;
    uint64_t spool_mb; /* 0 = the default */
    unsigned store_wait_s;
    bool has_store_wait;
};

/* A row of the table of options. */
struct sw_option {
    char letter;          /* 'o', or 0 */
    const char *name;     /* "output" */
    const char *argument; /* "FORMAT[:PATH]", or NULL when it takes none */
    unsigned commands;    /* bit mask of 1 << enum sw_command */
    bool built;           /* false: not available in this build */
    /* Takes the value (NULL without argument); false: message says what is wrong. NULL when not
     * built. */
    bool (*take)(struct sw_settings *settings, const char *value, char *message);
    const char *help;
};

/* A row of the table of subcommands. */
struct sw_command_row {
    const char *name;
    const char *usage; /* what follows the program's name */
    const char *help;
    bool built;
    const char *more; /* what its own --help says at the end, or NULL */
};

/* The index-th option, NULL behind the last. */
const struct sw_option *sw_option_at(size_t index);
const struct sw_command_row *sw_command_at(enum sw_command command);
/* Can the subcommand write it? An audit has formats of its own. */
bool sw_command_writes(enum sw_command command, const struct sw_report_format *format);

/*
 * Reads a command line. settings->words must have room for argc pointers. False: message
 * (SW_CLI_MESSAGE_BYTES) says what is wrong and what would be right.
 */
bool sw_options_parse(int argc, char **argv, struct sw_settings *settings, char *message);

#endif
