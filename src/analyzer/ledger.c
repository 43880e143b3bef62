#include "analyzer/ledger.h"

#include "base/fetch.h"
#include "base/limit.h"
#include "base/sort.h"

#include <assert.h>
#include <stdlib.h>

enum { TEXT_FETCHED = 64 }; /* recipient and sender stand behind a try */

#define DEFAULT_HOLD_NS (960 * SW_NS_PER_S)

/* How long each kind of story waits, see delivery.h. */
static const int64_t waits_ns[SW_WAIT_COUNT] = {
    [SW_WAIT_OVER] = 10 * SW_NS_PER_S,
    [SW_WAIT_SOON] = 60 * SW_NS_PER_S,
    [SW_WAIT_PLACE] = 2 * 3600 * SW_NS_PER_S,
    [SW_WAIT_MAIL] = 5 * 24 * 3600 * SW_NS_PER_S,
};

/* Memory taken, or given back. */
static void count_bytes(struct sw_ledger *ledger, size_t taken, size_t given)
{
    assert(ledger->bytes + taken >= given && *ledger->account + taken >= given);
    ledger->bytes = ledger->bytes + taken - given;
    *ledger->account = *ledger->account + taken - given;
}

struct sw_ledger *sw_ledger_new(const struct sw_ledger_limits *limits, size_t *account)
{
    struct sw_ledger *ledger = calloc(1, sizeof(*ledger));
    if (!ledger)
        return NULL;
    if (limits)
        ledger->limits = *limits;
    if (ledger->limits.tries == 0)
        ledger->limits.tries = (uint32_t)sw_limit_default(SW_LIMIT_HELD_ATTEMPTS);
    if (ledger->limits.stories == 0)
        ledger->limits.stories = (uint32_t)sw_limit_default(SW_LIMIT_STORIES);
    if (ledger->limits.bytes == 0)
        ledger->limits.bytes = sw_limit_default(SW_LIMIT_STORY_BYTES);
    ledger->account = account;
    if (ledger->limits.hold_ns == 0)
        ledger->limits.hold_ns = DEFAULT_HOLD_NS;
    ledger->key = sw_hash_random_key();
    ledger->story_places.thing_bytes = sizeof(struct sw_story);
    if (!sw_index_open(ledger, ledger->limits.stories)) {
        free(ledger);
        return NULL;
    }
    return ledger;
}

/* --- stories --- */

static void list_add(struct sw_story_list *list, struct sw_story *story)
{
    story->previous = list->last;
    story->next = NULL;
    if (list->last)
        list->last->next = story;
    else
        list->first = story;
    list->last = story;
}

static void list_take(struct sw_story_list *list, struct sw_story *story)
{
    if (story->previous)
        story->previous->next = story->next;
    else
        list->first = story->next;
    if (story->next)
        story->next->previous = story->previous;
    else
        list->last = story->previous;
    story->previous = story->next = NULL;
}

/*
 * What is counted is the memory of all places, but for that of stories that are final: those are on
 * the way out.
 */
static struct sw_story *take_place(struct sw_ledger *ledger)
{
    struct sw_numbered *places = &ledger->story_places;
    size_t before = places->memory_bytes;
    uint32_t number = sw_numbered_take(places);
    if (!number)
        return NULL;
    count_bytes(ledger, places->memory_bytes - before, 0);
    struct sw_story *story = sw_numbered_at(places, number, sizeof(*story));
    memset(story, 0, offsetof(struct sw_story, links)); /* those are counted */
    story->number = number;
    return story;
}

static void give_place(struct sw_ledger *ledger, struct sw_story *story)
{
    struct sw_numbered *places = &ledger->story_places;
    size_t before = places->memory_bytes;
    sw_numbered_give(places, story->number);
    count_bytes(ledger, sizeof(*story), before - places->memory_bytes);
}

static void free_story(struct sw_ledger *ledger, struct sw_story *story)
{
    while (story->attempts) {
        struct sw_attempt *next = story->attempts->next;
        sw_attempt_free(&ledger->blocks, story->attempts);
        story->attempts = next;
    }
    give_place(ledger, story);
}

/* Those that are final next, in steps: each looks at what the step before has fetched. */
static void look_ahead(const struct sw_story *story)
{
    enum { SEEN_FIRST = 4 * SW_CACHE_LINE };
    if (!story)
        return;
    sw_fetch(story->attempts->tried, sizeof(struct sw_tried));
    if (story->next)
        sw_fetch(story->next->attempts, sizeof(struct sw_attempt));
    if (story->next && story->next->next)
        sw_fetch(story->next->next, SEEN_FIRST);
}

static void become_final(struct sw_ledger *ledger, struct sw_story *story)
{
    list_take(&ledger->waiting[story->wait], story);
    sw_story_unlink(ledger, story);
    list_add(&ledger->final, story);
    look_ahead(ledger->waiting[story->wait].first);
    ledger->stories--;
    count_bytes(ledger, 0, sizeof(*story) + story->bytes);
}

/* The one that has waited longest; those that wait for little go first. True when it is early. */
static bool shed_one(struct sw_ledger *ledger)
{
    struct sw_story *oldest = NULL;
    for (int i = 0; i < SW_WAIT_COUNT; i++) {
        struct sw_story *first = ledger->waiting[i].first;
        if (i == SW_WAIT_PLACE && oldest)
            break;
        if (first && (!oldest || (i > SW_WAIT_SOON && first->touched_ns < oldest->touched_ns)))
            oldest = first;
    }
    if (!oldest)
        return false;
    bool early = oldest->wait > SW_WAIT_SOON;
    become_final(ledger, oldest);
    return early;
}

struct sw_story *sw_story_new(struct sw_ledger *ledger)
{
    if (ledger->stories >= ledger->limits.stories)
        ledger->shed += shed_one(ledger);
    struct sw_story *story = take_place(ledger);
    if (!story)
        return NULL;
    story->serial = ledger->next_serial++;
    story->wait = SW_WAIT_COUNT;
    story->confidence = SW_CONFIDENCE_CERTAIN;
    ledger->stories++;
    return story;
}

void sw_story_wait(struct sw_ledger *ledger, struct sw_story *story, enum sw_wait wait)
{
    if (story->wait != SW_WAIT_COUNT)
        list_take(&ledger->waiting[story->wait], story);
    story->wait = wait;
    story->touched_ns = ledger->clock_ns;
    list_add(&ledger->waiting[wait], story);
}

void sw_story_drop(struct sw_ledger *ledger, struct sw_story *story)
{
    if (story->wait != SW_WAIT_COUNT)
        list_take(&ledger->waiting[story->wait], story);
    sw_story_unlink(ledger, story);
    ledger->stories--;
    count_bytes(ledger, 0, sizeof(*story) + story->bytes);
    free_story(ledger, story);
}

static void let_go(struct sw_ledger *ledger)
{
    for (int i = 0; i < SW_WAIT_COUNT; i++) {
        struct sw_story *first;
        while ((first = ledger->waiting[i].first) &&
               sw_time_between(first->touched_ns, ledger->clock_ns) > waits_ns[i])
            become_final(ledger, first);
    }
}

/* --- tries that are held --- */

static void clock_to(struct sw_ledger *ledger, int64_t time_ns)
{
    if (ledger->has_clock && time_ns <= ledger->clock_ns)
        return;
    ledger->clock_ns = time_ns;
    ledger->has_clock = true;
    let_go(ledger);
}

/* What is read next has lain in memory for minutes. It is fetched in steps: each looks at what the
 * step before has fetched. */
static void look_ahead_in_tries(struct sw_ledger *ledger)
{
    enum { NEAR = 1, FAR = 3 };
    const struct sw_held_try *far = sw_held_ahead(&ledger->held, FAR);
    const struct sw_held_try *near = sw_held_ahead(&ledger->held, NEAR);
    const struct sw_held_try *next = sw_held_first(&ledger->held);
    if (far)
        sw_fetch(far->attempt, sizeof(*far->attempt) + TEXT_FETCHED);
    if (near)
        sw_fetch(near->attempt->tried, sizeof(*near->attempt->tried));
    if (next)
        sw_ledger_expect(ledger, next->attempt);
}

static void read_one(struct sw_ledger *ledger)
{
    struct sw_attempt *attempt = sw_held_pop(&ledger->held);
    clock_to(ledger, attempt->begin_ns);
    sw_ledger_read(ledger, attempt);
    look_ahead_in_tries(ledger);
}

void sw_ledger_forget(struct sw_ledger *ledger, struct sw_attempt *attempt)
{
    count_bytes(ledger, 0, attempt->bytes);
    sw_attempt_free(&ledger->blocks, attempt);
}

/* Gives memory back; false: there is nothing left to let go. */
static bool shed_bytes(struct sw_ledger *ledger)
{
    if (ledger->stories > 0)
        ledger->shed_bytes += shed_one(ledger);
    else if (sw_held_count(&ledger->held) > 0)
        read_one(ledger);
    else
        return false;
    return true;
}

/* Nothing that began before the first one that is held can still come. */
static bool is_ripe(const struct sw_ledger *ledger, int64_t ripe_ns)
{
    const struct sw_held_try *first = sw_held_first(&ledger->held);
    return first && first->begin_ns < ripe_ns;
}

void sw_ledger_add(struct sw_ledger *ledger, const struct sw_session *session,
                   const struct sw_verdict *verdict, int64_t now_ns)
{
    int64_t ripe_ns = sw_time_between(ledger->limits.hold_ns, now_ns);
    sw_ledger_fetch(ledger);
    struct sw_attempt *attempt =
        sw_attempts_of(&ledger->blocks, session, verdict, ++ledger->next_number);
    while (attempt) {
        struct sw_attempt *next = attempt->next;
        attempt->next = NULL;
        if (sw_held_count(&ledger->held) >= ledger->limits.tries)
            read_one(ledger);
        count_bytes(ledger, attempt->bytes, 0);
        if (!sw_held_push(&ledger->held, attempt, ledger->next_serial++))
            sw_ledger_forget(ledger, attempt);
        attempt = next;
    }
    while (ledger->bytes > ledger->limits.bytes && shed_bytes(ledger))
        ;
    while (is_ripe(ledger, ripe_ns))
        read_one(ledger);
    clock_to(ledger, ripe_ns);
}

/* All stories that wait, in the order of their beginnings, those of one moment in that of their
 * serials; NULL without memory. */
static struct sw_sorted *by_beginning(const struct sw_ledger *ledger, size_t *count)
{
    struct sw_sorted *all = calloc((size_t)ledger->stories + 1, sizeof(*all));
    *count = 0;
    for (int i = 0; all && i < SW_WAIT_COUNT; i++) {
        struct sw_story *story;
        SW_EACH(story, ledger->waiting[i].first)
            all[(*count)++] = (struct sw_sorted){story->serial, story};
    }
    if (!all)
        return NULL;
    sw_sort(all, *count);
    for (size_t i = 0; i < *count; i++) {
        const struct sw_story *story = all[i].item;
        all[i].key = (uint64_t)story->attempts->begin_ns ^ UINT64_C(1) << 63; /* also below 0 */
    }
    sw_sort(all, *count);
    return all;
}

void sw_ledger_finish(struct sw_ledger *ledger)
{
    while (sw_held_count(&ledger->held) > 0)
        read_one(ledger);
    for (int i = 0; i < SW_WAIT_COUNT; i++) {
        struct sw_story *story;
        SW_EACH(story, ledger->waiting[i].first)
            story->at_end = true;
    }
    size_t count;
    struct sw_sorted *all = by_beginning(ledger, &count);
    for (size_t i = 0; i < count; i++) {
        enum { SOON = 8 };
        if (i + SOON < count)
            sw_fetch(all[i + SOON].item, sizeof(struct sw_story));
        become_final(ledger, all[i].item);
    }
    free(all);
    for (int i = 0; i < SW_WAIT_COUNT; i++) { /* without memory for the list: as they wait */
        while (ledger->waiting[i].first)
            become_final(ledger, ledger->waiting[i].first);
    }
}

const struct sw_delivery *sw_ledger_next(struct sw_ledger *ledger)
{
    do {
        if (ledger->told)
            free_story(ledger, ledger->told);
        ledger->told = ledger->final.first;
        if (!ledger->told)
            return NULL;
        list_take(&ledger->final, ledger->told);
        look_ahead(ledger->final.first);
    } while (!sw_delivery_tell(ledger, ledger->told));
    return &ledger->delivery;
}

void sw_ledger_free(struct sw_ledger *ledger)
{
    if (!ledger)
        return;
    struct sw_attempt *attempt;
    while ((attempt = sw_held_pop(&ledger->held)))
        sw_ledger_forget(ledger, attempt);
    for (int i = 0; i < SW_WAIT_COUNT; i++) {
        while (ledger->waiting[i].first)
            become_final(ledger, ledger->waiting[i].first);
    }
    while (ledger->final.first) {
        struct sw_story *story = ledger->final.first;
        list_take(&ledger->final, story);
        free_story(ledger, story);
    }
    if (ledger->told)
        free_story(ledger, ledger->told);
    free(ledger->delivery.attempts);
    sw_held_release(&ledger->held);
    sw_blocks_release(&ledger->blocks);
    count_bytes(ledger, 0, ledger->story_places.memory_bytes);
    sw_numbered_release(&ledger->story_places);
    free(ledger->buckets);
    free(ledger);
}
