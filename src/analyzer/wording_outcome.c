#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "outcome". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_OK_DELIVERED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_OK_DELIVERED - FIRST] =
        {
            .summary = "The mail was accepted by {server}.",
            .meaning =
                "The server confirmed the message for all its recipients and is responsible "
                "for it from now on. If it does not arrive, look for a bounce message or the "
                "spam folder.",
            .references = "RFC 5321 4.2.5, 6.1",
        },
    [SW_CAUSE_OK_DELIVERED_PARTIAL - FIRST] =
        {
            .summary =
                "The mail was accepted for some of its recipients and refused for the others.",
            .meaning =
                "The server took the message for some of its recipients and refused at least one.",
            .advice =
                {
                    "Send the mail again to the refused addresses only, after correcting them.",
                    "Look at what the server said about each of them in the list of recipients.",
                },
            .references = "RFC 5321 3.3; RFC 2033 4.2",
        },
    [SW_CAUSE_OK_NO_ATTEMPT - FIRST] =
        {
            .summary = "No mail was to be sent on this connection.",
            .meaning = "The client connected without offering a mail: a test of settings, a "
                       "monitoring check, a health check of a load balancer, or a scan.",
            .references = "RFC 5321 4.1.1.9, 4.1.1.10",
        },
    [SW_CAUSE_OK_AUTH_TEST_ONLY - FIRST] =
        {
            .summary = "The login worked, and no mail was to be sent on this connection.",
            .meaning =
                "The client logged in successfully and left: a test of the account settings or "
                "of a password.",
            .references = "RFC 4954",
        },
    [SW_CAUSE_OK_VRFY_ONLY - FIRST] =
        {
            .summary =
                "Only addresses were given, and the connection was ended in order before any "
                "mail was sent.",
            .meaning = "The server had nothing against the addresses, and the client left without "
                       "sending a text: it was probably checking[[ whether {recipient} exists, as "
                       "mail servers do (callout)]].",
            .references = "RFC 5321 3.5",
        },
    [SW_CAUSE_ENC_LIKELY_DELIVERED - FIRST] =
        {
            .summary = "The mail was probably accepted: the encrypted connection looks like a "
                       "complete hand-over.",
            .meaning = "What was said is encrypted. Sizes and directions show an upload that was "
                       "answered and an orderly end; whether the answer was a yes cannot be seen.",
            .advice =
                {
                    "Look whether the message has left the outbox, or at the log of the mail "
                    "program.",
                    "To be sure record again with a TLS key log (environment variable "
                    "SSLKEYLOGFILE) "
                    "and analyse it with --keylog.",
                },
            .references = "RFC 8446 5",
        },
    [SW_CAUSE_ENC_NO_UPLOAD - FIRST] =
        {
            .summary = "No mail seems to have been handed over on this encrypted connection; the "
                       "reason was said inside the encryption.",
            .meaning =
                "What was said is encrypted. Sizes and directions show no upload of a message: "
                "a refused login or recipient, a rejected certificate, or a mere test.",
            .advice =
                {
                    "Look at the message or log of the mail program; it knows the reason.",
                    "Record again with a TLS key log (environment variable SSLKEYLOGFILE) and "
                    "analyse "
                    "it with --keylog.",
                },
            .references = "RFC 8446 5",
        },
};

const struct sw_wording_table sw_wording_outcome = {
    .first = SW_CAUSE_OK_DELIVERED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
