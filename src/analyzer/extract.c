#include "analyzer/extract.h"

#include "analyzer/prose.h"
#include "base/arena.h"

#include <stdlib.h>

enum { NOTE_BYTES = 64 * 1024 };

void sw_extract_init(struct sw_extract *extract, bool keep_credentials)
{
    *extract = (struct sw_extract){.keep_credentials = keep_credentials};
}

/* Room for one more item; the array, or NULL without memory. */
static void *grown(void *list, uint32_t count, uint32_t *room, size_t item_bytes)
{
    if (count < *room)
        return list;
    uint32_t more = *room ? 2 * *room : 16;
    void *bigger = realloc(list, more * item_bytes);
    if (bigger)
        *room = more;
    return bigger;
}

static bool copy_ranges(struct sw_extract_side *side, const struct sw_kept *list)
{
    const struct sw_kept *kept;
    uint32_t count = 0;
    SW_EACH(kept, list)
        count++;
    side->kept = count > 0 ? malloc(count * sizeof(*side->kept)) : NULL;
    if (count > 0 && !side->kept)
        return false;
    SW_EACH(kept, list)
        side->kept[side->kept_count++] = (struct sw_extract_range){kept->begin, kept->end};
    return true;
}

static void add_frame(struct sw_extract_session *s, uint64_t frame)
{
    for (int i = 0; frame && i < SW_EXTRACT_FRAMES; i++) {
        if (s->frames[i] == frame)
            return;
        if (s->frames[i] == 0) {
            s->frames[i] = frame;
            return;
        }
    }
}

static void add_other(struct sw_extract *extract, uint64_t frame)
{
    uint64_t *others =
        grown(extract->others, extract->other_count, &extract->other_room, sizeof(*others));
    if (!others)
        return;
    extract->others = others;
    others[extract->other_count++] = frame;
}

static void add_note(struct sw_extract *extract, uint64_t frame, const char *text)
{
    struct sw_extract_note *notes =
        grown(extract->notes, extract->note_count, &extract->note_room, sizeof(*notes));
    if (!notes)
        return;
    extract->notes = notes;
    char *copy = strdup(text);
    if (copy)
        notes[extract->note_count++] = (struct sw_extract_note){frame, copy};
}

static void add_name(struct sw_extract *extract, const uint8_t address[16], int ip_version,
                     struct sw_span name)
{
    for (uint32_t i = 0; i < extract->name_count; i++) {
        if (memcmp(extract->names[i].address, address, 16) == 0 &&
            extract->names[i].ip_version == ip_version)
            return;
    }
    struct sw_extract_name *names =
        grown(extract->names, extract->name_count, &extract->name_room, sizeof(*names));
    if (!names)
        return;
    extract->names = names;
    char *copy = strndup((const char *)name.ptr, name.len);
    if (!copy)
        return;
    names[extract->name_count] = (struct sw_extract_name){.ip_version = ip_version, .name = copy};
    memcpy(names[extract->name_count++].address, address, 16);
}

/* "stuck: rcpt-relay-denied (certain): The mail was not sent because ..." */
static const char *verdict_line(struct sw_arena *arena, const struct sw_verdict *verdict)
{
    const char *line = sw_arena_printf(
        arena, "%s: %s (%s): %s", sw_outcome_name(verdict->outcome), sw_cause_name(verdict->cause),
        sw_confidence_name(verdict->confidence), verdict->summary ? verdict->summary : "");
    return line ? line : sw_cause_name(verdict->cause);
}

static void add_evidence(struct sw_extract *extract, struct sw_extract_session *s,
                         const struct sw_verdict *verdict, struct sw_arena *arena, const char *line)
{
    const struct sw_evidence *e;
    unsigned number = 0;
    SW_EACH(e, verdict->evidence) {
        number++;
        if (!e->mark.frame)
            continue;
        const char *text = sw_arena_printf(arena, "smtpwhy E%u: %s (%s). %s", number, e->what,
                                           sw_origin_name(e->from), line);
        add_note(extract, e->mark.frame, text ? text : line);
        if (e->mark.frame < s->first || e->mark.frame > s->last || e->elsewhere)
            add_frame(s, e->mark.frame);
        if (e->elsewhere)
            add_other(extract, e->mark.frame);
    }
}

/* What comes along for this verdict, and how little of it; empty: nothing. */
static const char *taken_along(const struct sw_verdict *verdict, struct sw_arena *arena)
{
    const struct sw_evidence *e;
    const char *list = "";
    SW_EACH(e, verdict->evidence) {
        if (e->elsewhere)
            list = sw_arena_printf(arena, "%s%sthe connection of frame %llu (%s)", list ? list : "",
                                   list && list[0] ? ", " : "",
                                   (unsigned long long)sw_frame_number(e->mark.frame), e->what);
    }
    if (!list || !list[0])
        return "";
    const char *text = sw_arena_printf(
        arena,
        " The verdict rests on other connections as well, which are copied without the text of "
        "mails, addresses of people and paths of web pages: %s.",
        list);
    return text ? text : "";
}

static char *headline(const struct sw_session *session, const struct sw_verdict *verdict,
                      struct sw_arena *arena, const char *line)
{
    const struct sw_tuple *t = &session->facts->tuple;
    char *text =
        sw_arena_printf(arena, "%s port %u to %s port %u, from frame %llu of %s on: %s%s",
                        sw_address_text(arena, t->src, t->ip_version), t->src_port,
                        sw_address_text(arena, t->dst, t->ip_version), t->dst_port,
                        (unsigned long long)sw_frame_number(session->facts->first.frame),
                        session->file ? session->file : "", line, taken_along(verdict, arena));
    return strdup(text ? text : line);
}

/* With keys at hand its logins could be read, or nobody can say that they could not. */
static bool opens_logins(const struct sw_session *session)
{
    const struct sw_tls *tls = session->tls_facts;
    const struct sw_auth *auth;
    if (!tls || tls->keys == SW_TLS_KEYS_NONE || tls->keys == SW_TLS_KEYS_FOREIGN)
        return false;
    if (tls->keys != SW_TLS_KEYS_FIT || tls->closed[SW_CLIENT] > 0 || session->limits_hit)
        return true;
    SW_EACH(auth, session->auths) {
        if (auth->encrypted)
            return true;
    }
    return false;
}

static void add_around(struct sw_extract *extract, struct sw_extract_session *s,
                       const struct sw_session *session)
{
    const struct sw_naming *naming = session->naming;
    const struct sw_flow_facts *f = session->facts;
    if (session->lookup) {
        add_frame(s, session->lookup->heard.frame);
        add_frame(s, session->lookup->led_asked.frame);
        add_frame(s, session->lookup->led.frame);
        if (session->lookup->heard.frame == 0 && session->lookup->heard_by.frame != 0)
            add_other(extract, session->lookup->heard_by.frame);
    }
    if (naming) {
        add_frame(s, naming->answered.frame);
        add_frame(s, naming->mx_answered.frame);
        for (uint32_t i = 0; i < naming->unrelated; i++)
            add_frame(s, naming->others[i].frame);
        add_frame(s, naming->tlsa.frame);
        add_frame(s, naming->mta_sts.frame);
    }
    for (uint8_t i = 0; i < f->icmp_count; i++)
        add_frame(s, f->icmp[i].mark.frame);
}

/* One more session of the plan; NULL beyond the cap or without memory. */
static struct sw_extract_session *more_session(struct sw_extract *extract)
{
    struct sw_extract_session *list = NULL;
    if (extract->session_count < SW_EXTRACT_SESSIONS)
        list =
            grown(extract->sessions, extract->session_count, &extract->session_room, sizeof(*list));
    if (!list)
        return NULL;
    extract->sessions = list;
    struct sw_extract_session *s = &list[extract->session_count++];
    *s = (struct sw_extract_session){.first = 0};
    return s;
}

static struct sw_extract_session *add_connection(struct sw_extract *extract,
                                                 const struct sw_session *session)
{
    const struct sw_flow_facts *f = session->facts;
    struct sw_extract_session *s = more_session(extract);
    if (!s)
        return NULL;
    s->tuple = f->tuple;
    s->space = f->space;
    s->first = f->first.frame;
    s->last = f->last.frame;
    for (int side = SW_CLIENT; side <= SW_SERVER; side++) {
        s->side[side].based = f->half[side].based;
        s->side[side].base = f->half[side].base;
        (void)copy_ranges(&s->side[side], session->kept[side]); /* without memory all is masked */
    }
    return s;
}

void sw_extract_add_beside(struct sw_extract *extract, const struct sw_session *session, bool keys)
{
    const struct sw_tls *tls = session->tls_facts;
    struct sw_extract_session *s = add_connection(extract, session);
    if (!s)
        return;
    for (int side = SW_CLIENT; side <= SW_SERVER; side++) {
        s->side[side].aside = true;
        if (keys && tls && tls->keys != SW_TLS_KEYS_NONE && tls->keys != SW_TLS_KEYS_FOREIGN)
            s->side[side].kept_count = 0;
    }
}

void sw_extract_add_stranger(struct sw_extract *extract, const struct sw_tuple *tuple,
                             uint64_t last, bool web)
{
    struct sw_extract_session *s = more_session(extract);
    if (!s)
        return;
    s->tuple = *tuple;
    s->last = last;
    s->web = web;
    s->side[SW_CLIENT].aside = s->side[SW_SERVER].aside = true;
}

void sw_extract_add(struct sw_extract *extract, const struct sw_session *session,
                    const struct sw_verdict *verdict)
{
    const struct sw_flow_facts *f = session->facts;
    struct sw_extract_session *s = add_connection(extract, session);
    if (!s) {
        extract->left_out++;
        return;
    }
    s->lookup = session->lookup != NULL;
    s->neighbour = s->lookup && session->lookup->end == SW_LOOKUP_NEIGHBOUR;
    extract->opened_logins = extract->opened_logins || opens_logins(session);
    struct sw_arena arena;
    sw_arena_init(&arena, NOTE_BYTES, NULL);
    const char *line = verdict_line(&arena, verdict);
    add_evidence(extract, s, verdict, &arena, line);
    add_around(extract, s, session);
    s->headline = headline(session, verdict, &arena, line);
    if (session->naming && !s->lookup)
        add_name(extract, f->tuple.dst, f->tuple.ip_version, session->naming->name);
    else if (session->given_name.len > 0 && !s->lookup)
        add_name(extract, f->tuple.dst, f->tuple.ip_version, session->given_name);
    sw_arena_release(&arena);
}

static int by_frame(const void *a, const void *b)
{
    const struct sw_extract_note *x = a;
    const struct sw_extract_note *y = b;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return strcmp(x->text, y->text);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

void sw_extract_ready(struct sw_extract *extract)
{
    if (extract->note_count > 0)
        qsort(extract->notes, extract->note_count, sizeof(extract->notes[0]), by_frame);
    if (extract->other_count == 0)
        return;
    qsort(extract->others, extract->other_count, sizeof(extract->others[0]), by_number);
    uint32_t count = 1;
    for (uint32_t i = 1; i < extract->other_count; i++) {
        if (extract->others[i] != extract->others[i - 1])
            extract->others[count++] = extract->others[i];
    }
    extract->other_count = count;
}

bool sw_extract_keeps(const struct sw_extract_side *side, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = side->kept_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (offset < side->kept[middle].begin)
            high = middle;
        else if (offset >= side->kept[middle].end)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

void sw_extract_release(struct sw_extract *extract)
{
    for (uint32_t i = 0; i < extract->session_count; i++) {
        free(extract->sessions[i].side[SW_CLIENT].kept);
        free(extract->sessions[i].side[SW_SERVER].kept);
        free(extract->sessions[i].headline);
    }
    for (uint32_t i = 0; i < extract->note_count; i++)
        free(extract->notes[i].text);
    for (uint32_t i = 0; i < extract->name_count; i++)
        free(extract->names[i].name);
    free(extract->sessions);
    free(extract->notes);
    free(extract->names);
    free(extract->others);
    *extract = (struct sw_extract){.session_count = 0};
}
