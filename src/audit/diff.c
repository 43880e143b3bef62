#include "audit/diff_inside.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 128 << 20,
    SERVERS_MOST = 100000,
    OFFERS_MOST = 400000,
    KEYWORDS_MOST = 400000,
    CERTIFICATES_MOST = 100000,
};

/* How often a server offered a keyword. */
struct keyword {
    const struct server *server;
    struct sw_span word;
    bool inner;
    uint64_t count[2];
};

const char *sw_change_name(enum sw_change_kind kind)
{
    static const char *const names[] = {
        [SW_CHANGE_FAILS] = "fails",
        [SW_CHANGE_WORKS] = "works-again",
        [SW_CHANGE_CERTIFICATE] = "certificate-changed",
        [SW_CHANGE_LOST] = "capability-lost",
        [SW_CHANGE_GAINED] = "capability-gained",
        [SW_CHANGE_TLS_LOWER] = "tls-version-lower",
        [SW_CHANGE_CLEAR_LOGIN] = "clear-text-login",
    };
    return names[kind];
}

bool sw_change_is_worse(enum sw_change_kind kind)
{
    return kind == SW_CHANGE_FAILS || kind == SW_CHANGE_LOST || kind == SW_CHANGE_TLS_LOWER ||
           kind == SW_CHANGE_CLEAR_LOGIN;
}

struct sw_diff *sw_diff_new(void)
{
    struct sw_diff *diff = calloc(1, sizeof(*diff));
    if (!diff)
        return NULL;
    sw_arena_init(&diff->arena, ARENA_BYTES, NULL);
    sw_table_init(&diff->servers, &diff->arena, sizeof(struct server), SERVERS_MOST);
    sw_table_init(&diff->offers, &diff->arena, sizeof(struct offer), OFFERS_MOST);
    sw_table_init(&diff->certificates, &diff->arena, sizeof(struct shown), CERTIFICATES_MOST);
    sw_example_files_init(&diff->files, &diff->arena);
    return diff;
}

static struct sw_key key_of(const struct sw_fact *fact)
{
    struct sw_key key = {.used = 0};
    uint8_t version = fact->has_server ? fact->ip_version : 0;
    sw_key_add(&key, &version, sizeof(version));
    sw_key_add(&key, fact->server, sizeof(fact->server));
    sw_key_add(&key, &fact->server_port, sizeof(fact->server_port));
    if (!fact->has_server)
        sw_key_add(&key, fact->server_name.ptr, fact->server_name.len);
    return key;
}

void sw_diff_name(struct sw_diff *diff, struct server *server, struct sw_span name, int64_t at_ns)
{
    struct sw_span *kept = &server->subject.name;
    if (!sw_name_is_better(*kept, server->name_ns, name, at_ns))
        return;
    server->name_ns = at_ns;
    if (!sw_span_eq(*kept, name))
        *kept = sw_arena_copy(&diff->arena, name);
}

static struct server *find_server(struct sw_diff *diff, const struct sw_fact *fact)
{
    bool fresh = false;
    struct sw_key key = key_of(fact);
    struct server *server = sw_table_get(&diff->servers, sw_key_span(&key), &fresh);
    if (!server) {
        diff->short_of_memory = true;
        return NULL;
    }
    if (fresh) {
        server->subject = (struct sw_subject){.kind = SW_SUBJECT_SERVER,
                                              .ip_version = fact->has_server ? fact->ip_version : 0,
                                              .port = fact->server_port};
        server->number = (uint32_t)diff->servers.used;
        memcpy(server->subject.address, fact->server, sizeof(server->subject.address));
    }
    sw_diff_name(diff, server, fact->server_name, fact->start_ns);
    return server;
}

static void add_outcome(struct sw_diff *diff, struct side *side, const struct sw_fact *fact)
{
    if (fact->outcome == SW_OUTCOME_DELIVERED || fact->outcome == SW_OUTCOME_PARTIAL)
        side->delivered += sw_fact_count(fact);
    if (fact->outcome != SW_OUTCOME_STUCK)
        return;
    side->failed += sw_fact_count(fact);
    if (sw_example_offer(&diff->files, &side->failure, fact, 0))
        side->cause = sw_cause_info(fact->cause)->id;
}

struct offer *sw_diff_offer(struct sw_diff *diff, struct server *server, bool inner,
                            struct sw_span words)
{
    bool fresh = false;
    struct sw_key key;
    key.used = 0;
    sw_key_add(&key, &server->number, sizeof(server->number));
    sw_key_add(&key, &inner, sizeof(inner));
    sw_key_add(&key, words.ptr, words.len);
    struct offer *offer = sw_table_get(&diff->offers, sw_key_span(&key), &fresh);
    if (offer && fresh)
        *offer = (struct offer){
            .server = server, .words = sw_arena_copy(&diff->arena, words), .inner = inner};
    diff->short_of_memory = diff->short_of_memory || !offer;
    return offer;
}

static void add_keywords(struct sw_diff *diff, struct server *server, const struct sw_fact *fact,
                         bool inner, bool after)
{
    struct sw_span words = inner ? fact->inner_keywords : fact->clear_keywords;
    if (words.len == 0)
        return;
    server->side[after].answers[inner] += sw_fact_count(fact);
    (void)sw_example_offer(&diff->files, &server->side[after].greeted[inner], fact, 0);
    struct offer *offer = sw_diff_offer(diff, server, inner, words);
    if (offer)
        offer->count[after] += sw_fact_count(fact);
}

static void add_certificate(struct sw_diff *diff, struct server *server, const struct sw_fact *fact,
                            bool after)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    bool fresh = false;
    if (!c->known)
        return;
    struct sw_key key = key_of(fact);
    sw_key_add(&key, c->sha256, strlen(c->sha256));
    struct shown *shown = sw_table_get(&diff->certificates, sw_key_span(&key), &fresh);
    if (!shown) {
        diff->short_of_memory = true;
        return;
    }
    if (fresh) {
        char *text = sw_arena_printf(&diff->arena, "%.*s, good until %.10s", (int)c->subject.len,
                                     (const char *)c->subject.ptr, c->not_after);
        const char *sha256 = sw_arena_strdup(&diff->arena, c->sha256);
        diff->short_of_memory = diff->short_of_memory || !text || !sha256;
        *shown = (struct shown){.server = server,
                                .sha256 = sha256 ? sha256 : "",
                                .text = sw_span_str(text ? text : "")};
    }
    if (!shown->seen[after] || sw_fact_last_ns(fact) > shown->last_ns[after])
        shown->last_ns[after] = sw_fact_last_ns(fact);
    shown->seen[after] = true;
    (void)sw_example_offer(&diff->files, &shown->example[after], fact, c->frame);
}

static void add_protection(struct sw_diff *diff, struct side *side, const struct sw_fact *fact)
{
    if (fact->tls == SW_SEEN_YES) {
        if (fact->tls_version > side->tls_highest)
            side->tls_highest = fact->tls_version;
        (void)sw_example_offer(&diff->files, &side->tls, fact, fact->tls_frame);
    }
    for (unsigned i = 0; i < fact->login_count; i++) {
        if (!fact->logins[i].exposed)
            continue;
        side->exposed = true;
        (void)sw_example_offer(&diff->files, &side->login, fact, fact->logins[i].frame);
    }
}

void sw_diff_add(struct sw_diff *diff, const struct sw_fact *fact, bool after)
{
    struct server *server = find_server(diff, fact);
    diff->sessions[after] += sw_fact_count(fact);
    if (!server)
        return;
    add_outcome(diff, &server->side[after], fact);
    add_protection(diff, &server->side[after], fact);
    add_keywords(diff, server, fact, false, after);
    add_keywords(diff, server, fact, true, after);
    add_certificate(diff, server, fact, after);
}

static void tell(struct sw_diff *diff, enum sw_change_kind kind, const struct server *server,
                 struct sw_span what, struct sw_span before, const struct sw_example *example)
{
    if (diff->count == diff->room) {
        size_t room = diff->room ? diff->room * 2 : 64;
        struct sw_change *changes = realloc(diff->changes, room * sizeof(*changes));
        if (!changes) {
            diff->short_of_memory = true;
            return;
        }
        diff->changes = changes;
        diff->room = room;
    }
    diff->changes[diff->count++] = (struct sw_change){.kind = kind,
                                                      .server = server->subject,
                                                      .what = what,
                                                      .before = before,
                                                      .example = *example};
}

static bool fails(const struct side *side)
{
    return side->failed > 0 && side->delivered == 0;
}

static bool was_seen(const struct side *side)
{
    return side->delivered + side->failed + side->answers[0] + side->answers[1] > 0;
}

/* The certificate that a server showed last is its certificate. */
static void offer_certificate(const struct shown *shown)
{
    for (int after = 0; after < 2; after++) {
        const struct shown **kept = &shown->server->side[after].certificate;
        if (!shown->seen[after])
            continue;
        int64_t kept_ns = *kept ? (*kept)->last_ns[after] : 0;
        if (!*kept || shown->last_ns[after] > kept_ns ||
            (shown->last_ns[after] == kept_ns && strcmp(shown->sha256, (*kept)->sha256) > 0))
            *kept = shown;
    }
}

static void compare(struct sw_diff *diff, const struct server *server)
{
    const struct side *before = &server->side[0];
    const struct side *after = &server->side[1];
    struct sw_span nothing = {NULL, 0};
    if (fails(after) && !fails(before))
        tell(diff, SW_CHANGE_FAILS, server, sw_span_str(after->cause), nothing, &after->failure);
    if (fails(before) && after->delivered > 0)
        tell(diff, SW_CHANGE_WORKS, server, nothing, sw_span_str(before->cause), &before->failure);
    if (before->certificate && after->certificate && !after->certificate->seen[false])
        tell(diff, SW_CHANGE_CERTIFICATE, server, after->certificate->text,
             before->certificate->text, &after->certificate->example[true]);
    if (before->tls_highest && after->tls_highest && after->tls_highest < before->tls_highest)
        tell(diff, SW_CHANGE_TLS_LOWER, server, sw_span_str(tls_version_name(after->tls_highest)),
             sw_span_str(tls_version_name(before->tls_highest)), &after->tls);
    if (after->exposed && !before->exposed && was_seen(before))
        tell(diff, SW_CHANGE_CLEAR_LOGIN, server, nothing, nothing, &after->login);
}

/* Only what was always there, or never, can be told from what comes and goes. */
static void compare_keyword(struct sw_diff *diff, const struct keyword *keyword)
{
    const struct server *server = keyword->server;
    uint64_t before = server->side[0].answers[keyword->inner];
    uint64_t after = server->side[1].answers[keyword->inner];
    struct sw_span nothing = {NULL, 0};
    if (before == 0 || after == 0)
        return;
    const struct sw_example *example = &server->side[1].greeted[keyword->inner];
    if (keyword->count[0] == before && keyword->count[1] == 0)
        tell(diff, SW_CHANGE_LOST, server, keyword->word, nothing, example);
    if (keyword->count[0] == 0 && keyword->count[1] == after)
        tell(diff, SW_CHANGE_GAINED, server, keyword->word, nothing, example);
}

static void count_words(struct sw_diff *diff, struct sw_table *keywords, const struct offer *offer)
{
    struct sw_span rest = offer->words;
    for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest)) {
        bool fresh = false;
        struct sw_key key;
        key.used = 0;
        sw_key_add(&key, &offer->server->number, sizeof(offer->server->number));
        sw_key_add(&key, &offer->inner, sizeof(offer->inner));
        sw_key_add(&key, word.ptr, word.len);
        struct keyword *keyword = sw_table_get(keywords, sw_key_span(&key), &fresh);
        if (!keyword) {
            diff->short_of_memory = true;
            return;
        }
        if (fresh)
            *keyword =
                (struct keyword){.server = offer->server, .word = word, .inner = offer->inner};
        keyword->count[0] += offer->count[0];
        keyword->count[1] += offer->count[1];
    }
}

static void compare_keywords(struct sw_diff *diff)
{
    struct sw_table keywords;
    sw_table_init(&keywords, &diff->arena, sizeof(struct keyword), KEYWORDS_MOST);
    for (size_t i = 0; i < diff->offers.room; i++) {
        if (diff->offers.slots[i].hash != 0)
            count_words(diff, &keywords, diff->offers.slots[i].value);
    }
    for (size_t i = 0; i < keywords.room; i++) {
        if (keywords.slots[i].hash != 0)
            compare_keyword(diff, keywords.slots[i].value);
    }
    sw_table_release(&keywords);
}

static int order_of_spans(struct sw_span a, struct sw_span b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int order_of_changes(const void *left, const void *right)
{
    const struct sw_change *a = left;
    const struct sw_change *b = right;
    int order = (int)sw_change_is_worse(b->kind) - (int)sw_change_is_worse(a->kind);
    if (order == 0)
        order = (int)a->kind - (int)b->kind;
    if (order == 0)
        order = (int)a->server.ip_version - (int)b->server.ip_version;
    if (order == 0)
        order = memcmp(a->server.address, b->server.address, sizeof(a->server.address));
    if (order == 0)
        order = (int)a->server.port - (int)b->server.port;
    if (order == 0)
        order = order_of_spans(a->server.name, b->server.name);
    return order != 0 ? order : order_of_spans(a->what, b->what);
}

bool sw_diff_finish(struct sw_diff *diff)
{
    for (size_t i = 0; i < diff->certificates.room; i++) {
        if (diff->certificates.slots[i].hash != 0)
            offer_certificate(diff->certificates.slots[i].value);
    }
    if (diff->sessions[false] == 0) /* who fails may have failed ever since */
        return !diff->short_of_memory;
    for (size_t i = 0; i < diff->servers.room; i++) {
        if (diff->servers.slots[i].hash != 0)
            compare(diff, diff->servers.slots[i].value);
    }
    compare_keywords(diff);
    if (diff->count > 0)
        qsort(diff->changes, diff->count, sizeof(*diff->changes), order_of_changes);
    return !diff->short_of_memory;
}

const struct sw_change *sw_diff_change(const struct sw_diff *diff, size_t index)
{
    return index < diff->count ? &diff->changes[index] : NULL;
}

uint64_t sw_diff_sessions(const struct sw_diff *diff, bool after)
{
    return diff->sessions[after];
}

void sw_diff_free(struct sw_diff *diff)
{
    if (!diff)
        return;
    sw_table_release(&diff->servers);
    sw_table_release(&diff->offers);
    sw_table_release(&diff->certificates);
    sw_example_files_release(&diff->files);
    sw_arena_release(&diff->arena);
    free(diff->changes);
    free(diff);
}
