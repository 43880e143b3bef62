#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "rcpt". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_RCPT_UNKNOWN_USER };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_RCPT_UNKNOWN_USER - FIRST] =
        {
            .summary = "The mail was not sent because {server} does not know {recipient}.",
            .meaning =
                "The server refused the address because there is no such mailbox[[: {reply}]].",
            .advice =
                {
                    "Check the address for typing errors, correct it and send again.",
                    "Delete the old suggestion while you type the address. Outlook: the cross "
                    "beside "
                    "the name; Thunderbird and Apple Mail: remove it from the collected or "
                    "previous "
                    "recipients.",
                    "Ask the recipient in another way for the current address.",
                },
            .references = "RFC 5321 3.3; RFC 3463 X.1.1",
        },
    [SW_CAUSE_RCPT_SYNTAX - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} could not read the recipient's address.",
            .meaning =
                "The address[[ {recipient}]] has a wrong form[[: {reply}]]: a missing @ or domain, "
                "a blank, a comma or semicolon in the wrong place.",
            .advice =
                {
                    "Correct the address in To, Cc and Bcc; look into contact groups as well.",
                    "Write several addresses with the separator that the program wants (Outlook: "
                    "semicolon; others: comma).",
                },
            .references = "RFC 5321 4.1.1.3, 4.1.2",
        },
    [SW_CAUSE_RCPT_DOMAIN_NOT_FOUND - FIRST] =
        {
            .summary =
                "The mail was not sent because the part behind the @ of {recipient} cannot be "
                "found.",
            .meaning = "The server looked up the recipient's domain and found no way to it[[: "
                       "{reply}]].",
            .advice =
                {
                    "Check the address behind the @ for typing errors.",
                    "If it is right, send again later: the domain's name service may be out of "
                    "order.",
                    "Administrator of the sending server: check that the server's own name service "
                    "works.",
                },
            .references = "RFC 5321 5.1; RFC 3463 X.1.2",
        },
    [SW_CAUSE_RCPT_RELAY_DENIED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} does not forward mail to {recipient} "
                "for this sender.",
            .meaning =
                "The server forwards mail to other domains only for those it allows to, and it "
                "did not take this sender for one of them[[: {reply}]].",
            .advice =
                {
                    "Switch on the login for the outgoing server. Windows Live Mail: Tools > "
                    "Accounts "
                    "> Properties > Servers > tick 'My server requires authentication'; Outlook: "
                    "File "
                    "> Account Settings > Change > More Settings > Outgoing Server > tick 'My "
                    "outgoing server (SMTP) requires authentication'; Thunderbird: Account "
                    "Settings > "
                    "Outgoing Server (SMTP) > Edit > Authentication method 'Normal password' or "
                    "'OAuth2'; Apple Mail: Mail > Settings > Accounts > Server Settings, user name "
                    "and password of the Outgoing Mail Server.",
                    "Use port 587 with STARTTLS or 465 with SSL/TLS, not 25. Windows Live Mail: "
                    "Tools "
                    "> Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: File > "
                    "Account Settings > Change > More Settings > Advanced; Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Port and Connection security; "
                    "Apple "
                    "Mail: Mail > Settings > Accounts > Server Settings.",
                    "Use the outgoing server that belongs to the account you send with. Windows "
                    "Live "
                    "Mail: Tools > Accounts > Properties > Servers > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > Outgoing mail server (SMTP); Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: "
                    "Mail "
                    "> Settings > Accounts > Server Settings > Outgoing Mail Server.",
                    "Administrator of the server: allow this network or user to relay, or add the "
                    "domain if the server is responsible for it.",
                },
            .references = "RFC 5321 3.6.2, 7.9; RFC 6409",
        },
    [SW_CAUSE_RCPT_GREYLISTED - FIRST] =
        {
            .summary =
                "The mail was not sent yet because the receiving server asked to try again a "
                "little later.",
            .meaning = "The server does not know this combination of sender, recipient and address "
                       "yet and puts it off as a test against spam (greylisting)[[: {reply}]]. A "
                       "second attempt is accepted after some minutes.",
            .advice =
                {
                    "Wait 5 to 15 minutes and press Send/Receive again.",
                    "If you send with your own provider's server and it does this, switch on the "
                    "login: logged-in users are not put off. Windows Live Mail: Tools > Accounts > "
                    "Properties > Servers > tick 'My server requires authentication'; Outlook: "
                    "File > "
                    "Account Settings > Change > More Settings > Outgoing Server > tick 'My "
                    "outgoing "
                    "server (SMTP) requires authentication'; Thunderbird: Account Settings > "
                    "Outgoing "
                    "Server (SMTP) > Edit > Authentication method 'Normal password' or 'OAuth2'; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings, user name and "
                    "password "
                    "of the Outgoing Mail Server.",
                    "A sending server must simply retry; check that its queue does.",
                },
            .references = "RFC 6647",
        },
    [SW_CAUSE_RCPT_MAILBOX_FULL - FIRST] =
        {
            .summary = "The mail was not sent because the mailbox of {recipient} is full.",
            .meaning =
                "The server refused the mail because the recipient has used up the storage[[: "
                "{reply}]].",
            .advice =
                {
                    "Tell the recipient in another way that the mailbox is full.",
                    "Send again later; small mails may get through earlier.",
                },
            .references = "RFC 3463 X.2.2",
        },
    [SW_CAUSE_RCPT_DISABLED - FIRST] =
        {
            .summary = "The mail was not sent because the mailbox of {recipient} is closed or "
                       "switched off.",
            .meaning = "The address exists but takes no mail: the account is disabled, inactive or "
                       "suspended[[: {reply}]].",
            .advice =
                {
                    "Use another address of the recipient, or ask for one.",
                    "If it is an address of your own organisation, ask the administrator to enable "
                    "the mailbox.",
                },
            .references = "RFC 3463 X.2.1",
        },
    [SW_CAUSE_RCPT_POLICY_DENIED - FIRST] =
        {
            .summary =
                "The mail was not sent because a rule of the receiving side does not let this "
                "mail through to {recipient}.",
            .meaning = "The server knows what it does: a rule of the recipient or the organisation "
                       "forbids this sender or this kind of mail[[: {reply}]].",
            .advice =
                {
                    "Read the server's words: they often name the reason or whom to ask.",
                    "Contact the recipient in another way and ask that your address be allowed.",
                    "If you send to a group of your own organisation, ask for the right to write "
                    "to "
                    "it.",
                },
            .references = "RFC 5321 7.9; RFC 3463 X.7.1",
        },
    [SW_CAUSE_RCPT_DNSBL - FIRST] =
        {
            .summary = "The mail was not sent because {listed} is on a blocklist that "
                       "the receiving server uses.",
            .meaning =
                "The server refused the recipient with the name of a blocklist[[: {reply}]].",
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
                    "Server owners: look up the list that the reply names, stop the cause, then "
                    "ask "
                    "for removal there.",
                    "If your provider's own server is listed, tell the provider.",
                },
            .references = "RFC 5782; RFC 6471",
        },
    [SW_CAUSE_RCPT_NO_PTR - FIRST] =
        {
            .summary = "The mail was not sent because the sending computer's address has no proper "
                       "name in the network.",
            .meaning = "The server looks up the name of the sending computer's address[[ "
                       "{client}]] (reverse DNS) and found "
                       "none, or one that does not fit[[: {reply}]].",
            .advice =
                {
                    "Users: send through your own provider's server with login on port 587 or 465. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Server owners: have the provider set the reverse DNS (PTR) of the address to "
                    "the "
                    "server's name, and let that name point back to the address.",
                },
            .references = "RFC 7372; RFC 8601; RFC 1912 2.1",
        },
    [SW_CAUSE_RCPT_SPF_FAIL - FIRST] =
        {
            .summary =
                "The mail was not sent because the sender's domain does not allow {client} to "
                "send mail for it.",
            .meaning =
                "The domain of {sender} lists its permitted servers (SPF), and the one used is "
                "not among them or the list is faulty[[: {reply}]].",
            .advice =
                {
                    "Send through the server of the sender's own provider. Windows Live Mail: "
                    "Tools > "
                    "Accounts > Properties > Servers > Outgoing mail (SMTP); Outlook: File > "
                    "Account "
                    "Settings > Change > Outgoing mail server (SMTP); Thunderbird: Account "
                    "Settings > "
                    "Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: Mail > Settings > "
                    "Accounts > Server Settings > Outgoing Mail Server.",
                    "Administrator of the sending domain: add this server to the SPF record, and "
                    "keep "
                    "the record valid (one record, at most ten look-ups).",
                    "If the mail was forwarded, the forwarding server must rewrite the sender "
                    "(SRS).",
                },
            .references = "RFC 7208 8.4; RFC 7372",
        },
    [SW_CAUSE_RCPT_TOO_MANY - FIRST] =
        {
            .summary =
                "The mail was not sent because it has more recipients than {server} takes at "
                "once.",
            .meaning = "The server limits the number of recipients of one mail[[: {reply}]].",
            .advice =
                {
                    "Split the recipients into several mails.",
                    "Use a mailing list or newsletter service for many recipients.",
                },
            .references = "RFC 5321 4.5.3.1.8, 4.5.3.1.10",
        },
    [SW_CAUSE_RCPT_RECIPIENT_THROTTLED - FIRST] =
        {
            .summary =
                "The mail was not sent yet because {recipient} is getting too much mail at the "
                "moment.",
            .meaning = "The server limits how much one mailbox may receive in a time[[: {reply}]].",
            .advice =
                {
                    "Send again in an hour.",
                    "If many programs write to this address (alarms, logs), let them write less "
                    "often.",
                },
            .references = "RFC 3463 X.2.1; provider limits",
        },
    [SW_CAUSE_RCPT_DAILY_QUOTA - FIRST] =
        {
            .summary =
                "The mail was not sent because the account has used up the mails it may send "
                "in a day.",
            .meaning =
                "The provider limits the number of mails or recipients per day[[: {reply}]].",
            .advice =
                {
                    "Wait up to 24 hours and send again.",
                    "If you did not send that much, change the password: someone else may be using "
                    "the account.",
                    "For more mail use a bulk-mail service or a larger plan.",
                },
            .references = "Provider limits; RFC 3463 X.4.5",
        },
    [SW_CAUSE_RCPT_SENDER_VERIFY_FAILED - FIRST] =
        {
            .summary = "The mail was not sent because the receiving server could not confirm the "
                       "sender's address.",
            .meaning = "The server tried to verify {sender} with the sender's own mail server and "
                       "failed[[: {reply}]].",
            .advice =
                {
                    "Check that your own e-mail address in the account is spelt right and can "
                    "receive "
                    "mail.",
                    "Administrator of the sending domain: the mail server of the domain must be "
                    "reachable and accept this address, also with the empty sender.",
                },
            .references = "RFC 5321 3.3, 6.1; RFC 3463 X.1.8",
        },
    [SW_CAUSE_RCPT_PIPELINING - FIRST] =
        {
            .summary = "The mail was not sent because the program did not wait for the answers of "
                       "{server}.",
            .meaning =
                "The client sent commands before the replies to earlier ones though that was "
                "not allowed[[: {reply}]]. Spam programs do this, so servers refuse it.",
            .advice =
                {
                    "Update the sending program or device.",
                    "Turn off a mail scanner or proxy between program and server for a test.",
                },
            .references = "RFC 2920 3.1",
        },
    [SW_CAUSE_RCPT_PARTIAL - FIRST] =
        {
            .summary = "The mail was sent to nobody because {server} refused one of the recipients "
                       "and the program then stopped.",
            .meaning =
                "Some recipients were accepted and at least one was refused; the program gave "
                "up the whole mail without sending the text.",
            .advice =
                {
                    "Remove or correct the refused address and send the mail again to all.",
                    "The refused address is named in the program's message and in the list of "
                    "recipients.",
                },
            .references = "RFC 5321 3.3",
        },
};

const struct sw_wording_table sw_wording_rcpt = {
    .first = SW_CAUSE_RCPT_UNKNOWN_USER,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
