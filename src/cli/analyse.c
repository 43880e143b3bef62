/*
 * analyse.c - reads the captures, one after the other or several at a time.
 *
 * Every capture (and every series of captures that continue one another) has a run and a part of
 * each report of its own. One at a time, the parts write straight to the outputs; several at a
 * time, each writes to memory, and the main thread joins what is finished in the order of the
 * command line. Either way the same bytes come out. Only -c needs one run over all files, and then
 * one file at a time.
 */
#include "cli/analyse.h"

#include "cli/complain.h"
#include "cli/heap.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "smtpwhy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* One capture, or several that continue one another. */
struct job {
    const char *path; /* of the first */
    const char *const *paths;
    unsigned path_count;
    unsigned index;
    struct crew *crew;
    struct sw_run *run;    /* its own, or the common one */
    struct sw_part *parts; /* one for each output, while they are open */
    struct sw_writer memory[SW_OUTPUTS_MAX];
    uint64_t shown[SW_OUTPUTS_MAX];
    bool matched;
    const char *warning; /* of a format, or NULL */
    bool stream;         /* standard input: show each record at once */
    enum sw_result result;
    char message[512];
    bool done;
};

struct crew {
    const struct sw_settings *settings;
    struct sw_outputs *outputs;
    const struct sw_tap *tap; /* or NULL */
    struct sw_progress progress;
    struct sw_run *run; /* collects the counts of all */
    struct sw_series *series;
    struct job *jobs;
    struct job *closing; /* the part with the summary */
    unsigned count;
    unsigned next;    /* the first job that nobody has taken */
    unsigned allowed; /* jobs below this may be taken: keeps finished output from piling up */
    unsigned workers; /* jobs at a time */
    bool in_memory;
    bool stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* what the exit status is made of */
    bool trouble, matched, incomplete;
    bool interrupted; /* and it was said */
};

/* Whoever was to read the reports is gone (| head), or the disk is full, and nobody else listens:
 * then reading on serves nobody. */
static bool is_in_vain(const struct crew *crew)
{
    return !crew->tap && sw_outputs_lost(crew->outputs);
}

static void on_record(void *ctx, const struct sw_record *record)
{
    struct job *job = ctx;
    sw_progress_clear(&job->crew->progress);
    if (job->crew->tap) {
        if (job->crew->in_memory)
            (void)pthread_mutex_lock(&job->crew->lock);
        job->crew->tap->record(job->crew->tap->ctx, record);
        if (job->crew->in_memory)
            (void)pthread_mutex_unlock(&job->crew->lock);
    }
    for (unsigned i = 0; i < job->crew->outputs->count; i++)
        sw_part_record(&job->parts[i], record);
    if (job->stream)
        (void)sw_outputs_flush(job->crew->outputs);
    if (!job->crew->in_memory && is_in_vain(job->crew)) {
        job->crew->interrupted = true; /* which output failed is said when the job is joined */
        sw_interrupt_now();
    }
}

static void on_progress(void *ctx, uint64_t done_bytes, uint64_t all_bytes)
{
    struct job *job = ctx;
    sw_progress_show(&job->crew->progress, job->path, done_bytes, all_bytes);
}

static bool reads_input(const struct sw_settings *settings)
{
    for (unsigned i = 0; i < settings->word_count; i++) {
        if (strcmp(settings->words[i], "-") == 0)
            return true;
    }
    return false;
}

static struct sw_run *new_run(struct crew *crew, struct job *job, char *message, size_t room)
{
    struct sw_run_options options = sw_run_options_of(crew->settings);
    options.beside = crew->workers;
    options.sibling = crew->run; /* NULL when this is it */
    options.record = on_record;
    options.record_ctx = job;
    options.progress = on_progress;
    options.progress_ctx = job;
    options.stop = sw_interrupt_flag(reads_input(crew->settings));
    return sw_run_new(&options, message, room);
}

static bool open_parts(struct job *job, const char *file)
{
    struct sw_outputs *outputs = job->crew->outputs;
    job->parts = calloc(outputs->count + 1, sizeof(*job->parts));
    if (!job->parts)
        return false;
    for (unsigned i = 0; i < outputs->count; i++) {
        struct sw_output *output = &outputs->list[i];
        struct sw_writer *out = &output->writer;
        if (job->crew->in_memory && file) {
            out = &job->memory[i];
            sw_writer_open_memory(out);
            if (!sw_writer_extend(out, sw_report_format_files(output->format) - 1))
                return false;
        }
        if (!sw_part_open(&job->parts[i], output->format, &output->style, out, file, job->index))
            return false;
    }
    return true;
}

/* Ends the parts; what they counted goes into the outputs' totals when the job is joined. */
static void close_parts(struct job *job)
{
    for (unsigned i = 0; i < job->crew->outputs->count; i++) {
        sw_part_close(&job->parts[i]);
        job->shown[i] = job->parts[i].shown;
        job->matched = job->matched || job->parts[i].matched;
        if (job->parts[i].warning)
            job->warning = job->parts[i].warning;
    }
    free(job->parts);
    job->parts = NULL;
}

/* The second look at the captures, for the formats that show frames. */
static void copy_frames(struct job *job)
{
    for (unsigned i = 0; i < job->crew->outputs->count; i++) {
        struct sw_part *part = &job->parts[i];
        const struct sw_extract_sink *sink = NULL;
        struct sw_extract *plan = part->format->plan ? part->format->plan(part, &sink) : NULL;
        if (!plan || sw_run_copy(job->run, job->paths, job->path_count, plan, sink))
            continue;
        job->result = SW_RESULT_UNREADABLE;
        if (!job->message[0])
            (void)snprintf(job->message, sizeof(job->message),
                           "%s: cannot be read a second time for -o %s", job->path,
                           part->format->name);
    }
}

static void run_job(struct job *job)
{
    if (!job->run)
        job->run = new_run(job->crew, job, job->message, sizeof(job->message));
    if (!job->run || !open_parts(job, job->path)) {
        if (!job->message[0])
            (void)snprintf(job->message, sizeof(job->message), "%s: out of memory", job->path);
        job->result = SW_RESULT_UNREADABLE;
        return;
    }
    job->result = sw_run_files(job->run, job->paths, job->path_count);
    (void)snprintf(job->message, sizeof(job->message), "%s", sw_run_message(job->run));
    copy_frames(job);
    close_parts(job);
}

static bool names_a_file(const struct job *job)
{
    for (unsigned i = 0; i < job->path_count; i++) {
        if (strncmp(job->message, job->paths[i], strlen(job->paths[i])) == 0)
            return true;
    }
    return strncmp(job->message, "standard input", 14) == 0;
}

/* A message always names its file. */
static void say(struct crew *crew, const struct job *job)
{
    if (job->warning)
        (void)fprintf(stderr, "smtpwhy: %s\n", job->warning);
    if (!job->message[0] || crew->interrupted)
        return; /* of all that follow an interruption the summary tells */
    crew->interrupted = *sw_interrupt_flag(reads_input(crew->settings)) != 0;
    bool named = names_a_file(job) || strncmp(job->message, "--", 2) == 0;
    sw_complain("%s%s%s", named ? "" : job->path, named ? "" : ": ", job->message);
}

/* What a part wrote to memory goes to the output, file by file. */
static void join_writers(struct sw_writer *to, struct sw_writer *from)
{
    for (; to && from; to = to->next, from = from->next) {
        sw_writer_put(to, sw_writer_span(from));
        if (from->error && !to->error)
            to->error = from->error;
    }
}

/* Joins a finished job: its output, its counts, its message. False when there is no use in going
 * on. */
static bool join_job(struct crew *crew, struct job *job)
{
    sw_progress_file_done(&crew->progress);
    sw_progress_clear(&crew->progress);
    for (unsigned i = 0; i < crew->outputs->count; i++) {
        struct sw_output *output = &crew->outputs->list[i];
        if (crew->in_memory) {
            join_writers(&output->writer, &job->memory[i]);
            sw_writer_release(&job->memory[i]);
        }
        output->shown += job->shown[i];
    }
    crew->matched = crew->matched || job->matched;
    if (job->run && job->run != crew->run) {
        sw_run_absorb(crew->run, job->run);
        sw_run_free(job->run);
    }
    job->run = NULL;
    bool good = sw_outputs_flush(crew->outputs);
    say(crew, job);
    crew->trouble = crew->trouble || !good || job->result == SW_RESULT_UNREADABLE ||
                    job->result == SW_RESULT_USAGE;
    crew->incomplete = crew->incomplete || job->result == SW_RESULT_INCOMPLETE;
    if (is_in_vain(crew))
        sw_interrupt_now(); /* jobs that others are at end, too */
    /* A filter that does not compile is as wrong for the next file. */
    return !is_in_vain(crew) && job->result != SW_RESULT_USAGE;
}

static struct job *take_job(struct crew *crew)
{
    struct job *job = NULL;
    (void)pthread_mutex_lock(&crew->lock);
    while (!crew->stop && crew->next < crew->count && crew->next >= crew->allowed)
        (void)pthread_cond_wait(&crew->changed, &crew->lock);
    if (!crew->stop && crew->next < crew->count)
        job = &crew->jobs[crew->next++];
    (void)pthread_mutex_unlock(&crew->lock);
    return job;
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct job *job;
    while ((job = take_job(crew))) {
        run_job(job);
        (void)pthread_mutex_lock(&crew->lock);
        job->done = true;
        (void)pthread_cond_broadcast(&crew->changed);
        (void)pthread_mutex_unlock(&crew->lock);
    }
    return NULL;
}

/* Waits for the jobs in their order and joins them. */
static void join_in_order(struct crew *crew, unsigned ahead)
{
    for (unsigned i = 0; i < crew->count; i++) {
        (void)pthread_mutex_lock(&crew->lock);
        crew->allowed = i + ahead;
        (void)pthread_cond_broadcast(&crew->changed);
        while (!crew->jobs[i].done)
            (void)pthread_cond_wait(&crew->changed, &crew->lock);
        (void)pthread_mutex_unlock(&crew->lock);
        if (join_job(crew, &crew->jobs[i]))
            continue;
        (void)pthread_mutex_lock(&crew->lock);
        crew->stop = true;
        (void)pthread_cond_broadcast(&crew->changed);
        (void)pthread_mutex_unlock(&crew->lock);
        return;
    }
}

static bool run_side_by_side(struct crew *crew, unsigned workers)
{
    pthread_t *threads = calloc(workers, sizeof(*threads));
    unsigned started = 0;
    if (!threads)
        return false;
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
    crew->in_memory = true;
    while (started < workers && pthread_create(&threads[started], NULL, work, crew) == 0)
        started++;
    if (started > 0)
        join_in_order(crew, 4 * started);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->lock);
    free(threads);
    crew->in_memory = started > 0;
    return started > 0;
}

static void run_one_by_one(struct crew *crew)
{
    bool common = crew->settings->stop_after_frames > 0;
    for (unsigned i = 0; i < crew->count; i++) {
        struct job *job = &crew->jobs[i];
        job->stream = strcmp(job->path, "-") == 0;
        if (common) /* the common run hands its records to the closing job, whose parts are this
                       job's now */
            job = crew->closing;
        if (common) {
            job->path = crew->jobs[i].path;
            job->paths = crew->jobs[i].paths;
            job->path_count = crew->jobs[i].path_count;
            job->index = i;
            job->run = crew->run;
        }
        run_job(job);
        if (!join_job(crew, job))
            return;
    }
}

/* What is left of jobs that were begun but never joined. */
static void release_jobs(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct job *job = &crew->jobs[i];
        if (job->run && job->run != crew->run)
            sw_run_free(job->run);
        for (unsigned o = 0; o < SW_OUTPUTS_MAX; o++)
            sw_writer_release(&job->memory[o]);
        free(job->parts);
    }
}

/* The closing part of every output, with the summary. */
static void finish(struct crew *crew)
{
    struct job *closing = crew->closing;
    closing->index = crew->count;
    closing->stream = false;
    if (!open_parts(closing, NULL)) {
        crew->trouble = true;
        return;
    }
    for (unsigned i = 0; i < crew->outputs->count; i++)
        closing->parts[i].shown_before = crew->outputs->list[i].shown;
    if (sw_run_finish(crew->run) == SW_RESULT_INCOMPLETE)
        crew->incomplete = true;
    close_parts(closing);
}

static void run_all(struct crew *crew)
{
    if (crew->workers <= 1 || !run_side_by_side(crew, crew->workers))
        run_one_by_one(crew);
    release_jobs(crew);
    bool usage = crew->count > 0 && crew->jobs[0].result == SW_RESULT_USAGE;
    if (!usage && crew->closing->result != SW_RESULT_USAGE)
        finish(crew);
}

static int exit_status(const struct crew *crew)
{
    if (crew->trouble)
        return SW_EXIT_TROUBLE;
    if (crew->matched)
        return SW_EXIT_MATCHED;
    return crew->incomplete ? SW_EXIT_INCOMPLETE : SW_EXIT_DONE;
}

static bool prepare(struct crew *crew)
{
    const struct sw_settings *settings = crew->settings;
    const char *const *words = (const char *const *)settings->words;
    crew->series = sw_series_find(words, settings->word_count, &crew->count);
    crew->jobs = calloc(crew->count + 1, sizeof(*crew->jobs));
    if (!crew->jobs || !crew->series) {
        (void)fputs("smtpwhy: out of memory\n", stderr);
        return false;
    }
    for (unsigned i = 0; i <= crew->count; i++)
        crew->jobs[i] = (struct job){.path = "", .index = i, .crew = crew};
    for (unsigned i = 0; i < crew->count; i++) {
        crew->jobs[i].path = crew->series[i].paths[0];
        crew->jobs[i].paths = crew->series[i].paths;
        crew->jobs[i].path_count = crew->series[i].count;
    }
    crew->workers = settings->jobs < crew->count ? settings->jobs : crew->count;
    if (settings->stop_after_frames > 0 || reads_input(settings)) /* and so that ^C is heard */
        crew->workers = 1;
    crew->closing = &crew->jobs[crew->count];
    char message[512] = "";
    crew->run = new_run(crew, crew->closing, message, sizeof(message));
    if (!crew->run)
        sw_complain("%s", message);
    return crew->run != NULL;
}

/* Who says how much memory there may be gets no pages that are larger than what is needed. */
static bool limits_memory(const struct sw_settings *settings)
{
    return settings->limits && strstr(settings->limits, "memory=");
}

int sw_analyse_into(const struct sw_settings *settings, struct sw_outputs *outputs,
                    const struct sw_tap *tap)
{
    struct crew crew = {.settings = settings, .outputs = outputs, .tap = tap};
    if (!limits_memory(settings))
        sw_heap_in_large_pages();
    sw_interrupt_begin(reads_input(settings));
    if (prepare(&crew)) {
        sw_progress_init(&crew.progress, settings->progress, crew.count);
        run_all(&crew);
        sw_progress_release(&crew.progress);
        sw_run_free(crew.run);
    } else {
        crew.trouble = true;
    }
    free(crew.jobs);
    sw_series_free(crew.series);
    sw_interrupt_end();
    return exit_status(&crew);
}

static void keep(void *ctx, const struct sw_record *record)
{
    sw_keeper_record(ctx, record);
}

int sw_analyse(const struct sw_settings *settings)
{
    struct sw_outputs outputs;
    if (!sw_outputs_open(&outputs, settings))
        return SW_EXIT_TROUBLE;
    struct sw_keeper keeper;
    bool good = sw_keeper_open(&keeper, settings);
    const struct sw_tap tap = {keep, &keeper};
    int status =
        good ? sw_analyse_into(settings, &outputs, settings->db || settings->store ? &tap : NULL)
             : SW_EXIT_TROUBLE;
    good = sw_keeper_close(&keeper) && good;
    if (status == SW_EXIT_DONE && keeper.waits)
        status = SW_EXIT_INCOMPLETE;
    return sw_outputs_close(&outputs) && good ? status : SW_EXIT_TROUBLE;
}
