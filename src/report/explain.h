/*
 * explain.h - answers to "what does this mean?" and the lists of ids, as text or as JSON.
 *
 * Life of an explainer: new, answer ..., free.
 */
#ifndef SW_REPORT_EXPLAIN_H
#define SW_REPORT_EXPLAIN_H

#include "report/writer.h"

struct sw_explainer;

/* How answers are written. */
struct sw_explain_style {
    bool json;
    bool color;
    unsigned width;
};

/* NULL when memory is short. */
struct sw_explainer *sw_explainer_new(void);
/* Writes one answer. False when the query was not understood (the answer then names the nearest
 * ids). */
bool sw_explainer_answer(struct sw_explainer *explainer, struct sw_span query,
                         const struct sw_explain_style *style, struct sw_writer *out);
/* The same for text of several lines: one answer for what is one thing (a bounce, a dialogue, a
 * reply of several lines), and one for each other line. Answers how many were understood. */
unsigned sw_explainer_answer_text(struct sw_explainer *explainer, struct sw_span text,
                                  const struct sw_explain_style *style, struct sw_writer *out);
void sw_explainer_free(struct sw_explainer *explainer);

/* One line (or object) for each cause, each finding. */
void sw_explain_list_causes(const struct sw_explain_style *style, struct sw_writer *out);
void sw_explain_list_findings(const struct sw_explain_style *style, struct sw_writer *out);

#endif
