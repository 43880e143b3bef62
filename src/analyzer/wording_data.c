#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "data". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_TCP_ZERO_WINDOW };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_TCP_ZERO_WINDOW - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} stopped taking data in the middle of "
                "the message.",
            .meaning =
                "The server's computer told the client again and again that it has no room for "
                "more data (TCP window zero) for {wait}. Its mail program does not read: "
                "overload, full disk or a hanging filter.",
            .advice =
                {
                    "Try again later.",
                    "Try with a smaller message, to see whether the size matters.",
                    "Administrator of the server: look for a blocked content filter, full disk or "
                    "overload at this time.",
                },
            .references = "RFC 9293 3.8.6.1; RFC 5321 4.5.3.2.5",
        },
    [SW_CAUSE_TCP_PMTU_BLACKHOLE - FIRST] =
        {
            .summary =
                "The mail was not sent because large packets get lost on the way to {server} "
                "while small ones arrive.",
            .meaning =
                "All small packets were confirmed, but full-size ones were repeated in vain. A "
                "VPN, DSL line or tunnel carries less per packet, and the message that says so "
                "is filtered (path MTU black hole).",
            .advice =
                {
                    "Try without VPN or on another network.",
                    "Lower the MTU of the network connection or VPN (for example 1400) on the "
                    "computer or router.",
                    "Administrator of the network: enable MSS clamping and let ICMP 'fragmentation "
                    "needed' and 'packet too big' through.",
                },
            .references = "RFC 1191; RFC 2923 2.1; RFC 8899",
        },
    [SW_CAUSE_TCP_LOSSY_SLOW - FIRST] =
        {
            .summary = "The mail was not sent because the network lost so many packets that the "
                       "upload took too long.",
            .meaning =
                "Many packets had to be repeated, the transfer became too slow, and one side "
                "gave up.",
            .advice =
                {
                    "Use a better connection (cable instead of Wi-Fi, closer to the access point, "
                    "no "
                    "mobile edge).",
                    "Make the message smaller: fewer or compressed attachments.",
                    "Raise the server timeout. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Server Timeouts; Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced > Server Timeouts; Thunderbird: Settings > General > "
                    "Config "
                    "Editor > mailnews.tcptimeout.",
                },
            .references = "RFC 5321 4.5.3.2.5; RFC 6298",
        },
    [SW_CAUSE_TCP_WINDOW_SCALING_BROKEN - FIRST] =
        {
            .summary =
                "The mail was not sent because a device on the way garbles a basic setting of "
                "the connection.",
            .meaning =
                "The two ends misunderstand how much data may be on the way (TCP window "
                "scaling is lost in a router or firewall), so the transfer crawls or breaks.",
            .advice =
                {
                    "Update or replace the router or firewall.",
                    "Windows, for a test, in a command window: netsh interface tcp set global "
                    "autotuninglevel=disabled.",
                    "Administrator: look for a device that rewrites TCP options.",
                },
            .references = "RFC 7323 2",
        },
    [SW_CAUSE_MBX_PIX_DOT_SPLIT - FIRST] =
        {
            .summary =
                "The mail was not sent because a firewall on the way does not pass on the end "
                "of the message.",
            .meaning =
                "The text was sent completely, but the closing dot went in a packet of its own "
                "through a device that inspects SMTP, and the server never saw it.",
            .advice =
                {
                    "Administrator of the network: switch off the SMTP inspection ('fixup protocol "
                    "smtp', 'inspect esmtp') of the firewall, or update it.",
                    "Users: use port 465 with SSL/TLS, which such devices cannot inspect. Windows "
                    "Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Check with the recipient before sending again; copies may have arrived.",
                },
            .references = "Postfix smtp_pix_workarounds",
        },
    [SW_CAUSE_DATA_NO_VALID_RCPT - FIRST] =
        {
            .summary = "The mail was not sent because it had no recipient that {server} accepts.",
            .meaning = "Every recipient had been refused, or none was named, so the server would "
                       "not take the text[[: {reply}]].",
            .advice =
                {
                    "Look at what the server said about each recipient, correct the addresses and "
                    "send again.",
                },
            .references = "RFC 5321 4.1.1.4",
        },
    [SW_CAUSE_DATA_REFUSED - FIRST] =
        {
            .summary = "The mail was not sent because {server} refused to take the text of the "
                       "message.",
            .meaning = "Sender and recipients were accepted, but the command to send the text was "
                       "refused[[: {reply}]].",
            .advice =
                {
                    "Read the server's words, wait a few minutes and send again.",
                    "If it repeats, send the reply to the provider or the server's administrator.",
                },
            .references = "RFC 5321 4.3.2",
        },
    [SW_CAUSE_DATA_CLIENT_STALLED - FIRST] =
        {
            .summary = "The mail was not sent because the sending program stopped in the middle of "
                       "the message.",
            .meaning = "The server was ready and the network free, but the client sent nothing for "
                       "{wait} before the end of the message.",
            .advice =
                {
                    "Remove large or damaged attachments and send again.",
                    "Switch off the scanning of outgoing mail in the security suite.",
                    "Restart the mail program; compact its folders or repair its data file if it "
                    "happens again.",
                },
            .references = "RFC 5321 4.5.3.2.5",
        },
    [SW_CAUSE_DATA_UPLOAD_TOO_SLOW - FIRST] =
        {
            .summary = "The mail was not sent because the upload was too slow for its size.",
            .meaning = "The text went up without a break but was not finished when one side's "
                       "patience ended.",
            .advice =
                {
                    "Make the message smaller or send the attachments as a link.",
                    "Raise the server timeout. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Server Timeouts; Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced > Server Timeouts; Thunderbird: Settings > General > "
                    "Config "
                    "Editor > mailnews.tcptimeout.",
                    "Use a faster connection.",
                },
            .references = "RFC 5321 4.5.3.2",
        },
    [SW_CAUSE_DATA_NO_FINAL_DOT - FIRST] =
        {
            .summary = "The mail was not sent because the connection ended before the message was "
                       "complete.",
            .meaning =
                "The text was on its way, but the end-of-message mark never came: the program "
                "was closed, the computer slept, or the connection broke on the sender's side. "
                "The server throws such a part away.",
            .advice =
                {
                    "Send again and leave program and computer running until it is done.",
                    "If it repeats with one message, remove its attachments for a test.",
                },
            .references = "RFC 5321 4.1.1.4",
        },
    [SW_CAUSE_DATA_BARE_LF - FIRST] =
        {
            .summary =
                "The mail was not sent because the text of the message breaks a rule on line "
                "ends.",
            .meaning =
                "Lines of the message end with a single LF (or CR) instead of CR LF, and the "
                "server does not take that[[: {reply}]]. Scripts and old devices on Unix do "
                "this.",
            .advice =
                {
                    "Update the sending program or device, or set its line ends to CRLF.",
                    "Scripts: write \\r\\n at the end of each line, or hand the mail to a local "
                    "mail "
                    "server.",
                },
            .references = "RFC 5321 2.3.8",
        },
    [SW_CAUSE_DATA_LINE_TOO_LONG - FIRST] =
        {
            .summary = "The mail was not sent because a line in the message is longer than mail "
                       "allows.",
            .meaning =
                "A line of the text or header is longer than 998 characters (or the server's "
                "limit)[[: {reply}]].",
            .advice =
                {
                    "Send the message as plain text or with another program that wraps lines.",
                    "Scripts: wrap long lines or encode the text as base64 or quoted-printable.",
                },
            .references = "RFC 5321 4.5.3.1.6; RFC 5322 2.1.1",
        },
    [SW_CAUSE_DATA_SIZE_EXCEEDED - FIRST] =
        {
            .summary = "The mail was not sent because it is larger than {server} accepts.",
            .meaning = "The server refused the message for its size[[: {reply}]]. "
                       "Attachments grow by about 37 % on the way.",
            .advice =
                {
                    "Make the attachments smaller: compress or shrink pictures, send fewer files "
                    "in "
                    "one mail.",
                    "Or put the file into cloud storage and send the link.",
                },
            .references = "RFC 1870 6",
        },
    [SW_CAUSE_DATA_VIRUS_REJECTED - FIRST] =
        {
            .summary = "The mail was not sent because {server} found something dangerous in it.",
            .meaning =
                "A virus scanner or a rule on attachments refused the message[[: {reply}]]. "
                "Programs, scripts, macros and encrypted archives are refused even when clean.",
            .advice =
                {
                    "Remove the attachment or send it as a link.",
                    "Scan the computer for malware before sending more mail.",
                    "If the attachment is harmless, ask the recipient's administrator how to "
                    "deliver "
                    "it.",
                },
            .references = "RFC 3463 X.7.0",
        },
    [SW_CAUSE_DATA_SPAM_REJECTED - FIRST] =
        {
            .summary = "The mail was not sent because {server} took it for spam.",
            .meaning = "A content filter refused the message[[: {reply}]].",
            .advice =
                {
                    "Change subject and text, leave out links (short links most of all) and "
                    "pictures, "
                    "and send again.",
                    "Follow the link or write to the address that the reply names.",
                    "If all your mails are refused, look for a hijacked account: change the "
                    "password.",
                },
            .references = "RFC 3463 X.7.1",
        },
    [SW_CAUSE_DATA_POLICY_REJECTED - FIRST] =
        {
            .summary = "The mail was not sent because a rule of the receiving side forbids this "
                       "message.",
            .meaning =
                "After the whole text was sent, a policy of the receiving server refused it[[: "
                "{reply}]].",
            .advice =
                {
                    "Read the server's words; they often name the rule or a page about it.",
                    "Ask the recipient or the recipient's administrator what is not allowed.",
                },
            .references = "RFC 5321 7.9; RFC 3463 X.7.1",
        },
    [SW_CAUSE_DATA_AUTH_POLICY - FIRST] =
        {
            .summary = "The mail was not sent because it could not be proved that it really comes "
                       "from the sender's domain.",
            .meaning = "The receiving server checked SPF, DKIM or DMARC of the domain of {sender}, "
                       "and the check failed[[: {reply}]].",
            .advice =
                {
                    "Send through the official outgoing server of the sender's domain. Windows "
                    "Live "
                    "Mail: Tools > Accounts > Properties > Servers > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > Outgoing mail server (SMTP); Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: "
                    "Mail "
                    "> Settings > Accounts > Server Settings > Outgoing Mail Server.",
                    "Administrator of the sending domain: publish SPF and DKIM for every server "
                    "that "
                    "sends, let them match the From address, and check the DMARC reports.",
                    "Do not send with a From address of a public provider through another "
                    "provider's "
                    "server.",
                },
            .references = "RFC 7208; RFC 6376; RFC 7489; RFC 7372",
        },
    [SW_CAUSE_DATA_CONTENT_NONCOMPLIANT - FIRST] =
        {
            .summary =
                "The mail was not sent because the message is not built as the rules of mail "
                "demand.",
            .meaning = "A header is missing, doubled or malformed (From, Date, Message-ID), or the "
                       "structure is broken[[: {reply}]].",
            .advice =
                {
                    "Check name and address of the sender in the account settings; quotation marks "
                    "and special characters in the name cause this.",
                    "Scripts and devices: write exactly one From, Date, Message-ID and Subject "
                    "line, "
                    "and an empty line before the text.",
                    "Update the sending program.",
                },
            .references = "RFC 5322 3.6",
        },
    [SW_CAUSE_DATA_MAIL_LOOP - FIRST] =
        {
            .summary =
                "The mail was not sent because it was going round in circles between servers.",
            .meaning =
                "The message has passed so many servers that this one takes it for a loop[[: "
                "{reply}]]. Two forwarding rules point at each other.",
            .advice =
                {
                    "Remove or correct the forwarding rule of the mailbox.",
                    "Administrator: check where the domain's mail is routed; a server must not "
                    "send "
                    "mail for the domain back to itself.",
                },
            .references = "RFC 5321 6.3",
        },
    [SW_CAUSE_DATA_TEMP_FAILURE - FIRST] =
        {
            .summary = "The mail was not sent yet because {server} could not take it over at that "
                       "moment.",
            .meaning = "The whole text was sent, and the server answered with a temporary error[[: "
                       "{reply}]]. The message stays in the outbox.",
            .advice =
                {
                    "Wait some minutes and send again.",
                    "If it repeats for hours, send the reply to the provider or the server's "
                    "administrator.",
                    "Administrator of the server: check the filter behind the queue, disk space "
                    "and "
                    "the log at this time.",
                },
            .references = "RFC 5321 4.2.5",
        },
    [SW_CAUSE_DATA_NO_REPLY_AFTER_DOT - FIRST] =
        {
            .summary = "The mail stayed in the outbox because {server} took the whole message but "
                       "never confirmed it.",
            .meaning =
                "The end of the message was sent and arrived, and no answer came for {wait}[[ "
                "until {ended}]]. The server may still deliver it: sending again can make a "
                "duplicate.",
            .advice =
                {
                    "Ask the recipient whether the mail arrived before you send it again.",
                    "Raise the server timeout. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Server Timeouts; Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced > Server Timeouts; Thunderbird: Settings > General > "
                    "Config "
                    "Editor > mailnews.tcptimeout.",
                    "Administrator of the server: answer faster; scan for spam and viruses after "
                    "accepting, or with a time limit.",
                },
            .references = "RFC 1047; RFC 5321 4.5.3.2.6",
        },
    [SW_CAUSE_DATA_LATE_REPLY - FIRST] =
        {
            .summary =
                "The mail was accepted, but {server} confirmed it so late that the program had "
                "already given up.",
            .meaning = "The confirmation arrived after the client had closed the connection. The "
                       "client will report an error and may send the mail a second time.",
            .advice =
                {
                    "Do not send again before asking the recipient: the mail was accepted.",
                    "Raise the server timeout. Windows Live Mail: Tools > Accounts > Properties > "
                    "Advanced > Server Timeouts; Outlook: File > Account Settings > Change > More "
                    "Settings > Advanced > Server Timeouts; Thunderbird: Settings > General > "
                    "Config "
                    "Editor > mailnews.tcptimeout.",
                    "Administrator of the server: confirm faster (scan after accepting).",
                },
            .references = "RFC 1047; RFC 5321 4.5.3.2.6",
        },
    [SW_CAUSE_DATA_CLOSED_AFTER_DOT - FIRST] =
        {
            .summary = "The mail stayed in the outbox because {server} took the whole message and "
                       "then hung up without confirming it.",
            .meaning =
                "The end of the message arrived, and the server closed the connection without "
                "an answer. Whether it kept the message cannot be seen; sending again can make "
                "a duplicate.",
            .advice =
                {
                    "Ask the recipient whether the mail arrived before you send it again.",
                    "If it happens with one message only, leave out its attachments for a test.",
                    "Administrator of the server: look for a crash of the filter or mail process "
                    "at "
                    "this time.",
                },
            .references = "RFC 5321 6.1; RFC 1047",
        },
    [SW_CAUSE_DATA_8BIT_UNSUPPORTED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} cannot take the form in which the text "
                "was encoded.",
            .meaning =
                "The message uses 8-bit or binary encoding, and the server (or the next one) "
                "only takes 7-bit text[[: {reply}]].",
            .advice =
                {
                    "Let the program encode the text as quoted-printable. Outlook Express and "
                    "Windows "
                    "Live Mail: Tools > Options > Send > Plain text settings > MIME, quoted "
                    "printable; Thunderbird: Settings > General > Config Editor > "
                    "mail.strictly_mime "
                    "= true.",
                    "A firewall may hide what the server offers: use port 587 or 465. Windows Live "
                    "Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced; Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Port and Connection "
                    "security; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings.",
                },
            .references = "RFC 6152; RFC 3030",
        },
    [SW_CAUSE_DATA_SENDER_QUOTA - FIRST] =
        {
            .summary = "The mail was not sent because the sender's own mailbox is full.",
            .meaning =
                "The provider stores a copy of each sent mail, and there is no room for it[[: "
                "{reply}]].",
            .advice =
                {
                    "Delete or archive mails, empty the deleted items, then send again.",
                    "Ask the administrator for more storage.",
                },
            .references = "RFC 3463 X.2.2",
        },
};

const struct sw_wording_table sw_wording_data = {
    .first = SW_CAUSE_TCP_ZERO_WINDOW,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
