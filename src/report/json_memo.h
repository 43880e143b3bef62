/*
 * json_memo.h - passages that many records have in common, written once and then copied: what
 * depends on nothing but the cause or the kind of a finding, and the name of the capture.
 *
 * A passage is kept as it was written, when it stands in the writer's buffer in one piece; else it
 * is written again until it does. Life: all zero, any of keep ..., release.
 */
#ifndef SW_REPORT_JSON_MEMO_H
#define SW_REPORT_JSON_MEMO_H

#include "analyzer/verdict.h"
#include "report/json_writer.h"

struct sw_json_memo {
    struct sw_span rulings[SW_CAUSE_COUNT]; /* the words of a verdict that are one of a few */
    uint64_t ruling_words[SW_CAUSE_COUNT];  /* which of them */
    struct sw_span advice[SW_CAUSE_COUNT];  /* that of the cause's wording as it stands there */
    struct sw_span client_codes[SW_CAUSE_COUNT];
    struct sw_span findings[SW_FINDING_COUNT]; /* with the finding's usual summary */
    struct sw_span capture;                    /* of capture_file, when it is no series */
    struct sw_span capture_file;
};

/* Where a passage begins. */
struct sw_json_passage {
    const uint8_t *from;
    const uint8_t *bytes; /* of the writer, which may go elsewhere meanwhile */
    size_t used;
};

static inline struct sw_json_passage sw_json_passage(const struct sw_json *json, const uint8_t *at)
{
    return (struct sw_json_passage){at, json->out->bytes, json->out->used};
}

/* Keeps the passage that ends at `at` in place of what *kept holds. */
void sw_json_keep(const struct sw_json *json, const struct sw_json_passage *passage,
                  const uint8_t *at, struct sw_span *kept);
/* Keeps these bytes. Empty when memory is short. */
void sw_json_keep_bytes(struct sw_span bytes, struct sw_span *kept);
void sw_json_memo_release(struct sw_json_memo *memo);

#endif
