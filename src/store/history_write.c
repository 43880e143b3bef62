/*
 * history_write.c - writes facts. What many sessions share is a row that is written once.
 */
#include "store/history_inside.h"

#include "base/format.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COMMIT_EVERY = 10000,
    NAMES_BYTES = 1 << 20,
    FINDINGS_BYTES = 8192,
    FRAMES_BYTES = (SW_FRAMES_OF + SW_FACT_FINDINGS) * (SW_DIGITS + 2) + 2,
    KEY_BYTES = 4096,
};

static bool run_to_end(struct sw_history *history, sqlite3_stmt *statement)
{
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    if (!good)
        (void)sw_history_fail(history);
    (void)sqlite3_reset(statement);
    return good;
}

/* Makes the row when it is missing, and gives its number; -1 on failure. `memo` may be NULL. */
static int64_t run_and_ask(struct sw_history *history, sqlite3_stmt *insert, sqlite3_stmt *query,
                           struct sw_memo *memo, struct sw_span key)
{
    int64_t row = run_to_end(history, insert) ? sw_history_ask(history, query) : -1;
    if (row > 0 && memo)
        sw_memo_keep(memo, key, row);
    return row;
}

static void bind_span(sqlite3_stmt *statement, int at, struct sw_span text)
{
    if (text.len > 0)
        (void)sqlite3_bind_text(statement, at, (const char *)text.ptr, (int)text.len,
                                SQLITE_STATIC);
}

/* Where a column may not be NULL. */
static void bind_text(sqlite3_stmt *statement, int at, struct sw_span text)
{
    (void)sqlite3_bind_text(statement, at, text.len > 0 ? (const char *)text.ptr : "",
                            (int)text.len, SQLITE_STATIC);
}

static void bind_frame(sqlite3_stmt *s, int at, uint64_t frame)
{
    if (frame != 0)
        (void)sqlite3_bind_int64(s, at, (int64_t)frame);
}

static void bind_str(sqlite3_stmt *statement, int at, const char *text)
{
    bind_span(statement, at, sw_span_str(text));
}

/* What a row is remembered by. */
struct key {
    uint8_t bytes[KEY_BYTES];
    size_t used;
    bool full; /* it did not fit: the file has to be asked */
};

static void begin_key(struct key *key)
{
    key->used = 0;
    key->full = false;
}

static void put_bytes(struct key *key, const void *bytes, size_t length)
{
    key->full = key->full || length > sizeof(key->bytes) - key->used;
    if (key->full || length == 0)
        return;
    memcpy(key->bytes + key->used, bytes, length);
    key->used += length;
}

static void put_number(struct key *key, uint64_t number)
{
    put_bytes(key, &number, sizeof(number));
}

static struct sw_span key_span(const struct key *key)
{
    return sw_span_make(key->bytes, key->used);
}

static unsigned count_names(const struct sw_fact *fact)
{
    return fact->file_count > 1 ? fact->file_count : 1;
}

static const char *name_at(const struct sw_fact *fact, unsigned index)
{
    return fact->file_count > 1 ? fact->files[index] : fact->file;
}

/* Are these the names of the fact's captures, with LF between them? */
static bool are_names_of(const char *names, const struct sw_fact *fact)
{
    for (unsigned i = 0; i < count_names(fact); i++) {
        size_t length = strlen(name_at(fact, i));
        char end = i + 1 < count_names(fact) ? '\n' : '\0';
        if (strncmp(names, name_at(fact, i), length) != 0 || names[length] != end)
            return false;
        names += length + 1;
    }
    return true;
}

/* NULL when they do not fit. */
static char *join_names(const struct sw_fact *fact)
{
    size_t room = 1;
    size_t used = 0;
    for (unsigned i = 0; i < count_names(fact); i++)
        room += strlen(name_at(fact, i)) + 1;
    char *names = room <= NAMES_BYTES ? malloc(room) : NULL;
    for (unsigned i = 0; names && i < count_names(fact); i++)
        used += (size_t)snprintf(names + used, room - used, "%s%s", i > 0 ? "\n" : "",
                                 name_at(fact, i));
    return names;
}

/* The row of the capture, or of the series of captures; -1 on failure. */
static int64_t keep_file(struct sw_history *history, const struct sw_fact *fact)
{
    if (history->names && history->file_id > 0 && are_names_of(history->names, fact))
        return history->file_id;
    free(history->names);
    history->names = join_names(fact);
    history->file_id = -1;
    if (!history->names) {
        (void)snprintf(history->error, sizeof(history->error), "%s: out of memory", history->path);
        return -1;
    }
    sqlite3_stmt *insert = sw_history_prepare(history, SW_STATEMENT_FILE);
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_FILE_ID);
    if (!insert || !query)
        return -1;
    bind_str(insert, 1, history->names);
    bind_str(query, 1, history->names);
    history->file_id = run_to_end(history, insert) ? sw_history_ask(history, query) : -1;
    return history->file_id;
}

/* The row of the certificate; 0 when there is none, -1 on failure. */
static int64_t keep_certificate(struct sw_history *history, const struct sw_fact *fact)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    if (!c->known)
        return 0;
    int64_t row = sw_memo_find(&history->certificates, sw_span_str(c->sha256));
    if (row > 0)
        return row;
    sqlite3_stmt *insert = sw_history_prepare(history, SW_STATEMENT_CERTIFICATE);
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_CERTIFICATE_ID);
    if (!insert || !query)
        return -1;
    bind_str(insert, 1, c->sha256);
    bind_span(insert, 2, c->subject);
    bind_span(insert, 3, c->issuer);
    bind_span(insert, 4, c->names);
    bind_str(insert, 5, c->not_before);
    bind_str(insert, 6, c->not_after);
    bind_str(query, 1, c->sha256);
    return run_and_ask(history, insert, query, &history->certificates, sw_span_str(c->sha256));
}

static void bind_peer(sqlite3_stmt *s, const struct sw_fact *fact)
{
    int address = !fact->has_server ? 0 : fact->ip_version == 4 ? 4 : 16;
    (void)sqlite3_bind_blob(s, 1, fact->server, address, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 2, fact->server_port);
    bind_text(s, 3, fact->server_name);
}

static int64_t keep_peer(struct sw_history *history, const struct sw_fact *fact)
{
    struct key key;
    begin_key(&key);
    put_number(&key, fact->has_server ? fact->ip_version : 0);
    put_number(&key, fact->server_port);
    put_bytes(&key, fact->server, fact->has_server ? sizeof(fact->server) : 0);
    put_bytes(&key, fact->server_name.ptr, fact->server_name.len);
    int64_t row = key.full ? 0 : sw_memo_find(&history->peers, key_span(&key));
    if (row > 0)
        return row;
    sqlite3_stmt *insert = sw_history_prepare(history, SW_STATEMENT_PEER);
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_PEER_ID);
    if (!insert || !query)
        return -1;
    bind_peer(insert, fact);
    bind_peer(query, fact);
    return run_and_ask(history, insert, query, key.full ? NULL : &history->peers, key_span(&key));
}

static void write_findings(const struct sw_fact *fact, char out[FINDINGS_BYTES])
{
    size_t used = 1;
    out[0] = '[';
    for (unsigned i = 0; i < fact->finding_count && used < FINDINGS_BYTES - 120; i++)
        used += (size_t)snprintf(out + used, FINDINGS_BYTES - used, "%s[\"%s\",%d]",
                                 i > 0 ? "," : "", sw_finding_info(fact->findings[i].id)->id,
                                 (int)fact->findings[i].severity);
    out[used] = ']';
    out[used + 1] = '\0';
}

static void bind_shape(sqlite3_stmt *s, const struct sw_fact *f, const char *findings)
{
#define AT(symbol) (SW_SHAPE_##symbol + 1)
    bool known = f->security != SW_SECURITY_UNKNOWN;
    bind_text(s, AT(OUTCOME), sw_span_str(sw_outcome_name(f->outcome)));
    bind_text(s, AT(CAUSE), sw_span_str(sw_cause_info(f->cause)->id));
    bind_text(s, AT(SECURITY), sw_span_str(known ? sw_security_name(f->security) : ""));
    (void)sqlite3_bind_int(s, AT(LOGIN), (int)f->login);
    (void)sqlite3_bind_int(s, AT(CLEAR_MAIL), (int)f->clear_mail);
    (void)sqlite3_bind_int(s, AT(STARTTLS), (int)f->starttls);
    (void)sqlite3_bind_int(s, AT(TLS), (int)f->tls);
    (void)sqlite3_bind_int(s, AT(TLS_VERSION), f->tls_version);
    (void)sqlite3_bind_int(s, AT(CERTIFIED), (int)f->certified);
    (void)sqlite3_bind_int64(s, AT(CERTIFICATE_PROBLEMS), f->certificate.problems);
    (void)sqlite3_bind_int(s, AT(GREETING_DUE), f->greeting_due);
    bind_text(s, AT(CLEAR_KEYWORDS), f->clear_keywords);
    bind_text(s, AT(INNER_KEYWORDS), f->inner_keywords);
    bind_text(s, AT(FINDINGS), sw_span_str(findings));
#undef AT
}

static void put_shape(struct key *key, const struct sw_fact *f)
{
    put_number(key, (uint64_t)f->outcome | (uint64_t)f->cause << 8 | (uint64_t)f->security << 32);
    put_number(key, (uint64_t)f->login | (uint64_t)f->clear_mail << 4 | (uint64_t)f->starttls << 8 |
                        (uint64_t)f->tls << 12 | (uint64_t)f->certified << 16 |
                        (uint64_t)f->greeting_due << 20 | (uint64_t)f->tls_version << 32);
    put_number(key, (uint64_t)f->certificate.problems << 32 | f->finding_count);
    for (unsigned i = 0; i < f->finding_count; i++)
        put_number(key, (uint64_t)f->findings[i].id << 8 | (uint64_t)f->findings[i].severity);
    put_number(key, f->clear_keywords.len);
    put_bytes(key, f->clear_keywords.ptr, f->clear_keywords.len);
    put_bytes(key, f->inner_keywords.ptr, f->inner_keywords.len);
}

static int64_t keep_shape(struct sw_history *history, const struct sw_fact *fact)
{
    struct key key;
    begin_key(&key);
    char findings[FINDINGS_BYTES];
    put_shape(&key, fact);
    int64_t row = key.full ? 0 : sw_memo_find(&history->shapes, key_span(&key));
    if (row > 0)
        return row;
    sqlite3_stmt *insert = sw_history_prepare(history, SW_STATEMENT_SHAPE);
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_SHAPE_ID);
    if (!insert || !query)
        return -1;
    write_findings(fact, findings);
    bind_shape(insert, fact, findings);
    bind_shape(query, fact, findings);
    return run_and_ask(history, insert, query, key.full ? NULL : &history->shapes, key_span(&key));
}

/* A frame, as far behind the session's first; or "null". */
static char *put_frame(char *at, const struct sw_fact *fact, uint64_t frame)
{
    uint8_t digits[SW_DIGITS];
    if (frame == 0) {
        for (const char *none = "null"; *none; none++)
            *at++ = *none;
        return at;
    }
    bool earlier = frame < fact->first_frame;
    size_t n =
        sw_format_number(earlier ? fact->first_frame - frame : frame - fact->first_frame, digits);
    if (earlier)
        *at++ = '-';
    memcpy(at, digits, n);
    return at + n;
}

static size_t write_frames(const struct sw_fact *fact, char out[FRAMES_BYTES])
{
    const uint64_t frames[SW_FRAMES_OF] = {
        [SW_FRAME_CLEAR_MAIL] = fact->clear_mail_frame,
        [SW_FRAME_STARTTLS] = fact->starttls_frame,
        [SW_FRAME_TLS] = fact->tls_frame,
        [SW_FRAME_CERTIFICATE] = fact->certificate.frame,
        [SW_FRAME_GREETING] = fact->greeting_frame,
    };
    char *at = out;
    *at++ = '[';
    for (unsigned i = 0; i < SW_FRAMES_OF + fact->finding_count; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_frame(at, fact,
                       i < SW_FRAMES_OF ? frames[i] : fact->findings[i - SW_FRAMES_OF].frame);
    }
    *at++ = ']';
    return (size_t)(at - out);
}

/* What is kept of the session already. */
struct known {
    int64_t n;   /* 0: nothing */
    int64_t run; /* that saw it first */
};

static bool find_known(struct sw_history *history, int64_t id, struct known *known)
{
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_FACT_OF);
    if (!query)
        return false;
    (void)sqlite3_bind_int64(query, 1, id);
    int result = sqlite3_step(query);
    *known = (struct known){0, history->run};
    if (result == SQLITE_ROW)
        *known = (struct known){sqlite3_column_int64(query, 0), sqlite3_column_int64(query, 1)};
    else if (result != SQLITE_DONE)
        (void)sw_history_fail(history);
    (void)sqlite3_reset(query);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* The rows that a session refers to; -1 on failure. */
struct rows {
    int64_t file, peer, shape, certificate;
};

static void bind_fact(sqlite3_stmt *s, const struct sw_fact *f, const struct rows *rows)
{
#define AT(symbol) (SW_COLUMN_##symbol + 1)
    (void)sqlite3_bind_int64(s, AT(START), f->start_ns);
    (void)sqlite3_bind_int64(s, AT(FILE), rows->file);
    (void)sqlite3_bind_int64(s, AT(FIRST_FRAME), (int64_t)f->first_frame);
    (void)sqlite3_bind_blob(s, AT(CLIENT), f->client, f->ip_version == 4 ? 4 : 16, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, AT(PEER), rows->peer);
    (void)sqlite3_bind_int64(s, AT(SHAPE), rows->shape);
    if (rows->certificate > 0)
        (void)sqlite3_bind_int64(s, AT(CERTIFICATE), rows->certificate);
    if (f->greeting_delay_ns != SW_TIME_NONE)
        (void)sqlite3_bind_int64(s, AT(GREETING_DELAY), f->greeting_delay_ns);
    if (f->greeting_wait_ns != 0)
        (void)sqlite3_bind_int64(s, AT(GREETING_WAIT), f->greeting_wait_ns);
}

static bool add_fact(struct sw_history *history, const struct sw_fact *fact, int64_t id,
                     const struct known *known)
{
    char frames[FRAMES_BYTES];
    const struct rows rows = {keep_file(history, fact), keep_peer(history, fact),
                              keep_shape(history, fact), keep_certificate(history, fact)};
    sqlite3_stmt *s = sw_history_prepare(history, SW_STATEMENT_FACT);
    if (rows.file < 0 || rows.peer < 0 || rows.shape < 0 || rows.certificate < 0 || !s)
        return false;
    bind_fact(s, fact, &rows);
    if (known->n > 0)
        (void)sqlite3_bind_int64(s, AT(N), known->n);
    (void)sqlite3_bind_int64(s, AT(ID), id);
    (void)sqlite3_bind_int64(s, AT(RUN), known->run);
    size_t length = write_frames(fact, frames);
    (void)sqlite3_bind_text(s, AT(FRAMES), frames, (int)length, SQLITE_STATIC);
    return run_to_end(history, s);
}

static bool forget_logins(struct sw_history *history, int64_t n)
{
    sqlite3_stmt *forget = sw_history_prepare(history, SW_STATEMENT_FORGET_LOGINS);
    if (!forget)
        return false;
    (void)sqlite3_bind_int64(forget, 1, n);
    return run_to_end(history, forget);
}

static bool add_logins(struct sw_history *history, const struct sw_fact *fact, int64_t n)
{
    bool good = true;
    for (unsigned i = 0; good && i < fact->login_count; i++) {
        const struct sw_fact_login *login = &fact->logins[i];
        sqlite3_stmt *s = sw_history_prepare(history, SW_STATEMENT_LOGIN);
        if (!s)
            return false;
        (void)sqlite3_bind_int64(s, 1, n);
        (void)sqlite3_bind_int(s, 2, (int)i);
        bind_span(s, 3, login->user);
        bind_span(s, 4, login->mechanism);
        (void)sqlite3_bind_int(s, 5, login->exposed);
        (void)sqlite3_bind_int(s, 6, login->accepted);
        bind_frame(s, 7, login->frame);
        good = run_to_end(history, s);
    }
    return good;
}

bool sw_history_add(struct sw_history *history, const struct sw_fact *fact)
{
    struct known known;
    int64_t id = sw_history_id(fact->id);
    if (!sw_history_begin(history) || !find_known(history, id, &known) ||
        !add_fact(history, fact, id, &known))
        return false;
    int64_t n = known.n > 0 ? known.n : sqlite3_last_insert_rowid(history->db);
    if ((known.n > 0 && !forget_logins(history, n)) || !add_logins(history, fact, n))
        return false;
    return ++history->open_facts < COMMIT_EVERY || sw_history_commit(history);
}
