/*
 * diff_merge.c - two comparisons of different sessions become one.
 */
#include "audit/diff_inside.h"

#include <stdlib.h>
#include <string.h>

static void merge_shown(struct sw_diff *diff, struct side *into, const struct side *from)
{
    int order = (from->certificate_ns > into->certificate_ns) -
                (from->certificate_ns < into->certificate_ns);
    if (!from->sha256[0])
        return;
    if (order == 0)
        order = strcmp(from->sha256, into->sha256);
    if (!into->sha256[0] || order > 0) { /* the latest is told */
        memcpy(into->sha256, from->sha256, sizeof(into->sha256));
        into->certificate_ns = from->certificate_ns;
        into->certificate = sw_arena_copy(&diff->arena, from->certificate);
        into->shown.session[0] = '\0';
        (void)sw_example_merge(&diff->files, &into->shown, &from->shown);
    } else if (order == 0) {
        (void)sw_example_merge(&diff->files, &into->shown, &from->shown);
    }
}

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
    merge_shown(diff, into, from);
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
        bool fresh = false;
        const struct sw_table_slot *slot = &from->certificates.slots[i];
        if (slot->hash != 0 &&
            !sw_table_get(&into->certificates, sw_table_key(&from->certificates, slot), &fresh))
            into->short_of_memory = true;
    }
    into->sessions[0] += from->sessions[0];
    into->sessions[1] += from->sessions[1];
    into->short_of_memory = into->short_of_memory || from->short_of_memory;
    free(places);
    return true;
}
