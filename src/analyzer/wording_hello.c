#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "hello". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_HELLO_REJECTED_SYNTAX };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_HELLO_REJECTED_SYNTAX - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} did not accept the name with which the "
                "sending computer introduced itself.",
            .meaning = "The name in EHLO or HELO has a form that mail rules forbid (underscore, "
                       "blank, accented letters, empty)[[; the server said {reply}]].",
            .advice =
                {
                    "Rename the computer with plain letters, digits and hyphens only (Windows: "
                    "Settings > System > About > Rename this PC), restart and send again.",
                    "Thunderbird: Settings > General > Config Editor > "
                    "mail.smtpserver.default.hello_argument, set a plain host name.",
                    "Administrator of the server: allow odd names for users who log in.",
                },
            .references = "RFC 5321 4.1.1.1, 4.1.2",
        },
    [SW_CAUSE_HELLO_REJECTED_POLICY - FIRST] =
        {
            .summary = "The mail was not sent because {server} does not accept computers that "
                       "introduce themselves with this name.",
            .meaning = "The server wants a full host name that exists in DNS, or it refuses this "
                       "one[[: {reply}]]. Mail programs that log in on the submission port are "
                       "usually exempt.",
            .advice =
                {
                    "Use port 587 or 465 and switch on the login. Windows Live Mail: Tools > "
                    "Accounts "
                    "> Properties > Servers > tick 'My server requires authentication'; Outlook: "
                    "File "
                    "> Account Settings > Change > More Settings > Outgoing Server > tick 'My "
                    "outgoing server (SMTP) requires authentication'; Thunderbird: Account "
                    "Settings > "
                    "Outgoing Server (SMTP) > Edit > Authentication method 'Normal password' or "
                    "'OAuth2'; Apple Mail: Mail > Settings > Accounts > Server Settings, user name "
                    "and password of the Outgoing Mail Server.",
                    "A mail server or device: give it a full host name (mail.example.org) that "
                    "resolves to its address, and set that as its HELO name.",
                    "If the name is right, send the reply to the administrator of the receiving "
                    "server.",
                },
            .references = "RFC 5321 4.1.4",
        },
    [SW_CAUSE_HELLO_EHLO_UNSUPPORTED - FIRST] =
        {
            .summary = "The mail was not sent because {server} speaks only a very old form of mail "
                       "that lacks login and encryption.",
            .meaning = "The server (or a firewall that answers for it) does not know EHLO[[: "
                       "{reply}]]. Without it neither login nor encryption can be used.",
            .advice =
                {
                    "Use the provider's submission server on port 587 or 465. Windows Live Mail: "
                    "Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: "
                    "File > "
                    "Account Settings > Change > More Settings > Advanced; Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Port and Connection security; "
                    "Apple "
                    "Mail: Mail > Settings > Accounts > Server Settings.",
                    "Administrator: switch off SMTP inspection in the firewall, or update the "
                    "server.",
                },
            .references = "RFC 5321 3.2",
        },
};

const struct sw_wording_table sw_wording_hello = {
    .first = SW_CAUSE_HELLO_REJECTED_SYNTAX,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
