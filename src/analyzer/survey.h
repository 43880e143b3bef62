/*
 * survey.h - what there is in a session, noted in one walk over its dialogue, so that who looks for
 * what few sessions have need not walk as well; private to the analyzer.
 */
#ifndef SW_ANALYZER_SURVEY_H
#define SW_ANALYZER_SURVEY_H

#include "session/session.h"

enum sw_has {
    SW_HAS_GREETING = 1 << 0,
    SW_HAS_CLEAR_HELLO = 1 << 1, /* an EHLO outside of TLS, taken */
    SW_HAS_HELLO = 1 << 2,
    SW_HAS_LOGIN = 1 << 3,
    SW_HAS_LOGIN_OFFER = 1 << 4,
    SW_HAS_MAIL = 1 << 5,
    SW_HAS_ODDITY = 1 << 6,
    SW_HAS_CONFLICT = 1 << 7, /* two copies of the same bytes that differ */
    SW_HAS_PROBE = 1 << 8,    /* VRFY, EXPN, HELP, or a command for debugging or trusted hosts */
    SW_HAS_SHAPE = 1 << 9,    /* bytes or lengths that an attack may have, and addresses have not */
    SW_HAS_FIELD = 1 << 10, /* what may be a field in an address, or one that stands there twice */
    SW_HAS_BLIND = 1 << 11, /* a Bcc field */
    SW_HAS_TLS = 1 << 12,
    SW_HAS_NAMING = 1 << 13, /* the client had looked the server up */
    SW_HAS_SIGN = 1 << 14,   /* what the client did adds up to something (conduct.h) */
};

/* What nearly every session has. */
enum { SW_HAS_USUAL = SW_HAS_GREETING | SW_HAS_CLEAR_HELLO | SW_HAS_HELLO | SW_HAS_MAIL };

enum { SW_LONGEST_NAME = 512 }; /* that a host introduces itself with */

struct sw_survey {
    unsigned has;                          /* enum sw_has */
    bool refused;                          /* a reply of the server is negative */
    bool unanswered;                       /* a command other than QUIT has no reply, or got it */
                                           /* behind the goodbye */
    const struct sw_step *first_mail;      /* the first MAIL, or NULL */
    const struct sw_step *overtaking;      /* the first line of the client that came before the */
                                           /* reply to a command that stands last in its group */
    const struct sw_hello *clear_hello;    /* the last of these, or NULL */
    const struct sw_capability *clear_tls; /* the STARTTLS that it offers, or NULL */
};

void sw_survey_make(struct sw_survey *survey, const struct sw_session *session);

/*
 * Was this step encrypted on the wire? Inside TLS, or in a capture that was decrypted in place,
 * where clear text goes on after an accepted STARTTLS.
 */
static inline bool sw_step_protected(const struct sw_session *s, const struct sw_step *step)
{
    bool in_place = s->tls == SW_TLS_CLEAR && s->starttls && s->starttls->reply;
    return step->encrypted || (in_place && step->first.frame > s->starttls->reply->first.frame);
}

#endif
