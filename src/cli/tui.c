#include "cli/tui.h"

#include "cli/analyse.h"
#include "cli/live.h"
#include "cli/run_options.h"
#include "live/tui.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TICK_MS = 200 };

struct view {
    const struct sw_settings *settings;
    struct sw_board board;
    char title[80];
};

static void on_record(void *ctx, const struct sw_record *record)
{
    struct view *view = ctx;
    sw_board_record(&view->board, record);
}

struct sw_session_key sw_tui_key(const struct sw_board_row *row)
{
    struct sw_session_key key = {
        .client_port = row->tuple.src_port,
        .server_port = row->tuple.dst_port,
        .from_ns = row->first_ns,
        .to_ns = row->last_ns,
    };
    memcpy(key.client, row->tuple.src, sizeof(key.client));
    memcpy(key.server, row->tuple.dst, sizeof(key.server));
    return key;
}

const char *sw_tui_why_none(const struct sw_settings *settings)
{
    const struct sw_live_settings *live = &settings->live;
    bool recorded = live->record_kind != SW_RECORDING_NONE && live->ring_bytes == 0;
    return recorded ? "its packets go to the recording (-w)" : "its packets are not held any more";
}

static bool write_fd(void *ctx, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, ctx) == size;
}

static void on_save(void *ctx, const struct sw_board_row *row, char *message, size_t room)
{
    struct view *view = ctx;
    char path[64];
    char why[300];
    uint64_t frames = 0;
    const struct sw_session_key key = sw_tui_key(row);
    (void)snprintf(path, sizeof(path), "smtpwhy-%s.pcapng", row->id);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        (void)snprintf(message, room, " %s: %s", path, strerror(errno));
        return;
    }
    bool good =
        sw_extract_session((const char *const *)view->settings->words, view->settings->word_count,
                           &key, write_fd, file, &frames, why, sizeof(why));
    good = fclose(file) == 0 && good;
    if (good)
        (void)snprintf(message, room, " %s: %llu packets, raw, passwords are in it", path,
                       (unsigned long long)frames);
    else
        (void)snprintf(message, room, " %s: nothing was saved %.100s", path, why);
    if (!good)
        (void)unlink(path);
}

static bool read_files(struct view *view, struct sw_run *run)
{
    const struct sw_settings *settings = view->settings;
    bool good = true;
    unsigned count = 0;
    struct sw_series *series =
        sw_series_find((const char *const *)settings->words, settings->word_count, &count);
    for (unsigned i = 0; series && i < count; i++) {
        enum sw_result result = sw_run_files(run, series[i].paths, series[i].count);
        if (result != SW_RESULT_OK)
            (void)fprintf(stderr, "smtpwhy: %s\n", sw_run_message(run));
        good = good && result != SW_RESULT_UNREADABLE && result != SW_RESULT_USAGE;
    }
    sw_series_free(series);
    return good && series;
}

static bool show(struct view *view)
{
    char message[SW_CLI_MESSAGE_BYTES];
    const struct sw_tui_hooks hooks = {.ctx = view,
                                       .title = view->title,
                                       .none =
                                           "There is no session in it, or none that was chosen.",
                                       .save = on_save};
    struct sw_tui *tui = sw_tui_open(&view->board, &hooks, message, sizeof(message));
    if (!tui) {
        (void)fprintf(stderr, "smtpwhy: %s\n", message);
        return false;
    }
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    while (sw_tui_turn(tui) && !(keys.revents & (POLLHUP | POLLERR)))
        (void)poll(&keys, 1, TICK_MS);
    sw_tui_close(tui);
    return true;
}

int sw_tui_files(const struct sw_settings *settings)
{
    struct view *view = calloc(1, sizeof(*view));
    char message[512] = "out of memory";
    struct sw_run_options options = sw_run_options_of(settings);
    options.record = on_record;
    options.record_ctx = view;
    struct sw_run *run = view ? sw_run_new(&options, message, sizeof(message)) : NULL;
    const struct sw_report_style style = {.version = SMTPWHY_VERSION,
                                          .no_names = settings->no_names,
                                          .anonymize = settings->anonymize,
                                          .veil_key = sw_hash_random_key(),
                                          .select = &settings->select};
    if (!run || !sw_board_init(&view->board, &style, true, 0)) {
        (void)fprintf(stderr, "smtpwhy: %s\n", message);
        sw_run_free(run);
        free(view);
        return SW_EXIT_TROUBLE;
    }
    view->settings = settings;
    const char *slash = strrchr(settings->words[0], '/');
    (void)snprintf(view->title, sizeof(view->title), "%.40s%s",
                   slash ? slash + 1 : settings->words[0], settings->word_count > 1 ? ", ..." : "");
    bool good = read_files(view, run);
    good = show(view) && good;
    sw_board_release(&view->board);
    sw_run_free(run);
    free(view);
    return good ? SW_EXIT_DONE : SW_EXIT_TROUBLE;
}
