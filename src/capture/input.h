/*
 * input.h - the bytes of a capture file: opened, looked at, and given to libpcap as a stream that
 * knows where it stands; private to the capture room.
 *
 * Life: open, peek ... peek, stream, (the stream is read and closed), close. What was looked at is
 * the first that the stream gives. Works on pipes: nothing is read twice.
 */
#ifndef SW_CAPTURE_INPUT_H
#define SW_CAPTURE_INPUT_H

#include "base/span.h"
#include "base/status.h"

#include <stdio.h>

struct sw_input;

enum { SW_INPUT_PEEK_MAX_BYTES = 64 * 1024 };

/* Opens a file, or standard input for "-". `name` is for messages and outlives the input. */
struct sw_status sw_input_open(const char *path, const char *name,
                               struct sw_input **out) SW_MUST_CHECK;
/*
 * The first n bytes; fewer when the input ends before, fails (see sw_input_error) or n is more than
 * SW_INPUT_PEEK_MAX_BYTES. Borrowed until the input is closed.
 */
struct sw_span sw_input_peek(struct sw_input *input, size_t n);
/* A stdio stream over the whole input; the caller closes it before the input. NULL: no memory. */
FILE *sw_input_stream(struct sw_input *input);
/* Offset of the next byte that the stream's reader will get; only while the stream is open. */
uint64_t sw_input_offset(const struct sw_input *input);
/* True when the stream's reader has got all there is; only while the stream is open. */
bool sw_input_at_end(const struct sw_input *input);
/* The errno of the read that failed, 0 when none did. */
int sw_input_error(const struct sw_input *input);
/* Size of the file, 0 when it is not known. */
uint64_t sw_input_size(const struct sw_input *input);
void sw_input_close(struct sw_input *input);

#endif
