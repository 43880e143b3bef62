#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "tls". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_TLS_VERSION_MISMATCH };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_TLS_VERSION_MISMATCH - FIRST] =
        {
            .summary =
                "The mail was not sent because the program and {server} have no common version "
                "of encryption.",
            .meaning =
                "The two could not agree on a TLS version: one side only speaks old versions "
                "(SSL 3.0, TLS 1.0 or 1.1) that the other no longer accepts. Old systems with "
                "Outlook Express or Windows Live Mail are the usual case.",
            .advice =
                {
                    "Update the mail program and the operating system; TLS 1.2 is the minimum "
                    "today.",
                    "Windows: Control Panel > Internet Options > Advanced > tick 'Use TLS 1.2', "
                    "restart the mail program.",
                    "Ask the provider whether it has a server name for old programs.",
                    "Administrator of the server: if the server is the old side, enable TLS 1.2 "
                    "and "
                    "1.3.",
                },
            .references = "RFC 8446 4.2.1, 6.2; RFC 8996; RFC 8997",
        },
    [SW_CAUSE_TLS_NO_SHARED_CIPHER - FIRST] =
        {
            .summary =
                "The mail was not sent because the program and {server} could not agree on a "
                "way of encryption.",
            .meaning =
                "The handshake ended with \"handshake failure\" or \"insufficient security\" "
                "though the versions fit: the two sides share no cipher suite, group or "
                "signature algorithm.",
            .advice =
                {
                    "Update the mail program and the operating system.",
                    "Try another port (465 instead of 587 or the reverse). Windows Live Mail: "
                    "Tools > "
                    "Accounts > Properties > Advanced > Outgoing mail (SMTP); Outlook: File > "
                    "Account "
                    "Settings > Change > More Settings > Advanced; Thunderbird: Account Settings > "
                    "Outgoing Server (SMTP) > Edit > Port and Connection security; Apple Mail: "
                    "Mail > "
                    "Settings > Accounts > Server Settings.",
                    "Administrator of the server: allow ECDHE with AES-GCM, and check that the "
                    "certificate's key type fits the allowed ciphers.",
                },
            .references = "RFC 5246 7.2.2; RFC 8446 6.2; RFC 9325 4.2",
        },
    [SW_CAUSE_TLS_CERT_EXPIRED - FIRST] =
        {
            .summary = "The mail was not sent because the certificate of {server} has run out.",
            .meaning = "The server showed a certificate whose last day is past, and the client "
                       "refused to go on.",
            .advice =
                {
                    "Check the date and time of the computer first.",
                    "Tell the provider that the certificate of its mail server has expired; only "
                    "the "
                    "provider can renew it.",
                    "Do not accept the expired certificate for good; wait for the new one.",
                },
            .references = "RFC 5280 4.1.2.5; RFC 8446 6.2",
        },
    [SW_CAUSE_TLS_CERT_NOT_YET_VALID - FIRST] =
        {
            .summary =
                "The mail was not sent because the certificate of {server} is not valid yet.",
            .meaning = "The certificate's first day lies in the future. Either the clock of the "
                       "computer is behind, or the certificate was dated wrongly.",
            .advice =
                {
                    "Check the date and time of the computer; set them to automatic.",
                    "If they are right, tell the provider that its certificate is not valid yet.",
                },
            .references = "RFC 5280 4.1.2.5",
        },
    [SW_CAUSE_TLS_CLOCK_WRONG - FIRST] =
        {
            .summary =
                "The mail was not sent because the clock of the sending computer is wrong, so "
                "it took a good certificate for a bad one.",
            .meaning =
                "The client rejected the certificate for its dates although they are right at "
                "the time of the capture: the client's own clock is off.",
            .advice =
                {
                    "Set date, time and time zone of the computer to automatic, restart the mail "
                    "program and send again.",
                    "If the clock goes wrong again after switching off, the battery of the "
                    "computer's "
                    "clock is empty.",
                },
            .references = "RFC 5280 6.1.3",
        },
    [SW_CAUSE_TLS_CERT_UNKNOWN_CA - FIRST] =
        {
            .summary =
                "The mail was not sent because the program does not trust whoever issued the "
                "certificate of {server}.",
            .meaning =
                "The client ended the handshake because the chain of certificates leads to an "
                "authority that it does not know: a private authority, a missing intermediate "
                "certificate, or an old list of authorities in the client.",
            .advice =
                {
                    "Update the mail program and the operating system, so that the list of trusted "
                    "authorities is current.",
                    "Look at the issuer in the program's warning: if it is your security software, "
                    "switch off its mail scanning; if it is your company, ask for its certificate.",
                    "Administrator of the server: install a publicly trusted certificate together "
                    "with its whole chain.",
                },
            .references = "RFC 5280 6.1; RFC 8446 6.2",
        },
    [SW_CAUSE_TLS_CERT_CHAIN_INCOMPLETE - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} did not show its complete certificate.",
            .meaning =
                "The server sent its own certificate without the intermediate one that links "
                "it to a trusted authority, and the client could not check it.",
            .advice =
                {
                    "Administrator of the server: configure the full chain (fullchain.pem) instead "
                    "of "
                    "the single certificate.",
                    "As a user, send the provider this message; other programs may work because "
                    "they "
                    "remember the missing part.",
                },
            .references = "RFC 8446 4.4.2; RFC 5246 7.4.2",
        },
    [SW_CAUSE_TLS_CERT_SELF_SIGNED - FIRST] =
        {
            .summary = "The mail was not sent because {server} made its own certificate and the "
                       "program does not trust it.",
            .meaning =
                "The certificate is its own issuer; nobody else vouches for it, and the client "
                "ended the connection.",
            .advice =
                {
                    "If this is your own or your company's server, compare the fingerprint with "
                    "its "
                    "administrator, then accept it in the program (Thunderbird: Confirm Security "
                    "Exception).",
                    "If this is a public provider, stop: someone may be reading along; try another "
                    "network.",
                    "Administrator of the server: install a certificate of a public authority.",
                },
            .references = "RFC 5280; RFC 8314 4",
        },
    [SW_CAUSE_TLS_CERT_NAME_MISMATCH - FIRST] =
        {
            .summary = "The mail was not sent because the certificate of {server} is made out for "
                       "another name.",
            .meaning =
                "The name that the program dialled is not among the names in the certificate, "
                "and the client ended the connection.",
            .advice =
                {
                    "Type the server name exactly as the provider gives it, no alias and no "
                    "number. "
                    "Windows Live Mail: Tools > Accounts > Properties > Servers > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > Outgoing mail server "
                    "(SMTP); "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Server Name; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings > Outgoing Mail "
                    "Server.",
                    "Ask the provider which name fits its certificate.",
                    "Administrator of the server: add the name to the certificate.",
                },
            .references = "RFC 9525; RFC 7817; RFC 8314 4",
        },
    [SW_CAUSE_TLS_CERT_REVOKED - FIRST] =
        {
            .summary = "The mail was not sent because the certificate of {server} was withdrawn by "
                       "its issuer.",
            .meaning =
                "The client learned that the certificate is revoked and ended the connection.",
            .advice =
                {
                    "Tell the provider; it must install a new certificate.",
                    "Do not override the warning.",
                },
            .references = "RFC 5280 6.3; RFC 8446 6.2",
        },
    [SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE - FIRST] =
        {
            .summary =
                "The mail was not sent because the program broke off the encrypted connection "
                "right after {server} had shown its certificate.",
            .meaning =
                "The client ended the connection just after the server's part of the handshake "
                "and said the reason only inside the encryption. It is most often the "
                "certificate (name, date, issuer), sometimes a warning that the user declined.",
            .advice =
                {
                    "Look at the message of the mail program or its log: it names the reason.",
                    "Check the computer's date and the exact server name. Windows Live Mail: Tools "
                    "> "
                    "Accounts > Properties > Servers > Outgoing mail (SMTP); Outlook: File > "
                    "Account "
                    "Settings > Change > Outgoing mail server (SMTP); Thunderbird: Account "
                    "Settings > "
                    "Outgoing Server (SMTP) > Edit > Server Name; Apple Mail: Mail > Settings > "
                    "Accounts > Server Settings > Outgoing Mail Server.",
                    "Administrator: test with 'openssl s_client -starttls smtp -connect host:587 "
                    "-verify_return_error' for name, dates and chain.",
                    "Record again with a TLS key log (SSLKEYLOGFILE) to see the alert.",
                },
            .references = "RFC 8446 4.4.4, 6.2",
        },
    [SW_CAUSE_TLS_CLIENT_CERT_REQUIRED - FIRST] =
        {
            .summary = "The mail was not sent because {server} wants the program to show a "
                       "certificate of its own.",
            .meaning = "The server asked for a client certificate, got none that it accepts, and "
                       "ended the handshake.",
            .advice =
                {
                    "Use the provider's ordinary submission server with user name and password. "
                    "Windows Live Mail: Tools > Accounts > Properties > Servers > tick 'My server "
                    "requires authentication'; Outlook: File > Account Settings > Change > More "
                    "Settings > Outgoing Server > tick 'My outgoing server (SMTP) requires "
                    "authentication'; Thunderbird: Account Settings > Outgoing Server (SMTP) > "
                    "Edit > "
                    "Authentication method 'Normal password' or 'OAuth2'; Apple Mail: Mail > "
                    "Settings "
                    "> Accounts > Server Settings, user name and password of the Outgoing Mail "
                    "Server.",
                    "If the server is meant for certificates, install yours in the mail program. "
                    "Thunderbird: Settings > Privacy & Security > Certificates > Manage "
                    "Certificates "
                    "> Your Certificates > Import.",
                    "Administrator of the server: make the client certificate optional on the "
                    "submission port.",
                },
            .references = "RFC 8446 4.3.2, 6.2; RFC 5246 7.4.4",
        },
    [SW_CAUSE_TLS_SERVER_ERROR - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} failed while encryption was being set "
                "up.",
            .meaning =
                "The server ended the handshake with an error of its own (internal error, "
                "unknown name) or simply closed. Its certificate or key may be missing or not "
                "readable for this name.",
            .advice =
                {
                    "Try again in some minutes, and try the other port (465 or 587). Windows Live "
                    "Mail: Tools > Accounts > Properties > Advanced > Outgoing mail (SMTP); "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced; Thunderbird: "
                    "Account Settings > Outgoing Server (SMTP) > Edit > Port and Connection "
                    "security; "
                    "Apple Mail: Mail > Settings > Accounts > Server Settings.",
                    "Check that the server name is the provider's official one: some servers only "
                    "answer to that name.",
                    "Administrator of the server: the log at this time names the problem; check "
                    "key "
                    "file, permissions and the map of names to certificates.",
                },
            .references = "RFC 8446 6.2; RFC 6066 3",
        },
    [SW_CAUSE_TLS_HANDSHAKE_TIMEOUT - FIRST] =
        {
            .summary = "The mail was not sent because {server} did not finish setting up the "
                       "encryption.",
            .meaning =
                "The client began the TLS handshake, and the server's answer never came or "
                "never became complete[[ until {ended} after {wait}]]. An overloaded server or "
                "a filter on the way does this.",
            .advice =
                {
                    "Try the other port: 465 with SSL/TLS instead of 587 with STARTTLS or the "
                    "reverse. Windows Live Mail: Tools > Accounts > Properties > Advanced > "
                    "Outgoing "
                    "mail (SMTP); Outlook: File > Account Settings > Change > More Settings > "
                    "Advanced; Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Port "
                    "and Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Turn off VPN and mail scanning for a test, or use another network.",
                    "Administrator: check load on the server, and whether large packets get "
                    "through "
                    "(MTU).",
                },
            .references = "RFC 5321 4.5.3.2; RFC 8446",
        },
    [SW_CAUSE_TLS_CORRUPT - FIRST] =
        {
            .summary = "The mail was not sent because encrypted data arrived damaged.",
            .meaning =
                "One side ended the encrypted connection because a record could not be checked "
                "or decoded (bad record MAC, decode error, unexpected message). Faulty network "
                "hardware or a security box that changes the data does this.",
            .advice =
                {
                    "Turn off the mail or web protection of the security suite for a test.",
                    "Try another network or cable; update the network driver and switch off its "
                    "offload functions.",
                    "Administrator: bypass the inspecting device for the mail ports.",
                },
            .references = "RFC 8446 5.2, 6.2",
        },
};

const struct sw_wording_table sw_wording_tls = {
    .first = SW_CAUSE_TLS_VERSION_MISMATCH,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
