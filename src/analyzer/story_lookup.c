/*
 * story_lookup.c - the story of a look-up that no connection followed.
 */
#include "analyzer/story.h"

#include "base/address.h"

enum { NAME = 120 };

static const char *frame(struct sw_prose *story, struct sw_mark mark)
{
    return sw_prose_frame(story, mark.frame);
}

static const char *answer_words(const struct sw_lookup *l)
{
    switch (l->end) {
    case SW_LOOKUP_NXDOMAIN:
        return "that the name does not exist";
    case SW_LOOKUP_SERVFAIL:
        return l->rcode == 5 ? "that it refuses to answer (REFUSED)"
                             : "an error of its own (SERVFAIL)";
    case SW_LOOKUP_NODATA:
        return l->ipv6.frame ? "that the name has no IPv4 address"
                             : "that the name exists but has no address";
    case SW_LOOKUP_NULL_MX:
        return "that the domain takes no mail (null MX)";
    case SW_LOOKUP_SINKHOLED:
        return "an address that leads nowhere";
    case SW_LOOKUP_CUT:
        return "that it is too long for one packet (truncated)";
    case SW_LOOKUP_TIMEOUT:
    case SW_LOOKUP_UNREACHABLE:
    case SW_LOOKUP_NEIGHBOUR:
        break;
    }
    return "";
}

static void tell_question(const struct sw_case *c, const struct sw_lookup *l,
                          struct sw_prose *story)
{
    const struct sw_tuple *t = &c->facts->tuple;
    sw_prose_add(story, "%s asked ", sw_address_text(c->arena, t->src, t->ip_version));
    if (l->end == SW_LOOKUP_NEIGHBOUR) {
        sw_prose_add(story, "its local network who has the address %s",
                     sw_address_text(c->arena, l->resolver, l->ip_version));
    } else {
        sw_prose_add(story, "the name server %s for %s of ",
                     sw_address_text(c->arena, l->resolver, l->ip_version),
                     l->asked_mx ? "the mail servers" : "the address");
        sw_prose_wire(story, l->name, NAME);
    }
    sw_prose_add(story, " (frame %s)", frame(story, l->asked));
    if (l->questions > 1 && l->again.frame)
        sw_prose_add(story, ", %u questions %s (last in frame %s)", l->questions,
                     sw_story_within(c, l->again.time_ns - l->asked.time_ns),
                     frame(story, l->again));
}

void sw_story_lookup(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_lookup *l = c->session->lookup;
    if (l->asked.frame) {
        tell_question(c, l, story);
    } else {
        sw_prose_add(story, "The question for ");
        sw_prose_wire(story, l->name, NAME);
        sw_prose_add(story, " is not in the capture");
    }
    if (l->end == SW_LOOKUP_UNREACHABLE)
        sw_prose_add(story, "; ICMP errors came in place of answers (first in frame %s).",
                     frame(story, l->decided));
    else if (l->decided.frame)
        sw_prose_add(story, "; the answer was %s (frame %s).", answer_words(l),
                     frame(story, l->decided));
    else
        sw_prose_add(story, "; no answer is in the capture.");
    if (l->foreign.frame)
        sw_prose_add(
            story,
            " Frame %s has an answer for that name that fits none of the questions (another "
            "sender, port or number); programs do not take such an answer.",
            frame(story, l->foreign));
    if (l->end == SW_LOOKUP_CUT && l->retried.frame)
        sw_prose_add(story, " A connection for the whole of it was tried over TCP (frame %s)",
                     frame(story, l->retried));
    if (l->end == SW_LOOKUP_CUT && l->retry_over.frame)
        sw_prose_add(story, "; it ended without an answer (frame %s).",
                     frame(story, l->retry_over));
    else if (l->end == SW_LOOKUP_CUT)
        sw_prose_add(story, l->retried.frame
                                ? "; no answer came."
                                : " No attempt to get the whole of it over TCP is in the capture.");
    if (l->ipv6.frame)
        sw_prose_add(story, " It has IPv6 addresses (frame %s), and nothing was sent to them.",
                     frame(story, l->ipv6));
    if (l->end == SW_LOOKUP_SINKHOLED)
        sw_prose_add(story, " The address is %s.",
                     sw_address_text(c->arena, l->address, l->address_version));
    if (l->end == SW_LOOKUP_NEIGHBOUR && l->name.len > 0) {
        sw_prose_add(story, l->guess ? " It had looked up " : " It is the address of ");
        sw_prose_wire(story, l->name, NAME);
        sw_prose_add(story, l->guess ? " before, and no packet went there." : ".");
    }
    sw_prose_add(story, " No connection followed.");
    if (l->deaf && !l->decided.frame)
        sw_prose_add(story, " The capture holds no answer to anybody, so it may show one direction "
                            "only.");
}

const char *sw_story_guess(const struct sw_case *c)
{
    const struct sw_lookup *l = c->session->lookup;
    if (!l || !l->guess)
        return NULL;
    struct sw_prose text = {.arena = c->arena};
    if (l->end == SW_LOOKUP_NEIGHBOUR) {
        sw_prose_add(
            &text,
            "This computer cannot send anything, so no mail either: %s, probably its gateway, "
            "does not answer on the local network.",
            sw_address_text(c->arena, l->resolver, l->ip_version));
    } else {
        sw_prose_add(&text, "The name ");
        sw_prose_wire(&text, l->name, NAME);
        sw_prose_add(&text, " could not be looked up; whether mail was to go there cannot be told "
                            "from this capture.");
    }
    return sw_prose_text(&text);
}
