/*
 * live_aside.h - while the terminal view has the screen, messages of this process and of those that
 * it starts are put aside, and told when the screen is given back.
 *
 * Life: start (before other processes are made), stop.
 */
#ifndef SW_CLI_LIVE_ASIDE_H
#define SW_CLI_LIVE_ASIDE_H

#include <stdio.h>

struct sw_live_aside {
    FILE *file; /* in place of standard error; NULL: nothing is put aside */
    int kept;   /* the real one */
};

/* When it cannot be done, messages go where they always go. */
void sw_live_aside_start(struct sw_live_aside *aside);
/* Tells the last of them. */
void sw_live_aside_stop(struct sw_live_aside *aside);

#endif
