#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "middlebox". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_MBX_ESMTP_MASKED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_MBX_ESMTP_MASKED - FIRST] =
        {
            .summary = "The mail was not sent because a device on the way changes what the program "
                       "and {server} say to each other.",
            .meaning =
                "Greeting or feature list of the server were overwritten with filler "
                "characters. Firewalls with SMTP inspection (Cisco PIX/ASA \"fixup\" or "
                "\"inspect esmtp\" and the like) do this; login and encryption get lost by it.",
            .advice =
                {
                    "Use port 465 with SSL/TLS; such devices cannot look into it. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Administrator of the network: switch the SMTP inspection off, or allow "
                    "STARTTLS "
                    "and AUTH through it.",
                    "Do not switch off encryption or login in the mail program to get around it.",
                },
            .references = "RFC 5321 4.1.1.1; RFC 3207 6",
        },
    [SW_CAUSE_MBX_STARTTLS_STRIPPED - FIRST] =
        {
            .summary = "The mail was not sent because something on the way to {server} removed the "
                       "offer of encryption.",
            .meaning = "The server offers STARTTLS, but on this path the offer is missing, "
                       "overwritten, or the command is refused by a device in between. Mail and "
                       "password would have gone in clear text.",
            .advice =
                {
                    "Use port 465 with SSL/TLS: there nothing can be removed. Windows Live Mail: "
                    "Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: "
                    "File > "
                    "Account Settings > Change > More Settings > Advanced; Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Port and Connection security; "
                    "Apple "
                    "Mail: Mail > Settings > Accounts > Server Settings.",
                    "Use another network or a VPN, and tell the administrator of this one that "
                    "STARTTLS is removed.",
                    "Do not turn encryption off to get the mail through: somebody on the way could "
                    "read it, and the password.",
                },
            .references = "RFC 3207 6; RFC 8314 3",
        },
    [SW_CAUSE_MBX_AV_PROXY - FIRST] =
        {
            .summary = "The mail was not sent because the computer's own mail protection stood "
                       "between the program and {server}.",
            .meaning =
                "A local security product stands between the program and the real server (its "
                "name in the greeting, its own certificate, its own error message), and the mail "
                "got "
                "no further than to it[[: {reply}]].",
            .advice =
                {
                    "Switch off the scanning of outgoing mail (often called Mail Shield or mail "
                    "protection) in the security product and send again.",
                    "Or let the mail program trust the product's certificate. Thunderbird: "
                    "Settings > "
                    "Privacy & Security > Certificates > View Certificates > Authorities > Import.",
                    "Update the security product; old versions break modern encryption.",
                },
            .references = "RFC 5280",
        },
    [SW_CAUSE_MBX_TLS_INTERCEPT - FIRST] =
        {
            .summary =
                "The mail was not sent because a device in the network opened the encryption "
                "to {server} and the program noticed it.",
            .meaning = "The certificate shown for a public provider was issued by a private or "
                       "company authority: a proxy decrypts the traffic.",
            .advice =
                {
                    "On a company network ask the administrator to exempt mail servers or to "
                    "install "
                    "the company's certificate in the mail program.",
                    "Elsewhere use another network: someone is reading the connection.",
                },
            .references = "RFC 5280; RFC 8446 4.4.2",
        },
    [SW_CAUSE_MBX_CAPTIVE_PORTAL - FIRST] =
        {
            .summary =
                "The mail was not sent because the network wants you to log in on a web page "
                "first.",
            .meaning =
                "The guest network answers every connection itself until its log-in page was "
                "used; what came back is not the mail server.",
            .advice =
                {
                    "Open a web browser, visit any page and log in or accept the terms, then press "
                    "Send/Receive again.",
                    "If no page appears, disconnect and reconnect the Wi-Fi.",
                },
            .references = "RFC 8952",
        },
    [SW_CAUSE_MBX_PROXY_FAILED - FIRST] =
        {
            .summary = "The mail was not sent because the proxy did not connect the program to "
                       "{server}.",
            .meaning =
                "The client asked a SOCKS or HTTP proxy for a connection and the proxy refused "
                "or failed[[: {what}]].",
            .advice =
                {
                    "Check or switch off the proxy for mail. Thunderbird: Settings > General > "
                    "Network & Disk Space > Connection > Settings; other programs use the proxy of "
                    "the system.",
                    "Ask the administrator whether the proxy allows the mail ports 587 and 465.",
                },
            .references = "RFC 1928 6; RFC 9110 9.3.6",
        },
    [SW_CAUSE_MBX_PORT_REDIRECT - FIRST] =
        {
            .summary = "The mail was not sent because the network led the program to another mail "
                       "server than the one it called.",
            .meaning =
                "What answered on {port} belongs to another organisation than the server that was "
                "asked for: the provider redirects this port. It does not know the account, so "
                "login or recipient were refused.",
            .advice =
                {
                    "Use port 587 with STARTTLS or 465 with SSL/TLS; they are not redirected. "
                    "Windows "
                    "Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "If it happens there too, use another network and ask the provider about it.",
                },
            .references = "RFC 5068 3.1",
        },
};

const struct sw_wording_table sw_wording_middlebox = {
    .first = SW_CAUSE_MBX_ESMTP_MASKED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
