/*
 * text_summary.c - the end of the report: how many mails stayed in the outbox, and what was read.
 */
#include "report/text.h"

#include <inttypes.h>

enum { CAUSES_LISTED = 12, SUMMARY_LABEL = 11 };

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/*
 * What a recording has to hold to answer the question: the mail ports, and also DNS, ICMP and
 * fragments, which tell why no connection came about. The part for VLANs is last, because it moves
 * all offsets behind it.
 */
#define MAIL_FILTER                                                                                \
    "tcp port 25 or 465 or 587 or 2525 or port 53 or arp or icmp or icmp6 or "                     \
    "ip[6:2] & 0x1fff != 0 or ip6[6] == 44"

/* "38 frames with 2 TCP connections, ..., but no attempt to send". */
static void say_what_there_was(struct sw_writer *line, const struct sw_summary *s)
{
    uint64_t dns = s->dns_packets < s->udp_packets ? s->dns_packets : s->udp_packets;
    uint64_t udp = s->udp_packets - dns;
    sw_writer_format(line, "%" PRIu64 " frame%s", s->frames_read, plural(s->frames_read));
    if (s->frames_filtered > 0)
        sw_writer_format(line, ", %" PRIu64 " of them left out by the filter (-f),",
                         s->frames_filtered);
    sw_writer_format(line,
                     " with %" PRIu64 " TCP connection%s, %" PRIu64 " DNS packet%s and %" PRIu64
                     " other UDP packet%s, but no attempt to send",
                     s->tcp_connections, plural(s->tcp_connections), s->dns_packets,
                     plural(s->dns_packets), udp, plural(udp));
}

/* False: nothing can be said about the recording. */
static bool say_no_mail(struct sw_writer *line, const struct sw_part *part,
                        const struct sw_summary *s)
{
    static const char *const leads[][2] = {
        {"This capture holds no mail", "This capture holds no frames at all"},
        {"These captures hold no mail", "These captures hold no frames at all"},
        {"No mail passed here", "No frames passed here at all"},
    };
    bool live = part->style->live;
    bool nothing = s->frames_read == 0;
    if (!nothing && s->frames_filtered == s->frames_read) {
        sw_writer_format(line, "%s %" PRIu64 " frame%s left out by the filter (-f).",
                         s->frames_read == 1 ? "The" : "All", s->frames_read,
                         s->frames_read == 1 ? " was" : "s were");
        return false;
    }
    sw_writer_text(line, leads[live ? 2 : part->style->files > 1][nothing]);
    if (!nothing) {
        sw_writer_text(line, ": ");
        say_what_there_was(line, s);
    }
    sw_writer_text(line, live ? "; watch the interface through which the sender's mail goes "
                                "(smtpwhy live -D lists them), while it tries to send"
                              : "; record the sender's computer while it tries to send, with");
    return true;
}

static void put_no_mail(struct sw_part *part, const struct sw_summary *s)
{
    struct sw_text *text = part->state;
    struct sw_writer line;
    sw_writer_open_memory(&line);
    bool advise = say_no_mail(&line, part, s);
    sw_page_paragraph(&text->page, 0, NULL, 0, SW_TONE_PLAIN, sw_writer_span(&line));
    sw_writer_release(&line);
    if (!advise || part->style->live)
        return;
    sw_page_newline(&text->page);
    /* One line, whatever the width: it is there to be pasted. */
    sw_page_text(&text->page, SW_TONE_BOLD,
                 "  tcpdump -i eth0 -s 0 -w mail.pcap '" MAIL_FILTER " or (vlan and (" MAIL_FILTER
                 "))'");
    sw_page_newline(&text->page);
}

static uint64_t count_mails(const struct sw_summary *s)
{
    uint64_t all = 0;
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        all += s->mails[i];
    return all;
}

/* "The mail", "Both mails", "All 5 mails", "2 of 5 mails". */
static void put_subject(struct sw_writer *line, uint64_t n, uint64_t all)
{
    if (all == 1)
        sw_writer_text(line, "The mail");
    else if (n == all && all == 2)
        sw_writer_text(line, "Both mails");
    else if (n == all)
        sw_writer_format(line, "All %" PRIu64 " mails", all);
    else
        sw_writer_format(line, "%" PRIu64 " of %" PRIu64 " mails", n, all);
}

static void put_headline(struct sw_part *part, const struct sw_summary *s)
{
    struct sw_text *text = part->state;
    uint64_t all = count_mails(s);
    struct sw_writer line;
    enum sw_tone tone = SW_TONE_BAD;
    uint64_t n;
    sw_writer_open_memory(&line);
    if ((n = s->mails[SW_OUTCOME_STUCK]) > 0) {
        put_subject(&line, n, all);
        sw_writer_text(&line, " stayed in the outbox.");
    } else if ((n = s->mails[SW_OUTCOME_PARTIAL]) > 0) {
        tone = SW_TONE_WARN;
        put_subject(&line, n, all);
        sw_writer_text(&line, n == 1 ? " was accepted for only some of its recipients."
                                     : " were accepted for only some of their recipients.");
    } else if ((n = s->mails[SW_OUTCOME_UNKNOWN]) > 0) {
        tone = SW_TONE_NOTE;
        sw_writer_text(&line, "The capture does not tell whether ");
        if (all == 1)
            sw_writer_text(&line, "the mail");
        else if (n == all)
            sw_writer_text(&line, "the mails");
        else
            put_subject(&line, n, all);
        sw_writer_text(&line, n == 1 ? " was delivered." : " were delivered.");
    } else if (all > 0) {
        tone = SW_TONE_GOOD;
        put_subject(&line, all, all);
        sw_writer_text(&line, " left the outbox.");
    } else {
        tone = SW_TONE_BOLD;
        sw_writer_text(&line, "No session tried to send mail.");
    }
    sw_page_paragraph(&text->page, 0, NULL, 0, tone, sw_writer_span(&line));
    sw_writer_release(&line);
}

static void add_count(struct sw_writer *list, uint64_t n, const char *before, const char *word)
{
    if (n > 0)
        sw_writer_format(list, "%s%" PRIu64 SW_PAGE_NO_BREAK "%s%s", list->used ? ", " : "", n,
                         before, word);
}

static void put_line(struct sw_text *text, const char *label, struct sw_writer *list)
{
    if (list->used > 0)
        sw_page_paragraph(&text->page, 2, label, SUMMARY_LABEL, SW_TONE_PLAIN,
                          sw_writer_span(list));
    sw_writer_clear(list);
}

static void put_outcomes(struct sw_text *text, const char *label, const uint64_t *counts,
                         struct sw_writer *list)
{
    static const enum sw_outcome order[SW_OUTCOME_COUNT] = {SW_OUTCOME_STUCK, SW_OUTCOME_PARTIAL,
                                                            SW_OUTCOME_DELIVERED,
                                                            SW_OUTCOME_NO_MAIL, SW_OUTCOME_UNKNOWN};
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        add_count(list, counts[order[i]], "", sw_outcome_name(order[i]));
    put_line(text, label, list);
}

/* The causes by how often they were met; equal ones in the order of their table. */
static void put_causes(struct sw_text *text, const struct sw_summary *s, struct sw_writer *list)
{
    bool done[SW_CAUSE_COUNT] = {false};
    for (int listed = 0; listed < SW_CAUSE_COUNT; listed++) {
        int best = -1;
        for (int i = 0; i < SW_CAUSE_COUNT; i++) {
            if (!done[i] && s->by_cause[i] > 0 && (best < 0 || s->by_cause[i] > s->by_cause[best]))
                best = i;
        }
        if (best < 0)
            break;
        if (listed == CAUSES_LISTED) {
            sw_writer_text(list, ", and others (-o json has all)");
            break;
        }
        done[best] = true;
        add_count(list, s->by_cause[best], "", sw_cause_name((enum sw_cause)best));
    }
    put_line(text, "causes", list);
}

/* A line for each severity that asks for action, worst first; the others are only counted. */
static void put_findings(struct sw_text *text, const struct sw_summary *s, struct sw_writer *list)
{
    struct sw_writer lines;
    uint64_t minor = 0;
    sw_writer_open_memory(&lines);
    for (int severity = SW_SEVERITY_COUNT - 1; severity >= 0; severity--) {
        for (int i = 0; i < SW_FINDING_COUNT; i++) {
            uint64_t count = s->by_finding[i][severity];
            if (severity >= SW_SEVERITY_MEDIUM)
                add_count(list, count, "", sw_finding_info((enum sw_finding_id)i)->id);
            else
                minor += count;
        }
        if (list->used > 0) {
            sw_writer_format(&lines, "%s%s: ", lines.used ? "\n" : "",
                             sw_severity_name((enum sw_severity)severity));
            sw_writer_put(&lines, sw_writer_span(list));
            sw_writer_clear(list);
        }
    }
    if (minor > 0)
        sw_writer_format(&lines, "%s%" PRIu64 " of low severity or information only",
                         lines.used ? "\n" : "", minor);
    put_line(text, "findings", &lines);
    sw_writer_release(&lines);
}

static void put_read(struct sw_text *text, const struct sw_summary *s, struct sw_writer *list)
{
    add_count(list, s->frames_read, "frame", plural(s->frames_read));
    add_count(list, s->frames_filtered, "", "left out by the filter");
    add_count(list, s->frames_undecodable, "", "undecodable");
    put_line(text, "read", list);
}

/* What is missing in the result, and why. */
static void put_missing(struct sw_part *part, const struct sw_summary *s, struct sw_writer *list)
{
    struct sw_text *text = part->state;
    for (int i = 0; i < SW_NAMED_COUNTS && s->skipped[i].name; i++)
        add_count(list, s->skipped[i].count, "", s->skipped[i].name);
    put_line(text, "skipped", list);
    for (int i = 0; i < SW_NAMED_COUNTS && s->limits[i].name; i++)
        add_count(list, s->limits[i].count, "", s->limits[i].name);
    put_line(text, "limits hit", list);
    const struct sw_damage *d;
    SW_EACH(d, s->damage) {
        sw_page_escape(list, sw_span_str(d->what), false); /* it names a file: no line of its own */
        put_line(text, "problem", list);
    }
}

static void put_shown(struct sw_part *part, const struct sw_summary *s, struct sw_writer *list)
{
    const struct sw_select *select = part->style->select;
    if (!select || !select->any)
        return;
    sw_writer_format(list, "%" PRIu64 " of %" PRIu64 " session%s, as chosen", part->shown_before,
                     s->sessions, plural(s->sessions));
    put_line(part->state, "shown", list);
}

void sw_text_summary(struct sw_part *part, const struct sw_summary *s)
{
    struct sw_text *text = part->state;
    struct sw_writer list;
    sw_writer_open_memory(&list);
    if (s->sessions > 0) {
        put_headline(part, s);
        if (s->deliveries > 0)
            put_outcomes(text, "mails", s->mails, &list);
        put_outcomes(text, "sessions", s->by_outcome, &list);
        put_causes(text, s, &list);
        put_findings(text, s, &list);
        put_shown(part, s, &list);
        put_read(text, s, &list);
        put_missing(part, s, &list);
    } else {
        if (s->frames_read == 0 && s->damage)
            sw_page_paragraph(&text->page, 0, NULL, 0, SW_TONE_BAD,
                              SW_SPAN_LIT("Nothing could be read."));
        put_missing(part, s, &list);
        if (s->frames_read > 0 || !s->damage)
            put_no_mail(part, s);
    }
    sw_writer_release(&list);
}
