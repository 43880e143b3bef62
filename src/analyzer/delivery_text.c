/*
 * delivery_text.c - a story in one sentence: "greylisted at 10:02:11, accepted on the third attempt
 * at 10:07:15".
 */
#include "analyzer/ledger.h"
#include "base/address.h"

#include <stdarg.h>
#include <stdio.h>

enum { PARTS_LISTED = 4 }; /* kinds of failure that are told one by one, from the first */

/* What is said of a failed try; the words fit before "by" and "at". */
struct phrase {
    enum sw_cause cause;
    const char *words;
};

static const struct phrase phrases[] = {
    {SW_CAUSE_RCPT_GREYLISTED, "greylisted"},
    {SW_CAUSE_DNS_NXDOMAIN, "name of the server not found"},
    {SW_CAUSE_TCP_REFUSED, "connection refused"},
    {SW_CAUSE_TCP_SYN_TIMEOUT, "connection not answered"},
    {SW_CAUSE_GREET_421_BUSY, "sent away as busy"},
    {SW_CAUSE_GREET_554_REJECTED, "sent away"},
    {SW_CAUSE_GREET_DNSBL, "sent away as blocklisted"},
    {SW_CAUSE_GREET_NO_BANNER, "connected but not greeted"},
    {SW_CAUSE_MAIL_RATE_LIMITED, "held back as too much at once"},
    {SW_CAUSE_AUTH_BAD_CREDENTIALS, "login refused"},
    {SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED, "refused without login"},
};

struct text {
    char *at;
    size_t room;
    bool with_date;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->at, text->room, format, arguments);
    va_end(arguments);
    size_t used = n < 0 ? 0 : (size_t)n < text->room ? (size_t)n : text->room - 1;
    text->at += used;
    text->room -= used;
}

static void add_time(struct text *text, int64_t time_ns)
{
    char time[SW_TIME_TEXT_BYTES];
    sw_time_format(time_ns, 0, time);
    time[19] = '\0'; /* the report says once that times are UTC */
    time[10] = ' ';
    add(text, "%s", text->with_date ? time : time + 11);
}

static const char *number_word(uint32_t n, char room[24])
{
    static const char *const words[] = {"no",          "once",       "twice",     "three times",
                                        "four times",  "five times", "six times", "seven times",
                                        "eight times", "nine times", "ten times"};
    if (n < sizeof(words) / sizeof(words[0]))
        return words[n];
    (void)snprintf(room, 24, "%u times", n);
    return room;
}

static const char *ordinal(uint32_t n, char room[24])
{
    static const char *const words[] = {"",      "first",   "second", "third", "fourth", "fifth",
                                        "sixth", "seventh", "eighth", "ninth", "tenth"};
    if (n < sizeof(words) / sizeof(words[0]))
        return words[n];
    bool teen = n % 100 >= 11 && n % 100 <= 13;
    const char *end = teen          ? "th"
                      : n % 10 == 1 ? "st"
                      : n % 10 == 2 ? "nd"
                      : n % 10 == 3 ? "rd"
                                    : "th";
    (void)snprintf(room, 24, "%u%s", n, end);
    return room;
}

/* Hours, minutes or seconds, rounded: the pace of a queue, not a measurement. */
static int64_t unit_of(int64_t seconds)
{
    return seconds < 100 ? 1 : seconds < 100 * 60 ? 60 : 3600;
}

static void add_pace(struct text *text, int64_t least_ns, int64_t most_ns)
{
    int64_t least = least_ns / SW_NS_PER_S + (least_ns % SW_NS_PER_S >= SW_NS_PER_S / 2);
    int64_t most = most_ns / SW_NS_PER_S + (most_ns % SW_NS_PER_S >= SW_NS_PER_S / 2);
    int64_t unit = unit_of(most);
    const char *word = unit == 1 ? "second" : unit == 60 ? "minute" : "hour";
    int64_t from = (least + unit / 2) / unit;
    int64_t to = (most + unit / 2) / unit;
    if (most < 1)
        add(text, "less than a second");
    else if (from == to || most - least < most / 3)
        add(text, "%lld %s%s", (long long)to, word, to == 1 ? "" : "s");
    else if (from < 1)
        add(text, "up to %lld %s%s", (long long)to, word, to == 1 ? "" : "s");
    else
        add(text, "%lld to %lld %ss", (long long)from, (long long)to, word);
}

/* The capture does not show how it ended: nothing is said of that. */
static bool end_is_unseen(const struct sw_attempt *a)
{
    return a->outcome == SW_OUTCOME_UNKNOWN && !a->tried->unanswered &&
           a->cause != SW_CAUSE_ENC_NO_UPLOAD;
}

static const char *words_of(const struct sw_attempt *a)
{
    if (a->outcome == SW_OUTCOME_PARTIAL)
        return a->permanence == SW_PERMANENCE_TEMPORARY ? "accepted in part, the rest put off"
                                                        : "accepted in part, the rest refused";
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].cause == a->cause)
            return phrases[i].words;
    }
    if (end_is_unseen(a))
        return "tried";
    if (a->unconfirmed)
        return "sent but not confirmed";
    if (a->outcome == SW_OUTCOME_DELIVERED)
        return "accepted when the sender had gone";
    if (a->code / 100 == 4)
        return "put off";
    if (a->code / 100 == 5)
        return "refused";
    if (a->stage == SW_STAGE_DNS)
        return "name look-up failed";
    if (a->stage == SW_STAGE_ROUTE)
        return "server not reached";
    if (a->stage == SW_STAGE_TLS || a->stage == SW_STAGE_STARTTLS)
        return "encryption failed";
    if (a->tried->unanswered)
        return "connection not answered";
    if (a->cause == SW_CAUSE_ENC_NO_UPLOAD)
        return "encrypted and no mail handed over";
    if (a->cause == SW_CAUSE_TCP_PORT25_BLOCKED)
        return "connection refused";
    return a->stage == SW_STAGE_CONNECT ? "no connection" : "broken off";
}

static int64_t time_of(const struct sw_attempt *a)
{
    return a->tried->unanswered ? a->begin_ns : a->decided_ns;
}

static bool same_server(const struct sw_attempt *a, const struct sw_attempt *b)
{
    const struct sw_tuple *x = &a->tried->tuple;
    const struct sw_tuple *y = &b->tried->tuple;
    return memcmp(x->dst, y->dst, sizeof(x->dst)) == 0 && x->dst_port == y->dst_port;
}

static const struct sw_attempt *next_try(const struct sw_attempt *a)
{
    a = a->next;
    while (a && a->same_as)
        a = a->next;
    return a;
}

/* What all parts of the sentence share. */
struct telling {
    struct text text;
    const struct sw_story *story;
    bool several_servers, several_ports;
    bool one_second; /* all of it: the time is told once */
    uint32_t tries;  /* without the other sides of a NAT */
};

static void add_server(struct telling *t, const char *before, const struct sw_attempt *a)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    if (!a->tried->has_server)
        return;
    if (t->several_servers) {
        sw_address_format(a->tried->tuple.dst, a->tried->tuple.ip_version, ip);
        add(&t->text, " %s %s", before, ip);
    }
    if (t->several_ports)
        add(&t->text, " on port %u", a->tried->tuple.dst_port);
}

static void add_distances(struct telling *t, const struct sw_attempt *first,
                          const struct sw_attempt *end)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;
    const struct sw_attempt *next;
    for (const struct sw_attempt *a = first; (next = next_try(a)) && next != end; a = next) {
        int64_t apart = sw_time_between(time_of(a), time_of(next));
        least = apart < least ? apart : least;
        most = apart > most ? apart : most;
    }
    add(&t->text, ", ");
    add_pace(&t->text, least, most);
    add(&t->text, " apart");
}

/*
 * The failures from `first` that are alike; gives the first one that is not. `before` is what the
 * sentence told last, or NULL.
 */
static const struct sw_attempt *add_failures(struct telling *t, const struct sw_attempt *before,
                                             const struct sw_attempt *first,
                                             const struct sw_attempt *stop)
{
    uint32_t count = 1;
    const struct sw_attempt *last = first;
    const struct sw_attempt *next;
    while ((next = next_try(last)) && next != stop && same_server(first, next) &&
           strcmp(words_of(first), words_of(next)) == 0) {
        last = next;
        count++;
    }
    char room[24];
    bool again = before && strcmp(words_of(before), words_of(first)) == 0;
    if (before)
        add(&t->text, again ? " and" : ", ");
    add(&t->text, "%s", again ? "" : words_of(first));
    add_server(t, end_is_unseen(first) ? "with" : "by", first);
    if (t->one_second && count == 1 && next)
        return next;
    if (count > 2)
        add(&t->text, " %s from ", number_word(count, room));
    else
        add(&t->text, " at ");
    add_time(&t->text, time_of(first));
    if (count == 1)
        return next;
    add(&t->text, count == 2 ? " and again at " : " to ");
    add_time(&t->text, time_of(last));
    if (count > 2)
        add_distances(t, first, next);
    return next;
}

static void add_acceptance(struct telling *t, const struct sw_attempt *a, const char *for_whom)
{
    char room[24];
    add(&t->text, "accepted%s", for_whom);
    add_server(t, "by", a);
    if (t->tries > 1)
        add(&t->text, " on the %s attempt", ordinal(t->tries, room));
    add(&t->text, " at ");
    add_time(&t->text, a->decided_ns);
}

/* A mail that was sent in full and is sent again. */
static bool may_come_twice(const struct sw_story *story)
{
    const struct sw_attempt *a;
    bool sent = false;
    SW_EACH(a, story->attempts) {
        if (sent && !a->same_as && (a->outcome == SW_OUTCOME_DELIVERED || a->unconfirmed))
            return true;
        sent = sent || a->unconfirmed || a->late;
    }
    return false;
}

/* The last try was accepted, and yet not everybody has the mail. */
static void add_missing(struct telling *t)
{
    const struct sw_attempt *all = t->story->envelope;
    if (all->to_more > 0)
        add(&t->text, "; not accepted for some recipients");
    else
        add(&t->text, "; not accepted for %u of %u recipients",
            sw_story_count(t->story, SW_STATES_NOT_TAKEN), all->to_count);
}

static void add_end(struct telling *t, const struct sw_delivery *d)
{
    const struct sw_attempt *last = t->story->last;
    if (may_come_twice(t->story))
        add(&t->text, d->outcome == SW_OUTCOME_DELIVERED ? "; it may arrive twice"
                                                         : "; it may arrive nevertheless");
    bool waits = last->permanence == SW_PERMANENCE_TEMPORARY && t->story->at_end;
    bool in_part = d->outcome == SW_OUTCOME_PARTIAL;
    if (waits && (last->outcome == SW_OUTCOME_PARTIAL || last->outcome == SW_OUTCOME_STUCK))
        add(&t->text, "; %sstill waiting when the capture ended", in_part ? "the rest " : "");
    else if (last->outcome == SW_OUTCOME_STUCK)
        add(&t->text, "; %snever accepted", in_part ? "the rest " : "");
    else if (last->outcome == SW_OUTCOME_DELIVERED && in_part)
        add_missing(t);
    if (t->tries < t->story->attempt_count)
        add(&t->text, "; seen on both sides of a NAT");
}

/* `for_whom`: " for the rest", or empty. */
static void add_last(struct telling *t, const struct sw_attempt *last, const char *for_whom)
{
    if (last->outcome == SW_OUTCOME_DELIVERED) {
        add_acceptance(t, last, for_whom);
    } else if (last->cause == SW_CAUSE_ENC_LIKELY_DELIVERED) {
        add(&t->text, "probably accepted inside encryption");
        add_server(t, "by", last);
        add(&t->text, " at ");
        add_time(&t->text, last->decided_ns);
    } else {
        add(&t->text, t->tries > 1 ? "tried again" : "tried");
        add_server(t, "with", last);
        add(&t->text, " at ");
        add_time(&t->text, last->begin_ns);
        add(&t->text, last->cause == SW_CAUSE_UNK_IN_PROGRESS
                          ? " and still under way when the capture ended"
                          : ", and the capture does not show how that ended");
    }
}

static void survey(struct telling *t)
{
    const struct sw_attempt *a;
    const struct sw_attempt *first = t->story->attempts;
    const struct sw_tuple *known = NULL;
    int64_t last_ns = 0;
    SW_EACH(a, first) {
        const struct sw_tuple *x = &a->tried->tuple;
        last_ns = a->decided_ns;
        if (a->same_as)
            continue;
        t->tries++;
        if (!a->tried->has_server)
            continue;
        if (!known)
            known = x;
        t->several_servers = t->several_servers || memcmp(x->dst, known->dst, sizeof(x->dst)) != 0;
        t->several_ports = t->several_ports || x->dst_port != known->dst_port;
    }
    int64_t begin_s = time_of(first) / SW_NS_PER_S;
    t->one_second = last_ns / SW_NS_PER_S == begin_s;
    /* A day later the time alone would mislead. */
    t->text.with_date = last_ns / SW_NS_PER_S / 86400 != begin_s / 86400;
}

void sw_delivery_phrase(struct sw_delivery *delivery, const struct sw_story *story)
{
    struct telling t = {.text = {delivery->summary, sizeof(delivery->summary), false},
                        .story = story};
    survey(&t);
    /* The last try is told by itself, unless it failed like those before it. */
    const struct sw_attempt *last = story->last;
    bool own = last->outcome == SW_OUTCOME_DELIVERED ||
               (last->outcome == SW_OUTCOME_UNKNOWN && !last->tried->unanswered);
    const struct sw_attempt *before = NULL;
    const struct sw_attempt *a = story->attempts;
    const char *rest = delivery->outcome == SW_OUTCOME_PARTIAL ? " for others" : " for the rest";
    const char *for_whom = "";
    uint32_t parts = 0;
    while (a && !(own && a == last)) {
        if (++parts > PARTS_LISTED) {
            uint32_t more = 0;
            for (; a && !(own && a == last); a = next_try(a))
                more++;
            add(&t.text, ", %u more failed attempt%s", more, more == 1 ? "" : "s");
            break;
        }
        for_whom = a->outcome == SW_OUTCOME_PARTIAL ? rest : for_whom;
        const struct sw_attempt *next = add_failures(&t, before, a, own ? last : NULL);
        before = a;
        a = next;
    }
    if (own) {
        if (parts > 0)
            add(&t.text, ", ");
        add_last(&t, last, for_whom);
    }
    add_end(&t, delivery);
}
