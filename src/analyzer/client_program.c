/*
 * client_program.c - the programs of the client codes as one would name them to a person.
 */
#include "analyzer/client_code.h"

static const struct {
    const char *client;
    const char *program;
} programs[] = {
    {"OE/WinMail/WLM/Outlook", "Outlook Express, Windows Mail, Windows Live Mail and Outlook"},
    {"new Outlook / Outlook mobile / new Mac Outlook",
     "the new Outlook and Outlook on phones and the Mac"},
    {"CDO/VBScript/ASP", "programs and scripts that send with CDO"},
    {"Windows (Socket Error n in dialog)", "Windows ('Socket Error' in the dialog)"},
    {"Thunderbird <=91, SeaMonkey", "Thunderbird up to version 91 and SeaMonkey"},
    {"Thunderbird Android / K-9", "Thunderbird for Android and K-9"},
    {"iOS/iPadOS Mail", "Mail on iPhone and iPad"},
    {"curl / libcurl (smtp, smtps)", "curl"},
    {"msmtp / sendmail-style exit status", "msmtp and sendmail (exit status)"},
    {"Postfix smtp(8) log", "the log of Postfix"},
    {"Exim main/queue log", "the log of Exim"},
    {"OpenSMTPD mta log", "the log of OpenSMTPD"},
    {"qmail-remote", "the log of qmail"},
};

const char *sw_client_code_program(const struct sw_client_code *row)
{
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(programs[i].client, row->client) == 0)
            return programs[i].program;
    }
    return row->client; /* a name already */
}
