/*
 * zeek_smtp.c - the columns of smtp.log: each value's writer stands above the table. What a column
 * means is Zeek's; what is not known here is unset.
 */
#include "report/zeek.h"

#include "base/address.h"

#define PUT(name) static void put_##name(struct sw_zeek_row *row)

static void message_text(struct sw_zeek_row *row, struct sw_span text)
{
    if (row->message)
        sw_zeek_some_text(row, text);
    else
        sw_zeek_unset(row);
}

PUT(depth)
{
    sw_zeek_count(row, row->message ? row->message->index + 1 : 1);
}

PUT(helo)
{
    const struct sw_hello *hello = row->session->hello;
    struct sw_span none = {NULL, 0};
    sw_zeek_some_name(row, hello && hello->command ? hello->command->argument : none);
}

PUT(mailfrom)
{
    if (row->message && row->message->mail)
        sw_zeek_text(row, row->message->sender); /* the null sender is empty, not unset */
    else
        sw_zeek_unset(row);
}

PUT(rcptto)
{
    const struct sw_recipient *r;
    bool any = false;
    if (!row->message || !row->message->recipients) {
        sw_zeek_unset(row);
        return;
    }
    SW_EACH(r, row->message->recipients)
        sw_zeek_item(row, sw_veil_text(&row->part->veil, r->address), &any);
    sw_zeek_items_end(row, any);
}

PUT(date)
{
    message_text(row, row->message ? row->message->header->date : (struct sw_span){NULL, 0});
}

static const struct sw_letterhead *letterhead_of(const struct sw_zeek_row *row)
{
    return row->message ? row->message->header->letterhead : NULL;
}

/* Display names are in no list of names that the veil could know: only addresses pass it. */
PUT(from)
{
    const struct sw_letterhead *l = letterhead_of(row);
    bool whole = l && l->from.len > 0 && !row->part->veil.on;
    struct sw_span from = row->message ? row->message->header->from : (struct sw_span){NULL, 0};
    message_text(row, whole ? l->from : from);
}

static void put_list(struct sw_zeek_row *row, const struct sw_correspondent *list)
{
    const struct sw_correspondent *item;
    const struct sw_correspondent *before;
    struct sw_veil *veil = &row->part->veil;
    bool any = false;
    SW_EACH(item, list) {
        bool twice = false;
        for (before = list; before != item; before = before->next)
            twice = twice || sw_span_eq(before->text, item->text);
        if (!twice)
            sw_zeek_item(row, veil->on ? sw_veil_text(veil, item->address) : item->text, &any);
    }
    if (!any)
        sw_zeek_unset(row);
}

PUT(to)
{
    put_list(row, letterhead_of(row) ? letterhead_of(row)->to : NULL);
}

PUT(cc)
{
    put_list(row, letterhead_of(row) ? letterhead_of(row)->cc : NULL);
}

/* One text, however many there are in it. */
PUT(reply_to)
{
    const struct sw_letterhead *l = letterhead_of(row);
    const struct sw_correspondent *item;
    struct sw_writer text;
    sw_writer_open_memory(&text);
    SW_EACH(item, l ? l->reply_to : NULL) {
        sw_writer_text(&text, text.used > 0 ? ", " : "");
        sw_writer_put(&text, row->part->veil.on ? item->address : item->text);
    }
    message_text(row, sw_writer_span(&text));
    sw_writer_release(&text);
}

PUT(in_reply_to)
{
    message_text(row,
                 letterhead_of(row) ? letterhead_of(row)->in_reply_to : (struct sw_span){NULL, 0});
}

/* What servers wrote about hosts and people may be spelt in any way: the veil lets none through. */
static void put_received(struct sw_zeek_row *row, struct sw_span field)
{
    message_text(row, row->part->veil.on ? (struct sw_span){NULL, 0} : field);
}

PUT(first_received)
{
    put_received(row,
                 letterhead_of(row) ? letterhead_of(row)->received : (struct sw_span){NULL, 0});
}

PUT(second_received)
{
    put_received(row, letterhead_of(row) ? letterhead_of(row)->received_later
                                         : (struct sw_span){NULL, 0});
}

PUT(msg_id)
{
    if (!row->message || row->message->message_id.len == 0) {
        sw_zeek_unset(row);
        return;
    }
    struct sw_writer id;
    sw_writer_open_memory(&id);
    sw_writer_char(&id, '<');
    sw_writer_put(&id, row->message->message_id);
    sw_writer_char(&id, '>');
    sw_zeek_text(row, sw_writer_span(&id));
    sw_writer_release(&id);
}

PUT(subject)
{
    bool shown = row->message && !row->part->veil.on;
    message_text(row, shown ? row->message->subject : (struct sw_span){NULL, 0});
}

/* The column takes addresses only; some programs write brackets around them. */
PUT(originating_ip)
{
    struct sw_span ip = {NULL, 0};
    if (row->message)
        ip = sw_span_trim(row->message->header->originating_ip);
    if (ip.len > 2 && ip.ptr[0] == '[' && ip.ptr[ip.len - 1] == ']')
        ip = sw_span_sub(ip, 1, ip.len - 2);
    for (size_t i = 0; i < ip.len; i++) {
        if (!strchr("0123456789abcdefABCDEF.:", ip.ptr[i]) || ip.ptr[i] == '\0')
            ip.len = 0;
    }
    sw_zeek_some_text(row, ip);
}

/* The deciding one of the mail, else of the session, else the last. */
PUT(last_reply)
{
    const struct sw_step *reply = row->message ? row->message->final : row->verdict->reply;
    struct sw_writer text;
    if (!reply)
        reply = row->verdict->reply ? row->verdict->reply : row->session->last_reply;
    if (!reply) {
        sw_zeek_unset(row);
        return;
    }
    sw_writer_open_memory(&text);
    sw_view_reply(reply, false, &text);
    sw_zeek_text(row, sw_writer_span(&text));
    sw_writer_release(&text);
}

static void put_hop(struct sw_zeek_row *row, const uint8_t address[16], int ip_version, bool *any)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(&row->part->veil, address, ip_version, ip);
    sw_zeek_item(row, sw_span_str(ip), any);
}

/* As Zeek begins it: the receiver, then the sender of this hop, then whom the Received fields name,
 * the same one in a row once. */
PUT(path)
{
    const struct sw_tuple *t = &row->session->facts->tuple;
    const struct sw_letterhead *l = letterhead_of(row);
    const uint8_t *last = t->src;
    bool any = false;
    put_hop(row, t->dst, t->ip_version, &any);
    put_hop(row, t->src, t->ip_version, &any);
    for (uint32_t i = 0; l && i < l->hop_count; i++) {
        if (memcmp(last, l->hops[i].address, 16) != 0)
            put_hop(row, l->hops[i].address, l->hops[i].ip_version, &any);
        last = l->hops[i].address;
    }
}

PUT(user_agent)
{
    message_text(row, row->message ? row->message->header->mailer : (struct sw_span){NULL, 0});
}

PUT(tls)
{
    enum sw_security security = row->verdict->security;
    sw_zeek_bool(row, security == SW_SECURITY_STARTTLS || security == SW_SECURITY_IMPLICIT_TLS);
}

PUT(nothing)
{
    sw_zeek_items_end(row, false);
}

static const struct sw_zeek_column smtp_columns[] = {
    {"trans_depth", "count", put_depth},
    {"helo", "string", put_helo},
    {"mailfrom", "string", put_mailfrom},
    {"rcptto", "set[string]", put_rcptto},
    {"date", "string", put_date},
    {"from", "string", put_from},
    {"to", "set[string]", put_to},
    {"cc", "set[string]", put_cc},
    {"reply_to", "string", put_reply_to},
    {"msg_id", "string", put_msg_id},
    {"in_reply_to", "string", put_in_reply_to},
    {"subject", "string", put_subject},
    {"x_originating_ip", "addr", put_originating_ip},
    {"first_received", "string", put_first_received},
    {"second_received", "string", put_second_received},
    {"last_reply", "string", put_last_reply},
    {"path", "vector[addr]", put_path},
    {"user_agent", "string", put_user_agent},
    {"tls", "bool", put_tls},
    {"fuids", "vector[string]", put_nothing},
    {NULL, NULL, NULL},
};

const struct sw_zeek_log sw_zeek_smtp = {"smtp", smtp_columns};
