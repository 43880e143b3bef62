/*
 * fuzz_capture.c - any bytes as a saved capture. Frames are numbered without holes, their bytes can
 * be read, and damage lies inside the file.
 */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)source_read(source_file(sw_span_make(data, size)), size, 1 << 20);
    return 0;
}
