/*
 * Any bytes as a saved capture, through a file in memory. Frames are numbered without holes, their
 * bytes can be read, and damage lies inside the file.
 */
#define _GNU_SOURCE /* memfd_create */
#include "capture/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void read_all(struct sw_capture *capture, size_t size)
{
    uint64_t number = 0;
    for (;;) {
        struct sw_frame frame;
        struct sw_status status = sw_capture_next(capture, &frame);
        if (status.code != SW_OK) {
            must(status.code == SW_END || status.message[0] != '\0');
            must(status.offset_bytes <= size);
            must(sw_capture_count(capture)->frames == number);
            return;
        }
        must(frame.number == ++number);
        must(frame.caplen <= frame.len && frame.caplen <= 262144);
        must(frame.time_digits == 6 || frame.time_digits == 9);
        const volatile uint8_t *bytes = frame.bytes; /* so that they are really read */
        for (uint32_t i = 0; i < frame.caplen; i++)
            (void)bytes[i];
        uint64_t at = 0;
        uint64_t whole = 0;
        sw_capture_progress(capture, &at, &whole);
        must(at <= size && whole == size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz_capture", MFD_CLOEXEC);
        must(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    must(ftruncate(file, 0) == 0);
    must(pwrite(file, data, size, 0) == (ssize_t)size);
    const struct sw_capture_options options = {0};
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    must((status.code == SW_OK) == (capture != NULL));
    if (status.code != SW_OK) {
        must(status.message[0] != '\0' && status.offset_bytes <= size);
        return 0;
    }
    read_all(capture, size);
    sw_capture_close(capture);
    return 0;
}
