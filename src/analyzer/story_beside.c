/*
 * story_beside.c - what other connections of the same client add to the story.
 */
#include "analyzer/story.h"

void sw_story_beside(const struct sw_case *c, const struct sw_verdict *verdict,
                     struct sw_prose *story)
{
    if (!c->history || c->session->lookup)
        return;
    struct sw_mark busy = sw_history_find_beside(c->history, &c->facts->tuple,
                                                 SW_BESIDE_MAILBOX_BUSY, c->facts->first.time_ns);
    struct sw_mark page = {0};
    if (verdict->cause == SW_CAUSE_MBX_CAPTIVE_PORTAL)
        page = sw_history_find_beside(c->history, &c->facts->tuple, SW_BESIDE_PORTAL_PAGE,
                                      c->facts->first.time_ns);
    if (page.frame)
        sw_prose_add(story,
                     " A web page that the client asked for came from the network itself instead "
                     "(frame %s).",
                     sw_prose_frame(story, page.frame));
    if (busy.frame)
        sw_prose_add(story,
                     " About the same time the mailbox server told this client that the mailbox is "
                     "in use by another session (frame %s); the mail program may report that "
                     "(0x800CCC0B, \"server or maildrop is busy\") and not what happened here.",
                     sw_prose_frame(story, busy.frame));
}
