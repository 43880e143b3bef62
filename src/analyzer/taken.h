/*
 * taken.h - who got mail in a session, to be looked up by name: was what failed here taken later?
 * Private to the analyzer.
 *
 * A session may hold thousands of mails and recipients; a look-up costs the logarithm of that, and
 * no choice of names can make it more.
 */
#ifndef SW_ANALYZER_TAKEN_H
#define SW_ANALYZER_TAKEN_H

#include "session/session.h"

/* A name, and the number of the recipient or mail of that name. */
struct sw_taken_name {
    struct sw_span name;
    uint32_t number;
};

/* Sorted by name without case, then by number; lives in the session's arena. */
struct sw_taken {
    struct sw_taken_name *recipients, *senders;
    uint32_t recipient_count, sender_count;
};

/* Was this recipient taken, be it in its mail or by a reply of its own? */
bool sw_was_taken(const struct sw_message *m, const struct sw_recipient *r);
/*
 * Of a session in which all was taken it stays empty, as nobody asks what was taken later. Without
 * memory it is empty as well: then nothing was.
 */
void sw_taken_fill(struct sw_taken *taken, const struct sw_session *session,
                   struct sw_arena *arena);
/* Was the same address taken after this recipient? */
bool sw_taken_recipient_later(const struct sw_taken *taken, const struct sw_recipient *r);
/* Was a mail of the same sender taken after this one? */
bool sw_taken_sender_later(const struct sw_taken *taken, const struct sw_message *m);

#endif
