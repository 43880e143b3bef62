/*
 * mime_log.h - writes the events of the message dissector down, one line an event.
 */
#ifndef SW_TESTS_MIME_LOG_H
#define SW_TESTS_MIME_LOG_H

#include "dissectors/mime/mime.h"

enum { MIME_LOG_BYTES = 1 << 16 };

struct mime_log {
    struct mime_state state;
    struct mime_sink sink;
    char text[MIME_LOG_BYTES];
    size_t used;
    uint64_t end_octets; /* of the header block, when END came */
};

void mime_log_begin(struct mime_log *log, bool stuffed);

#endif
