#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "route". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_NET_ARP_UNRESOLVED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_NET_ARP_UNRESOLVED - FIRST] =
        {
            .summary =
                "The mail was not sent because the next machine on the way to {server} did not "
                "answer on the local network.",
            .meaning =
                "The computer asked again and again for the hardware address of the gateway or "
                "server (ARP or neighbour discovery) and nobody answered, so no packet to the "
                "mail server could leave.",
            .advice =
                {
                    "Reconnect the network (Wi-Fi off and on, cable, VPN) and send again.",
                    "Check the IP address, mask and gateway of the computer; set them to "
                    "automatic.",
                    "Leave the mail settings alone: nothing has reached the mail server yet.",
                },
            .references = "RFC 826; RFC 4861 7.2",
        },
    [SW_CAUSE_NET_ICMP_UNREACHABLE - FIRST] =
        {
            .summary = "The mail was not sent because the network has no way to {server}.",
            .meaning =
                "A router on the way (or the server's host) answered the connection attempt "
                "with \"destination unreachable\": there is no route to that network or host.",
            .advice =
                {
                    "Check whether the VPN or network that leads to the mail server is connected, "
                    "then send again.",
                    "Try another network (a mobile hotspot) to see whether the provider's network "
                    "is "
                    "at fault.",
                    "Tell the network's administrator or provider which address cannot be reached.",
                },
            .references = "RFC 792; RFC 4443 3.1",
        },
    [SW_CAUSE_NET_ICMP_PROHIBITED - FIRST] =
        {
            .summary =
                "The mail was not sent because a firewall on the way to {server} refused the "
                "connection on {port}.",
            .meaning =
                "A router or firewall answered the connection attempt with \"administratively "
                "prohibited\" or \"port unreachable\". This is a rule of the network, not a "
                "fault of the mail server.",
            .advice =
                {
                    "Use another port: 587 with STARTTLS, or 465 with SSL/TLS. Windows Live Mail: "
                    "Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: "
                    "File > "
                    "Account Settings > Change > More Settings > Advanced; Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Port and Connection security; "
                    "Apple "
                    "Mail: Mail > Settings > Accounts > Server Settings.",
                    "Try without VPN or on another network.",
                    "Ask the owner of the network to allow mail submission to this server.",
                },
            .references = "RFC 1812 5.2.7.1; RFC 4443 3.1",
        },
    [SW_CAUSE_NET_TTL_EXCEEDED - FIRST] =
        {
            .summary = "The mail was not sent because packets to {server} went round in circles in "
                       "the network.",
            .meaning = "Routers answered that the lifetime of the packets ran out on the way (ICMP "
                       "time exceeded): there is a routing loop.",
            .advice =
                {
                    "Try again later or over another network; there is nothing to change in the "
                    "mail "
                    "program.",
                    "Report it to the network's administrator or provider, with the addresses of "
                    "the "
                    "routers that answered.",
                },
            .references = "RFC 792",
        },
};

const struct sw_wording_table sw_wording_route = {
    .first = SW_CAUSE_NET_ARP_UNRESOLVED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
