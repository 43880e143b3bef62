/*
 * wording_fit.c - which words a verdict is told in: those of its cause, or others where the session
 * shows that they would not fit.
 */
#include "analyzer/case.h"
#include "analyzer/cause_wording.h"
#include "analyzer/rule_tls.h"

/* The caps of the analysis are in the way, not the recording. */
static const struct sw_cause_wording limited = {
    .summary = "It cannot be told what became of the mail, because this connection did not fit "
               "into the limits of the analysis.",
    .meaning = "",
    .advice =
        {
            "Raise the limits that the summary says were hit (smtpwhy --help limits), and analyse "
            "the capture again.",
            "Analyse less at a time: -f with the address of a client or server leaves everything "
            "else out.",
        },
};

/* What is it that the recording does not show? */
static const struct sw_cause_wording packets_cut = {
    .summary = "It cannot be told what became of the mail, because only the beginning of each "
               "packet was recorded.",
    .meaning = "What decides was said in bytes that were cut off.",
    .advice =
        {
            "Record again with whole packets: tcpdump -s 0, or in Wireshark without a limit for "
            "the size of a packet.",
            "Start the recording before pressing Send and stop it after the error appears.",
        },
};

static const struct sw_cause_wording packets_misplaced = {
    .summary = "It cannot be told what became of the mail, because the packets of this connection "
               "stand in the recording in another order than they were sent.",
    .meaning = "Some came so late behind the answers to them that they had to be taken for lost. "
               "Recorders with different clocks, or files put one behind the other, do this.",
    .advice =
        {
            "Put the packets in the order of their times (reordercap IN OUT; mergecap for several "
            "files) and analyse that.",
            "Record both directions with one recorder.",
        },
};

static const struct sw_cause_wording packets_lost = {
    .summary = "It cannot be told what became of the mail, because packets of this connection are "
               "missing in the recording.",
    .meaning = "What decides was said in packets that the other side received and the recorder "
               "did not keep.",
    .advice =
        {
            "Record on the sending computer itself, or on a mirror port that is not overloaded.",
            "Let the recorder lose less: a filter on the mail ports and a larger buffer (tcpdump "
            "-s 0 -B 65536).",
        },
};

static const struct sw_cause_wording begun_late = {
    .summary = "It cannot be told what became of the mail, because the recording begins in the "
               "middle of this connection.",
    .meaning = "What decides is not in the part that was recorded.",
    .advice =
        {
            "Start the recording before pressing Send and stop it after the error appears.",
            "If the recorder wrote several files, analyse them together with the one before.",
        },
};

static const struct sw_cause_wording *what_is_missing(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    if (client->truncated_bytes + server->truncated_bytes > 0)
        return &packets_cut;
    if (client->came_late + server->came_late > 0)
        return &packets_misplaced;
    if (client->gap_bytes + server->gap_bytes > 0)
        return &packets_lost;
    return c->facts->midstream ? &begun_late : sw_cause_wording(SW_CAUSE_UNK_INCOMPLETE);
}

/* There was an answer, but not the whole of it. */
static const struct sw_cause_wording cut_short = {
    .summary = "The mail was not sent because the name service's answer about {server} was too "
               "long for one packet, and the whole of it did not come.",
    .meaning = "Such an answer has to be fetched over TCP, and that failed, so no connection to a "
               "mail server was tried. A firewall that lets name look-ups pass over UDP only, or a "
               "name server that does not answer over TCP, does this.",
    .advice =
        {
            "Ask the administrator of the network or firewall to let TCP port 53 pass, as well as "
            "UDP port 53.",
            "Switch the computer or router to another DNS server and send again.",
        },
};

static const struct sw_cause_wording only_ipv6 = {
    .summary = "The mail was not sent because the name {name} has IPv6 addresses only, and the "
               "program connected to none of them.",
    .meaning = "To a computer or network without IPv6 such a name is as good as one without an "
               "address.",
    .advice =
        {
            "Ask the provider for the name of a server that can be reached over IPv4, or use a "
            "network that has IPv6.",
            "Check that the name of the outgoing server is spelt as the provider gives it.",
        },
};

/* Not the recording lacks anything: it is closed. */
static const struct sw_cause_wording early = {
    .summary = "It cannot be told what became of the mail: the program may have sent all of it at "
               "once, encrypted, before {server} had answered.",
    .meaning = "That early data is long enough for a whole mail, and what it held, whether the "
               "server took it and what it answered cannot be seen without the keys.",
    .advice =
        {
            "Let the mail program write its TLS keys (SSLKEYLOGFILE) and give the file to smtpwhy "
            "(--keylog).",
            "Look at the mail program's own log for the server's answer.",
        },
};

static const struct sw_cause_wording ahead = {
    .summary = "It cannot be told what became of the mail: {server} gave all its answers before it "
               "was asked anything.",
    .meaning = "A mail server answers each command when it comes. This one recited its answers "
               "before the first command, as test scripts and traps for spam do; what the program "
               "makes of them, and whether anything was kept, cannot be seen.",
    .advice =
        {
            "Find out what answers at that address and port; it may be no real mail server.",
        },
};

/* More than addresses was given: chunks of the text, not the last one. */
static const struct sw_cause_wording taken_back = {
    .summary = "The client began to send a mail and gave it up in order before it was complete.",
    .meaning = "The server had nothing against the mail, and the client took it back after a part "
               "of the text. The server throws such a part away.",
};

/* LMTP: nobody refused anything, but an answer is missing. */
static const struct sw_cause_wording unanswered_in_part = {
    .summary = "The mail was accepted for some of its recipients; for the others {server} gave no "
               "answer before the connection ended.",
    .meaning = "The server answers for each recipient by itself, and the connection ended before "
               "it had answered for all. Those without an answer may or may not have the mail.",
    .advice =
        {
            "Have the mail sent again to the recipients without an answer only; one of them may "
            "get it twice.",
            "If it happens again, ask the administrator of the server to look in its log at the "
            "time of the connection.",
        },
};

/* No address is wrong: greylisting for each recipient, a full mailbox. */
static const struct sw_cause_wording put_off_in_part = {
    .summary = "The mail was accepted for some of its recipients and put off for the others.",
    .meaning = "The server took the message for some of its recipients, and asked to come back "
               "later for the others.",
    .advice =
        {
            "Send the mail again later, to the addresses that were put off only; a mail server "
            "does so by itself.",
            "Look at what the server said about each of them in the list of recipients.",
        },
};

/* "551 User not local; please try <bob@example.org>" (RFC 5321 3.4) */
static const struct sw_cause_wording moved = {
    .summary = "The mail was not sent because {recipient} is no longer at {server}.",
    .meaning = "The server knows the address and says that it has moved[[: {reply}]]. It does not "
               "forward mail to the new one.",
    .advice =
        {
            "Send the mail to the new address, if the server's reply names one.",
            "Correct the address book, and delete the old suggestion while you type the address. "
            "Outlook: the cross beside the name; Thunderbird and Apple Mail: remove it from the "
            "collected or previous recipients.",
            "If the reply names no address, ask the recipient in another way for the current one.",
        },
};

/* "554 5.3.0": trying again is no cure. */
static const struct sw_cause_wording out_of_order = {
    .summary = "The mail was not sent because {server} had a problem of its own.",
    .meaning = "The server answered with an error in its own processing[[: {reply}]], and called "
               "it a lasting one. Nothing is known to be wrong with the mail.",
    .advice =
        {
            "Send the exact reply and the time to the provider or the server's administrator.",
            "Send again when that is repaired; before, the same will most likely happen again.",
            "Administrator of the server: the log at this time names the failing look-up, filter "
            "or file.",
        },
};

static const struct sw_cause_wording login_denied = {
    .summary = "The mail was not sent because {server} asked for a login though it had accepted "
               "one.",
    .meaning = "The server let the program log in, and then refused the mail as if nobody had[[: "
               "{reply}]]. The login of the program is set up, and its password was accepted.",
    .advice =
        {
            "Send the exact reply and the time to the provider: its server has lost the login, or "
            "the account may not send this way.",
            "Check that the program uses the outgoing server and port that the provider names.",
            "Administrator of the server: compare what takes the login with what takes the mail; "
            "a proxy between them may not pass the login on.",
        },
};

/* Nothing was refused before, so there is no other reason to look for. */
static const struct sw_cause_wording no_earlier_refusal = {
    .summary = "The mail was not sent because the program sent a command that {server} does not "
               "accept, or not at that moment.",
    .meaning = "A command came at the wrong moment or in a wrong form[[: {reply}]]. The server had "
               "refused nothing before it, so the mistake is in the program, or in something on "
               "the way that changes its commands.",
    .advice =
        {
            "Update the mail program.",
            "Switch off a mail scanner between program and server, and send again.",
            "If it goes on, send the command and the reply to the maker of the program.",
        },
};

/* Did the server refuse anything before, or may it have done so unseen? */
static bool maybe_refused_before(const struct sw_case *c, const struct sw_step *reply)
{
    if (c->facts->midstream || c->reply_lost || !reply)
        return true;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s == reply)
            return false;
        if (s->from == SW_SERVER && sw_reply_is_refusal(s))
            return true;
    }
    return false;
}

static bool says(const struct sw_step *reply, const char *words)
{
    return sw_span_find_nocase(reply->text, sw_span_str(words)) < reply->text.len;
}

/* RFC 5321 4.2.3, RFC 3463 3.2; 551 alone is said of anybody who is not there. */
static bool has_moved(const struct sw_step *reply)
{
    if (!reply)
        return false;
    bool numbered = reply->enhanced.subject == 1 && reply->enhanced.detail == 6;
    bool forward_path = reply->code == 551 && says(reply, "please try");
    return numbered || forward_path || says(reply, "has moved");
}

/* Where a reply of the server decided: in the light of what came before it. */
static const struct sw_cause_wording *wording_of_reply(const struct sw_case *c,
                                                       const struct sw_ruling *ruling)
{
    if (ruling->cause == SW_CAUSE_RCPT_UNKNOWN_USER && has_moved(ruling->reply))
        return &moved;
    if (ruling->cause == SW_CAUSE_SMTP_BAD_SEQUENCE && !maybe_refused_before(c, ruling->reply))
        return &no_earlier_refusal;
    if (ruling->cause != SW_CAUSE_MAIL_SERVER_ERROR || !ruling->reply)
        return NULL;
    struct sw_reply_reading reading;
    sw_case_read(c, ruling->reply, &reading);
    if (reading.login_denied)
        return &login_denied;
    return ruling->permanence == SW_PERMANENCE_PERMANENT ? &out_of_order : NULL;
}

const struct sw_cause_wording *sw_case_wording(const struct sw_case *c,
                                               const struct sw_ruling *ruling)
{
    bool by_limit = ruling->cause == SW_CAUSE_UNK_INCOMPLETE && c->session->limits_hit;
    if (c->session->lookup && c->session->lookup->end == SW_LOOKUP_CUT)
        return &cut_short;
    if (c->session->lookup && c->session->lookup->ipv6.frame)
        return &only_ipv6;
    if (ruling->cause == SW_CAUSE_UNK_INCOMPLETE && c->session->messages && sw_case_recites(c))
        return &ahead;
    if (ruling->cause == SW_CAUSE_GREET_NO_BANNER && c->session->greeting)
        return &sw_wording_greeting_unfinished;
    if (ruling->cause == SW_CAUSE_OK_DELIVERED_PARTIAL && ruling->has_permanence)
        return ruling->reply ? &put_off_in_part : &unanswered_in_part;
    if (ruling->cause == SW_CAUSE_OK_VRFY_ONLY && ruling->stage == SW_STAGE_BODY)
        return &taken_back;
    const struct sw_tls *tls = c->session->tls_facts;
    if (ruling->cause == SW_CAUSE_UNK_INCOMPLETE && tls && sw_tls_early_may_be_mail(tls))
        return &early;
    if (by_limit)
        return &limited;
    if (ruling->cause == SW_CAUSE_UNK_INCOMPLETE)
        return what_is_missing(c);
    const struct sw_cause_wording *special = wording_of_reply(c, ruling);
    return special
               ? special
               : sw_cause_wording_of_code(ruling->cause, ruling->reply ? ruling->reply->code : 0);
}
