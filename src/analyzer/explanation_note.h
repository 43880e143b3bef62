/*
 * explanation_note.h - what is to be said about single client codes beyond their row: facts that
 * clear up what circulates about them.
 */
#ifndef SW_ANALYZER_EXPLANATION_NOTE_H
#define SW_ANALYZER_EXPLANATION_NOTE_H

#include "analyzer/client_code.h"

struct sw_code_note {
    const char *code;    /* as in the table of client codes */
    const char *summary; /* or NULL: made of the row */
    const char *meaning;
    const char *advice[8];  /* ends with NULL when not full; empty: made of the causes */
    const char *references; /* separated by "; " */
};

/* The note on a code, or NULL. */
const struct sw_code_note *sw_code_note(const struct sw_client_code *row);

/* A name inside the words that stands for one cause where its row of the table covers many
 * ("SSL_ERROR_BAD_CERT_DOMAIN" under Thunderbird's security errors); NULL when there is none. */
const char *sw_code_single_name(struct sw_span words, enum sw_cause *cause);

#endif
