/*
 * explain.c - the subcommands that need no capture: explain, causes, findings.
 */
#include "cli/analyse.h"
#include "cli/outputs.h"
#include "report/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Each line of standard input is a reply; answers how many were understood. */
static unsigned answer_lines(struct sw_explainer *explainer, const struct sw_explain_style *style,
                             struct sw_output *output)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    unsigned understood = 0;
    while ((len = getline(&line, &room, stdin)) >= 0 && output->writer.error == 0) {
        struct sw_span query = sw_span_trim(sw_span_make(line, (size_t)len));
        if (query.len == 0)
            continue;
        understood += sw_explainer_answer(explainer, query, style, &output->writer) ? 1 : 0;
        if (isatty(STDIN_FILENO))
            (void)sw_writer_flush(&output->writer);
    }
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
