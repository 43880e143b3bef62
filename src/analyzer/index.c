/*
 * index.c - finds the stories behind a key again.
 *
 * Each bucket has a list of links, which stand in the stories. A link has a name: the number of its
 * story and its place there.
 */
#include "analyzer/ledger.h"

#include "base/fetch.h"

#include <assert.h>
#include <stdlib.h>

enum { LINK_BITS = 4 };

_Static_assert(SW_STORY_LINKS <= 1 << LINK_BITS, "a name has room for the place");
_Static_assert((uint64_t)SW_NUMBERED_MOST << LINK_BITS <= (uint64_t)UINT32_MAX + 1,
               "and for the number");

static uint32_t power_above(uint32_t n)
{
    uint32_t power = 64;
    while (power < n && power < UINT32_C(1) << 20)
        power *= 2;
    return power;
}

bool sw_index_open(struct sw_ledger *ledger, uint32_t stories)
{
    /* A story has some eight links. With twice as many buckets most of what is not there is not
     * looked for in stories, which are far away. */
    uint32_t buckets = power_above(stories) * 16;
    ledger->buckets = calloc(buckets, sizeof(*ledger->buckets));
    ledger->bucket_mask = buckets - 1;
    return ledger->buckets;
}

uint64_t sw_link_key(const struct sw_ledger *ledger, enum sw_link kind, uint64_t a, uint64_t b)
{
    uint64_t all[3] = {kind, a, b};
    return sw_hash_bytes(&ledger->key, sw_span_make(all, sizeof(all)));
}

static struct sw_found named(const struct sw_ledger *ledger, uint32_t name)
{
    struct sw_story *story =
        sw_numbered_at(&ledger->story_places, name >> LINK_BITS, sizeof(*story));
    return (struct sw_found){story, name & ((1 << LINK_BITS) - 1)};
}

static struct sw_story_link *link_of(struct sw_found found)
{
    return &found.story->links[found.link];
}

static struct sw_story_link *link_named(const struct sw_ledger *ledger, uint32_t name)
{
    return link_of(named(ledger, name));
}

static uint32_t *bucket_of(const struct sw_ledger *ledger, uint64_t key)
{
    return &ledger->buckets[key & ledger->bucket_mask];
}

void sw_story_link(struct sw_ledger *ledger, struct sw_story *story, uint64_t key)
{
    assert(story->link_count < SW_STORY_LINKS);
    uint32_t name = story->number << LINK_BITS | story->link_count;
    uint32_t *bucket = bucket_of(ledger, key);
    if (*bucket)
        link_named(ledger, *bucket)->previous = name;
    story->links[story->link_count++] = (struct sw_story_link){key, *bucket, 0};
    *bucket = name;
}

void sw_story_unlink(struct sw_ledger *ledger, struct sw_story *story)
{
    for (uint32_t i = 0; i < story->link_count; i++) {
        const struct sw_story_link *link = &story->links[i];
        if (link->previous)
            link_named(ledger, link->previous)->next = link->next;
        else
            *bucket_of(ledger, link->key) = link->next;
        if (link->next)
            link_named(ledger, link->next)->previous = link->previous;
    }
    story->link_count = 0;
}

/* The first one behind the key in a list, from one of its links on. */
static struct sw_found with_key(const struct sw_ledger *ledger, uint32_t name, uint64_t key)
{
    while (name) {
        struct sw_found found = named(ledger, name);
        if (link_of(found)->key == key)
            return found;
        name = link_of(found)->next;
    }
    return (struct sw_found){NULL, 0};
}

struct sw_found sw_link_find(const struct sw_ledger *ledger, uint64_t key)
{
    return with_key(ledger, *bucket_of(ledger, key), key);
}

struct sw_found sw_link_next(const struct sw_ledger *ledger, struct sw_found found)
{
    return with_key(ledger, link_of(found)->next, link_of(found)->key);
}

void sw_link_fetch(const struct sw_ledger *ledger, uint64_t key)
{
    sw_fetch(bucket_of(ledger, key), 1);
}

void sw_link_fetch_first(const struct sw_ledger *ledger, uint64_t key)
{
    uint32_t name = *bucket_of(ledger, key);
    if (name)
        sw_fetch(link_named(ledger, name), 1);
}
