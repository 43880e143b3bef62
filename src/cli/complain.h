/*
 * complain.h - messages on standard error. They name files and words of the command line, which may
 * hold anything: nothing of it reaches a terminal as it is.
 */
#ifndef SW_CLI_COMPLAIN_H
#define SW_CLI_COMPLAIN_H

#include "report/writer.h"

/* "smtpwhy: ..." and a line end; line ends inside (in the name of a file, say) become blanks. */
void sw_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A text as it may be shown, in `out`; what does not fit is left out. */
void sw_complain_escape(const char *text, char *out, size_t room);

#endif
