#define _GNU_SOURCE /* memfd_create */
#include "source.h"

#include "capture/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATUSES_MAX = 1000 };

static void must(bool truth)
{
    if (!truth)
        abort();
}

const char *source_file(struct sw_span bytes)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        must(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    must(ftruncate(file, 0) == 0);
    must(pwrite(file, bytes.ptr, bytes.len, 0) == (ssize_t)bytes.len);
    return path;
}

uint64_t source_hash(uint64_t hash, const uint8_t *bytes, uint32_t caplen)
{
    hash = (hash ^ caplen) * UINT64_C(1099511628211);
    for (uint32_t i = 0; i < caplen; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void touch(struct sw_span span)
{
    for (size_t i = 0; i < span.len; i++)
        (void)((const volatile uint8_t *)span.ptr)[i];
}

static void on_secrets(void *ctx, uint32_t type, struct sw_span secrets)
{
    (void)ctx;
    (void)type;
    touch(secrets);
}

static void on_name(void *ctx, int ip_version, struct sw_span address, struct sw_span name)
{
    (void)ctx;
    must((ip_version == 4 && address.len == 4) || (ip_version == 6 && address.len == 16));
    must(name.len > 0);
    touch(address);
    touch(name);
}

static void on_comment(void *ctx, uint64_t frame, struct sw_span text)
{
    const struct source_sum *sum = ctx;
    must(frame == 0 || frame == sum->frames + 1);
    touch(text);
}

static void take(struct source_sum *sum, const struct sw_frame *frame)
{
    sum->frames++;
    must(frame->number == sum->frames);
    must(frame->caplen <= frame->len && frame->caplen <= 262144);
    must(frame->time_digits == 6 || frame->time_digits == 9);
    touch(sw_span_make(frame->bytes, frame->caplen));
    if (frame->link_type == SW_NO_LINK_TYPE)
        return;
    sum->packets++;
    sum->bytes = source_hash(sum->bytes, frame->bytes, frame->caplen);
}

struct source_sum source_read(const char *path, uint64_t size, uint64_t unpacked_most)
{
    struct source_sum sum = {.clean = true};
    const struct sw_capture_options options = {
        .unpacked_bytes = unpacked_most,
        .sinks = {.ctx = &sum, .secrets = on_secrets, .name = on_name, .comment = on_comment},
    };
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    must((status.code == SW_OK) == (capture != NULL));
    must(status.code == SW_OK || status.message[0] != '\0');
    sum.opened = capture != NULL;
    for (int statuses = 0; capture; statuses++) {
        struct sw_frame frame;
        while ((status = sw_capture_next(capture, &frame)).code == SW_OK)
            take(&sum, &frame);
        if (status.code == SW_END)
            break;
        sum.clean = false;
        must(status.message[0] != '\0');
        must(statuses < STATUSES_MAX);
        uint64_t at = 0;
        uint64_t whole = 0;
        sw_capture_progress(capture, &at, &whole);
        must(at <= size && whole == size);
        must(sw_capture_count(capture)->frames == sum.frames);
    }
    sw_capture_close(capture);
    return sum;
}
