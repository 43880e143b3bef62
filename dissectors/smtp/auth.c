/*
 * auth.c - logins (RFC 4954): who logs in, never with what. Decoded bytes stay in a small buffer
 * that is wiped.
 */
#include "base/base64.h"
#include "base/text.h"
#include "base/wipe.h"
#include "dissectors/smtp/internal.h"

enum { DECODED_BYTES = 768, USER_BYTES = 256 };

static void tell_user_of(struct smtp_io *io, struct sw_span user, struct sw_span computer)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_AUTH_USER,
        .from = SW_FROM_CLIENT,
        .mechanism = io->state->mechanism,
        .answers = io->state->auth_id,
        .text = sw_span_sub(user, 0, USER_BYTES),
        .word = computer,
        .begin = io->begin,
        .end = io->end,
    };
    if (user.len == 0)
        return;
    io->state->auth_user_told = true;
    smtp_emit(io, &event);
}

static void tell_user(struct smtp_io *io, struct sw_span user)
{
    tell_user_of(io, user, (struct sw_span){NULL, 0});
}

/* A name in which "," and "=" are written "=2C" and "=3D" (RFC 5801 4). */
static void tell_escaped_user(struct smtp_io *io, struct sw_span name)
{
    uint8_t text[USER_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < sizeof(text); i++) {
        struct sw_span code = sw_span_sub(name, i, 3);
        bool comma = sw_span_eq_nocase(code, SW_SPAN_LIT("=2C"));
        bool equals = sw_span_eq_nocase(code, SW_SPAN_LIT("=3D"));
        text[len++] = comma ? ',' : name.ptr[i];
        i += comma || equals ? 2 : 0;
    }
    tell_user(io, sw_span_make(text, len));
}

/*
 * authzid NUL authcid NUL passwd (RFC 4616). Without a password at its place, and with something
 * before the name, the password may stand where the name should.
 */
static struct sw_span plain_user(struct sw_span s)
{
    size_t first = sw_span_index(s, 0);
    struct sw_span rest = sw_span_from(s, first + 1);
    size_t second = sw_span_index(rest, 0);
    bool password = second + 1 < rest.len;
    if (first == s.len || second == rest.len || (!password && first > 0))
        return (struct sw_span){NULL, 0};
    struct sw_span authcid = sw_span_sub(rest, 0, second);
    return authcid.len > 0 ? authcid : sw_span_sub(s, 0, first);
}

/* Some count the byte behind a C string as part of it. */
static struct sw_span without_last_nuls(struct sw_span s)
{
    while (s.len > 0 && s.ptr[s.len - 1] == 0)
        s.len--;
    return s;
}

/* The last of the parts between NULs. */
static struct sw_span plain_password(struct sw_span s)
{
    s = without_last_nuls(s);
    size_t start = s.len;
    while (start > 0 && s.ptr[start - 1] != 0)
        start--;
    return sw_span_from(s, start);
}

/* Somebody sends what PLAIN wants, whatever was asked for. */
static bool is_plain_message(struct sw_span s)
{
    s = without_last_nuls(s);
    return sw_span_index(s, 0) < s.len;
}

/* A name that stands by itself. */
static struct sw_span lone_user(struct sw_span s)
{
    return is_plain_message(s) ? plain_user(s) : without_last_nuls(s);
}

/* The value behind `key` up to one of the bytes in `stops`. */
static struct sw_span value_behind(struct sw_span s, const char *key, const char *stops)
{
    size_t at = sw_span_find_nocase(s, sw_span_str(key));
    if (at == s.len)
        return (struct sw_span){NULL, 0};
    struct sw_span value = sw_span_from(s, at + strlen(key));
    size_t end = 0;
    while (end < value.len && !memchr(stops, value.ptr[end], strlen(stops) + 1))
        end++;
    return sw_span_sub(value, 0, end);
}

/* The name in front of a token. Who writes what separates the two in some other way than as the
 * byte 1 must not have the token taken for a part of the name. */
static struct sw_span token_user(struct sw_span value)
{
    size_t end = 0;
    while (end < value.len && value.ptr[end] > ' ')
        end++;
    struct sw_span word = sw_span_sub(value, 0, end);
    return sw_span_sub(word, 0, sw_span_find_nocase(word, SW_SPAN_LIT("auth=")));
}

/* "n,a=name," and then what is of no interest here (RFC 5801 4). */
static struct sw_span gs2_user(struct sw_span s)
{
    struct sw_span binding, name;
    if (!sw_span_item(&s, &binding) || !sw_span_item(&s, &name) ||
        !sw_span_starts_nocase(name, SW_SPAN_LIT("a=")))
        return (struct sw_span){NULL, 0};
    return token_user(sw_span_from(name, strlen("a=")));
}

/* name, blank, 32 digits (RFC 2195 2); anything else may be the password itself. */
static struct sw_span cram_user(struct sw_span s)
{
    enum { DIGITS = 32 };
    size_t end = s.len;
    while (end > 0 && s.ptr[end - 1] != ' ')
        end--;
    return sw_span_sub(s, 0, end > 0 && s.len - end == DIGITS ? end - 1 : 0);
}

/* A field of an NTLM message: length and offset in little-endian order (MS-NLMP 2.2.1.3). */
static struct sw_span ntlm_field(struct sw_span message, size_t at)
{
    struct sw_span d = sw_span_sub(message, at, 8);
    if (d.len < 8)
        return (struct sw_span){NULL, 0};
    size_t length = (size_t)(d.ptr[0] | d.ptr[1] << 8);
    size_t offset = (size_t)d.ptr[4] | (size_t)d.ptr[5] << 8 | (size_t)d.ptr[6] << 16;
    return sw_span_sub(message, offset, length);
}

/* Appends text of an NTLM message, UTF-16 in little-endian order or bytes, as UTF-8. */
static size_t append_text(uint8_t *out, size_t len, struct sw_span text, bool unicode)
{
    for (size_t i = 0; i + unicode < text.len && len + 4 <= USER_BYTES; i += 1 + (size_t)unicode) {
        int32_t c = text.ptr[i] | (unicode ? text.ptr[i + 1] << 8 : 0);
        if (unicode)
            len += sw_text_put_utf8(c, out + len);
        else
            out[len++] = (uint8_t)c;
    }
    return len;
}

/*
 * Domain, user and computer of a type 3 message (MS-NLMP 2.2.1.3), which may stand by itself or
 * inside a token of SPNEGO (RFC 4178).
 */
static void ntlm_user(struct smtp_io *io, struct sw_span token)
{
    struct sw_span message =
        sw_span_from(token, sw_span_find_nocase(token, SW_SPAN_LIT("NTLMSSP\0\3")));
    uint8_t text[USER_BYTES];
    uint8_t computer[USER_BYTES];
    bool unicode = message.len > 60 && (message.ptr[60] & 1);
    size_t len = append_text(text, 0, ntlm_field(message, 28), unicode);
    if (len > 0)
        text[len++] = '\\';
    struct sw_span user = ntlm_field(message, 36);
    if (user.len == 0)
        return;
    len = append_text(text, len, user, unicode);
    size_t computer_len = append_text(computer, 0, ntlm_field(message, 44), unicode);
    tell_user_of(io, sw_span_make(text, len), sw_span_make(computer, computer_len));
}

/* LOGIN has no grammar: the server says what it wants, and the first answer is the name. */
static bool is_login_name(const struct smtp_state *st)
{
    return st->auth_prompt == 'u' || (st->auth_prompt == 0 && st->auth_step == 0);
}

/* What one decoded client message of the exchange says about the user. */
static void read_message(struct smtp_io *io, struct sw_span s)
{
    struct smtp_state *st = io->state;
    bool first = st->auth_step == 0;
    if (st->auth_user_told)
        return; /* what looks like a second name may be the password */
    switch (st->mechanism) {
    case SMTP_MECH_PLAIN:
        tell_user(io, plain_user(s));
        break;
    case SMTP_MECH_LOGIN:
        if (is_login_name(st))
            tell_user(io, lone_user(s));
        break;
    case SMTP_MECH_CRAM_MD5:
        tell_user(io, cram_user(s));
        break;
    case SMTP_MECH_DIGEST_MD5:
        tell_user(io, value_behind(s, "username=\"", "\""));
        break;
    case SMTP_MECH_SCRAM: /* RFC 5802 7: client-first-message only */
        if (first)
            tell_escaped_user(io, value_behind(s, ",n=", ","));
        break;
    case SMTP_MECH_NTLM:
    case SMTP_MECH_GSSAPI: /* of Kerberos nothing can be read */
        ntlm_user(io, s);
        break;
    case SMTP_MECH_XOAUTH2:
        if (sw_span_starts_nocase(s, SW_SPAN_LIT("user=")))
            tell_user(io, token_user(sw_span_from(s, strlen("user="))));
        break;
    case SMTP_MECH_OAUTHBEARER:
        if (first)
            tell_escaped_user(io, gs2_user(s));
        break;
    case SMTP_MECH_EXTERNAL:
        if (first)
            tell_user(io, lone_user(s));
        break;
    case SMTP_MECH_ANONYMOUS:
    case SMTP_MECH_UNKNOWN:
        break;
    }
}

static bool is_login_password(const struct smtp_state *state)
{
    return state->auth_prompt == 'p' || (state->auth_prompt == 0 && state->auth_step > 0);
}

static bool sends_token(const struct smtp_state *state)
{
    return state->mechanism == SMTP_MECH_XOAUTH2 || state->mechanism == SMTP_MECH_OAUTHBEARER;
}

/* The password or token in a decoded message: a server may repeat it in clear as well. */
static struct sw_span secret_in(const struct smtp_state *state, struct sw_span s)
{
    bool named = state->mechanism == SMTP_MECH_LOGIN || state->mechanism == SMTP_MECH_EXTERNAL;
    if (state->mechanism == SMTP_MECH_PLAIN || (named && is_plain_message(s)))
        return plain_password(s);
    if (state->mechanism == SMTP_MECH_LOGIN && !is_login_name(state))
        return s;
    if (sends_token(state))
        return value_behind(s, "auth=Bearer ", "\001");
    return (struct sw_span){NULL, 0};
}

static void decode(struct smtp_io *io, struct sw_span base64)
{
    smtp_echo_remember(io->state, base64);
    uint8_t clear[DECODED_BYTES];
    int len = sw_base64_decode(sw_span_trim(base64), clear, sizeof(clear));
    struct sw_span message = sw_span_make(clear, len > 0 ? (size_t)len : 0);
    if (message.len > 0) {
        /* "echo password | base64" has a line end in it */
        smtp_echo_remember_whole(io->state, sw_span_trim(secret_in(io->state, message)));
        read_message(io, message);
    }
    sw_wipe(clear, sizeof(clear));
}

void smtp_auth_begin(struct smtp_state *state, enum smtp_mechanism mechanism, uint32_t id)
{
    state->mechanism = mechanism;
    state->auth_id = id;
    state->auth_step = 0;
    state->auth_prompt = 0;
    state->auth_user_told = false;
    state->auth_unsure = false;
}

/* In place of LOGIN's name: what PLAIN wants, or the password behind it in the command. */
static bool holds_password(const struct smtp_state *state, struct sw_span response)
{
    uint8_t clear[DECODED_BYTES];
    int len = sw_base64_decode(response, clear, sizeof(clear));
    bool plain = len > 0 && is_plain_message(sw_span_make(clear, (size_t)len));
    bool in_command = state->auth_step == 0 && state->auth_prompt == 0;
    sw_wipe(clear, sizeof(clear));
    return plain || (in_command && sw_span_index(response, ' ') < response.len);
}

/*
 * Of mechanisms that send the secret itself. What ends an exchange of tokens whose end the server
 * has told is no token: an empty line or one byte, AQ== (RFC 7628 3.2.3).
 */
static bool is_secret(const struct smtp_state *state, struct sw_span response)
{
    return state->mechanism == SMTP_MECH_PLAIN ||
           (state->mechanism == SMTP_MECH_LOGIN &&
            (is_login_password(state) || holds_password(state, response))) ||
           (sends_token(state) && response.len > 4);
}

static bool is_cancellation(struct sw_span response)
{
    return response.len == 1 && response.ptr[0] == '*'; /* RFC 4954 4 */
}

uint32_t smtp_auth_secret(const struct smtp_state *state, struct sw_span response)
{
    bool told = response.len > 0 && !is_cancellation(response) && is_secret(state, response);
    return told ? SMTP_FLAG_SECRET : 0;
}

void smtp_auth_lost(struct smtp_state *state)
{
    if (state->next_id == 1 || state->auth_id == 0)
        state->mechanism = SMTP_MECH_UNKNOWN;
    state->auth_step = UINT8_MAX;
    state->auth_prompt = '?';
    state->auth_unsure = false;
}

/* Whoever shows such a line may show a password: a mistyped AUTH, a POP, FTP or HTTP login. */
bool smtp_may_hold_secret(struct sw_span line)
{
    static const char *const words[] = {"auth",  "plain",  "pass",  "login",
                                        "token", "cookie", "secret"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (sw_span_find_nocase(line, sw_span_str(words[i])) < line.len)
            return true;
    }
    return false;
}

void smtp_auth_data(struct smtp_io *io, struct sw_span response)
{
    struct smtp_state *st = io->state;
    bool answered = response.len > 0 && !is_cancellation(response);
    if (answered)
        decode(io, response);
    if (answered && st->mechanism == SMTP_MECH_LOGIN && is_login_name(st))
        st->auth_user_told = true; /* even unreadable: what follows may be the password */
    if (st->auth_step < UINT8_MAX)
        st->auth_step++;
    st->auth_prompt = 0;
}

/* "Username:" and "Password:" in base64, in whatever case the server writes them. */
void smtp_auth_prompt(struct smtp_state *state, struct sw_span text)
{
    uint8_t clear[16];
    int len = sw_base64_decode(sw_span_sub(sw_span_trim(text), 0, 16), clear, sizeof(clear));
    state->auth_prompt = 0;
    if (state->mechanism == SMTP_MECH_LOGIN && len > 0) {
        uint8_t c = sw_ascii_lower(clear[0]);
        state->auth_prompt = c == 'u' || c == 'p' ? c : 0;
    }
}
