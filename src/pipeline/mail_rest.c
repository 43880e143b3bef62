/*
 * mail_rest.c - a mail whose connection waits among many others: its place, with the first memory
 * of its arena, is squeezed and left to others until it is needed again.
 */
#include "base/account.h"
#include "base/squeeze.h"
#include "base/wipe.h"
#include "pipeline/mail.h"

#include <assert.h>
#include <stdlib.h>

struct sw_mail_rest {
    enum sw_watch watch;
    bool confirmed;
    uint32_t bytes_used; /* of the place */
    uint32_t length;     /* of what they were squeezed to */
    size_t *account;
    struct sw_slot *slot;
    uint8_t bytes[];
};

struct sw_mail_rest *sw_mail_rest(struct sw_mail *mail)
{
    struct sw_slot *slot = mail->slot;
    if (!slot)
        return NULL;
    uint8_t squeezed[SW_SQUEEZE_ROOM(SW_MAIL_SLOT_BYTES)];
    size_t used = SW_MAIL_LENT_AT + (sw_arena_lent_bytes(&mail->session.arena) + 7) / 8 * 8;
    assert(used <= SW_MAIL_SLOT_BYTES);
    size_t length = sw_squeeze(mail, used, squeezed);
    struct sw_mail_rest *rest = malloc(sizeof(*rest) + length);
    if (rest) {
        *rest = (struct sw_mail_rest){
            .watch = SW_WATCH_RESTING,
            .confirmed = sw_mail_is_confirmed(mail),
            .bytes_used = (uint32_t)used,
            .length = (uint32_t)length,
            .account = mail->account,
            .slot = slot,
        };
        memcpy(rest->bytes, squeezed, length);
        sw_account_take(rest->account, sizeof(*rest) + length);
        sw_wipe(mail, used); /* it may hold a password */
        sw_slot_leave(slot);
    }
    sw_wipe(squeezed, length);
    return rest;
}

struct sw_flow *sw_mail_rest_in_the_way(const struct sw_mail_rest *rest)
{
    return sw_slot_user(rest->slot);
}

struct sw_mail *sw_mail_wake(struct sw_mail_rest *rest, struct sw_flow *flow)
{
    struct sw_mail *mail = sw_slot_memory(rest->slot);
    sw_slot_return(rest->slot, flow);
    (void)sw_unsqueeze(rest->bytes, mail, rest->bytes_used);
    sw_account_give(rest->account, sizeof(*rest) + rest->length);
    sw_wipe_free(rest, sizeof(*rest) + rest->length);
    return mail;
}

bool sw_mail_rest_is_confirmed(const struct sw_mail_rest *rest)
{
    return rest->confirmed;
}
