#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "tcp-connect". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_TCP_SYN_TIMEOUT };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_TCP_SYN_TIMEOUT - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} did not answer when the program tried "
                "to connect.",
            .meaning =
                "The connection request to {server} on {port} and its repetitions got no "
                "answer of any kind. Either something on the way drops the packets (firewall, "
                "security suite, provider) or the server is down.",
            .advice =
                {
                    "Check the server name and the port of the outgoing server; prefer port 587 "
                    "with "
                    "STARTTLS or 465 with SSL/TLS. Windows Live Mail: Tools > Accounts > "
                    "Properties > "
                    "Advanced > Outgoing mail (SMTP); Outlook: File > Account Settings > Change > "
                    "More Settings > Advanced; Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) "
                    "> Edit > Port and Connection security; Apple Mail: Mail > Settings > Accounts "
                    "> "
                    "Server Settings.",
                    "Turn off VPN and the mail protection of the security suite for a test.",
                    "Try another network; if it works there, the first network blocks the port.",
                    "If nothing helps, the server may be down: look at the provider's status page "
                    "and "
                    "send again later.",
                },
            .references = "RFC 9293 3.8.1; RFC 6298; RFC 5321 4.5.3.2",
        },
    [SW_CAUSE_TCP_ATTEMPT_SUPERSEDED - FIRST] =
        {
            .summary =
                "Nothing went wrong here: the program connected to another address of the same "
                "server.",
            .meaning = "This attempt got no answer in time, and within seconds the client used "
                       "another address of the same name (IPv6 and IPv4 are tried side by side).",
            .references = "RFC 8305",
        },
    [SW_CAUSE_TCP_PORT25_BLOCKED - FIRST] =
        {
            .summary = "The mail was not sent because this network does not let mail programs use "
                       "port 25.",
            .meaning =
                "Attempts to reach mail servers on port 25 fail while other ports work, or the "
                "answer itself says so. Providers and cloud networks block port 25 against "
                "spam; port 587 and 465 are made for mail programs and stay open.",
            .advice =
                {
                    "Change the outgoing port to 587 with STARTTLS, or to 465 with SSL/TLS, and "
                    "switch on the login. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced "
                    "> Outgoing mail (SMTP); Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced; Thunderbird: Account Settings > Outgoing Server (SMTP) > "
                    "Edit > Port and Connection security; Apple Mail: Mail > Settings > Accounts > "
                    "Server Settings.",
                    "For a mail server: send through the provider's relay (smarthost) on port 587, "
                    "or "
                    "ask the provider to open port 25.",
                },
            .references = "RFC 5068 3.1 (BCP 134); RFC 6409",
        },
    [SW_CAUSE_TCP_REFUSED - FIRST] =
        {
            .summary = "The mail was not sent because {server} refused the connection on {port}.",
            .meaning = "The machine answered at once that nothing listens on that port (RST to the "
                       "connection request). The port or the name is wrong, the mail service is "
                       "stopped, or a firewall answers in the server's name.",
            .advice =
                {
                    "Compare server name and port with the provider's help page; usual are 587 "
                    "with "
                    "STARTTLS and 465 with SSL/TLS. Windows Live Mail: Tools > Accounts > "
                    "Properties "
                    "> Advanced > Outgoing mail (SMTP); Outlook: File > Account Settings > Change "
                    "> "
                    "More Settings > Advanced; Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) "
                    "> Edit > Port and Connection security; Apple Mail: Mail > Settings > Accounts "
                    "> "
                    "Server Settings.",
                    "If they are right, try again in a few minutes: the service may be restarting.",
                    "Administrator of the server: start the mail service, or open the port in its "
                    "configuration and firewall.",
                },
            .references = "RFC 9293 3.5.2",
        },
    [SW_CAUSE_TCP_HANDSHAKE_INCOMPLETE - FIRST] =
        {
            .summary = "The mail was not sent because the connection to {server} never became "
                       "complete.",
            .meaning =
                "The server answered the connection request again and again: its answers did not "
                "reach the client or were not accepted by it, or the client's confirmation did "
                "not reach the server. Packets get lost on one of the two ways, or in a firewall.",
            .advice =
                {
                    "Turn off the computer's firewall or security suite for a test and send again.",
                    "Try another network.",
                    "Administrator: record on the client as well, to see whether the server's "
                    "answer "
                    "arrives there.",
                },
            .references = "RFC 9293 3.5",
        },
};

const struct sw_wording_table sw_wording_tcp_connect = {
    .first = SW_CAUSE_TCP_SYN_TIMEOUT,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
