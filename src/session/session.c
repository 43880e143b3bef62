#include "session/session.h"

const struct sw_capability *sw_capability_find(const struct sw_hello *hello, const char *keyword)
{
    const struct sw_capability *c;
    if (!hello)
        return NULL;
    struct sw_span wanted = sw_span_str(keyword);
    SW_EACH(c, hello->capabilities) {
        /* Most have another length, or another first letter. */
        bool maybe = c->keyword.len == wanted.len && wanted.len > 0 &&
                     sw_ascii_lower(c->keyword.ptr[0]) == sw_ascii_lower(wanted.ptr[0]);
        if (maybe && sw_span_eq_nocase(c->keyword, wanted))
            return c;
    }
    return NULL;
}

const struct sw_proxied *sw_session_proxied(const struct sw_session *session)
{
    static const struct sw_proxied none;
    return session->proxied ? session->proxied : &none;
}

int64_t sw_session_delay(const struct sw_session *session, const struct sw_step *reply)
{
    if (reply == session->greeting)
        return session->greeting_delay_ns;
    int64_t since_ns = reply->command ? sw_step_last(reply->command).time_ns : SW_TIME_NONE;
    bool known = since_ns != SW_TIME_NONE && reply->first.time_ns > since_ns;
    return known ? reply->first.time_ns - since_ns : 0;
}

const struct sw_hello *sw_session_hello(const struct sw_session *session, bool encrypted)
{
    const struct sw_hello *found = NULL;
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello->encrypted == encrypted && sw_reply_is(hello->reply, 2))
            found = hello;
    }
    return found;
}

const char *sw_session_file_of(const struct sw_session *session, uint64_t frame)
{
    uint32_t index = sw_frame_file(frame);
    return index < session->file_count ? session->files[index] : session->file;
}

bool sw_session_spans_files(const struct sw_session *session)
{
    const struct sw_flow_facts *facts = session->facts;
    return sw_frame_file(facts->first.frame) != sw_frame_file(facts->last.frame);
}
