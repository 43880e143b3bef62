/*
 * stranger.h - connections that the recogniser cannot name: when nDPI is asked, and what for.
 * Private to the pipeline room.
 *
 * The recogniser (session/content.c) decides first. nDPI is asked
 * - on a mail port, when a side speaks neither SMTP nor TLS nor anything else that is known: what
 *   the connection is then;
 * - on another port, when a dialogue could be mail and has only words that FTP has, too: whether it
 *   is.
 */
#ifndef SW_PIPELINE_STRANGER_H
#define SW_PIPELINE_STRANGER_H

#include "pipeline/mail.h"

struct sw_strangers {
    struct sw_ndpi *ndpi; /* made at the first need */
    bool none;            /* it could not be made */
    uint32_t open;        /* connections that are being looked at */
    uint32_t most;        /* of them; 0 = default */
    uint64_t refused;     /* times that was not enough */
};

/* Makes nDPI's tables now; else it is done at the first need. */
void sw_strangers_prepare(struct sw_strangers *strangers);
/* A chunk that the mail has taken. */
/* Has it not shown yet what it is? Only then is the next call of use. */
static inline bool sw_stranger_is_one(const struct sw_mail *mail)
{
    return !mail->not_named && !mail->session.named && !mail->tls && !mail->session.hellos &&
           !mail->session.messages;
}
void sw_stranger_chunk(struct sw_strangers *strangers, struct sw_mail *mail, bool mail_port,
                       const struct sw_chunk *chunk);
/* Before the mail is freed. */
void sw_stranger_end(struct sw_strangers *strangers, struct sw_mail *mail);
void sw_strangers_release(struct sw_strangers *strangers);

#endif
