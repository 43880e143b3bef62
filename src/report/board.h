/*
 * board.h - the newest sessions of a run, kept in bounded memory for who looks at them at leisure:
 * the dashboard and the terminal view. And what is counted over all of them: by outcome and minute,
 * by cause, host, reply and stage.
 *
 * Invariants: rows are numbered from 1 in the order of the records and are never changed; the
 * oldest give way when the rows or the bytes are too many. Texts of a row went through the veil and
 * are wire text otherwise: whoever shows them escapes them; `json` and `ladder` are JSON already.
 * Life: init, any of record and look, release.
 */
#ifndef SW_REPORT_BOARD_H
#define SW_REPORT_BOARD_H

#include "report/report.h"
#include "report/tls_result.h"

enum {
    SW_BOARD_ROWS = 4096,
    SW_BOARD_MINUTES = 24 * 60,
    SW_BOARD_SUMMARY_BYTES = 240,
    SW_BOARD_ADVICE_BYTES = 200,
    SW_BOARD_DELAYS = 10, /* classes of delays, the last is "longer" */
};

#define SW_BOARD_BYTES (UINT64_C(48) << 20)

/* The columns of the stage matrix. */
enum sw_board_stage {
    SW_BOARD_DNS,
    SW_BOARD_TCP,
    SW_BOARD_GREETING,
    SW_BOARD_HELLO,
    SW_BOARD_TLS,
    SW_BOARD_AUTH,
    SW_BOARD_MAIL,
    SW_BOARD_RCPT,
    SW_BOARD_DATA,
    SW_BOARD_QUIT,
    SW_BOARD_STAGES,
};

enum sw_board_mark {
    SW_BOARD_NOT, /* the session did not come there */
    SW_BOARD_OK,
    SW_BOARD_FAILED,  /* refused, or it broke there */
    SW_BOARD_WAITING, /* no answer was seen */
};

struct sw_board_cell {
    enum sw_board_mark mark;
    int64_t delay_ns; /* of the answers, SW_TIME_NONE: not known */
};

struct sw_board_row {
    uint64_t number;
    char id[17];
    int64_t start_ns;
    enum sw_outcome outcome;
    enum sw_cause cause;
    enum sw_stage stage;
    enum sw_confidence confidence;
    enum sw_actor actor;
    char client[60], server[60]; /* "192.0.2.7:40000" */
    char name[80];               /* of the server, or "" */
    char summary[SW_BOARD_SUMMARY_BYTES];
    char advice[SW_BOARD_ADVICE_BYTES]; /* what to try first, in a sentence, or "" */
    struct sw_board_cell stages[SW_BOARD_STAGES];
    struct sw_tuple tuple; /* for who saves its packets; not veiled */
    int64_t first_ns, last_ns;
    struct sw_span file;         /* the capture (live: the devices) of its first frame */
    struct sw_span json, ladder; /* the record; its rungs */
    struct sw_span flow, told;   /* as --flow and -v tell it, when that was asked for */
    void *memory;                /* private: of the spans */
    uint64_t bytes;
};

struct sw_board_minute {
    int64_t minute; /* since 1970 */
    uint32_t by_outcome[SW_OUTCOME_COUNT];
};

struct sw_board_host {
    char ip[SW_ADDRESS_TEXT_BYTES];
    uint64_t sessions, stuck;
};

enum { SW_BOARD_HOSTS = 256, SW_BOARD_SUBJECTS = 100 };

struct sw_board_counts {
    uint64_t sessions;
    uint64_t by_outcome[SW_OUTCOME_COUNT];
    uint64_t by_cause[SW_CAUSE_COUNT][SW_STAGE_COUNT];
    uint64_t replies[6][SW_BOARD_STAGES]; /* by their first digit */
    uint64_t enhanced[6][SW_BOARD_SUBJECTS];
    uint64_t delays[SW_BOARD_STAGES][SW_BOARD_DELAYS]; /* each class alone */
    uint64_t delay_count[SW_BOARD_STAGES];
    double delay_sum_s[SW_BOARD_STAGES];
    uint64_t security[SW_SECURITY_IMPLICIT_TLS_FAILED + 1];
    uint64_t tls_results[SW_TLS_RESULTS];
    uint64_t acked_unseen_bytes;
};

struct sw_board {
    struct sw_report_style style;
    bool with_text;
    struct sw_board_row *rows; /* at number % SW_BOARD_ROWS */
    uint64_t first, next;      /* numbers: the oldest that is kept, the one that comes next */
    uint64_t bytes, most_bytes;
    struct sw_board_minute minutes[SW_BOARD_MINUTES]; /* at minute % SW_BOARD_MINUTES */
    struct sw_board_host clients[SW_BOARD_HOSTS], servers[SW_BOARD_HOSTS];
    struct sw_board_counts counts;
    struct sw_report_style flow_style;
    struct sw_writer record_out, flow_out, told_out, scratch;
    struct sw_part record_part, flow_part, told_part;
};

/* Upper limits of the classes of delays, in seconds. */
extern const double sw_board_delay_limits[SW_BOARD_DELAYS - 1];

/* The style is copied (what it borrows is not). False without memory. */
bool sw_board_init(struct sw_board *board, const struct sw_report_style *style, bool with_text,
                   uint64_t most_bytes);
void sw_board_record(struct sw_board *board, const struct sw_record *record);
/* NULL when it has given way, or never was. Borrowed until the next record. */
const struct sw_board_row *sw_board_row(const struct sw_board *board, uint64_t number);
/* The newest of this id, or NULL. */
const struct sw_board_row *sw_board_find(const struct sw_board *board, struct sw_span id);
/* "dns", "tcp", "greeting", ... */
const char *sw_board_stage_name(enum sw_board_stage stage);
/* One row as a JSON object, without its record. */
void sw_board_row_json(const struct sw_board_row *row, struct sw_writer *out);
/* Counts, minutes and hosts as a JSON object. */
void sw_board_overview_json(const struct sw_board *board, struct sw_writer *out);
void sw_board_release(struct sw_board *board);

/* private: board_row.c */
void sw_board_fill(struct sw_board_row *row, const struct sw_session *session,
                   const struct sw_verdict *verdict, struct sw_veil *veil);
enum sw_board_stage sw_board_stage_of(enum sw_phase phase);

#endif
