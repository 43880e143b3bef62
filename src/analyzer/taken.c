#include "analyzer/taken.h"

#include <stdlib.h>

static int compare_names(struct sw_span a, struct sw_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        int difference = sw_ascii_lower(a.ptr[i]) - sw_ascii_lower(b.ptr[i]);
        if (difference != 0)
            return difference;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct sw_taken_name *x = a;
    const struct sw_taken_name *y = b;
    int order = compare_names(x->name, y->name);
    if (order != 0)
        return order;
    return x->number < y->number ? -1 : x->number > y->number;
}

bool sw_was_taken(const struct sw_message *m, const struct sw_recipient *r)
{
    if (m->final && (m->final->flags & SMTP_FLAG_RECIPIENT))
        return sw_reply_is(r->final, 2);
    bool refused = sw_reply_is(r->reply, 4) || sw_reply_is(r->reply, 5);
    return sw_reply_is(m->final, 2) && !refused;
}

/* Was each mail taken, and each of its recipients? */
static bool is_all_taken(const struct sw_session *session)
{
    const struct sw_message *m;
    SW_EACH(m, session->messages) {
        if (!sw_reply_is(m->final, 2))
            return false;
        const struct sw_recipient *r;
        SW_EACH(r, m->recipients) {
            if (!sw_was_taken(m, r))
                return false;
        }
    }
    return true;
}

static struct sw_taken_name *room_for(struct sw_arena *arena, uint32_t count)
{
    return count ? sw_arena_alloc(arena, count * sizeof(struct sw_taken_name)) : NULL;
}

void sw_taken_fill(struct sw_taken *taken, const struct sw_session *session, struct sw_arena *arena)
{
    *taken = (struct sw_taken){.recipients = NULL};
    if (is_all_taken(session))
        return;
    *taken = (struct sw_taken){.recipients = room_for(arena, session->recipient_count),
                               .senders = room_for(arena, session->message_count)};
    const struct sw_message *m;
    SW_EACH(m, session->messages) {
        if (taken->senders && taken->sender_count < session->message_count &&
            sw_reply_is(m->final, 2))
            taken->senders[taken->sender_count++] = (struct sw_taken_name){m->sender, m->index};
        const struct sw_recipient *r;
        SW_EACH(r, m->recipients) {
            if (taken->recipients && taken->recipient_count < session->recipient_count &&
                sw_was_taken(m, r))
                taken->recipients[taken->recipient_count++] =
                    (struct sw_taken_name){r->address, r->number};
        }
    }
    if (taken->recipient_count > 1)
        qsort(taken->recipients, taken->recipient_count, sizeof(*taken->recipients), by_name);
    if (taken->sender_count > 1)
        qsort(taken->senders, taken->sender_count, sizeof(*taken->senders), by_name);
}

/* The first entry that comes after (name, number) has the same name. */
static bool is_later(const struct sw_taken_name *names, uint32_t count, struct sw_span name,
                     uint32_t number)
{
    const struct sw_taken_name wanted = {name, number};
    uint32_t from = 0;
    uint32_t to = count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (by_name(&names[middle], &wanted) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < count && compare_names(names[from].name, name) == 0;
}

bool sw_taken_recipient_later(const struct sw_taken *taken, const struct sw_recipient *r)
{
    return is_later(taken->recipients, taken->recipient_count, r->address, r->number);
}

bool sw_taken_sender_later(const struct sw_taken *taken, const struct sw_message *m)
{
    return is_later(taken->senders, taken->sender_count, m->sender, m->index);
}
