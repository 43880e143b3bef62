#include "analyzer/known.h"

#include <stdlib.h>

static int by_frame(const void *a, const void *b)
{
    const struct sw_known_login *x = a;
    const struct sw_known_login *y = b;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static void fill_logins(struct sw_known *known, const struct sw_session *session,
                        struct sw_arena *arena)
{
    uint32_t count = 0;
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths)
        count += auth->reply != NULL;
    known->logins = count ? sw_arena_alloc(arena, count * sizeof(*known->logins)) : NULL;
    if (!known->logins)
        return;
    SW_EACH(auth, session->auths) {
        if (auth->reply)
            known->logins[known->login_count++] =
                (struct sw_known_login){auth->reply->first.frame, auth, 0, 0};
    }
    qsort(known->logins, count, sizeof(*known->logins), by_frame);
    uint32_t accepted = 0;
    uint32_t rejected = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sw_known_login *login = &known->logins[i];
        login->accepted = accepted += login->auth->result == SW_AUTH_ACCEPTED;
        login->rejected = rejected += login->auth->result == SW_AUTH_REJECTED;
    }
}

static void fill_hellos(struct sw_known *known, const struct sw_session *session,
                        struct sw_arena *arena)
{
    uint32_t count = 0;
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos)
        count++;
    known->hellos = count ? sw_arena_alloc(arena, count * sizeof(*known->hellos)) : NULL;
    if (!known->hellos)
        return;
    struct sw_known_hello last = {0, false, false};
    SW_EACH(hello, session->hellos) {
        uint64_t frame = hello->command->first.frame;
        last.frame = frame > last.frame ? frame : last.frame;
        last.starttls = last.starttls || sw_capability_find(hello, "STARTTLS") != NULL;
        last.auth = sw_capability_find(hello, "AUTH") || sw_capability_find(hello, "AUTH=");
        known->hellos[known->hello_count++] = last;
    }
}

void sw_known_fill(struct sw_known *known, const struct sw_session *session, struct sw_arena *arena)
{
    *known = (struct sw_known){.logins = NULL};
    fill_logins(known, session, arena);
    fill_hellos(known, session, arena);
    const struct sw_message *m;
    SW_EACH(m, session->messages) {
        uint64_t frame = sw_reply_is(m->final, 2) ? m->final->first.frame : 0;
        if (frame && (!known->first_taken || frame < known->first_taken))
            known->first_taken = frame;
    }
}

const struct sw_known_hello *sw_known_hello_at(const struct sw_known *known, uint64_t frame)
{
    uint32_t from = 0;
    uint32_t to = known->hello_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (known->hellos[middle].frame <= frame)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 ? &known->hellos[from - 1] : NULL;
}

/* How many logins were decided up to the frame. */
static uint32_t logins_up_to(const struct sw_known *known, uint64_t frame)
{
    uint32_t from = 0;
    uint32_t to = known->login_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (known->logins[middle].frame <= frame)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct sw_auth *sw_known_login_of(const struct sw_known *known, const struct sw_step *reply)
{
    uint64_t frame = reply->first.frame;
    for (uint32_t i = logins_up_to(known, frame); i > 0 && known->logins[i - 1].frame == frame;
         i--) {
        if (known->logins[i - 1].auth->reply == reply)
            return known->logins[i - 1].auth;
    }
    return NULL;
}

void sw_known_logins_at(const struct sw_known *known, const struct sw_step *reply,
                        uint32_t *accepted, uint32_t *rejected)
{
    uint32_t count = logins_up_to(known, reply->first.frame);
    const struct sw_auth *own = sw_known_login_of(known, reply);
    *accepted = count ? known->logins[count - 1].accepted : 0;
    *rejected = count ? known->logins[count - 1].rejected : 0;
    *accepted -= own && own->result == SW_AUTH_ACCEPTED;
    *rejected -= own && own->result == SW_AUTH_REJECTED;
}
