#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "mail". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_MAIL_SENDER_NOT_OWNED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_MAIL_SENDER_NOT_OWNED - FIRST] =
        {
            .summary =
                "The mail was not sent because the account is not allowed to send as {sender}.",
            .meaning = "The server compared the sender's address with the login and refused it[[: "
                       "{reply}]].",
            .advice =
                {
                    "Use the outgoing server that belongs to this sender's address. Thunderbird: "
                    "Account Settings > the account > Outgoing Server (SMTP); Outlook: choose the "
                    "matching account under From; Windows Live Mail: Tools > Accounts > Properties "
                    "> "
                    "General, correct the e-mail address; Apple Mail: choose the matching account "
                    "under From.",
                    "Check the sender's address for typing errors in the account settings.",
                    "Ask the administrator for the right to send as this address ('Send As'), or "
                    "to "
                    "add it as an alias.",
                },
            .references = "RFC 6409 6.1",
        },
    [SW_CAUSE_MAIL_SENDER_SYNTAX - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} could not read the sender's address.",
            .meaning =
                "The address in MAIL FROM is malformed or of a form that the server does not "
                "take[[: {reply}]].",
            .advice =
                {
                    "Correct your own e-mail address in the account: one @, no blank, no accented "
                    "letters. Windows Live Mail: Tools > Accounts > Properties > General; Outlook: "
                    "File > Account Settings > Change > E-mail Address; Thunderbird: Account "
                    "Settings "
                    "> the account > Email Address; Apple Mail: Mail > Settings > Accounts > Email "
                    "Address.",
                    "Devices and scripts: enter a complete address as sender.",
                },
            .references = "RFC 5321 4.1.1.2, 4.1.2",
        },
    [SW_CAUSE_MAIL_SENDER_DOMAIN - FIRST] =
        {
            .summary =
                "The mail was not sent because the part behind the @ of the sender's address "
                "cannot be found.",
            .meaning = "The server looked up the domain of {sender} and found nothing usable[[: "
                       "{reply}]].",
            .advice =
                {
                    "Check your own e-mail address in the account settings for a typing error "
                    "behind "
                    "the @.",
                    "If it is right, the domain's name servers have a problem: ask whoever runs "
                    "the "
                    "domain, and send again later.",
                },
            .references = "RFC 5321 2.3.5; RFC 7505",
        },
    [SW_CAUSE_MAIL_SENDER_BLOCKED - FIRST] =
        {
            .summary = "The mail was not sent because {server} has blocked this sender.",
            .meaning =
                "The sender's address, domain or account is banned, often after spam was sent "
                "with it[[: {reply}]].",
            .advice =
                {
                    "Change the password of the account and look for sent mail that you did not "
                    "write.",
                    "Scan the computer for malware.",
                    "Then ask the provider to unblock the account; if the recipient's server "
                    "blocks "
                    "you, ask its postmaster.",
                },
            .references = "RFC 5321 7.9",
        },
    [SW_CAUSE_MAIL_SIZE_ANNOUNCED - FIRST] =
        {
            .summary = "The mail was not sent because it is larger than {server} accepts.",
            .meaning = "The size of the message was known before its text was sent, and it is over "
                       "the server's limit[[ ({size}, at most {limit})]][[: {reply}]]. "
                       "Attachments grow by about 37 % on the way.",
            .advice =
                {
                    "Make the attachments smaller: compress or shrink pictures, send fewer files "
                    "in "
                    "one mail.",
                    "Or put the file into cloud storage and send the link.",
                    "Administrator of the server: raise the size limit if such mails are wanted.",
                },
            .references = "RFC 1870 6",
        },
    [SW_CAUSE_MAIL_STORAGE - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} is short of storage.",
            .meaning =
                "The server has too little disk space or memory for more mail[[: {reply}]]. It "
                "does not concern the recipient's mailbox.",
            .advice =
                {
                    "Wait and send again; the message stays in the outbox.",
                    "Administrator of the server: free disk space or memory (queue, log files, "
                    "back "
                    "pressure).",
                },
            .references = "RFC 5321 4.2.3",
        },
    [SW_CAUSE_MAIL_RATE_LIMITED - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} has had too much mail from this "
                       "sender or network in a short time.",
            .meaning = "The server slows this sender down[[: {reply}]].",
            .advice =
                {
                    "Wait, then send again; send fewer mails or recipients at a time.",
                    "If you did not send much, another program or malware may be using the account "
                    "or "
                    "network: change the password and scan the computers.",
                    "For newsletters use a service made for bulk mail.",
                },
            .references = "RFC 5321 4.2.1; provider limits",
        },
    [SW_CAUSE_MAIL_IP_REPUTATION - FIRST] =
        {
            .summary = "The mail was not sent because {server} distrusts the network that it came "
                       "from.",
            .meaning = "The server refuses or delays mail from the address[[ {client}]] of the "
                       "sending computer because of its "
                       "reputation[[: {reply}]].",
            .advice =
                {
                    "Send through your own provider's server with login on port 587 or 465. "
                    "Windows "
                    "Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Server owners: follow the link in the reply, find out why the address has a "
                    "bad "
                    "name (spam, new address, missing reverse DNS), then ask for removal.",
                    "Try another network to be sure that it is the network and not the account.",
                },
            .references = "RFC 5321 7.9; RFC 7372",
        },
    [SW_CAUSE_MAIL_SERVER_ERROR - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} had a problem of its own.",
            .meaning =
                "The server answered with an error in its own processing[[: {reply}]]. Nothing "
                "is wrong with the mail.",
            .advice =
                {
                    "Wait some minutes and send again.",
                    "If it lasts, send the exact reply and the time to the provider or the "
                    "server's "
                    "administrator.",
                    "Administrator of the server: the log at this time names the failing look-up, "
                    "filter or file.",
                },
            .references = "RFC 5321 4.2.3",
        },
    [SW_CAUSE_SMTP_UTF8_UNSUPPORTED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} did not take an address with special "
                "letters.",
            .meaning =
                "An address has letters outside plain English. For these the program must ask for "
                "an extension (SMTPUTF8), and the server must offer it[[: {reply}]].",
            .advice =
                {
                    "Use the form of the address with plain letters only.",
                    "Ask the provider for a server that supports internationalised addresses.",
                },
            .references = "RFC 6531 3.5",
        },
    [SW_CAUSE_MAIL_PARAM_UNSUPPORTED - FIRST] =
        {
            .summary =
                "The mail was not sent because the program asked {server} for an extra that it "
                "does not support.",
            .meaning =
                "An option of MAIL or RCPT (delivery receipt, 8-bit text, size) was refused[[: "
                "{reply}]].",
            .advice =
                {
                    "Switch off delivery receipts and whatever else asks for more than plain "
                    "sending. Outlook: File > Options > Mail > Tracking; "
                    "Thunderbird: Settings > General > Return Receipts and Options > Delivery "
                    "Status "
                    "Notification in the message window.",
                    "A firewall may hide what the server offers: use port 587 or 465. Windows Live "
                    "Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced; Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Port and Connection "
                    "security; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings.",
                },
            .references = "RFC 5321 4.1.1.11; RFC 3461",
        },
    [SW_CAUSE_MAIL_POP_BEFORE_SMTP - FIRST] =
        {
            .summary = "The mail was not sent because {server} wants you to fetch mail before you "
                       "send.",
            .meaning = "The server identifies users by a look into the mailbox shortly before (POP "
                       "before SMTP)[[: {reply}]].",
            .advice =
                {
                    "Switch on the login for sending if the provider supports it. Windows Live "
                    "Mail: "
                    "Tools > Accounts > Properties > Servers > tick 'My server requires "
                    "authentication'; Outlook: File > Account Settings > Change > More Settings > "
                    "Outgoing Server > tick 'My outgoing server (SMTP) requires authentication'; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Authentication "
                    "method 'Normal password' or 'OAuth2'; Apple Mail: Mail > Settings > Accounts "
                    "> "
                    "Server Settings, user name and password of the Outgoing Mail Server.",
                    "Otherwise press Send/Receive first. Outlook: More Settings > Outgoing Server "
                    "> "
                    "'Log on to incoming mail server before sending mail'.",
                },
            .references = "RFC 4954; RFC 6409 4.3",
        },
};

const struct sw_wording_table sw_wording_mail = {
    .first = SW_CAUSE_MAIL_SENDER_NOT_OWNED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
