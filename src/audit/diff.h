/*
 * diff.h - what became of each server between two times: what fails now, what works again, which
 * certificate is another one, what is no longer offered.
 *
 * Facts of the time before and of the time after go in, in any order; changes come out in a fixed
 * one. A server that was seen at one of the times only has changed nothing but, perhaps, to fail;
 * where nothing at all was seen before, nothing has changed.
 *
 * Life: new, add ..., finish, read, free.
 */
#ifndef SW_AUDIT_DIFF_H
#define SW_AUDIT_DIFF_H

#include "audit/audit.h"

enum sw_change_kind {
    SW_CHANGE_FAILS, /* mail was refused or stuck in every session that tried; before it was not */
    SW_CHANGE_WORKS, /* the other way round */
    SW_CHANGE_CERTIFICATE, /* another certificate is shown */
    SW_CHANGE_LOST,        /* an EHLO keyword that was offered in every answer is offered in none */
    SW_CHANGE_GAINED,      /* the other way round */
    SW_CHANGE_TLS_LOWER,   /* the highest version of TLS that was agreed on fell */
    SW_CHANGE_CLEAR_LOGIN, /* passwords are sent without encryption, which they were not */
    SW_CHANGES,
};

/* "fails", "works", "certificate", ... */
const char *sw_change_name(enum sw_change_kind kind);
/* Is it for the worse? */
bool sw_change_is_worse(enum sw_change_kind kind);

struct sw_change {
    enum sw_change_kind kind;
    struct sw_subject server;
    struct sw_span what, before; /* the keyword; the certificates; versions; what the cause is */
    struct sw_example example;   /* of the time after */
};

struct sw_diff;

/* NULL without memory. */
struct sw_diff *sw_diff_new(void);
void sw_diff_add(struct sw_diff *diff, const struct sw_fact *fact, bool after);
/* Adds to `into` what `from` was given of other sessions; neither is finished. False without
 * memory. */
bool sw_diff_merge(struct sw_diff *into, const struct sw_diff *from);
/* Compares; no more facts after it. False without memory. */
bool sw_diff_finish(struct sw_diff *diff);
/* Changes, those for the worse first. NULL behind the last. */
const struct sw_change *sw_diff_change(const struct sw_diff *diff, size_t index);
/* Sessions of the time before and after. */
uint64_t sw_diff_sessions(const struct sw_diff *diff, bool after);
void sw_diff_free(struct sw_diff *diff);

#endif
