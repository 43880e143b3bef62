#include "pipeline/stranger.h"

static bool is_unknown(enum sw_content content)
{
    return content == SW_CONTENT_TEXT || content == SW_CONTENT_BINARY;
}

static bool is_asked_for(const struct sw_mail *mail, bool mail_port)
{
    const struct sw_first_bytes *first = mail->session.first_bytes;
    if (!mail_port)
        return sw_mail_has_common_words_only(mail);
    return is_unknown(first[SW_CLIENT].content) || is_unknown(first[SW_SERVER].content);
}

void sw_strangers_prepare(struct sw_strangers *strangers)
{
    if (strangers->ndpi || strangers->none)
        return;
    strangers->ndpi = sw_ndpi_new();
    strangers->none = strangers->ndpi == NULL;
}

static bool open_one(struct sw_strangers *strangers, struct sw_mail *mail)
{
    if (strangers->open >= strangers->most) {
        strangers->refused++;
        mail->not_named = true;
        return false;
    }
    sw_strangers_prepare(strangers);
    mail->stranger = sw_ndpi_flow_new(strangers->ndpi);
    mail->not_named = mail->stranger == NULL;
    strangers->open += mail->stranger != NULL;
    return mail->stranger != NULL;
}

static bool feed(struct sw_strangers *strangers, struct sw_mail *mail, const struct sw_chunk *chunk)
{
    char name[SW_NDPI_NAME] = "";
    bool more = sw_ndpi_feed(strangers->ndpi, mail->stranger, &mail->facts->tuple, chunk, name);
    if (name[0])
        mail->session.named = sw_arena_strdup(&mail->session.arena, name);
    return more;
}

/* What the other side had said before it was known that nDPI is needed. */
static bool feed_earlier(struct sw_strangers *strangers, struct sw_mail *mail,
                         const struct sw_chunk *chunk)
{
    enum sw_side other = sw_side_other(chunk->from);
    const struct sw_first_bytes *first = &mail->session.first_bytes[other];
    struct sw_chunk earlier = {
        .from = other,
        .bytes = sw_session_opening(&mail->session, other),
        .mark = first->mark,
    };
    return first->len > 0 && feed(strangers, mail, &earlier);
}

void sw_stranger_chunk(struct sw_strangers *strangers, struct sw_mail *mail, bool mail_port,
                       const struct sw_chunk *chunk)
{
    if (!sw_stranger_is_one(mail) || !is_asked_for(mail, mail_port))
        return;
    bool first = mail->stranger == NULL;
    if (first && !open_one(strangers, mail))
        return;
    if ((first && feed_earlier(strangers, mail, chunk)) || feed(strangers, mail, chunk) ||
        sw_ndpi_is_tired(mail->stranger)) {
        mail->not_named = true;
        sw_stranger_end(strangers, mail);
    }
}

void sw_stranger_end(struct sw_strangers *strangers, struct sw_mail *mail)
{
    strangers->open -= mail->stranger != NULL;
    sw_ndpi_flow_free(mail->stranger);
    mail->stranger = NULL;
}

void sw_strangers_release(struct sw_strangers *strangers)
{
    sw_ndpi_free(strangers->ndpi);
    strangers->ndpi = NULL;
}
