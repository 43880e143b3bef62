/*
 * base64.h - base64 of RFC 4648 section 4, as SMTP AUTH uses it.
 */
#ifndef SW_BASE_BASE64_H
#define SW_BASE_BASE64_H

#include "base/span.h"

/*
 * Decodes `text` into out (at most `room` bytes; what does not fit is left out). Stops at the first
 * '='. Returns the number of bytes written, or -1 when a character is not of the alphabet. The
 * caller wipes `out` when it may hold a secret.
 */
int sw_base64_decode(struct sw_span text, uint8_t *out, size_t room);

#endif
