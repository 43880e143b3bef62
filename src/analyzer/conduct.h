/*
 * conduct.h - how each client of a capture behaved over all its sessions, as far as a finding needs
 * it: failed logins, unknown recipients, servers it turned to, what it was offered before.
 *
 * Sessions are added in the order in which they become final; the clock is packet time. Bounded:
 * clients share a fixed number of places (the newer one has it), and of each client the newest
 * things are kept. Nothing depends on a random hash. Life: new, add ..., free.
 */
#ifndef SW_ANALYZER_CONDUCT_H
#define SW_ANALYZER_CONDUCT_H

#include "session/session.h"

struct sw_case;
struct sw_conduct;

/* What this session adds up to, together with earlier ones. Frame 0 = nothing; else a frame of this
 * session. */
struct sw_conduct_signs {
    struct sw_mark guessing;      /* the failed login with which it became password guessing */
    struct sw_mark guessed;       /* a login that was accepted after it */
    struct sw_mark enumerating;   /* the refusal with which it became a search for mailboxes */
    struct sw_mark many_servers;  /* one more mail server of a host that should use one */
    struct sw_mark bounces;       /* one more recipient of a flood of bounces */
    struct sw_mark fell_back;     /* went on in clear text after TLS had failed */
    struct sw_mark offer_changed; /* the same server offered STARTTLS before and not now, or the
                                     other way round */
    struct sw_mark duplicate;     /* a message that the same recipient had got before */
};

/* NULL when memory is short. */
struct sw_conduct *sw_conduct_new(uint32_t clients, size_t *account);
void sw_conduct_free(struct sw_conduct *conduct);

/* Has fetched what is known of both ends of a session that is added soon. */
void sw_conduct_fetch(const struct sw_conduct *conduct, const struct sw_session *session);
/* Adds one final session (its messages are judged already) and says what it adds up to. */
void sw_conduct_add(struct sw_conduct *conduct, const struct sw_case *c,
                    struct sw_conduct_signs *signs);

#endif
