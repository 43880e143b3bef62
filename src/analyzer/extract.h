/*
 * extract.h - which frames of a capture are to be copied, what is said of them, and which of their
 * bytes may be seen: the plan of an annotated capture.
 *
 * The analysis adds the sessions that were chosen; the pipeline reads the capture a second time
 * and copies by the plan. Of a connection only bytes are kept that were read as something that is
 * no login: what is not listed here is masked, whatever it is. Notes name frames by their numbers
 * in the capture that was analysed.
 *
 * A verdict may rest on other connections (evidence that is `elsewhere`). Those come along, but
 * only with what the verdict needs of them: no text of a mail, no address of people, no path of a
 * web page. Which connections these are only the frames tell, so the pipeline adds them.
 *
 * Life: init, add ..., [add_beside ...,] ready, release. A plan belongs to one capture (or series).
 */
#ifndef SW_ANALYZER_EXTRACT_H
#define SW_ANALYZER_EXTRACT_H

#include "analyzer/verdict.h"

enum { SW_EXTRACT_SESSIONS = 65536, SW_EXTRACT_FRAMES = 16 };

/* Bytes of one direction's stream, [begin, end). */
struct sw_extract_range {
    uint64_t begin, end;
};

struct sw_extract_side {
    bool based;
    bool aside;                    /* masked even where logins may be kept */
    uint32_t base;                 /* sequence number of offset 0 */
    struct sw_extract_range *kept; /* in order, disjoint */
    uint32_t kept_count;
};

struct sw_extract_session {
    struct sw_tuple tuple; /* src = client */
    uint32_t space;        /* packet->space: where its addresses hold */
    bool lookup;           /* no connection: frames of a look-up or of a search for a neighbour */
    bool neighbour;
    bool web;             /* what is shown of it stands in each frame */
    uint64_t first, last; /* frame references */
    struct sw_extract_side side[2];
    uint64_t frames[SW_EXTRACT_FRAMES]; /* further ones, wherever they stand; 0 = unused */
    char *headline;                     /* one line: what became of it, and why */
};

/* A comment on a frame. */
struct sw_extract_note {
    uint64_t frame;
    char *text;
};

struct sw_extract_name {
    uint8_t address[16];
    int ip_version;
    char *name;
};

struct sw_extract {
    bool keep_credentials;
    struct sw_extract_session *sessions;
    uint32_t session_count, session_room;
    struct sw_extract_note *notes;
    uint32_t note_count, note_room;
    struct sw_extract_name *names;
    uint32_t name_count, name_room;
    uint64_t *others; /* frames of other connections on which verdicts rest */
    uint32_t other_count, other_room;
    uint64_t left_out;  /* sessions beyond the cap, or for which memory was short */
    bool opened_logins; /* TLS keys would show a login of one of the sessions, or may */
};

struct sw_frame;

/* An interface of a capture, as far as the file tells. Spans are borrowed during the call. */
struct sw_extract_interface {
    unsigned file;  /* index in a series */
    uint32_t index; /* as frames name it */
    uint32_t snaplen;
    struct sw_span name, description, filter; /* empty: not told */
};

/* Who takes what is copied; each may be NULL. */
struct sw_extract_sink {
    void *ctx;
    /* Before the first frame of the interface. */
    void (*interface)(void *ctx, const struct sw_extract_interface *interface);
    /* What somebody wrote into the capture, with what is masked in the frames masked in it, too: of
     * the capture, before anything else, or of the frame that comes next. */
    void (*comment)(void *ctx, bool of_frame, struct sw_span text);
    /* Masked; borrowed during the call. frame->drops: what the recorder lost since the frame that
     * was copied before. */
    void (*frame)(void *ctx, const struct sw_frame *frame);
    void (*secrets)(void *ctx, uint32_t type, struct sw_span secrets);
    /* How long the capture went on, whatever is copied of it: silences are judged by that. And what
     * the recorder lost behind the last frame, or nobody knows when. */
    void (*end)(void *ctx, int64_t end_ns, uint64_t lost_frames);
};

void sw_extract_init(struct sw_extract *extract, bool keep_credentials);
/* Copies what it needs of a session. */
void sw_extract_add(struct sw_extract *extract, const struct sw_session *session,
                    const struct sw_verdict *verdict);
/* The session of another connection on which verdicts rest, analysed with limits.aside. `keys`:
 * those of TLS go with the frames, so that nothing which they open may be shown. */
void sw_extract_add_beside(struct sw_extract *extract, const struct sw_session *session, bool keys);
/* A connection that is no mail, up to that frame. */
void sw_extract_add_stranger(struct sw_extract *extract, const struct sw_tuple *tuple,
                             uint64_t last, bool web);
/* Sorts the notes by frame, and the frames of other connections, each once; before they are looked
 * up. */
void sw_extract_ready(struct sw_extract *extract);
/* May this byte of a stream be seen? */
bool sw_extract_keeps(const struct sw_extract_side *side, uint64_t offset);
void sw_extract_release(struct sw_extract *extract);

#endif
