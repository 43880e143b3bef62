#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "portmode". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_MODE_TLS_TO_PLAIN_PORT };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_MODE_TLS_TO_PLAIN_PORT - FIRST] =
        {
            .summary = "The mail was not sent because the program began with encryption on {port}, "
                       "where {server} first expects plain greetings.",
            .meaning =
                "The client started TLS with its first byte, but this port speaks plain SMTP "
                "first and switches to encryption with STARTTLS. Both sides wait for each "
                "other or misread each other.",
            .advice =
                {
                    "Set the encryption to STARTTLS for port 587 or 25[[, or keep SSL/TLS and use "
                    "port 465 in place of {plain}]]. Windows Live Mail: Tools > Accounts > "
                    "Properties > Advanced > Outgoing "
                    "mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "[[Windows Live Mail and Outlook Express: with 'This server requires a secure "
                    "connection (SSL)' ticked set the outgoing port to 465 in place of {plain}.]]",
                    "Send again; no other setting needs to change.",
                },
            .references = "RFC 8314 3.3; RFC 3207",
        },
    [SW_CAUSE_MODE_PLAIN_TO_TLS_PORT - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} expects encryption from the start on "
                "{port}, and the program did not use it.",
            .meaning = "The port is for implicit TLS: the server waits for the client to begin "
                       "encryption, and the client waits for a greeting or sends plain commands.",
            .advice =
                {
                    "Set the encryption of the outgoing server to SSL/TLS. Windows Live Mail: "
                    "Tools > "
                    "Accounts > Properties > Advanced > tick 'This server requires a secure "
                    "connection (SSL)'; Outlook: More Settings > Advanced > encrypted connection "
                    "'SSL/TLS'; Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Connection security 'SSL/TLS'; Apple Mail: Mail > Settings > Accounts > "
                    "Server "
                    "Settings > 'Use TLS/SSL'.",
                    "Or use port 587 with STARTTLS.",
                },
            .references = "RFC 8314 3.3, 7.3",
        },
};

const struct sw_wording_table sw_wording_portmode = {
    .first = SW_CAUSE_MODE_TLS_TO_PLAIN_PORT,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
