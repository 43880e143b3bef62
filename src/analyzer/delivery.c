#include "analyzer/ledger.h"

#include <stdlib.h>

static bool was_accepted(const struct sw_attempt *a)
{
    return a->outcome == SW_OUTCOME_DELIVERED || a->outcome == SW_OUTCOME_PARTIAL;
}

/* The try that the record is about: the one that was accepted, else the last one. */
static const struct sw_attempt *deciding(const struct sw_story *story)
{
    const struct sw_attempt *a;
    const struct sw_attempt *accepted = NULL;
    SW_EACH(a, story->attempts) {
        if (was_accepted(a) && !a->same_as && !(accepted && accepted->late))
            accepted = a;
    }
    return accepted ? accepted : story->last;
}

/* Over all tries: who has the mail, and who has not. */
static enum sw_outcome outcome_of(const struct sw_story *story)
{
    bool taken = false;
    bool missing = false;
    const struct sw_attempt *a;
    const struct sw_attempt *all = story->envelope;
    for (uint32_t i = 0; all && i < all->to_count; i++) {
        taken = taken || all->to[i].state == SW_ADDRESSEE_TAKEN;
        missing = missing || all->to[i].state != SW_ADDRESSEE_TAKEN;
    }
    bool no_recipient = !all || all->to_count == 0;
    SW_EACH(a, story->attempts) {
        if (a->outcome == SW_OUTCOME_DELIVERED && no_recipient)
            taken = true;
    }
    if (all && all->to_more > 0) /* those are not told apart: the last try speaks for them */
        missing = missing || story->last->outcome != SW_OUTCOME_DELIVERED;
    if (taken)
        return missing ? SW_OUTCOME_PARTIAL : SW_OUTCOME_DELIVERED;
    return story->last->outcome;
}

static bool failed(const struct sw_attempt *a)
{
    return a->outcome != SW_OUTCOME_DELIVERED;
}

static enum sw_cause cause_of(const struct sw_story *story)
{
    enum sw_cause cause = SW_CAUSE_NONE;
    const struct sw_attempt *a;
    SW_EACH(a, story->attempts) {
        if (failed(a) && !a->same_as)
            cause = a->cause;
    }
    return cause;
}

static int by_start(const void *a, const void *b)
{
    const struct sw_delivery_attempt *x = a;
    const struct sw_delivery_attempt *y = b;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* A session is settled when the last of its tries that was stuck is part of a better story. */
static bool settles(const struct sw_attempt *a, enum sw_outcome outcome)
{
    if (a->outcome != SW_OUTCOME_STUCK || outcome == SW_OUTCOME_STUCK)
        return false;
    return --a->tried->unsettled == 0 && a->tried->outcome == SW_OUTCOME_STUCK;
}

/* Room for so many attempts of a story. What few need is kept for the next story. */
static bool make_room(struct sw_ledger *ledger, uint32_t attempts)
{
    enum { FEW = 16 };
    uint32_t room = attempts < FEW ? FEW : attempts;
    if (ledger->attempt_room == room)
        return true;
    struct sw_delivery_attempt *list = realloc(ledger->delivery.attempts, room * sizeof(*list));
    if (!list)
        return false;
    ledger->delivery.attempts = list;
    ledger->attempt_room = room;
    return true;
}

static void fill_attempts(struct sw_delivery *d, const struct sw_story *story)
{
    const struct sw_attempt *a;
    struct sw_delivery_attempt *list = d->attempts;
    d->attempt_count = 0;
    SW_EACH(a, story->attempts) {
        struct sw_delivery_attempt *to = &list[d->attempt_count++];
        *to = (struct sw_delivery_attempt){
            .number = a->tried->number,
            .tuple = a->tried->tuple,
            .has_server = a->tried->has_server,
            .start_ns = a->tried->start_ns,
            .outcome = a->tried->outcome,
            .cause = a->tried->cause,
            .same_as = a->same_as,
            .settled = settles(a, d->outcome),
        };
        memcpy(to->id, a->tried->id, sizeof(to->id));
    }
    /* They stand in the order of their mails; connections may have begun in another. */
    if (d->attempt_count > 1)
        qsort(list, d->attempt_count, sizeof(*list), by_start);
}

static void fill_ends(struct sw_delivery *d, const struct sw_story *story)
{
    const struct sw_attempt *first = story->attempts;
    const struct sw_attempt *decider = deciding(story);
    const struct sw_tried *tried = decider->tried;
    const struct sw_attempt *a;
    uint64_t id = sw_hash_number(sw_hash_on(4, sw_span_str(first->tried->id)), first->index);
    for (size_t i = 0; i < 2 * sizeof(id); i++)
        d->id[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
    d->id[2 * sizeof(id)] = '\0';
    d->tuple = tried->tuple;
    d->has_server = tried->has_server;
    d->server_name = sw_tried_server_name(tried);
    d->server_name_source = tried->server_name_source;
    d->proxied_for = sw_tried_proxied_for(tried);
    d->time_digits = tried->time_digits;
    d->first_attempt_ns = first->tried->start_ns;
    d->delivered_ns = d->outcome == SW_OUTCOME_DELIVERED ? decider->decided_ns : SW_TIME_NONE;
    d->recovered_by = NULL;
    for (a = story->attempts; a != decider && was_accepted(decider); a = a->next) {
        if (failed(a))
            d->recovered_by = tried->id;
    }
}

static void fill_envelope(struct sw_ledger *ledger, const struct sw_story *story)
{
    struct sw_delivery *d = &ledger->delivery;
    const struct sw_attempt *envelope = story->envelope;
    d->has_sender = envelope != NULL;
    d->sender = envelope ? sw_attempt_sender(envelope) : (struct sw_span){NULL, 0};
    d->recipients = ledger->recipients;
    d->recipient_count = envelope ? sw_attempt_addresses(envelope, ledger->recipients) : 0;
}

bool sw_delivery_tell(struct sw_ledger *ledger, const struct sw_story *story)
{
    struct sw_delivery *d = &ledger->delivery;
    if (!make_room(ledger, story->attempt_count))
        return false;
    d->outcome = outcome_of(story);
    d->cause = cause_of(story);
    d->confidence = story->confidence;
    fill_attempts(d, story);
    fill_ends(d, story);
    fill_envelope(ledger, story);
    d->summary[0] = '\0';
    if (d->attempt_count > 1)
        sw_delivery_phrase(d, story);
    return true;
}
