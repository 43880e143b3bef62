#include "cli/outputs.h"
#include "cli/complain.h"

#include "smtpwhy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WIDTH_LEAST = 80,
    WIDTH_MOST = 120,
    WIDTH_PIPED = 100,
    FILE_MODE = 0666,
    DIRECTORY_MODE = 0777
};

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
    sw_complain("%s: %s", path ? path : "standard output", what);
    return false;
}

static bool are_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_file(const char *path, const struct stat *file)
{
    struct stat other;
    return path && stat(path, &other) == 0 && are_same(&other, file);
}

/* Writing over a file that is about to be read (or is the history) would destroy it. */
static bool is_input(const struct sw_settings *settings, const struct stat *out)
{
    const char *const others[] = {settings->keylog,  settings->rsa_key, settings->ca_file,
                                  settings->ca_path, settings->policy,  settings->db};
    bool reads = settings->command == SW_COMMAND_ANALYSE || settings->command == SW_COMMAND_AUDIT;
    for (unsigned i = 0; reads && i < settings->word_count; i++) {
        if (is_file(settings->words[i], out))
            return true;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (is_file(others[i], out))
            return true;
    }
    return false;
}

/* Is it the file of an output that is open? By another name, or as standard output. */
static bool is_output(const struct sw_outputs *outputs, const struct stat *out)
{
    struct stat other;
    for (unsigned i = 0; i < outputs->count; i++) {
        for (const struct sw_writer *w = &outputs->list[i].writer; w; w = w->next) {
            if (w->fd >= 0 && fstat(w->fd, &other) == 0 && are_same(&other, out))
                return true;
        }
    }
    return false;
}

enum { PATH_BYTES = 4096 };

/* The path of the index-th file of an output. False when it is too long. */
static bool path_of(const struct sw_output *output, unsigned index, char out[PATH_BYTES])
{
    const char *const *files = output->format ? output->format->files : NULL;
    int len = files ? snprintf(out, PATH_BYTES, "%s/%s", output->path, files[index])
                    : snprintf(out, PATH_BYTES, "%s", output->path);
    return len >= 0 && len < PATH_BYTES;
}

static bool open_file(const struct sw_outputs *outputs, const struct sw_settings *settings,
                      const char *path, struct sw_writer *writer)
{
    struct stat out;
    bool there = stat(path, &out) == 0 && S_ISREG(out.st_mode);
    if (there && is_input(settings, &out))
        return complain(path, "is one of the files to read; choose another path for the output");
    if (there && is_output(outputs, &out))
        return complain(path, "is the file of another output, too; choose another path");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return complain(path, strerror(errno));
    sw_writer_open_fd(writer, fd);
    return true;
}

/* Several files are several writers, one behind the other. */
static bool open_files(const struct sw_outputs *outputs, struct sw_output *output,
                       const struct sw_settings *settings)
{
    char path[PATH_BYTES];
    unsigned count = output->format ? sw_report_format_files(output->format) : 1;
    if (output->format && output->format->files && mkdir(output->path, DIRECTORY_MODE) != 0 &&
        errno != EEXIST)
        return complain(output->path, strerror(errno));
    struct sw_writer *writer = &output->writer;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && !sw_writer_extend(writer, 1))
            return complain(output->path, "out of memory");
        writer = i > 0 ? writer->next : writer;
        if (!path_of(output, i, path))
            return complain(output->path, strerror(ENAMETOOLONG));
        if (!open_file(outputs, settings, path, writer))
            return false;
    }
    return true;
}

static bool open_one(const struct sw_outputs *outputs, struct sw_output *output,
                     const struct sw_settings *settings)
{
    struct stat out;
    sw_writer_open_memory(&output->writer);
    if (output->path)
        return open_files(outputs, output, settings);
    if (output->format && output->format->plan && isatty(STDOUT_FILENO))
        return complain(NULL,
                        "is a terminal, and packets are not for it; name a file: -o FORMAT:PATH");
    if (fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) && is_output(outputs, &out))
        return complain(NULL, "is the file of another output, too; choose another path");
    sw_writer_open_fd(&output->writer, STDOUT_FILENO);
    return true;
}

/* Who reaches for -q to have quiet on the terminal should not find an empty file later. */
static void warn_of_quiet(const struct sw_output *output)
{
    char what[120];
    if (!output->style.quiet || !output->format || output->format->sums_up)
        return;
    (void)snprintf(what, sizeof(what),
                   "-q is the summary only, and -o %s has none: it holds no session",
                   output->format->name);
    (void)complain(output->path, what);
}

bool sw_outputs_open(struct sw_outputs *outputs, const struct sw_settings *settings)
{
    static const struct sw_output_choice fallback[] = {{NULL, NULL, NULL}};
    const struct sw_output_choice *choices = settings->output_count ? settings->outputs : fallback;
    unsigned count = settings->output_count ? settings->output_count : 1;
    if (settings->output_count == 0 && settings->live.tui)
        count = 0; /* the screen is the output */
    struct sw_hash_key key = sw_hash_random_key();
    if (settings->keep_credentials)
        (void)fputs("smtpwhy: --keep-credentials: the packet output will show logins\n", stderr);
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
            .keep_keys = settings->keep_keys,
            .keep_credentials = settings->keep_credentials,
            .ascii = !speaks_utf8(),
            .color = output->path ? settings->color == SW_WHEN_ALWAYS
                                  : sw_outputs_color(settings->color),
            .width = output->path ? WIDTH_PIPED : sw_outputs_width(),
            .files = settings->word_count,
            .version = SMTPWHY_VERSION,
            .veil_key = key,
            .select = &settings->select,
        };
        bool open = open_one(outputs, output, settings);
        outputs->count++;
        if (!open) {
            (void)sw_outputs_close(outputs);
            return false;
        }
        warn_of_quiet(output);
    }
    return true;
}

/* Says the first failure of an output, once. */
static bool fail(struct sw_output *output, unsigned index, int error)
{
    char path[PATH_BYTES];
    if (output->complained)
        return false;
    output->complained = true;
    bool named = output->path && path_of(output, index, path);
    return complain(named ? path : output->path, strerror(error));
}

bool sw_outputs_flush(struct sw_outputs *outputs)
{
    bool good = true;
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        unsigned index = 0;
        for (struct sw_writer *w = &output->writer; w; w = w->next, index++) {
            if (w->fd >= 0 && !sw_writer_flush(w))
                good = fail(output, index, w->error);
        }
    }
    return good;
}

static bool is_lost(const struct sw_output *output)
{
    for (const struct sw_writer *w = &output->writer; w; w = w->next) {
        if (w->error != 0)
            return true;
    }
    return false;
}

bool sw_outputs_lost(const struct sw_outputs *outputs)
{
    for (unsigned i = 0; i < outputs->count; i++) {
        if (!is_lost(&outputs->list[i]))
            return false;
    }
    return outputs->count > 0;
}

unsigned sw_outputs_files(const struct sw_outputs *outputs, char **paths, unsigned room)
{
    char path[PATH_BYTES];
    unsigned count = 0;
    for (unsigned i = 0; i < outputs->count; i++) {
        const struct sw_output *output = &outputs->list[i];
        unsigned index = 0;
        for (const struct sw_writer *w = &output->writer; output->path && w; w = w->next) {
            if (count == room || !path_of(output, index++, path))
                return count;
            paths[count] = strdup(path);
            if (!paths[count])
                return count;
            count++;
        }
    }
    return count;
}

static bool is_same_file(int a, int b)
{
    struct stat one;
    struct stat other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

enum { FILES_MOST = 8 }; /* of one output */

/* Opens all files of an output, or none; *moved: is one of them another than before? */
static bool open_anew(const struct sw_output *output, const struct sw_outputs_again *again,
                      unsigned first, int fds[FILES_MOST], bool *moved)
{
    unsigned count = 0;
    *moved = false;
    for (const struct sw_writer *w = &output->writer; w && count < FILES_MOST; w = w->next) {
        fds[count] = again->open(again->ctx, first + count);
        if (fds[count] < 0) {
            (void)complain(output->path, strerror(errno));
            while (count > 0)
                (void)close(fds[--count]);
            return false;
        }
        *moved = *moved || !is_same_file(fds[count], w->fd);
        count++;
    }
    return true;
}

static bool reopen_one(struct sw_outputs *outputs, unsigned index,
                       const struct sw_outputs_again *again, unsigned first)
{
    struct sw_output *output = &outputs->list[index];
    int fds[FILES_MOST];
    bool moved;
    unsigned count = 0;
    if (!open_anew(output, again, first, fds, &moved))
        return true;
    bool good = !moved || (again->end(again->ctx, index) && sw_outputs_flush(outputs));
    for (struct sw_writer *w = &output->writer; w && count < FILES_MOST; w = w->next, count++) {
        good = good && (!moved || dup2(fds[count], w->fd) >= 0);
        (void)close(fds[count]);
    }
    good = good && (!moved || again->begin(again->ctx, index));
    return good || complain(output->path, strerror(errno));
}

bool sw_outputs_reopen(struct sw_outputs *outputs, const struct sw_outputs_again *again)
{
    bool good = sw_outputs_flush(outputs);
    unsigned first = 0;
    for (unsigned i = 0; good && i < outputs->count; i++) {
        const struct sw_output *output = &outputs->list[i];
        if (!output->path)
            continue;
        good = reopen_one(outputs, i, again, first);
        for (const struct sw_writer *w = &output->writer; w; w = w->next)
            first++;
    }
    return good;
}

bool sw_outputs_close(struct sw_outputs *outputs)
{
    bool good = sw_outputs_flush(outputs);
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        unsigned index = 0;
        for (struct sw_writer *w = &output->writer; output->path && w; w = w->next, index++) {
            /* Some file systems tell a full disk only here. */
            if (w->fd >= 0 && close(w->fd) != 0)
                good = fail(output, index, errno);
        }
        sw_writer_release(&output->writer);
    }
    outputs->count = 0;
    return good;
}
