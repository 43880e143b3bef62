/*
 * explanation_near.h - which ids are spelt most like a word that nobody knows.
 */
#ifndef SW_ANALYZER_EXPLANATION_NEAR_H
#define SW_ANALYZER_EXPLANATION_NEAR_H

#include "base/span.h"

/*
 * Fills nearest[0 .. most] with up to `most` ids of causes and findings, names of client codes, the
 * nearest first, and a NULL behind them. Distance is the number of letters to change (Levenshtein),
 * of the id or one of its words; an id that contains the word is near. What is far is left out.
 */
void sw_nearest_ids(struct sw_span word, const char **nearest, size_t most);

#endif
