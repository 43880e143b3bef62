#include "live/http.h"

#include "live/listen.h"
#include "live/page.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    TOKEN_BYTES = 16,
    CONNECTIONS = 64,
    IDLE_S = 120,
    LISTED = 500,       /* rows of one answer */
    EVENT_BYTES = 8192, /* of one event at most */
    KEEP_ALIVE_RUNS = 100,
};

struct sw_http {
    struct MHD_Daemon *daemon;
    struct sw_listen listen;
    struct sw_board *board;
    const struct sw_metrics_facts *facts;
    char token[2 * TOKEN_BYTES + 1]; /* "" when none is demanded */
    char place[400];
    struct sw_writer scratch;
};

/* One client of /api/events. */
struct events {
    struct sw_http *http;
    uint64_t next; /* the row that it gets next */
    unsigned quiet;
    struct sw_writer line;
    size_t sent; /* of the line */
};

static const char json_type[] = "application/json; charset=utf-8";

/* --- answers --- */

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response, const char *type,
                                     const char *policy)
{
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", type);
    (void)MHD_add_response_header(response, "Content-Security-Policy", policy);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char no_policy[] = "default-src 'none'; frame-ancestors 'none'";

static enum MHD_Result send_bytes(struct MHD_Connection *connection, unsigned status,
                                  struct sw_span bytes, const char *type)
{
    void *copy = malloc(bytes.len ? bytes.len : 1);
    if (!copy)
        return MHD_NO;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes.len, copy, MHD_RESPMEM_MUST_FREE);
    return send_response(connection, status, response, type, no_policy);
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const char *text)
{
    return send_bytes(connection, status, sw_span_str(text), "text/plain; charset=utf-8");
}

static enum MHD_Result send_scratch(struct sw_http *http, struct MHD_Connection *connection,
                                    const char *type)
{
    if (http->scratch.error)
        return send_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
    return send_bytes(connection, MHD_HTTP_OK, sw_writer_span(&http->scratch), type);
}

static bool random_hex(char *out, size_t bytes)
{
    uint8_t raw[TOKEN_BYTES];
    if (bytes > sizeof(raw) || getrandom(raw, bytes, 0) != (ssize_t)bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return true;
}

/* The page's own script and style are named by a number that is good for one answer. */
static enum MHD_Result send_page(struct sw_http *http, struct MHD_Connection *connection)
{
    char nonce[2 * TOKEN_BYTES + 1];
    char policy[300];
    static const struct sw_span mark = SW_SPAN_LIT("@NONCE@");
    struct sw_span rest = sw_page_html();
    if (!random_hex(nonce, TOKEN_BYTES))
        return MHD_NO;
    (void)snprintf(
        policy, sizeof(policy),
        "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        nonce, nonce);
    sw_writer_clear(&http->scratch);
    for (;;) {
        size_t at = sw_span_find_nocase(rest, mark);
        sw_writer_put(&http->scratch, sw_span_sub(rest, 0, at));
        if (at == rest.len)
            break;
        sw_writer_text(&http->scratch, nonce);
        rest = sw_span_from(rest, at + mark.len);
    }
    struct sw_span page = sw_writer_span(&http->scratch);
    void *copy = malloc(page.len);
    if (!copy)
        return MHD_NO;
    memcpy(copy, page.ptr, page.len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(page.len, copy, MHD_RESPMEM_MUST_FREE);
    return send_response(connection, MHD_HTTP_OK, response, "text/html; charset=utf-8", policy);
}

/* The newest rows first, as far as one answer goes; ?before=NUMBER goes on behind them. */
static enum MHD_Result send_list(struct sw_http *http, struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "before");
    uint64_t number = http->board->next;
    uint64_t before = 0;
    if (given && !sw_span_u64(sw_span_str(given), &before))
        return send_text(connection, MHD_HTTP_BAD_REQUEST, "before: a number is wanted\n");
    if (given && before < number)
        number = before;
    sw_writer_clear(&http->scratch);
    sw_writer_char(&http->scratch, '[');
    const struct sw_board_row *row;
    for (int i = 0; i < LISTED && number > 0 && (row = sw_board_row(http->board, --number)); i++) {
        sw_writer_text(&http->scratch, i ? "," : "");
        sw_board_row_json(row, &http->scratch);
    }
    sw_writer_char(&http->scratch, ']');
    return send_scratch(http, connection, json_type);
}

static enum MHD_Result send_session(struct sw_http *http, struct MHD_Connection *connection,
                                    const char *id)
{
    const struct sw_board_row *row = sw_board_find(http->board, sw_span_str(id));
    if (!row)
        return send_text(connection, MHD_HTTP_NOT_FOUND, "this session is not kept (any more)\n");
    sw_writer_clear(&http->scratch);
    sw_writer_text(&http->scratch, "{\"row\":");
    sw_board_row_json(row, &http->scratch);
    sw_writer_text(&http->scratch, ",\"record\":");
    sw_writer_put(&http->scratch, sw_span_trim(row->json));
    sw_writer_text(&http->scratch, ",\"ladder\":");
    sw_writer_put(&http->scratch, row->ladder);
    sw_writer_char(&http->scratch, '}');
    return send_scratch(http, connection, json_type);
}

static enum MHD_Result send_metrics(struct sw_http *http, struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    bool open_metrics = accept && strstr(accept, "application/openmetrics-text");
    sw_writer_clear(&http->scratch);
    sw_metrics_put(http->board, http->facts, open_metrics, &http->scratch);
    return send_scratch(http, connection,
                        open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                     : "text/plain; version=0.0.4; charset=utf-8");
}

/* --- events, as server-sent events --- */

static void next_event(struct events *events)
{
    const struct sw_board *board = events->http->board;
    if (events->next < board->first)
        events->next = board->first; /* it was too slow for those */
    const struct sw_board_row *row = sw_board_row(board, events->next);
    sw_writer_clear(&events->line);
    events->sent = 0;
    if (row) {
        events->next++;
        events->quiet = 0;
        sw_writer_text(&events->line, "event: session\ndata: ");
        sw_board_row_json(row, &events->line);
        sw_writer_text(&events->line, "\n\n");
    } else if (++events->quiet >= KEEP_ALIVE_RUNS) {
        events->quiet = 0;
        sw_writer_text(&events->line, ": still here\n\n");
    }
}

static ssize_t read_events(void *ctx, uint64_t at, char *buffer, size_t room)
{
    struct events *events = ctx;
    (void)at;
    struct sw_span left = sw_span_from(sw_writer_span(&events->line), events->sent);
    if (left.len == 0) {
        next_event(events);
        left = sw_writer_span(&events->line);
    }
    size_t n = left.len < room ? left.len : room;
    if (n > 0)
        memcpy(buffer, left.ptr, n);
    events->sent += n;
    return (ssize_t)n; /* 0: asked again when the loop comes round */
}

static void free_events(void *ctx)
{
    struct events *events = ctx;
    sw_writer_release(&events->line);
    free(events);
}

static enum MHD_Result send_events(struct sw_http *http, struct MHD_Connection *connection)
{
    struct events *events = calloc(1, sizeof(*events));
    if (!events)
        return MHD_NO;
    events->http = http;
    events->next = http->board->next;
    sw_writer_open_memory(&events->line);
    sw_writer_text(&events->line, "retry: 2000\n\n");
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, EVENT_BYTES, read_events, events, free_events);
    return send_response(connection, MHD_HTTP_OK, response, "text/event-stream", no_policy);
}

/* --- who may ask, and for what --- */

/* Of the right length, it takes the same time whatever is wrong with it. */
static bool same(const char *given, const char *token)
{
    size_t len = strlen(token);
    unsigned differ = 0;
    if (strlen(given) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        differ |= (unsigned)(given[i] ^ token[i]);
    return differ == 0;
}

static bool is_allowed(const struct sw_http *http, struct MHD_Connection *connection)
{
    if (!http->token[0])
        return true;
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *query = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token");
    if (header && strncmp(header, "Bearer ", 7) == 0)
        return same(header + 7, http->token);
    return query && same(query, http->token);
}

/* Without a token the name must be one that only this machine has for itself. */
static bool is_own_name(const struct sw_http *http, struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    if (http->token[0] || http->listen.is_unix || !host)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
            return true;
    }
    return false;
}

static enum MHD_Result route(struct sw_http *http, struct MHD_Connection *connection,
                             const char *path)
{
    static const char sessions[] = "/api/sessions/";
    if (strcmp(path, "/healthz") == 0)
        return send_text(connection, MHD_HTTP_OK, "ok\n");
    if (!is_allowed(http, connection))
        return send_text(connection, MHD_HTTP_UNAUTHORIZED,
                         "a token is needed: it was printed when the program was started\n");
    if (strcmp(path, "/") == 0)
        return send_page(http, connection);
    if (strcmp(path, "/metrics") == 0)
        return send_metrics(http, connection);
    if (strcmp(path, "/api/events") == 0)
        return send_events(http, connection);
    if (strcmp(path, "/api/sessions") == 0)
        return send_list(http, connection);
    if (strncmp(path, sessions, sizeof(sessions) - 1) == 0)
        return send_session(http, connection, path + sizeof(sessions) - 1);
    if (strcmp(path, "/api/overview") == 0) {
        sw_writer_clear(&http->scratch);
        sw_board_overview_json(http->board, &http->scratch);
        return send_scratch(http, connection, json_type);
    }
    return send_text(connection, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    static int begun;
    (void)version;
    (void)upload;
    if (!*state) { /* the headers are there; what follows them is not wanted */
        *state = &begun;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    if (!is_own_name(ctx, connection))
        return send_text(connection, MHD_HTTP_FORBIDDEN, "this is not a name of mine\n");
    return route(ctx, connection, url);
}

/* --- life --- */

static void name_place(struct sw_http *http, const char *address)
{
    if (http->listen.is_unix)
        (void)snprintf(http->place, sizeof(http->place), "%.300s", address);
    else
        (void)snprintf(http->place, sizeof(http->place), "http://%.300s/%s%s", address,
                       http->token[0] ? "?token=" : "", http->token);
}

struct sw_http *sw_http_open(const char *address, struct sw_board *board,
                             const struct sw_metrics_facts *facts, char *message, size_t room)
{
    struct sw_http *http = calloc(1, sizeof(*http));
    if (!http || !sw_listen_open(&http->listen, address, message, room)) {
        free(http);
        return NULL;
    }
    http->board = board;
    http->facts = facts;
    sw_writer_open_memory(&http->scratch);
    bool good = http->listen.is_local || random_hex(http->token, TOKEN_BYTES);
    if (good)
        http->daemon =
            MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
                             MHD_OPTION_LISTEN_SOCKET, http->listen.fd, MHD_OPTION_CONNECTION_LIMIT,
                             (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
    if (!http->daemon) {
        (void)snprintf(message, room, "--http %s: the server cannot be started", address);
        sw_http_close(http);
        return NULL;
    }
    name_place(http, address);
    return http;
}

const char *sw_http_place(const struct sw_http *http)
{
    return http->place;
}

int sw_http_descriptor(const struct sw_http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

void sw_http_run(struct sw_http *http)
{
    (void)MHD_run(http->daemon);
}

void sw_http_close(struct sw_http *http)
{
    if (!http)
        return;
    if (http->daemon)
        MHD_stop_daemon(http->daemon); /* closes the listening socket */
    else
        (void)close(http->listen.fd);
    sw_writer_release(&http->scratch);
    free(http);
}
