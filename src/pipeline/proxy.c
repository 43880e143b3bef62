#include "pipeline/proxy.h"

#include "base/address.h"

enum { SOCKS4_GRANTED = 0x5A, SOCKS5_NO_METHOD = 0xFF, SOCKS5_PASSWORD = 2 };

static struct sw_span unit(const struct sw_proxy *proxy)
{
    return sw_span_make(proxy->unit, proxy->kept);
}

/* "host:port" of an HTTP request line; an IPv6 address stands in brackets. A login is no part of it
 * (RFC 9110 9.3.6). */
static bool split_authority(struct sw_span line, struct sw_span *host, uint16_t *port)
{
    struct sw_span rest = line;
    (void)sw_span_word(&rest); /* CONNECT */
    struct sw_span authority = sw_span_word(&rest);
    size_t colon = authority.len;
    while (colon > 0 && authority.ptr[colon - 1] != ':')
        colon--;
    uint64_t value = 0;
    if (colon == 0 || !sw_span_u64(sw_span_from(authority, colon), &value) || value > 65535 ||
        sw_span_index(authority, '@') < authority.len)
        return false;
    *host = sw_span_sub(authority, 0, colon - 1);
    *port = (uint16_t)value;
    return true;
}

static bool is_socks5(struct sw_span first)
{
    return first.len >= 3 && first.ptr[0] == 5 && first.ptr[1] > 0 &&
           first.len == (size_t)first.ptr[1] + 2;
}

static bool is_socks4(struct sw_span first)
{
    return first.len >= 9 && first.ptr[0] == 4 && first.ptr[1] == 1;
}

static bool is_http(struct sw_span first)
{
    return sw_span_starts(first, SW_SPAN_LIT("CONNECT "));
}

/* What is there is the beginning of a request, and the rest may still come. */
static bool may_become_one(struct sw_span first)
{
    struct sw_span http = SW_SPAN_LIT("CONNECT ");
    if (first.len < http.len && sw_span_starts(http, first))
        return true;
    if (first.len < 2)
        return first.len == 0 || first.ptr[0] == 4 || first.ptr[0] == 5;
    if (first.ptr[0] == 4)
        return first.ptr[1] == 1 && first.len < 9;
    return first.ptr[0] == 5 && first.ptr[1] > 0 && first.len < (size_t)first.ptr[1] + 2;
}

enum sw_proxy_guess sw_proxy_begins(struct sw_span first, uint16_t *port)
{
    *port = 0;
    if (is_http(first)) {
        struct sw_span host;
        size_t lf = sw_span_index(first, '\n');
        bool good = lf == first.len || split_authority(sw_span_sub(first, 0, lf), &host, port);
        return good ? SW_PROXY_IS_ONE : SW_PROXY_IS_NONE;
    }
    if (is_socks4(first))
        *port = (uint16_t)(first.ptr[2] << 8 | first.ptr[3]);
    if (is_socks4(first) || is_socks5(first))
        return SW_PROXY_IS_ONE;
    return may_become_one(first) ? SW_PROXY_MAY_BE : SW_PROXY_IS_NONE;
}

enum sw_proxy_guess sw_proxy_collect(struct sw_proxy *proxy, struct sw_span bytes, size_t *used)
{
    _Static_assert(SW_PROXY_UNIT > 2 + 255, "whatever is undecided fits");
    enum sw_proxy_guess guess = SW_PROXY_MAY_BE;
    uint16_t port;
    *used = 0;
    while (*used < bytes.len && guess == SW_PROXY_MAY_BE) {
        proxy->unit[proxy->kept++] = bytes.ptr[(*used)++];
        guess = sw_proxy_begins(unit(proxy), &port);
    }
    /* behind its methods a client of SOCKS 5 waits */
    bool hasty = *used < bytes.len && is_socks5(unit(proxy));
    return guess == SW_PROXY_IS_ONE && hasty ? SW_PROXY_IS_NONE : guess;
}

static void go_on(struct sw_proxy *proxy, enum sw_proxy_step step)
{
    proxy->step = step;
    proxy->seen = proxy->lines = proxy->line = proxy->kept = 0;
}

void sw_proxy_start(struct sw_proxy *proxy, struct sw_span first, struct sw_proxied *out)
{
    *proxy = (struct sw_proxy){0};
    out->kind = is_http(first)     ? SW_PROXY_HTTP
                : is_socks4(first) ? SW_PROXY_SOCKS4
                                   : SW_PROXY_SOCKS5;
    go_on(proxy, out->kind == SW_PROXY_HTTP     ? SW_PROXY_HTTP_REQUEST
                 : out->kind == SW_PROXY_SOCKS4 ? SW_PROXY_REQUEST
                                                : SW_PROXY_METHODS);
}

static void set_host(struct sw_proxied *out, struct sw_span host)
{
    size_t n = host.len < sizeof(out->host) ? host.len : sizeof(out->host);
    if (n > 0)
        memcpy(out->host, host.ptr, n);
    out->host_length = (uint8_t)n;
}

static void answered(struct sw_proxy *proxy, struct sw_proxied *out, uint16_t status, bool granted,
                     struct sw_mark mark)
{
    out->status = status;
    out->answered = mark;
    out->open = granted;
    out->refused = !granted;
    go_on(proxy, granted ? SW_PROXY_IDLE : SW_PROXY_REFUSED);
}

/* --- HTTP: only the first line is kept --- */

static bool http_octet(struct sw_proxy *proxy, uint8_t octet)
{
    if (proxy->lines == 0 && octet != '\n' && proxy->kept < sizeof(proxy->unit))
        proxy->unit[proxy->kept++] = octet;
    if (octet == '\n') {
        bool empty = proxy->line == 0;
        proxy->lines++;
        proxy->line = 0;
        return empty && proxy->lines > 1;
    }
    proxy->line += octet != '\r';
    return false;
}

static void http_request(struct sw_proxy *proxy, struct sw_proxied *out, struct sw_mark mark)
{
    struct sw_span host = {NULL, 0};
    if (split_authority(unit(proxy), &host, &out->port))
        set_host(out, host);
    out->asked = mark;
    out->refused = false; /* a second try, with a login */
    go_on(proxy, SW_PROXY_HTTP_REPLY);
}

static void http_reply(struct sw_proxy *proxy, struct sw_proxied *out, struct sw_mark mark)
{
    struct sw_span rest = unit(proxy);
    (void)sw_span_word(&rest); /* HTTP/1.1 */
    uint64_t status = 0;
    if (!sw_span_u64(sw_span_trim(sw_span_word(&rest)), &status) || status > 999)
        status = 0;
    answered(proxy, out, (uint16_t)status, status / 100 == 2, mark);
}

/* --- SOCKS --- */

/* The octets of a SOCKS 5 request or reply, from what is there so far; 0 = not known yet. */
static uint32_t socks5_length(const struct sw_proxy *proxy)
{
    if (proxy->kept < 5)
        return 0;
    switch (proxy->unit[3]) {
    case 1:
        return 4 + 4 + 2;
    case 3:
        return 4 + 1 + (uint32_t)proxy->unit[4] + 2;
    case 4:
        return 4 + 16 + 2;
    default:
        return 5; /* nonsense: take it for what it is */
    }
}

static void socks5_target(const struct sw_proxy *proxy, struct sw_proxied *out)
{
    char text[SW_ADDRESS_TEXT_BYTES];
    uint8_t address[16] = {0};
    const uint8_t *u = proxy->unit;
    uint32_t n = proxy->kept;
    out->port = (uint16_t)(u[n - 2] << 8 | u[n - 1]);
    if (u[3] == 3) {
        set_host(out, sw_span_make(u + 5, u[4]));
        return;
    }
    memcpy(address, u + 4, u[3] == 4 ? 16 : 4);
    sw_address_format(address, u[3] == 4 ? 6 : 4, text);
    set_host(out, sw_span_str(text));
}

/* SOCKS 4a: an address 0.0.0.x says that the name stands behind the user's. */
static bool socks4_complete(const struct sw_proxy *proxy, struct sw_proxied *out)
{
    const uint8_t *u = proxy->unit;
    struct sw_span rest = sw_span_from(unit(proxy), 8);
    size_t end = sw_span_index(rest, 0);
    if (proxy->kept < 9 || (end == rest.len && proxy->kept < sizeof(proxy->unit)))
        return false;
    out->port = (uint16_t)(u[2] << 8 | u[3]);
    if (u[4] == 0 && u[5] == 0 && u[6] == 0 && u[7] != 0) {
        struct sw_span name = sw_span_from(rest, end + 1);
        size_t name_end = sw_span_index(name, 0);
        if (name_end == name.len && proxy->kept < sizeof(proxy->unit))
            return false;
        set_host(out, sw_span_sub(name, 0, name_end));
        return true;
    }
    char text[SW_ADDRESS_TEXT_BYTES];
    uint8_t address[16] = {u[4], u[5], u[6], u[7]};
    sw_address_format(address, 4, text);
    set_host(out, sw_span_str(text));
    return true;
}

static void on_method(struct sw_proxy *proxy, struct sw_proxied *out, struct sw_mark mark)
{
    uint8_t method = proxy->unit[1];
    if (method == SOCKS5_NO_METHOD)
        answered(proxy, out, method, false, mark);
    else
        go_on(proxy, method == SOCKS5_PASSWORD ? SW_PROXY_LOGIN : SW_PROXY_REQUEST);
}

/* RFC 1929: version, length, user, length, password. Nothing of it is kept. */
static void login_octet(struct sw_proxy *proxy, uint8_t octet)
{
    uint32_t user_end = 2 + (uint32_t)proxy->length;
    if (proxy->seen == 2)
        proxy->length = octet;
    else if (proxy->seen == user_end + 1)
        proxy->line = user_end + 1 + octet; /* where it ends */
    if (proxy->seen > user_end && proxy->seen == proxy->line)
        go_on(proxy, SW_PROXY_LOGIN_REPLY);
}

static void socks_octet(struct sw_proxy *proxy, uint8_t octet, struct sw_mark mark,
                        struct sw_proxied *out)
{
    bool five = out->kind == SW_PROXY_SOCKS5;
    if (proxy->kept < sizeof(proxy->unit))
        proxy->unit[proxy->kept++] = octet;
    const uint8_t *u = proxy->unit;
    if (proxy->step == SW_PROXY_METHODS) {
        if (proxy->kept >= 2 && proxy->seen == 2 + (uint32_t)u[1])
            go_on(proxy, SW_PROXY_METHOD);
    } else if (proxy->step == SW_PROXY_METHOD) {
        if (proxy->seen == 2)
            on_method(proxy, out, mark);
    } else if (proxy->step == SW_PROXY_LOGIN_REPLY) {
        if (proxy->seen == 2 && u[1] != 0)
            answered(proxy, out, SOCKS5_NO_METHOD, false, mark);
        else if (proxy->seen == 2)
            go_on(proxy, SW_PROXY_REQUEST);
    } else if (proxy->step == SW_PROXY_REQUEST) {
        bool complete = five ? proxy->seen == socks5_length(proxy) : socks4_complete(proxy, out);
        if (!complete)
            return;
        if (five)
            socks5_target(proxy, out);
        out->asked = mark;
        go_on(proxy, SW_PROXY_REPLY);
    } else if (proxy->step == SW_PROXY_REPLY) {
        uint32_t length = five ? socks5_length(proxy) : 8;
        if (proxy->seen == length)
            answered(proxy, out, u[1], u[1] == (five ? 0 : SOCKS4_GRANTED), mark);
    }
}

static enum sw_side speaker(enum sw_proxy_step step)
{
    switch (step) {
    case SW_PROXY_HTTP_REPLY:
    case SW_PROXY_METHOD:
    case SW_PROXY_LOGIN_REPLY:
    case SW_PROXY_REPLY:
        return SW_SERVER;
    case SW_PROXY_IDLE:
    case SW_PROXY_GUESS:
    case SW_PROXY_HTTP_REQUEST:
    case SW_PROXY_METHODS:
    case SW_PROXY_LOGIN:
    case SW_PROXY_REQUEST:
    case SW_PROXY_REFUSED:
    case SW_PROXY_LOST:
        break;
    }
    return SW_CLIENT;
}

/* The octet that was counted last: of a request's first line, or of what frames a login. */
static bool is_harmless(const struct sw_proxy *proxy)
{
    if (proxy->step == SW_PROXY_HTTP_REQUEST)
        return proxy->lines == 0;
    if (proxy->step == SW_PROXY_LOGIN)
        return proxy->seen <= 2 || proxy->seen == 3 + (uint32_t)proxy->length;
    return proxy->step == SW_PROXY_METHODS || proxy->step == SW_PROXY_REQUEST;
}

/* The answer is missing, and the mail server greets (RFC 5321 3.1): it was yes. */
static bool greets_behind_gap(const struct sw_proxy *proxy, enum sw_side from, struct sw_span bytes,
                              const struct sw_proxied *out)
{
    bool asked = out && out->asked.frame; /* else it is not even known to be a proxy */
    return proxy->step == SW_PROXY_LOST && from == SW_SERVER && asked &&
           sw_span_starts(bytes, SW_SPAN_LIT("220"));
}

size_t sw_proxy_feed(struct sw_proxy *proxy, enum sw_side from, struct sw_span bytes,
                     struct sw_mark mark, struct sw_proxied *out)
{
    if (proxy->step == SW_PROXY_REFUSED && from == SW_CLIENT && is_http(bytes))
        go_on(proxy, SW_PROXY_HTTP_REQUEST);
    if (greets_behind_gap(proxy, from, bytes, out))
        answered(proxy, out, 0, true, mark);
    size_t used = 0;
    while (used < bytes.len && proxy->step != SW_PROXY_IDLE) {
        if (speaker(proxy->step) != from || proxy->step == SW_PROXY_REFUSED ||
            proxy->step == SW_PROXY_LOST)
            return bytes.len; /* the page of a refusal; words that come too early */
        uint8_t octet = bytes.ptr[used++];
        proxy->seen++;
        if (from == SW_CLIENT && proxy->harmless && is_harmless(proxy))
            proxy->harmless(proxy->ctx, used - 1);
        if (proxy->step == SW_PROXY_HTTP_REQUEST || proxy->step == SW_PROXY_HTTP_REPLY) {
            if (!http_octet(proxy, octet))
                continue;
            if (proxy->step == SW_PROXY_HTTP_REQUEST)
                http_request(proxy, out, mark);
            else
                http_reply(proxy, out, mark);
        } else if (proxy->step == SW_PROXY_LOGIN) {
            login_octet(proxy, octet);
        } else {
            socks_octet(proxy, octet, mark, out);
        }
    }
    return used;
}

void sw_proxy_gap(struct sw_proxy *proxy)
{
    if (proxy->step != SW_PROXY_IDLE)
        go_on(proxy, SW_PROXY_LOST);
}
