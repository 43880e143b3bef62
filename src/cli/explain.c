/*
 * explain.c - the subcommands that need no capture: explain, causes, findings.
 */
#include "cli/analyse.h"
#include "cli/outputs.h"
#include "report/explain.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PASTE_BYTES = 256 * 1024 };

/* Is more at hand? What is pasted into a terminal comes at once, what is typed does not. */
static bool more_waits(void)
{
    enum { PASTE_MS = 50 };
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return !isatty(STDIN_FILENO) || poll(&in, 1, PASTE_MS) > 0;
}

/*
 * Standard input is explained line by line, but for lines that belong together: all that is pasted
 * at once (or stands in a file) is looked at as a whole first. Answers how much was understood.
 */
static unsigned answer_lines(struct sw_explainer *explainer, const struct sw_explain_style *style,
                             struct sw_output *output)
{
    char *line = NULL;
    uint8_t *text = malloc(PASTE_BYTES);
    size_t room = 0, used = 0;
    ssize_t len;
    unsigned understood = 0;
    while (text && (len = getline(&line, &room, stdin)) >= 0 && output->writer.error == 0) {
        size_t n = (size_t)len < PASTE_BYTES ? (size_t)len : (size_t)PASTE_BYTES;
        if (used + n > PASTE_BYTES) { /* as a whole it is no one thing any more */
            understood += sw_explainer_answer_text(explainer, sw_span_make(text, used), style,
                                                   &output->writer);
            used = 0;
        }
        memcpy(text + used, line, n);
        used += n;
        if (more_waits())
            continue;
        understood +=
            sw_explainer_answer_text(explainer, sw_span_make(text, used), style, &output->writer);
        used = 0;
        (void)sw_writer_flush(&output->writer);
    }
    if (used > 0)
        understood +=
            sw_explainer_answer_text(explainer, sw_span_make(text, used), style, &output->writer);
    free(text);
    free(line);
    return understood;
}

static bool explain_all(const struct sw_settings *settings, struct sw_explain_style *style,
                        struct sw_output *output)
{
    struct sw_explainer *explainer = sw_explainer_new();
    unsigned understood = 0;
    if (!explainer) {
        (void)fputs("smtpwhy: out of memory\n", stderr);
        return false;
    }
    if (settings->word_count == 0) {
        style->json = true;
        if (isatty(STDIN_FILENO))
            (void)fputs("smtpwhy: explaining replies from standard input, one a line\n", stderr);
        understood = answer_lines(explainer, style, output);
    }
    for (unsigned i = 0; i < settings->word_count; i++) {
        struct sw_span query = sw_span_str(settings->words[i]);
        understood += sw_explainer_answer(explainer, query, style, &output->writer) ? 1 : 0;
    }
    if (settings->word_count > 1 && understood < settings->word_count)
        (void)fputs("smtpwhy: each argument was explained by itself; put a reply or a sentence of "
                    "several words in quotation marks\n",
                    stderr);
    sw_explainer_free(explainer);
    return understood > 0;
}

int sw_explain_command(const struct sw_settings *settings)
{
    enum { UNWRAPPED = 10000 };
    struct sw_outputs outputs;
    bool good = true;
    if (settings->output_count > 1 ||
        (settings->command != SW_COMMAND_EXPLAIN && settings->word_count > 0)) {
        (void)fprintf(stderr, "smtpwhy: %s takes %s\n", sw_command_at(settings->command)->name,
                      settings->output_count > 1 ? "one -o only" : "no arguments");
        return SW_EXIT_TROUBLE;
    }
    if (!sw_outputs_open(&outputs, settings))
        return SW_EXIT_TROUBLE;
    struct sw_output *output = &outputs.list[0];
    struct sw_explain_style style = {.json = strcmp(output->format->name, "json") == 0,
                                     .color = output->style.color,
                                     .width = output->style.width};
    if (settings->command != SW_COMMAND_EXPLAIN && !isatty(STDOUT_FILENO))
        style.width = UNWRAPPED; /* one line for each id, to be searched and counted */
    if (settings->command == SW_COMMAND_CAUSES)
        sw_explain_list_causes(&style, &output->writer);
    else if (settings->command == SW_COMMAND_FINDINGS)
        sw_explain_list_findings(&style, &output->writer);
    else
        good = explain_all(settings, &style, output);
    if (!sw_outputs_close(&outputs))
        good = false;
    return good ? SW_EXIT_DONE : SW_EXIT_TROUBLE;
}
