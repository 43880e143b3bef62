#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "starttls". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_STARTTLS_NOT_OFFERED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_STARTTLS_NOT_OFFERED - FIRST] =
        {
            .summary =
                "The mail was not sent because the program needs an encrypted connection and "
                "{server} does not offer one on {port}.",
            .meaning = "The server's feature list has no STARTTLS, and the client stopped there or "
                       "was told to encrypt.",
            .advice =
                {
                    "Use port 465 with SSL/TLS, or the provider's submission server on port 587. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Check the server name: the provider's host for incoming mail or for other "
                    "servers may not offer encryption.",
                    "Do not switch encryption off on networks that are not your own: the password "
                    "would be readable.",
                    "Administrator of the server: install a certificate and enable STARTTLS on "
                    "587.",
                },
            .references = "RFC 3207 4; RFC 8314 3",
        },
    [SW_CAUSE_STARTTLS_REQUIRED_NOT_USED - FIRST] =
        {
            .summary = "The mail was not sent because {server} only takes it over an encrypted "
                       "connection, and the program did not use one.",
            .meaning = "The server refused the command until encryption is switched on with "
                       "STARTTLS[[: {reply}]].",
            .advice =
                {
                    "Turn on encryption for the outgoing server. Windows Live Mail: Tools > "
                    "Accounts "
                    "> Properties > Advanced > tick 'This server requires a secure connection "
                    "(SSL)' "
                    "and set the outgoing port to 465; Outlook: File > Account Settings > Change > "
                    "More Settings > Advanced > encrypted connection 'STARTTLS', port 587; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Connection "
                    "security 'STARTTLS', port 587; Apple Mail: Mail > Settings > Accounts > "
                    "Server "
                    "Settings > 'Use TLS/SSL'.",
                    "Then send again; user name and password stay as they are.",
                },
            .references = "RFC 3207 4; RFC 8314 3",
        },
    [SW_CAUSE_STARTTLS_REJECTED_TEMP - FIRST] =
        {
            .summary =
                "The mail was not sent yet because {server} could not start encryption at the "
                "moment.",
            .meaning = "The server offers STARTTLS but answered it with a temporary error[[: "
                       "{reply}]]. Its certificate or key is broken, or too many encrypted "
                       "connections are open.",
            .advice =
                {
                    "Try again in some minutes.",
                    "Use port 465 with SSL/TLS for a test; it may work there.",
                    "Administrator of the server: check certificate and key files and the limit of "
                    "TLS sessions; the server's log names the problem.",
                },
            .references = "RFC 3207 4",
        },
    [SW_CAUSE_STARTTLS_REJECTED_PERM - FIRST] =
        {
            .summary = "The mail was not sent because {server} refused to switch to an encrypted "
                       "connection.",
            .meaning =
                "STARTTLS was answered with a permanent error[[: {reply}]]. Encryption is not "
                "enabled on this port, or a device on the way refuses the command.",
            .advice =
                {
                    "Use port 465 with SSL/TLS. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Outgoing mail (SMTP); Outlook: File > Account Settings > Change > "
                    "More Settings > Advanced; Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) "
                    "> Edit > Port and Connection security; Apple Mail: Mail > Settings > Accounts "
                    "> "
                    "Server Settings.",
                    "Check that the server name is the provider's server for sending.",
                    "Administrator of the server: enable TLS on this port, or stop offering it.",
                },
            .references = "RFC 3207 4",
        },
    [SW_CAUSE_STARTTLS_NOT_FOLLOWED - FIRST] =
        {
            .summary =
                "The mail was not sent because the program asked for encryption and then did "
                "not begin it.",
            .meaning = "The server was ready for TLS (220 to STARTTLS), but the client closed the "
                       "connection or went on in clear text. Its encryption library did not start.",
            .advice =
                {
                    "Restart the mail program; then update it and the operating system.",
                    "Turn off the mail protection of the security suite for a test.",
                    "Try port 465 with SSL/TLS. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Outgoing mail (SMTP); Outlook: File > Account Settings > Change > "
                    "More Settings > Advanced; Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) "
                    "> Edit > Port and Connection security; Apple Mail: Mail > Settings > Accounts "
                    "> "
                    "Server Settings.",
                },
            .references = "RFC 3207 4.1",
        },
    [SW_CAUSE_STARTTLS_PIPELINED - FIRST] =
        {
            .summary =
                "The mail was not sent because the program did not wait for {server} before it "
                "went on.",
            .meaning =
                "The client sent more data right behind STARTTLS, before the server's answer, "
                "and the server refused that[[: {reply}]]. It is a fault of the program, and a "
                "known way of attack.",
            .advice =
                {
                    "Update the sending program or device.",
                    "Turn off a mail scanner or proxy between program and server for a test.",
                },
            .references = "RFC 3207 4.2; CVE-2011-0411",
        },
};

const struct sw_wording_table sw_wording_starttls = {
    .first = SW_CAUSE_STARTTLS_NOT_OFFERED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
