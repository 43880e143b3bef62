/*
 * fuzz_run.c - the bytes of a capture file through the whole program, with small caps. No file may
 * crash it or hang it, and every verdict must have evidence.
 */
#define _GNU_SOURCE /* memfd_create */
#include "analyzer/record.h"
#include "smtpwhy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was handed out before the summary, which must agree. */
struct told {
    uint64_t sessions, deliveries;
};

static void on_record(void *ctx, const struct sw_record *record)
{
    struct told *told = ctx;
    const struct sw_summary *sum = record->summary;
    switch (record->kind) {
    case SW_RECORD_SUMMARY:
        if (sum->sessions != told->sessions || sum->deliveries != told->deliveries)
            abort();
        if (sum->frames_read != sum->frames_decoded + sum->frames_other + sum->frames_undecodable +
                                    sum->frames_filtered)
            abort();
        return;
    case SW_RECORD_DELIVERY:
        told->deliveries++;
        if (record->delivery->attempt_count < 2 || record->delivery->summary[0] == '\0')
            abort();
        return;
    case SW_RECORD_STALL: /* of live traffic only */
        abort();
    case SW_RECORD_SESSION:
        break;
    }
    told->sessions++;
    const struct sw_verdict *v = record->verdict;
    bool full = record->session->arena.exhausted;
    if (v->cause == SW_CAUSE_NONE || !v->summary || !v->explanation || (!v->evidence && !full))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct told told = {0, 0};
    const struct sw_run_options options = {
        .limits =
            "connections=16,held-bytes=4096,session-bytes=32K,session-lines=64,unfinished-lines=4",
        .record = on_record,
        .record_ctx = &told,
    };
    struct sw_run *run = sw_run_new(&options, NULL, 0);
    if (!run)
        abort();
    (void)sw_run_file(run, path);
    (void)sw_run_finish(run);
    sw_run_free(run);
    (void)close(fd);
    return 0;
}
