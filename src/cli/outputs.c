#include "cli/outputs.h"

#include "smtpwhy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH_LEAST = 80, WIDTH_MOST = 120, WIDTH_PIPED = 100, FILE_MODE = 0666 };

unsigned sw_outputs_width(void)
{
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_PIPED;
    if (size.ws_col < WIDTH_LEAST)
        return WIDTH_LEAST;
    return size.ws_col > WIDTH_MOST ? WIDTH_MOST : size.ws_col;
}

bool sw_outputs_color(enum sw_when when)
{
    if (when != SW_WHEN_AUTO)
        return when == SW_WHEN_ALWAYS;
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: any value but the empty one */
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

/* The first of the three that is set tells the encoding (POSIX, environment variables). */
static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (!value || !value[0])
            continue;
        struct sw_span locale = sw_span_str(value);
        return sw_span_find_nocase(locale, SW_SPAN_LIT("utf-8")) < locale.len ||
               sw_span_find_nocase(locale, SW_SPAN_LIT("utf8")) < locale.len;
    }
    return false;
}

static bool complain(const char *path, const char *what)
{
    (void)fprintf(stderr, "smtpwhy: %s: %s\n", path ? path : "standard output", what);
    return false;
}

/* Writing over a capture that is about to be read would destroy it. */
static bool is_input(const struct sw_settings *settings, const char *path)
{
    struct stat out;
    struct stat in;
    if (stat(path, &out) != 0 || !S_ISREG(out.st_mode))
        return false;
    bool reads = settings->command == SW_COMMAND_ANALYSE || settings->command == SW_COMMAND_AUDIT;
    for (unsigned i = 0; reads && i < settings->word_count; i++) {
        if (stat(settings->words[i], &in) == 0 && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino)
            return true;
    }
    return false;
}

static bool open_one(struct sw_output *output, const struct sw_settings *settings)
{
    output->fd = STDOUT_FILENO;
    if (output->path) {
        if (is_input(settings, output->path))
            return complain(output->path,
                            "is one of the captures to read; choose another path for the output");
        output->fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
        if (output->fd < 0)
            return complain(output->path, strerror(errno));
    }
    sw_writer_open_fd(&output->writer, output->fd);
    return true;
}

bool sw_outputs_open(struct sw_outputs *outputs, const struct sw_settings *settings)
{
    static const struct sw_output_choice fallback[] = {{NULL, NULL, NULL}};
    const struct sw_output_choice *choices = settings->output_count ? settings->outputs : fallback;
    unsigned count = settings->output_count ? settings->output_count : 1;
    struct sw_hash_key key = sw_hash_random_key();
    *outputs = (struct sw_outputs){.count = 0};
    for (unsigned i = 0; i < count; i++) {
        struct sw_output *output = &outputs->list[i];
        if (settings->command == SW_COMMAND_AUDIT)
            output->audit = choices[i].audit ? choices[i].audit : sw_audit_format(0);
        else
            output->format = choices[i].format ? choices[i].format : sw_report_format(0);
        output->path = choices[i].path;
        output->style = (struct sw_report_style){
            .verbose = settings->verbose,
            .quiet = settings->quiet,
            .no_names = settings->no_names,
            .live = settings->command == SW_COMMAND_LIVE,
            .anonymize = settings->anonymize,
            .flow = settings->flow,
            .ascii = !speaks_utf8(),
            .color = output->path ? settings->color == SW_WHEN_ALWAYS
                                  : sw_outputs_color(settings->color),
            .width = output->path ? WIDTH_PIPED : sw_outputs_width(),
            .files = settings->word_count,
            .version = SMTPWHY_VERSION,
            .veil_key = key,
            .select = &settings->select,
        };
        if (!open_one(output, settings)) {
            (void)sw_outputs_close(outputs);
            return false;
        }
        outputs->count++;
    }
    return true;
}

bool sw_outputs_flush(struct sw_outputs *outputs)
{
    bool good = true;
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        if (sw_writer_flush(&output->writer))
            continue;
        good = false;
        if (!output->complained)
            (void)complain(output->path, strerror(output->writer.error));
        output->complained = true;
    }
    return good;
}

bool sw_outputs_reopen(struct sw_outputs *outputs)
{
    bool good = sw_outputs_flush(outputs);
    for (unsigned i = 0; good && i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        if (!output->path)
            continue;
        int fd = open(output->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
        good = fd >= 0 && dup2(fd, output->fd) >= 0;
        if (!good)
            (void)complain(output->path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
    }
    return good;
}

bool sw_outputs_close(struct sw_outputs *outputs)
{
    bool good = sw_outputs_flush(outputs);
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        /* Some file systems tell a full disk only here. */
        if (output->path && close(output->fd) != 0 && !output->complained)
            good = complain(output->path, strerror(errno));
        sw_writer_release(&output->writer);
    }
    outputs->count = 0;
    return good;
}
