#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "greeting". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_GREET_NO_BANNER };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_GREET_NO_BANNER - FIRST] =
        {
            .summary = "The mail was not sent because {server} took the connection but never said "
                       "hello.",
            .meaning =
                "The connection was established, and then the server stayed silent for {wait}; "
                "it should have greeted with a 220 line. It is stuck (name look-ups, "
                "overload), or the port expects encryption from the first byte.",
            .advice =
                {
                    "[[On {encrypted} set the encryption to SSL/TLS from the start. Windows "
                    "Live "
                    "Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced; Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Port and Connection "
                    "security; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings.]]",
                    "[[On {plain} try again in some minutes; the server is slow or stuck.]]",
                    "Administrator of the server: look for hanging reverse-DNS look-ups, full "
                    "process "
                    "limits and load.",
                },
            .references = "RFC 5321 3.1, 4.5.3.2.1",
        },
    [SW_CAUSE_GREET_SLOW_BANNER - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} greeted so late that the program had "
                "stopped waiting.",
            .meaning =
                "The server's greeting came only after {wait}, and the client had given up by "
                "then or gave up at once. Servers delay the greeting against spam, or because "
                "a look-up of the client's address hangs.",
            .advice =
                {
                    "Raise the server timeout of the mail program. Windows Live Mail: Tools > "
                    "Accounts > Properties > Advanced > Server Timeouts; Outlook: File > Account "
                    "Settings > Change > More Settings > Advanced > Server Timeouts; Thunderbird: "
                    "Settings > General > Config Editor > mailnews.tcptimeout.",
                    "Send again; the delay is often shorter the second time.",
                    "Administrator of the server: repair reverse DNS look-ups or shorten the "
                    "greeting "
                    "delay.",
                },
            .references = "RFC 5321 4.5.3.2.1",
        },
    [SW_CAUSE_GREET_421_BUSY - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} was busy and asked to try again "
                       "later.",
            .meaning =
                "The server opened with a temporary refusal instead of its greeting[[: "
                "{reply}]]. It is overloaded, being maintained, or this address has too many "
                "connections open at once. The message is safe in the outbox.",
            .advice =
                {
                    "Wait some minutes and press Send/Receive again.",
                    "Close the same mail account on other devices and programs if several are open "
                    "at "
                    "once.",
                    "If it lasts for hours, send the exact reply to the provider.",
                },
            .references = "RFC 5321 3.1, 4.2.3",
        },
    [SW_CAUSE_GREET_554_REJECTED - FIRST] =
        {
            .summary = "The mail was not sent because {server} refuses to take any mail from this "
                       "connection.",
            .meaning =
                "The server opened with a permanent refusal instead of its greeting[[: "
                "{reply}]]. Either this host is no server for your mail, or it has banned the "
                "address you come from.",
            .advice =
                {
                    "Check that the outgoing server is the one of your own provider, with port 587 "
                    "or "
                    "465. Windows Live Mail: Tools > Accounts > Properties > Servers > Outgoing "
                    "mail "
                    "(SMTP); Outlook: File > Account Settings > Change > Outgoing mail server "
                    "(SMTP); "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Server Name; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings > Outgoing Mail "
                    "Server.",
                    "Read the server's words: they often name the reason or a page with more.",
                    "Tell the provider or the server's administrator the reply and your public IP "
                    "address.",
                },
            .references = "RFC 5321 3.1, 4.2.2; RFC 7504",
        },
    [SW_CAUSE_GREET_DNSBL - FIRST] =
        {
            .summary = "The mail was not sent because {listed} is on a blocklist that "
                       "{server} uses.",
            .meaning =
                "The server refused the connection with the name of a blocklist[[: {reply}]]. "
                "Home and mobile addresses are listed as a rule; a mail server gets listed "
                "when spam came from it.",
            .advice =
                {
                    "Home and office users: send through your own provider's server with login on "
                    "port 587 or 465, never on port 25. Windows Live Mail: Tools > Accounts > "
                    "Properties > Advanced > Outgoing mail (SMTP); Outlook: File > Account "
                    "Settings > "
                    "Change > More Settings > Advanced; Thunderbird: Account Settings > Outgoing "
                    "Server (SMTP) > Edit > Port and Connection security; Apple Mail: Mail > "
                    "Settings "
                    "> Accounts > Server Settings.",
                    "Server owners: look up the list that the reply names, stop the cause "
                    "(infected "
                    "machine, open relay, stolen password), then ask for removal there.",
                    "Renew the public address (restart the router) only if your provider gives out "
                    "changing addresses.",
                },
            .references = "RFC 5782; RFC 6471",
        },
    [SW_CAUSE_GREET_CLOSED_NO_BANNER - FIRST] =
        {
            .summary = "The mail was not sent because {server} hung up without a word.",
            .meaning =
                "The connection was accepted and closed at once, before the server sent a "
                "single byte. An access list, a connection limit, or a load balancer without a "
                "working server behind it does this.",
            .advice =
                {
                    "Try again in some minutes.",
                    "Ask the provider whether your network or address is allowed to connect.",
                    "Administrator of the server: look at access lists, connection limits and the "
                    "health of the servers behind the load balancer.",
                },
            .references = "RFC 5321 3.1",
        },
    [SW_CAUSE_GREET_NOT_SMTP - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} is not a mail server for sending: it "
                "spoke something else.",
            .meaning = "What answered on {port} does not speak SMTP. The name or "
                       "port in the account belongs to another service.",
            .advice =
                {
                    "Enter the provider's outgoing (SMTP) server and port 587 or 465. Windows Live "
                    "Mail: Tools > Accounts > Properties > Servers > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > Outgoing mail server (SMTP); Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: "
                    "Mail "
                    "> Settings > Accounts > Server Settings > Outgoing Mail Server.",
                    "On a hotel or guest Wi-Fi open a web page first and log in there.",
                },
            .references = "RFC 5321 4.2",
        },
    [SW_CAUSE_GREET_POP_IMAP_BANNER - FIRST] =
        {
            .summary = "The mail was not sent because the program reached the server for incoming "
                       "mail instead of the one for sending.",
            .meaning =
                "The server on {port} greeted as a POP3 or IMAP server. The incoming server's "
                "name or port was entered for outgoing mail.",
            .advice =
                {
                    "Enter the outgoing (SMTP) server name and port 587 or 465. Windows Live Mail: "
                    "Tools > Accounts > Properties > Servers > Outgoing mail (SMTP); Outlook: File "
                    "> "
                    "Account Settings > Change > Outgoing mail server (SMTP); Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: Mail > "
                    "Settings > Accounts > Server Settings > Outgoing Mail Server.",
                    "If the name is the same for both, only the port is wrong: 110, 143, 993 and "
                    "995 "
                    "are for receiving. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > "
                    "Outgoing mail (SMTP); Outlook: File > Account Settings > Change > More "
                    "Settings "
                    "> Advanced; Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Port "
                    "and Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                },
            .references = "RFC 1939 4; RFC 9051 7.1.1",
        },
    [SW_CAUSE_GREET_EARLY_TALKER - FIRST] =
        {
            .summary =
                "The mail was not sent because the sending program spoke before {server} had "
                "greeted it.",
            .meaning =
                "The client sent commands before the greeting, which spam programs do, and the "
                "server refused it for that[[: {reply}]].",
            .advice =
                {
                    "Check that encryption and port belong together (465: SSL/TLS, 587: STARTTLS). "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Turn off the mail scanner of the security suite for a test; it may sit "
                    "between "
                    "program and server.",
                    "Update the sending program; it must wait for the greeting.",
                },
            .references = "RFC 5321 4.3.1; RFC 2920 3.1",
        },
};

const struct sw_cause_wording sw_wording_greeting_unfinished = {
    .summary = "The mail was not sent because {server} began its greeting but never finished it.",
    .meaning = "The mail program has to wait for the last line of the greeting (\"220\" and a "
               "blank), and for {wait} that did not come. The server is stuck, or it holds its "
               "greeting back against spam for longer than the program waits.",
    .advice =
        {
            "Try again in some minutes; the server is slow or stuck.",
            "Administrator of the server: look for hanging reverse-DNS look-ups, full process "
            "limits and load, and shorten the greeting delay.",
        },
};

const struct sw_wording_table sw_wording_greeting = {
    .first = SW_CAUSE_GREET_NO_BANNER,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
