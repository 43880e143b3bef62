/*
 * input.h - the bytes of a capture file: opened, looked at, and given to libpcap as a stream that
 * counts; private to the capture room.
 */
#ifndef SW_CAPTURE_INPUT_H
#define SW_CAPTURE_INPUT_H

#include "base/span.h"
#include "base/status.h"

#include <stdio.h>

struct sw_input;

/* Opens a file, or standard input for "-". `name` is for messages and outlives the input. */
struct sw_status sw_input_open(const char *path, const char *name,
                               struct sw_input **out) SW_MUST_CHECK;
/*
 * Looks at the first bytes: is it a capture, of which kind, with which precision of time (6 or 9
 * digits)? A container that is recognised but not supported is named.
 */
struct sw_status sw_input_check(struct sw_input *input, const char *name, bool *classic,
                                uint8_t *time_digits) SW_MUST_CHECK;
/* A stdio stream over the whole input (from its first byte); the caller closes it before the input.
 * NULL: no memory. */
FILE *sw_input_stream(struct sw_input *input);
/* Bytes that the reader has taken so far; read-ahead counts. */
uint64_t sw_input_consumed(const struct sw_input *input);
/* Size of the file, 0 when it is not known. */
uint64_t sw_input_size(const struct sw_input *input);
void sw_input_close(struct sw_input *input);

#endif
