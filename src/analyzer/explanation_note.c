#include "analyzer/explanation_note.h"

static const struct sw_code_note notes[] = {
    {
        .code = "0x800CCC0B",
        .summary = "0x800CCC0B means that the mail program's own connection was still busy with an "
                   "earlier task; no single answer of a server stands behind it.",
        .meaning =
            "Outlook Express, Windows Mail, Windows Live Mail and Outlook show it; in their "
            "sources it is called IXP_E_BUSY, 'The server or maildrop is busy'. It belongs to the "
            "general "
            "transport errors (0x800CCC00 to 0x800CCC1F), not to the SMTP errors (0x800CCC60 to "
            "0x800CCC7F): it is not the translation of an SMTP reply, and a reply 421 has a code "
            "of its own, 0x800CCC67.\n"
            "In a free reimplementation of the same interface it is raised inside the program, "
            "when a connection is asked to read or write while an earlier operation is still "
            "pending. So it may appear without any packet that matches it, most often as the "
            "follower of a first attempt that hangs.\n"
            "What to look for on the wire, in this order:\n"
            "1. A real 'busy' of the server: 421, or another 4yz reply that speaks of load or too "
            "many connections (greet-421-busy, session-421-shutdown, mail-rate-limited).\n"
            "2. A login that is missing: no AUTH in the session, and 530, 550, 553 or 554 to MAIL "
            "or RCPT (auth-required-not-attempted, rcpt-relay-denied).\n"
            "3. Connection requests to port 25 without an answer (tcp-port25-blocked, "
            "tcp-syn-timeout), or names that are not resolved (dns-timeout).\n"
            "4. An earlier connection of the same computer to the server that is still open or "
            "hangs without a reply (smtp-reply-timeout).\n"
            "5. On the receiving side: a POP3 reply '-ERR' with [IN-USE] or 'locked' on port 110 "
            "or 995, because another session holds the mailbox.\n"
            "6. None of these: nothing is wrong on the wire, the state is in the program "
            "(ok-no-attempt).",
        .advice =
            {
                "Close the mail program completely (look into the task manager), wait a minute, "
                "start it and send again; restart the computer if it comes back.",
                "Switch on the login for sending. Windows Live Mail and Outlook Express: Tools > "
                "Accounts > Properties > Servers > tick 'My server requires authentication'; "
                "Outlook: File > Account Settings > Change > More Settings > Outgoing Server > "
                "tick 'My outgoing server (SMTP) requires authentication'; untick 'Require logon "
                "using Secure Password Authentication (SPA)'.",
                "Leave port 25: set the outgoing port to 587 with STARTTLS or 465 with SSL/TLS. "
                "Windows Live Mail and Outlook Express: Tools > Accounts > Properties > Advanced; "
                "Outlook: More Settings > Advanced.",
                "Close the same account on other devices and let only one program fetch its mail; "
                "a locked mailbox is released after some minutes.",
                "Switch off the scanning of outgoing mail in the security suite for a test.",
                "If the server really answers 421 or 'busy', wait some minutes: the message is "
                "safe in the outbox.",
                "Record the traffic while pressing Send and analyse it: the verdict names which of "
                "these it is.",
            },
        .references = "Windows SDK imnxport.h; Wine include/imnxport.idl and dlls/inetcomm; "
                      "RFC 5321 4.2.3; RFC 2449 8.1.1",
    },
    {
        .code = "0x800CCC1B-0x800CCC29",
        .summary = "This number is in no public header of the mail program, and the texts that "
                   "circulate for it are not Microsoft's.",
        .meaning = "The general transport errors that are documented end at 0x800CCC1A. Nothing "
                   "can be concluded from this code; the traffic has to be looked at.",
        .advice = {"Record the traffic while pressing Send and analyse it.",
                   "Restart the mail program and check server name, port, encryption and login of "
                   "the account against the provider's help page."},
        .references = "Windows SDK imnxport.h; Wine include/imnxport.idl",
    },
    {
        .code = "0x800CCC61",
        .meaning = "The program has no name of its own for the reply that came: 432, 521, 523, "
                   "525, 534, 535, 538, 555, 556 and 571 all end here. The dialog quotes the "
                   "server's words: explain those.",
        .references = "Windows SDK imnxport.h",
    },
    {
        .code = "0x800CCC7C",
        .meaning = "The name says STARTTLS, but the program goes by the number 530 alone, and 530 "
                   "also means that a login is required. The server's words say which.",
        .references = "Windows SDK imnxport.h; RFC 3207 4; RFC 4954 6",
    },
    {
        .code = "0x800CCC7F",
        .meaning = "The name says STARTTLS, but the program goes by the number 454 alone, and 454 "
                   "to AUTH means that the login service fails for now.",
        .references = "Windows SDK imnxport.h; RFC 3207 4; RFC 4954 6",
    },
    {
        .code = "smtpSendTimeout",
        .meaning = "Thunderbird shows this text for a connection that was reset as well, not only "
                   "for one that timed out; only the traffic tells the two apart.",
        .references = "Thunderbird MimeMessageUtils.sys.mjs",
    },
    {
        .code = "smtpTooManyRecipients",
        .meaning = "Thunderbird shows this text for any 451 or 452 to MAIL, so it seldom has to do "
                   "with the number of recipients.",
        .references = "Thunderbird SmtpClient.sys.mjs",
    },
};

const struct sw_code_note *sw_code_note(const struct sw_client_code *row)
{
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (strcmp(notes[i].code, row->code) == 0)
            return &notes[i];
    }
    return NULL;
}

/* Names of Mozilla's NSS and PSM (sslerr.h, secerr.h, mozpkix). */
static const struct {
    const char *name;
    enum sw_cause cause;
} singles[] = {
    {"SSL_ERROR_BAD_CERT_DOMAIN", SW_CAUSE_TLS_CERT_NAME_MISMATCH},
    {"SEC_ERROR_EXPIRED_CERTIFICATE", SW_CAUSE_TLS_CERT_EXPIRED},
    {"SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE", SW_CAUSE_TLS_CERT_EXPIRED},
    {"SEC_ERROR_UNKNOWN_ISSUER", SW_CAUSE_TLS_CERT_UNKNOWN_CA},
    {"SEC_ERROR_UNTRUSTED_ISSUER", SW_CAUSE_TLS_CERT_UNKNOWN_CA},
    {"SEC_ERROR_CA_CERT_INVALID", SW_CAUSE_TLS_CERT_UNKNOWN_CA},
    {"MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT", SW_CAUSE_TLS_CERT_SELF_SIGNED},
    {"SEC_ERROR_REVOKED_CERTIFICATE", SW_CAUSE_TLS_CERT_REVOKED},
    {"SSL_ERROR_UNSUPPORTED_VERSION", SW_CAUSE_TLS_VERSION_MISMATCH},
    {"SSL_ERROR_PROTOCOL_VERSION_ALERT", SW_CAUSE_TLS_VERSION_MISMATCH},
    {"SSL_ERROR_NO_CYPHER_OVERLAP", SW_CAUSE_TLS_NO_SHARED_CIPHER},
    {"SSL_ERROR_RX_RECORD_TOO_LONG", SW_CAUSE_MODE_TLS_TO_PLAIN_PORT},
};

const char *sw_code_single_name(struct sw_span words, enum sw_cause *cause)
{
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        if (sw_span_find_nocase(words, sw_span_str(singles[i].name)) == words.len)
            continue;
        *cause = singles[i].cause;
        return singles[i].name;
    }
    return NULL;
}
