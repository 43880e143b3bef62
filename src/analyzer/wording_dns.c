#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "dns". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_DNS_NXDOMAIN };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_DNS_NXDOMAIN - FIRST] =
        {
            .summary = "The mail was not sent because the name {name} does not exist.",
            .meaning =
                "The name server answered that the name does not exist (RCODE 3, NXDOMAIN), "
                "and no connection to a mail server followed. Usually it is misspelt, in the "
                "account or behind the @ of the recipient's address, or it is no longer in use.",
            .advice =
                {
                    "[[Check {host} for typing errors and compare it with your provider's help "
                    "page. Windows Live Mail: Tools > Accounts > Properties > Servers > Outgoing "
                    "mail (SMTP); Outlook: File > Account Settings > Change > Outgoing mail "
                    "server (SMTP); Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit "
                    "> Server Name; Apple Mail: Mail > Settings > Accounts > Server Settings > "
                    "Outgoing Mail Server.]]",
                    "[[Check the recipient's address for a typing error in {domain}, correct it "
                    "and send again.]]",
                    "If the name is right, look it up at another place (nslookup), or ask the "
                    "provider or the recipient whether it has changed.",
                    "[[Leave the message in the outbox; it goes out once {host} is right.]]",
                },
            .references = "RFC 1035 4.1.1; RFC 2308",
        },
    [SW_CAUSE_DNS_SERVFAIL - FIRST] =
        {
            .summary =
                "The mail was not sent because the name service could not say where {server} "
                "is.",
            .meaning =
                "The name server answered with an error of its own (SERVFAIL or REFUSED) "
                "instead of an address, so no connection was tried. The fault is in name "
                "resolution (the resolver, or the name servers or DNSSEC of the mail domain), "
                "not in the mail program.",
            .advice =
                {
                    "Wait a few minutes and send again; this often passes.",
                    "Switch the computer or router to another DNS server and test with nslookup "
                    "whether the name resolves there.",
                    "Do not change settings in the mail program: none of them is wrong. If it "
                    "lasts, "
                    "tell the provider that its name service answers SERVFAIL.",
                },
            .references = "RFC 1035 4.1.1; RFC 8914",
        },
    [SW_CAUSE_DNS_TIMEOUT - FIRST] =
        {
            .summary = "The mail was not sent because the name service did not answer when it was "
                       "asked for the address of {server}.",
            .meaning =
                "The client asked its name servers several times for the address of the mail "
                "server and got no answer at all, so no connection was tried.",
            .advice =
                {
                    "Check whether anything else works on this network (a web page); reconnect the "
                    "network or VPN.",
                    "Check the DNS server address of the computer or router; try another one.",
                    "On a managed network ask the administrator whether UDP and TCP port 53 are "
                    "blocked.",
                },
            .references = "RFC 1035 4.2; RFC 5966",
        },
    [SW_CAUSE_DNS_RESOLVER_UNREACHABLE - FIRST] =
        {
            .summary = "The mail was not sent because the computer's name service could not be "
                       "reached.",
            .meaning =
                "Every question for the mail server's name was answered by an ICMP message "
                "that the name server or its port cannot be reached. The configured resolver "
                "is wrong or not running.",
            .advice =
                {
                    "Check the DNS server address of the computer or router; set it to obtain its "
                    "address automatically.",
                    "If the address is right, the name service on that machine must be started.",
                    "Send again afterwards; the message waits in the outbox.",
                },
            .references = "RFC 1122 3.2.2.1; RFC 792",
        },
    [SW_CAUSE_DNS_NODATA - FIRST] =
        {
            .summary = "The mail was not sent because the name {name} exists but has no address to "
                       "connect to.",
            .meaning =
                "The name server knows the name but has no address record (A or AAAA) for it. "
                "Often the domain alone was entered (example.com) where the provider's server "
                "name belongs (smtp.example.com).",
            .advice =
                {
                    "Enter the provider's real outgoing server name instead of the bare domain. "
                    "Windows Live Mail: Tools > Accounts > Properties > Servers > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > Outgoing mail server "
                    "(SMTP); "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Server Name; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings > Outgoing Mail "
                    "Server.",
                    "If the name is right, ask the provider to repair the address record of that "
                    "name.",
                },
            .references = "RFC 2308 2.2",
        },
    [SW_CAUSE_DNS_SINKHOLED - FIRST] =
        {
            .summary = "The mail was not sent because the name service sent the program to a wrong "
                       "address for {server}.",
            .meaning = "The name was answered with an address where no public mail server can be "
                       "(0.0.0.0, a loopback or private address, or one address for every name). A "
                       "DNS filter, parental control, a hosts file entry or malware redirects the "
                       "name.",
            .advice =
                {
                    "Turn off the DNS filter, parental control or web protection of the security "
                    "suite for a test and send again.",
                    "Look into the hosts file for a line with the mail server's name and remove "
                    "it.",
                    "Ask whoever runs the network or the DNS filter to allow the name.",
                },
            .references = "RFC 6890; RFC 8914 4.16",
        },
    [SW_CAUSE_DNS_NULL_MX - FIRST] =
        {
            .summary = "The mail was not sent because the recipient's domain has declared that it "
                       "takes no mail.",
            .meaning =
                "The domain of {recipient} publishes a null MX record (preference 0, exchange "
                "\".\"), which means that it never accepts mail. No delivery attempt will "
                "succeed.",
            .advice =
                {
                    "Check the part of the address behind the @ for a typing error and correct it.",
                    "If the address is right, reach the recipient in another way and ask for a "
                    "working address.",
                },
            .references = "RFC 7505",
        },
};

const struct sw_wording_table sw_wording_dns = {
    .first = SW_CAUSE_DNS_NXDOMAIN,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
