/*
 * interrupt.h - ^C (SIGINT) and SIGTERM while captures are read: reading ends, and what was read
 * until then is told.
 *
 * Where standard input is read, the first ^C leaves it at that: whoever writes to the pipe
 * (tcpdump) got it as well, and what it still has to say belongs to the capture. A second one, or
 * SIGTERM, ends that too. One more ends the program at once.
 */
#ifndef SW_CLI_INTERRUPT_H
#define SW_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the signals are taken, unless whoever started the program had them ignored. */
void sw_interrupt_begin(bool reads_standard_input);
/* As SIGTERM does: reading ends, as soon as it can. */
void sw_interrupt_now(void);
/* As before. */
void sw_interrupt_end(void);
/* Not 0 once reading is to end: of standard input, of files. For sw_run_options.stop. */
const volatile int *sw_interrupt_flag(bool standard_input);

#endif
