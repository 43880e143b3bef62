#include "store/courier.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 400,
    SAID_BYTES = 2000, /* of a bad answer that are looked at */
    CONNECT_S = 5,
    SILENCE_S = 60,        /* after rows were sent */
    SILENCE_QUERY_S = 600, /* a query over a year takes its time */
};

/* What is used of libcurl. */
#define SW_CURL_CALLS(X)                                                                           \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_escape)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_easy_cleanup)                                                                           \
    X(curl_free)                                                                                   \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

/* curl.h has macros of these names, which check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct calls {
#define SW_CALL(name) __typeof__(name) *(name);
    SW_CURL_CALLS(SW_CALL)
#undef SW_CALL
};

struct sw_courier {
    void *library;
    struct calls calls;
    CURL *curl;
    struct curl_slist *headers, *row_headers;
    const char *password;
    const struct sw_courier_question *question; /* while it is asked */
    off_t sent;
    char said[SAID_BYTES + 1]; /* of an answer that is not good */
    size_t said_used;
    char message[MESSAGE_BYTES];
    int code;
};

const char *sw_courier_message(const struct sw_courier *courier)
{
    return courier->message;
}

int sw_courier_code(const struct sw_courier *courier)
{
    return courier->code;
}

static bool load(struct sw_courier *courier, struct sw_status *status)
{
    courier->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    bool good = courier->library != NULL;
#define SW_CALL(name)                                                                              \
    if (good) {                                                                                    \
        *(void **)(&courier->calls.name) = dlsym(courier->library, #name);                         \
        good = courier->calls.name != NULL;                                                        \
    }
    SW_CURL_CALLS(SW_CALL)
#undef SW_CALL
    if (!good)
        *status =
            sw_status_make(SW_UNSUPPORTED, 0,
                           "--store needs libcurl.so.4 (Debian's package libcurl4): %s", dlerror());
    return good;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct sw_courier *courier = ctx;
    const struct sw_courier_question *question = courier->question;
    size_t length = size * count;
    long status = 0;
    (void)courier->calls.curl_easy_getinfo(courier->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        return !question->take || question->take(question->ctx, sw_span_make(bytes, length))
                   ? length
                   : 0;
    size_t room = SAID_BYTES - courier->said_used;
    size_t kept = length < room ? length : room;
    memcpy(courier->said + courier->said_used, bytes, kept);
    courier->said_used += kept;
    return length;
}

static size_t on_rows(char *bytes, size_t size, size_t count, void *ctx)
{
    struct sw_courier *courier = ctx;
    ssize_t got = pread(courier->question->rows, bytes, size * count, courier->sent);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    courier->sent += got;
    return (size_t)got;
}

/* A connection that had been closed meanwhile is opened anew, and the rows go from the start. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct sw_courier *courier = ctx;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    courier->sent = (off_t)offset;
    return CURL_SEEKFUNC_OK;
}

static void add_header(struct sw_courier *courier, struct curl_slist **list, const char *name,
                       const char *value)
{
    char line[700];
    if (!value)
        return;
    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = courier->calls.curl_slist_append(*list, line);
    if (longer)
        *list = longer;
}

static void set_up(struct sw_courier *courier)
{
    const struct calls *c = &courier->calls;
    CURL *curl = courier->curl;
    (void)c->curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)c->curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)c->curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)c->curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)c->curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)c->curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)c->curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)c->curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    (void)c->curl_easy_setopt(curl, CURLOPT_WRITEDATA, courier);
    (void)c->curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_rows);
    (void)c->curl_easy_setopt(curl, CURLOPT_READDATA, courier);
    (void)c->curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    (void)c->curl_easy_setopt(curl, CURLOPT_SEEKDATA, courier);
    (void)c->curl_easy_setopt(curl, CURLOPT_POST, 1L);
}

struct sw_courier *sw_courier_new(const char *user, const char *password, struct sw_status *status)
{
    struct sw_courier *courier = calloc(1, sizeof(*courier));
    *status = sw_status_make(SW_NO_MEMORY, 0, "out of memory");
    if (!courier)
        return NULL;
    courier->password = password && password[0] ? password : NULL;
    if (!load(courier, status) ||
        courier->calls.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(courier->curl = courier->calls.curl_easy_init())) {
        sw_courier_free(courier);
        return NULL;
    }
    struct curl_slist **lists[] = {&courier->headers, &courier->row_headers};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        add_header(courier, lists[i], "Expect", ""); /* no waiting for a 100 */
        add_header(courier, lists[i], "Content-Type", "application/octet-stream");
        add_header(courier, lists[i], "X-ClickHouse-User", user);
        add_header(courier, lists[i], "X-ClickHouse-Key", courier->password);
    }
    add_header(courier, &courier->row_headers, "Content-Encoding", "gzip");
    set_up(courier);
    *status = sw_status_ok();
    return courier;
}

/* A server may say anything, also what it was told. */
static void hide_password(struct sw_courier *courier)
{
    size_t length = courier->password ? strlen(courier->password) : 0;
    if (courier->said_used == SAID_BYTES) /* the first half of it may stand at the end */
        courier->said[length < SAID_BYTES ? SAID_BYTES - length : 0] = '\0';
    for (char *at = courier->said; length > 0 && (at = strstr(at, courier->password));)
        memset(at, '*', length);
}

/* "Code: 60, e.displayText() = DB::Exception: Table ... doesn't exist., e.what() = ..." (18.16),
 * "Code: 60. DB::Exception: Table ... doesn't exist. (UNKNOWN_TABLE) (version ...)". */
static void read_error(struct sw_courier *courier, long status)
{
    const char *code = strstr(courier->said, "Code: ");
    const char *text = strstr(courier->said, "Exception: ");
    courier->code = code ? (int)strtol(code + 6, NULL, 10) : 0;
    text = text ? text + strlen("Exception: ") : courier->said;
    size_t length = strcspn(text, "\r\n");
    const char *end = strstr(text, ", e.what() = ");
    if (end && (size_t)(end - text) < length)
        length = (size_t)(end - text);
    (void)snprintf(courier->message, sizeof(courier->message), "%s answers %ld: %.*s",
                   courier->question->place, status, length > 250 ? 250 : (int)length, text);
}

/* ClickHouse's numbers of what is wrong with the rows or the rights, whatever the status says. */
static bool is_final(int code)
{
    static const int codes[] = {6,   26,  27,  38,  41,  53,  60,  62,  72,  81,  115,
                                117, 130, 131, 164, 190, 192, 193, 194, 354, 497, 516};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static enum sw_answer judge(struct sw_courier *courier, CURLcode result)
{
    long status = 0;
    (void)courier->calls.curl_easy_getinfo(courier->curl, CURLINFO_RESPONSE_CODE, &status);
    courier->said[courier->said_used] = '\0';
    if (result != CURLE_OK) {
        (void)snprintf(courier->message, sizeof(courier->message), "%s: %s",
                       courier->question->place, courier->calls.curl_easy_strerror(result));
        return SW_ANSWER_NOBODY;
    }
    if (status == 200)
        return SW_ANSWER_GOOD;
    hide_password(courier);
    read_error(courier, status);
    bool temporary = status >= 500 || status == 408 || status == 425 || status == 429;
    return temporary && !is_final(courier->code) ? SW_ANSWER_LATER : SW_ANSWER_REFUSED;
}

enum sw_answer sw_courier_ask(struct sw_courier *courier,
                              const struct sw_courier_question *question)
{
    const struct calls *c = &courier->calls;
    CURL *curl = courier->curl;
    bool rows = question->rows >= 0;
    char *query = rows ? c->curl_easy_escape(curl, question->query, 0) : NULL;
    size_t room =
        strlen(question->place) + strlen(question->settings) + 40 + (query ? strlen(query) : 0);
    char *url = malloc(room);
    courier->question = question;
    courier->code = 0;
    courier->sent = 0;
    courier->said_used = 0;
    enum sw_answer answer = SW_ANSWER_LATER;
    (void)snprintf(courier->message, sizeof(courier->message), "out of memory");
    if (url && (query || !rows)) {
        (void)snprintf(url, room, "%s/?query=%s%s", question->place, query ? query : "",
                       question->settings);
        (void)c->curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)c->curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                                  rows ? (long)SILENCE_S : (long)SILENCE_QUERY_S);
        (void)c->curl_easy_setopt(curl, CURLOPT_HTTPHEADER,
                                  rows ? courier->row_headers : courier->headers);
        (void)c->curl_easy_setopt(curl, CURLOPT_POSTFIELDS, rows ? NULL : question->query);
        (void)c->curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                  rows ? (curl_off_t)question->row_bytes
                                       : (curl_off_t)strlen(question->query));
        answer = judge(courier, c->curl_easy_perform(curl));
    }
    courier->question = NULL;
    c->curl_free(query);
    free(url);
    return answer;
}

void sw_courier_free(struct sw_courier *courier)
{
    if (!courier)
        return;
    if (courier->curl) {
        courier->calls.curl_slist_free_all(courier->headers);
        courier->calls.curl_slist_free_all(courier->row_headers);
        courier->calls.curl_easy_cleanup(courier->curl);
    }
    /* the library stays: what it depends on does not like to be unloaded */
    free(courier);
}
