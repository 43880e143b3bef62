/*
 * diff_merge.c - two comparisons of different sessions become one.
 */
#include "audit/diff_inside.h"

#include <stdlib.h>
#include <string.h>

static void merge_side(struct sw_diff *diff, struct side *into, const struct side *from)
{
    into->delivered += from->delivered;
    into->failed += from->failed;
    for (int inner = 0; inner < 2; inner++) {
        into->answers[inner] += from->answers[inner];
        (void)sw_example_merge(&diff->files, &into->greeted[inner], &from->greeted[inner]);
    }
    if (from->tls_highest > into->tls_highest)
        into->tls_highest = from->tls_highest;
    into->exposed = into->exposed || from->exposed;
    if (sw_example_merge(&diff->files, &into->failure, &from->failure))
        into->cause = from->cause;
    (void)sw_example_merge(&diff->files, &into->tls, &from->tls);
    (void)sw_example_merge(&diff->files, &into->login, &from->login);
}

static void merge_server(struct sw_diff *into, struct sw_span key, struct server *from,
                         struct server **places)
{
    bool fresh = false;
    struct server *server = sw_table_get(&into->servers, key, &fresh);
    if (!server) {
        into->short_of_memory = true;
        return;
    }
    if (fresh) {
        server->subject = from->subject;
        server->subject.name = (struct sw_span){NULL, 0};
        server->number = (uint32_t)into->servers.used;
    }
    sw_diff_name(into, server, from->subject.name, from->name_ns);
    merge_side(into, &server->side[0], &from->side[0]);
    merge_side(into, &server->side[1], &from->side[1]);
    places[from->number] = server;
}

static void merge_offer(struct sw_diff *into, struct offer *from, struct server **places)
{
    struct server *server = places[from->server->number];
    struct offer *offer = server ? sw_diff_offer(into, server, from->inner, from->words) : NULL;
    if (!offer)
        return;
    offer->count[0] += from->count[0];
    offer->count[1] += from->count[1];
}

static void merge_shown(struct sw_diff *into, struct sw_span key, const struct shown *from,
                        struct server **places)
{
    bool fresh = false;
    struct server *server = places[from->server->number];
    struct shown *shown = server ? sw_table_get(&into->certificates, key, &fresh) : NULL;
    if (!shown) {
        into->short_of_memory = true;
        return;
    }
    if (fresh) {
        const char *sha256 = sw_arena_strdup(&into->arena, from->sha256);
        into->short_of_memory = into->short_of_memory || !sha256;
        *shown = (struct shown){.server = server,
                                .sha256 = sha256 ? sha256 : "",
                                .text = sw_arena_copy(&into->arena, from->text)};
    }
    for (int after = 0; after < 2; after++) {
        if (!from->seen[after])
            continue;
        if (!shown->seen[after] || from->last_ns[after] > shown->last_ns[after])
            shown->last_ns[after] = from->last_ns[after];
        shown->seen[after] = true;
        (void)sw_example_merge(&into->files, &shown->example[after], &from->example[after]);
    }
}

bool sw_diff_merge(struct sw_diff *into, const struct sw_diff *from)
{
    struct server **places = calloc(from->servers.used + 1, sizeof(*places));
    if (!places)
        return false;
    for (size_t i = 0; i < from->servers.room; i++) {
        const struct sw_table_slot *slot = &from->servers.slots[i];
        if (slot->hash != 0)
            merge_server(into, sw_table_key(&from->servers, slot), slot->value, places);
    }
    for (size_t i = 0; i < from->offers.room; i++) {
        if (from->offers.slots[i].hash != 0)
            merge_offer(into, from->offers.slots[i].value, places);
    }
    for (size_t i = 0; i < from->certificates.room; i++) {
        const struct sw_table_slot *slot = &from->certificates.slots[i];
        if (slot->hash != 0)
            merge_shown(into, sw_table_key(&from->certificates, slot), slot->value, places);
    }
    into->sessions[0] += from->sessions[0];
    into->sessions[1] += from->sessions[1];
    into->short_of_memory = into->short_of_memory || from->short_of_memory;
    free(places);
    return true;
}
