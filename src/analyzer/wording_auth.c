#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "auth". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} wants a login first, and the program "
                "did not log in.",
            .meaning = "The server refused the mail because nobody had logged in[[: {reply}]]. The "
                       "program is not set to log in for sending; being logged in for receiving is "
                       "not enough.",
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
                    "iPhone and iPad: Settings > Mail > Accounts > the account > SMTP > Primary "
                    "Server, fill in user name and password although they are marked optional.",
                    "Use port 587 with STARTTLS or 465 with SSL/TLS for it; port 25 often has no "
                    "login.",
                },
            .references = "RFC 4954 6; RFC 6409 4.3",
        },
    [SW_CAUSE_AUTH_NOT_OFFERED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} does not let anybody log in on {port}.",
            .meaning = "The program is set to log in, but the server's feature list has no login "
                       "(AUTH). Port 25 of many servers is for other mail servers only.",
            .advice =
                {
                    "Use the provider's submission port: 587 with STARTTLS or 465 with SSL/TLS. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > Outgoing mail "
                    "(SMTP); Outlook: File > Account Settings > Change > More Settings > Advanced; "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > Port and "
                    "Connection security; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings.",
                    "Check the name of the outgoing server. Windows Live Mail: Tools > Accounts > "
                    "Properties > Servers > Outgoing mail (SMTP); Outlook: File > Account Settings "
                    "> "
                    "Change > Outgoing mail server (SMTP); Thunderbird: Account Settings > "
                    "Outgoing "
                    "Server (SMTP) > Edit > Server Name; Apple Mail: Mail > Settings > Accounts > "
                    "Server Settings > Outgoing Mail Server.",
                    "If the server trusts your network without login (office), set the login to "
                    "none. "
                    "Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Authentication "
                    "method 'No authentication'.",
                },
            .references = "RFC 4954 3; RFC 6409",
        },
    [SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} only allows a login after encryption "
                "is switched on.",
            .meaning =
                "The server offers STARTTLS but no login before it, so that passwords never "
                "travel in clear text; the program did not switch encryption on[[: {reply}]].",
            .advice =
                {
                    "Switch on encryption for the outgoing server. Windows Live Mail: Tools > "
                    "Accounts > Properties > Advanced > tick 'This server requires a secure "
                    "connection (SSL)' and set the outgoing port to 465; Outlook: File > Account "
                    "Settings > Change > More Settings > Advanced > encrypted connection "
                    "'STARTTLS', "
                    "port 587; Thunderbird: Account Settings > Outgoing Server (SMTP) > Edit > "
                    "Connection security 'STARTTLS', port 587; Apple Mail: Mail > Settings > "
                    "Accounts "
                    "> Server Settings > 'Use TLS/SSL'.",
                    "User name and password stay as they are; send again afterwards.",
                },
            .references = "RFC 4954 4; RFC 8314 3.3",
        },
    [SW_CAUSE_AUTH_MECH_MISMATCH - FIRST] =
        {
            .summary =
                "The mail was not sent because the program and {server} could not agree on a way "
                "to log in.",
            .meaning = "The server offers {offered} for the login, and the program is set to use "
                       "{mechanism}[[: {reply}]].",
            .advice =
                {
                    "Change the login method. Outlook and Windows Live Mail: clear 'Require logon "
                    "using Secure Password Authentication (SPA)'; Thunderbird: Account Settings > "
                    "Outgoing Server (SMTP) > Edit > Authentication method 'Normal password' (with "
                    "encryption on) or 'OAuth2'; Apple Mail: Mail > Settings > Accounts > Server "
                    "Settings > Authentication 'Password'.",
                    "Make sure that encryption is on: many servers offer 'Normal password' only "
                    "then. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > tick 'This "
                    "server "
                    "requires a secure connection (SSL)' and set the outgoing port to 465; "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced > encrypted "
                    "connection 'STARTTLS', port 587; Thunderbird: Account Settings > Outgoing "
                    "Server "
                    "(SMTP) > Edit > Connection security 'STARTTLS', port 587; Apple Mail: Mail > "
                    "Settings > Accounts > Server Settings > 'Use TLS/SSL'.",
                    "Administrator of the server: offer PLAIN and LOGIN inside TLS.",
                },
            .references = "RFC 4954 4; RFC 4422",
        },
    [SW_CAUSE_AUTH_PLAINTEXT_REFUSED - FIRST] =
        {
            .summary = "The mail was not sent because {server} does not take a password over an "
                       "unencrypted connection.",
            .meaning =
                "The login was refused because the connection is not encrypted[[: {reply}]]. "
                "The password itself was not judged.",
            .advice =
                {
                    "Switch on encryption for the outgoing server; the same password will work "
                    "then. "
                    "Windows Live Mail: Tools > Accounts > Properties > Advanced > tick 'This "
                    "server "
                    "requires a secure connection (SSL)' and set the outgoing port to 465; "
                    "Outlook: "
                    "File > Account Settings > Change > More Settings > Advanced > encrypted "
                    "connection 'STARTTLS', port 587; Thunderbird: Account Settings > Outgoing "
                    "Server "
                    "(SMTP) > Edit > Connection security 'STARTTLS', port 587; Apple Mail: Mail > "
                    "Settings > Accounts > Server Settings > 'Use TLS/SSL'.",
                    "Change the password afterwards if the program has already sent it in clear "
                    "text.",
                },
            .references = "RFC 4954 4, 6; RFC 8314 3",
        },
    [SW_CAUSE_AUTH_BAD_CREDENTIALS - FIRST] =
        {
            .summary = "The mail was not sent because {server} did not accept the user name or "
                       "password.",
            .meaning =
                "The login was refused[[: {reply}]]. The password or user name that is stored "
                "for sending is wrong; it is stored apart from the one for receiving.",
            .advice =
                {
                    "Type user name and password for the OUTGOING server anew; the user name is "
                    "often "
                    "the full e-mail address. Windows Live Mail: Tools > Accounts > Properties > "
                    "Servers > My server requires authentication > Settings; Outlook: File > "
                    "Account "
                    "Settings > Change > More Settings > Outgoing Server; Thunderbird: Settings > "
                    "Privacy & Security > Saved Passwords, remove the entry smtp://, then send and "
                    "type it anew; Apple Mail: Mail > Settings > Accounts > Server Settings.",
                    "Test the same user name and password in the provider's web mail.",
                    "If they work there, the account may want an app password or 'OAuth2' as login "
                    "method: look at the provider's help page.",
                    "Windows: remove old entries of the mail server in Control Panel > Credential "
                    "Manager.",
                },
            .references = "RFC 4954 6",
        },
    [SW_CAUSE_AUTH_APP_PASSWORD_REQUIRED - FIRST] =
        {
            .summary =
                "The mail was not sent because the account is protected by two-step login and "
                "{server} wants an app password.",
            .meaning = "The normal password is right or not even judged: accounts with a second "
                       "factor do not take it from mail programs[[. The server said {reply}]].",
            .advice =
                {
                    "Create an app password in the provider's security settings on the web and "
                    "enter "
                    "it in the mail program in place of the normal one. Windows Live Mail: Tools > "
                    "Accounts > Properties > Servers > My server requires authentication > "
                    "Settings; "
                    "Outlook: File > Account Settings > Change > More Settings > Outgoing Server; "
                    "Thunderbird: Settings > Privacy & Security > Saved Passwords, remove the "
                    "entry "
                    "smtp://, then send and type it anew; Apple Mail: Mail > Settings > Accounts > "
                    "Server Settings.",
                    "Or let the program log in with the provider's web page. Thunderbird: Account "
                    "Settings > Outgoing Server (SMTP) > Edit > Authentication method 'OAuth2'; "
                    "Outlook and Apple Mail: remove and add the account again.",
                },
            .references = "RFC 4954 6; provider help pages on app passwords",
        },
    [SW_CAUSE_AUTH_WEB_LOGIN_REQUIRED - FIRST] =
        {
            .summary =
                "The mail was not sent because the provider found the login unusual and wants "
                "you to confirm it in a browser.",
            .meaning =
                "The server refused the login until the owner signs in on the web[[: {reply}]].",
            .advice =
                {
                    "Sign in to the account with a web browser from the same network, confirm the "
                    "login that is asked about, then send again.",
                    "To stop it from coming back use an app password or the login method 'OAuth2'.",
                },
            .references = "RFC 4954 6; provider help pages on blocked sign-ins",
        },
    [SW_CAUSE_AUTH_TENANT_DISABLED - FIRST] =
        {
            .summary =
                "The mail was not sent because logging in from mail programs is switched off "
                "for this mailbox at {server}.",
            .meaning = "The organisation's settings forbid the login with SMTP (SMTP AUTH is "
                       "disabled, or security defaults block it)[[: {reply}]]. The password is not "
                       "the problem.",
            .advice =
                {
                    "Ask the mail administrator to allow 'Authenticated SMTP' for the mailbox "
                    "(Microsoft 365 admin center > Users > Active users > Mail > Manage email "
                    "apps).",
                    "Administrator: Set-CASMailbox <mailbox> -SmtpClientAuthenticationDisabled "
                    "$false; with security defaults on, password logins stay blocked.",
                    "Use the login method 'OAuth2', or an account in Outlook that connects without "
                    "SMTP.",
                },
            .references = "Microsoft: enable or disable authenticated client SMTP submission",
        },
    [SW_CAUSE_AUTH_BASIC_RETIRED - FIRST] =
        {
            .summary = "The mail was not sent because {server} no longer accepts a plain password "
                       "login.",
            .meaning = "The provider has retired logins with user name and password for sending[[: "
                       "{reply}]]; only modern sign-in (OAuth 2.0) works.",
            .advice =
                {
                    "Change the login method. Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) "
                    "> Edit > Authentication method 'OAuth2'; Outlook and Apple Mail: remove the "
                    "account and add it again, so that it signs in on the provider's page.",
                    "Devices and programs without OAuth2 need another relay that takes a password.",
                },
            .references = "RFC 7628; Microsoft: retirement of basic authentication",
        },
    [SW_CAUSE_AUTH_ACCOUNT_DISABLED - FIRST] =
        {
            .summary = "The mail was not sent because the account at {server} is locked or its "
                       "password has run out.",
            .meaning =
                "The server refused the login because of the state of the account, not of the "
                "password[[: {reply}]].",
            .advice =
                {
                    "Log in to the provider's web mail: it says what is to be done (new password, "
                    "unlocking, unpaid bill).",
                    "Then enter the new password in the mail program. Windows Live Mail: Tools > "
                    "Accounts > Properties > Servers > My server requires authentication > "
                    "Settings; "
                    "Outlook: File > Account Settings > Change > More Settings > Outgoing Server; "
                    "Thunderbird: Settings > Privacy & Security > Saved Passwords, remove the "
                    "entry "
                    "smtp://, then send and type it anew; Apple Mail: Mail > Settings > Accounts > "
                    "Server Settings.",
                    "If the web mail is locked as well, call the provider or your administrator.",
                },
            .references = "RFC 5248 2.4; RFC 4954 6",
        },
    [SW_CAUSE_AUTH_TEMP_FAILURE - FIRST] =
        {
            .summary = "The mail was not sent yet because the login service of {server} was not "
                       "working at that moment.",
            .meaning = "The login was answered with a temporary error[[: {reply}]]. User name and "
                       "password were not judged.",
            .advice =
                {
                    "Wait some minutes and send again.",
                    "Do not change the password or the settings.",
                    "Administrator of the server: check the service that verifies passwords "
                    "(directory, database, SASL daemon).",
                },
            .references = "RFC 4954 6",
        },
    [SW_CAUSE_AUTH_TOO_MANY_FAILURES - FIRST] =
        {
            .summary =
                "The mail was not sent because there were too many wrong logins, and {server} "
                "blocks further ones for a while.",
            .meaning = "A program or device keeps trying a wrong password[[; the server said "
                       "{reply}]]. The block usually ends by itself.",
            .advice =
                {
                    "Close all mail programs and devices of this account, also the phone, and wait "
                    "15 "
                    "to 60 minutes.",
                    "Then correct the password in each of them, one after the other. Windows Live "
                    "Mail: Tools > Accounts > Properties > Servers > My server requires "
                    "authentication > Settings; Outlook: File > Account Settings > Change > More "
                    "Settings > Outgoing Server; Thunderbird: Settings > Privacy & Security > "
                    "Saved "
                    "Passwords, remove the entry smtp://, then send and type it anew; Apple Mail: "
                    "Mail > Settings > Accounts > Server Settings.",
                    "If nobody has changed the password, someone may be guessing it: change it.",
                },
            .references = "RFC 4954 9",
        },
    [SW_CAUSE_AUTH_CANCELLED - FIRST] =
        {
            .summary = "The mail was not sent because the login was broken off by the program.",
            .meaning =
                "The client cancelled the login in the middle ('*')[[; the server said "
                "{reply}]]. Usually no password was stored and the password window was closed.",
            .advice =
                {
                    "Send again and enter the password; tick 'Remember password' (Windows Live "
                    "Mail, "
                    "Outlook) or 'Use Password Manager to remember this password' (Thunderbird).",
                    "If no window appears, remove the stored password and try again. Windows Live "
                    "Mail: Tools > Accounts > Properties > Servers > My server requires "
                    "authentication > Settings; Outlook: File > Account Settings > Change > More "
                    "Settings > Outgoing Server; Thunderbird: Settings > Privacy & Security > "
                    "Saved "
                    "Passwords, remove the entry smtp://, then send and type it anew; Apple Mail: "
                    "Mail > Settings > Accounts > Server Settings.",
                },
            .references = "RFC 4954 4",
        },
    [SW_CAUSE_AUTH_OAUTH_REJECTED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} did not accept the program's sign-in "
                "token.",
            .meaning =
                "The login with OAuth 2.0 was refused: the token has expired, was revoked, or "
                "lacks the right to send[[; the server said {reply}]].",
            .advice =
                {
                    "Sign in again. Thunderbird: Settings > Privacy & Security > Saved Passwords, "
                    "remove the entries that begin with oauth://, then send; Outlook and Apple "
                    "Mail: "
                    "remove the account and add it again.",
                    "Check in the account's security page that the mail program is still allowed "
                    "to "
                    "send mail.",
                    "Microsoft 365: the administrator must allow 'Authenticated SMTP' for the "
                    "mailbox.",
                },
            .references = "RFC 7628 3.2.2",
        },
    [SW_CAUSE_AUTH_MALFORMED - FIRST] =
        {
            .summary =
                "The mail was not sent because {server} could not read what the program sent "
                "for the login.",
            .meaning = "The login data had a wrong form: bad encoding, too long, or a login at the "
                       "wrong moment[[: {reply}]].",
            .advice =
                {
                    "Type user name and password anew; avoid accented letters and blanks at the "
                    "ends. "
                    "Windows Live Mail: Tools > Accounts > Properties > Servers > My server "
                    "requires "
                    "authentication > Settings; Outlook: File > Account Settings > Change > More "
                    "Settings > Outgoing Server; Thunderbird: Settings > Privacy & Security > "
                    "Saved "
                    "Passwords, remove the entry smtp://, then send and type it anew; Apple Mail: "
                    "Mail > Settings > Accounts > Server Settings.",
                    "Choose another login method. Thunderbird: Account Settings > Outgoing Server "
                    "(SMTP) > Edit > Authentication method.",
                    "Update the mail program or device.",
                },
            .references = "RFC 4954 4",
        },
};

const struct sw_wording_table sw_wording_auth = {
    .first = SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
