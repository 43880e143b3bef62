/*
 * example.c - the library at work: what became of the mail in each capture that is named.
 *
 *     cc -o example example.c $(pkg-config --cflags --libs smtpwhy)
 *     ./example mail.pcap
 */
#include <smtpwhy.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void on_record(void *ctx, const struct sw_record *record)
{
    unsigned *stuck = ctx;
    struct sw_record_info info;
    sw_record_describe(record, &info);
    if (strcmp(info.type, "session") != 0)
        return;
    printf("%s: %s port %u: %s\n", info.file, info.server_ip, info.server_port, info.summary);
    for (unsigned i = 0; i < info.evidence_count; i++)
        printf("  frame %" PRIu64 ": %s\n", info.evidence[i].frame, info.evidence[i].what);
    if (info.advice[0])
        printf("  %s\n", info.advice[0]);
    *stuck += strcmp(info.outcome, "stuck") == 0;
}

int main(int argc, char **argv)
{
    char message[512];
    unsigned stuck = 0;
    struct sw_run_options options = {.record = on_record, .record_ctx = &stuck};
    struct sw_run *run = sw_run_new(&options, message, sizeof(message));
    if (!run) {
        fprintf(stderr, "%s\n", message);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (sw_run_file(run, argv[i]) != SW_RESULT_OK)
            fprintf(stderr, "%s\n", sw_run_message(run));
    }
    sw_run_finish(run);
    sw_run_free(run);
    struct sw_meaning_info info;
    struct sw_meaning *meaning = sw_meaning_new("550 5.7.1 Relaying denied", &info);
    if (meaning)
        printf("%u stuck. By the way, 550 5.7.1 Relaying denied is %s.\n", stuck, info.cause);
    sw_meaning_free(meaning);
    return stuck > 0;
}
