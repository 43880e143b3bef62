#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "session,quit". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_TCP_RESET_BY_SERVER };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_TCP_RESET_BY_SERVER - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} broke off the connection in the middle.",
            .meaning = "The server's side reset the connection (RST) while {what} was under way, "
                       "without a word of explanation.",
            .advice =
                {
                    "Send again.",
                    "If it always breaks at the same point, try a message without attachment, "
                    "another "
                    "network, and no VPN.",
                    "Tell the provider the time and your public address; its log shows why the "
                    "session was killed.",
                },
            .references = "RFC 9293 3.5.2",
        },
    [SW_CAUSE_MBX_RST_INJECTED - FIRST] =
        {
            .summary =
                "The mail was not sent because something between the program and {server} cut "
                "the connection.",
            .meaning =
                "The reset did not come from the computer whose address it bears: it differs from "
                "that computer's other packets, or these went on after it. So a firewall, filter "
                "or security product on the way sent it in that name.",
            .advice =
                {
                    "Switch off the mail protection of the security suite and VPN for a test.",
                    "Try another network; if it works there, ask the administrator of the first "
                    "one "
                    "which filter cuts the mail ports.",
                },
            .references = "RFC 3360",
        },
    [SW_CAUSE_TCP_RESET_BY_CLIENT - FIRST] =
        {
            .summary =
                "The mail was not sent because the sending computer broke off the connection "
                "in the middle.",
            .meaning = "The client's side reset the connection (RST) while {what} was under way.",
            .advice =
                {
                    "Look at the error message of the mail program and send again.",
                    "Switch off the mail scanning of the security suite and add-ins for a test.",
                    "Update the mail program.",
                },
            .references = "RFC 9293 3.5",
        },
    [SW_CAUSE_TCP_SERVER_CLOSED_EARLY - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} hung up in the middle without saying "
                "why.",
            .meaning = "The server closed the connection while {what} was under way, with no reply "
                       "that explains it.",
            .advice =
                {
                    "Send again; if it stops at the same point each time, note the time.",
                    "Try without the mail protection of the security suite and on another network.",
                    "Ask the provider to look into its log at that time.",
                },
            .references = "RFC 5321 3.8, 4.1.1.10",
        },
    [SW_CAUSE_TCP_CLIENT_CLOSED_EARLY - FIRST] =
        {
            .summary =
                "The mail was not sent because the sending program ended the connection before "
                "the mail was handed over.",
            .meaning = "The client closed without an error from the server and without a long wait "
                       "before. Sending was cancelled, or the program or computer stopped.",
            .advice =
                {
                    "Send again and leave program and computer running until it is done.",
                    "If nobody cancelled it, look into the log of the program; switch off add-ins "
                    "and "
                    "mail scanning.",
                },
            .references = "RFC 5321 4.1.1.10",
        },
    [SW_CAUSE_TCP_PEER_VANISHED - FIRST] =
        {
            .summary = "The mail was not sent because the connection to {server} went dead in the "
                       "middle.",
            .meaning =
                "Packets were repeated again and again and nothing was confirmed any more; the "
                "way to the server broke (Wi-Fi, VPN, router) or the server's machine stopped.",
            .advice =
                {
                    "Send again on a stable connection; reconnect Wi-Fi or VPN first.",
                    "If it repeats, restart the router and try another network.",
                },
            .references = "RFC 9293 3.8.3; RFC 6298",
        },
    [SW_CAUSE_TCP_IDLE_STATE_LOST - FIRST] =
        {
            .summary = "The mail was not sent because a router or firewall forgot the connection "
                       "during a pause.",
            .meaning = "Nothing was sent for {wait}, and afterwards packets of the same connection "
                       "were no longer let through. The server had not closed it.",
            .advice =
                {
                    "Send again without a long pause (password window, scanning of a large "
                    "attachment).",
                    "Administrator of the network: raise the idle timeout of the firewall or NAT "
                    "for "
                    "the mail ports.",
                },
            .references = "RFC 5382 REQ-5",
        },
    [SW_CAUSE_SMTP_REPLY_TIMEOUT - FIRST] =
        {
            .summary = "The mail was not sent because {server} stopped answering.",
            .meaning = "The client sent {what}, it arrived, and no answer came for {wait}[[ until "
                       "{ended}]]. The server is overloaded, or something behind it (name service, "
                       "filter, directory) hangs.",
            .advice =
                {
                    "Send again later.",
                    "Raise the server timeout. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Server Timeouts; Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced > Server Timeouts; Thunderbird: Settings > General > "
                    "Config "
                    "Editor > mailnews.tcptimeout.",
                    "Tell the provider which step hangs and when.",
                },
            .references = "RFC 5321 4.5.3.2",
        },
    [SW_CAUSE_SERVER_IDLE_TIMEOUT - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} got tired of waiting for the program.",
            .meaning =
                "The client was silent for {wait}, and the server ended the session[[: "
                "{reply}]]. A password window, a virus scan or a sleeping computer makes such "
                "a pause.",
            .advice =
                {
                    "Send again; enter the password beforehand and leave the computer on.",
                    "Switch off the scanning of outgoing mail in the security suite.",
                },
            .references = "RFC 5321 4.5.3.2.7",
        },
    [SW_CAUSE_SMTP_BAD_SEQUENCE - FIRST] =
        {
            .summary =
                "The mail was not sent because the program sent a command that {server} does not "
                "accept, or not at that moment.",
            .meaning = "A command came at the wrong moment or in a wrong form[[: {reply}]]. Often "
                       "an earlier step was refused and the program went on all the same.",
            .advice =
                {
                    "If the server refused an earlier command of this session, repair that: it "
                    "is the real reason.",
                    "If it did not, update the mail program; switch off a mail scanner between "
                    "program and server.",
                },
            .references = "RFC 5321 4.1.4",
        },
    [SW_CAUSE_SESSION_421_SHUTDOWN - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} ended the session and asked to "
                       "come back later.",
            .meaning =
                "The server gave a temporary refusal and closed the connection[[: {reply}]]. "
                "It is overloaded or being restarted.",
            .advice =
                {
                    "Wait a few minutes and send again; the message stays in the outbox.",
                    "If it repeats for hours, send the reply to the provider.",
                },
            .references = "RFC 5321 3.8, 4.2.3",
        },
    [SW_CAUSE_SESSION_TOO_MANY_ERRORS - FIRST] =
        {
            .summary = "The mail was not sent because {server} ended the session after too many "
                       "errors.",
            .meaning =
                "The server counts refused commands and gave up[[: {reply}]]. The first error "
                "of the session is the real reason.",
            .advice =
                {
                    "Look at the first refusal of the session and repair that.",
                    "Clean the list of recipients: many dead addresses lead to this.",
                },
            .references = "RFC 5321 4.5.4.1",
        },
    [SW_CAUSE_SESSION_MESSAGE_LIMIT - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} takes only a limited number of "
                       "mails in one connection.",
            .meaning =
                "Earlier mails of this connection were accepted, then the limit was reached[[: "
                "{reply}]].",
            .advice =
                {
                    "Send again: a new connection starts counting anew.",
                    "Thunderbird: Settings > General > Config Editor > "
                    "mail.smtpserver.default.max_messages_per_connection, set a lower number.",
                    "Sending servers: limit the number of mails per connection.",
                },
            .references = "RFC 5321 4.2.5",
        },
    [SW_CAUSE_CLIENT_GAVE_UP_AFTER_EHLO - FIRST] =
        {
            .summary =
                "The mail was not sent because the program ended the connection after {server} "
                "had listed what it can do.",
            .meaning =
                "The server had nothing against the program; the program misses something in "
                "the server's list of features and left.",
            .advice =
                {
                    "Compare encryption and login method of the account with what the server "
                    "offers[[ (logins: {offered})]].",
                    "Set encryption and login as the provider's help page says. Windows Live Mail: "
                    "Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: "
                    "File > "
                    "Account Settings > Change > More Settings > Advanced; Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Port and Connection security; "
                    "Apple "
                    "Mail: Mail > Settings > Accounts > Server Settings.",
                    "Look into the log of the mail program for the reason.",
                },
            .references = "RFC 5321 4.1.1.1",
        },
    [SW_CAUSE_QUIT_PROBLEM - FIRST] =
        {
            .summary =
                "The mail was accepted; only the goodbye (QUIT) at the end of the connection "
                "was left out or not answered.",
            .meaning = "The server confirmed the mail before; how the connection ended afterwards "
                       "changes nothing.",
            .references = "RFC 5321 4.1.1.10",
        },
};

const struct sw_cause_wording sw_wording_session_busy = {
    .summary = "The mail was not sent yet because {server} was busy and asked to come back later.",
    .meaning = "The server gave a temporary refusal[[: {reply}]]. It has too much to do, or takes "
               "less from this sender for a while.",
    .advice =
        {
            "Wait a few minutes and send again; the message stays in the outbox.",
            "If it repeats for hours, send the reply to the provider.",
        },
    .references = "RFC 5321 4.2.3",
};

const struct sw_wording_table sw_wording_session = {
    .first = SW_CAUSE_TCP_RESET_BY_SERVER,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
