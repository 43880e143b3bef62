/*
 * enhanced.h - enhanced status codes (RFC 3463 and the IANA registry) and basic reply codes: what
 * they mean in words.
 *
 * Two tables of constant data. What a code means for a verdict depends on the stage of the dialogue
 * and is in reply.h.
 */
#ifndef SW_ANALYZER_ENHANCED_H
#define SW_ANALYZER_ENHANCED_H

#include "base/span.h"

/* An enhanced status code; klass 0 means that there is none. */
struct sw_enhanced {
    uint8_t klass; /* 2, 4 or 5 */
    uint16_t subject;
    uint16_t detail;
};

enum sw_enhanced_origin {
    SW_ENHANCED_REGISTERED, /* in the IANA registry */
    SW_ENHANCED_VENDOR,     /* used by a provider, outside the registry or against it */
};

struct sw_enhanced_info {
    uint8_t klass; /* 0: any class */
    uint16_t subject;
    uint16_t detail;      /* first detail */
    uint16_t last_detail; /* last detail of a range, else the same as detail */
    enum sw_enhanced_origin origin;
    const char *meaning;
    const char *reference;
};

struct sw_reply_code_info {
    uint16_t code; /* 211 .. 571 */
    const char *meaning;
    const char *reference;
};

/*
 * The registered row of a code, or NULL. A row of the provider's own meaning is found by
 * sw_enhanced_vendor(), which may return several: pass the one before (NULL first).
 */
const struct sw_enhanced_info *sw_enhanced_registered(struct sw_enhanced code);
const struct sw_enhanced_info *sw_enhanced_vendor(struct sw_enhanced code,
                                                  const struct sw_enhanced_info *before);
/* What the basic code means, or NULL when it is not a known one. */
const struct sw_reply_code_info *sw_reply_code_info(int code);
/* The tables, for tests and listings; *count gets the number of rows. */
const struct sw_enhanced_info *sw_enhanced_infos(size_t *count);
const struct sw_reply_code_info *sw_reply_code_infos(size_t *count);
/* What the first digit alone says ("permanent refusal", ...); NULL for codes outside 200..599. */
const char *sw_reply_class_meaning(int code);

/*
 * Reads "5.7.139" at the start of `text`. The code ends at a blank, the end, or a character that is
 * neither digit nor dot. Returns its length in bytes, or 0 when there is none (RFC 3463 section 2:
 * class 2, 4 or 5, subject and detail of up to three digits).
 */
size_t sw_enhanced_parse(struct sw_span text, struct sw_enhanced *code);

#endif
