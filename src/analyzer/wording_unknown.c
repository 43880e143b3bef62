#include "analyzer/cause_wording.h"

/* Texts of the causes of the family "unknown". Templates: see advice.h. */
enum { FIRST = SW_CAUSE_UNK_INCOMPLETE };

static const struct sw_cause_wording rows[] = {
    [SW_CAUSE_UNK_INCOMPLETE - FIRST] =
        {
            .summary =
                "The recording does not show enough of this connection to tell what became of "
                "the mail.",
            .meaning =
                "The capture starts in the middle, ends too early, has cut packets or holes at "
                "the decisive point.",
            .advice =
                {
                    "Record again with whole packets (tcpdump -s 0), started before pressing Send "
                    "and "
                    "stopped after the error appears.",
                    "Record on the sending computer itself if possible.",
                },
            .references = "RFC 5321",
        },
    [SW_CAUSE_UNK_ONE_SIDED - FIRST] =
        {
            .summary =
                "The recording shows only one side of this connection, so it cannot tell what "
                "became of the mail.",
            .meaning = "Packets of the other direction exist (they are acknowledged) but were not "
                       "captured.",
            .advice =
                {
                    "Record on the sending computer, or on a mirror port that copies both "
                    "directions.",
                    "On a network with several paths record where both directions pass.",
                },
            .references = "RFC 9293",
        },
    [SW_CAUSE_UNK_IN_PROGRESS - FIRST] =
        {
            .summary = "The recording ends while the mail was still on its way.",
            .meaning = "The capture ends in the middle of it; what came of it came later.",
            .advice =
                {
                    "Let the recording run until the mail program reports success or an error.",
                },
            .references = "RFC 5321 4.5.3.2",
        },
};

const struct sw_wording_table sw_wording_unknown = {
    .first = SW_CAUSE_UNK_INCOMPLETE,
    .count = sizeof(rows) / sizeof(rows[0]),
    .rows = rows,
};
