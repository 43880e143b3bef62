/*
 * story.h - what was seen, in order, naming frames; private to the analyzer.
 */
#ifndef SW_ANALYZER_STORY_H
#define SW_ANALYZER_STORY_H

#include "analyzer/case.h"
#include "analyzer/prose.h"

/* Adds code and words of a reply in quotation marks, at most `most` bytes of words; an enhanced
 * code that is repeated on every line stands once. */
void sw_quote_reply(struct sw_prose *prose, const struct sw_step *reply, size_t most);
/* "within 3 seconds", "at once": how far apart repetitions are. In the arena, never NULL. */
const char *sw_story_within(const struct sw_case *c, int64_t ns);
/* Tells the session from the first packet to the last, in a few sentences. */
void sw_story_tell(const struct sw_case *c, struct sw_prose *story);
/* The mails and what was said to each (story_mail.c); `name_client`: the sentence before is not
 * about the client. */
void sw_story_mails(const struct sw_case *c, bool name_client, struct sw_prose *story);
/* How encryption was set up, or failed (story_tls.c). */
void sw_story_tls(const struct sw_case *c, struct sw_prose *story);
/* Another handshake behind the words that were said. */
void sw_story_tls_again(const struct sw_case *c, struct sw_prose *story);
/* What a side said inside TLS before the other one closed the connection. */
void sw_story_tls_goodbye(const struct sw_case *c, struct sw_prose *story);
/* An alert that ended it, where the dialogue inside was read and has been told. */
void sw_story_tls_end(const struct sw_case *c, struct sw_prose *story);
/* Did TLS begin before this? */
bool sw_tls_begins_before(const struct sw_tls *tls, struct sw_mark mark);
/* Repetitions, closed windows, a RST of somebody else: where TCP had trouble. */
void sw_story_tcp(const struct sw_case *c, struct sw_prose *story);
/* Adds what other connections of the client showed at that time, where mail did not get through. */
void sw_story_beside(const struct sw_case *c, const struct sw_verdict *verdict,
                     struct sw_prose *story);
/* Adds what cannot be read of the dialogue (rule_unread.c). */
void sw_unread_tell(const struct sw_case *c, struct sw_prose *story);
/* Adds what the capture could not show and how that limits the verdict. */
void sw_story_caveats(const struct sw_case *c, const struct sw_verdict *verdict,
                      struct sw_prose *story);

/* The same for a look-up that no connection followed. */
void sw_story_lookup(const struct sw_case *c, struct sw_prose *story);
/* The sentence for one of which nothing says that it was about mail, or NULL. */
const char *sw_story_guess(const struct sw_case *c);

#endif
