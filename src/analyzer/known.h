/*
 * known.h - what was known when a reply came: what had been offered, which logins had been tried.
 * Private to the analyzer.
 *
 * A session may hold thousands of logins and refusals; each refusal is read in the light of all
 * logins before it, at the cost of the logarithm of their number.
 */
#ifndef SW_ANALYZER_KNOWN_H
#define SW_ANALYZER_KNOWN_H

#include "session/session.h"

/* A login that was answered, and all answered up to that frame. */
struct sw_known_login {
    uint64_t frame;
    const struct sw_auth *auth;
    uint32_t accepted, rejected; /* with this one */
};

/* An EHLO, and what had been offered by then. */
struct sw_known_hello {
    uint64_t frame; /* the highest of all up to it */
    bool starttls, auth;
};

/* Lives in the session's arena; without memory nothing is known. */
struct sw_known {
    struct sw_known_login *logins; /* by frame */
    struct sw_known_hello *hellos;
    uint32_t login_count, hello_count;
    uint64_t first_taken; /* frame in which a mail was accepted; 0 = none was */
};

void sw_known_fill(struct sw_known *known, const struct sw_session *session,
                   struct sw_arena *arena);
/* The last EHLO up to that frame, or NULL. */
const struct sw_known_hello *sw_known_hello_at(const struct sw_known *known, uint64_t frame);
/* Logins other than the one that `reply` decides, decided up to the reply's frame. */
void sw_known_logins_at(const struct sw_known *known, const struct sw_step *reply,
                        uint32_t *accepted, uint32_t *rejected);
/* The login that the reply decides, or NULL. */
const struct sw_auth *sw_known_login_of(const struct sw_known *known, const struct sw_step *reply);

#endif
