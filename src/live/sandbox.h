/*
 * sandbox.h - the process shuts itself in before it looks at the first packet: whatever a packet
 * makes a parser do, it cannot open a file, make a socket or start a program.
 *
 * Layers, each of which may be missing on a machine and then is said to be: no core dumps; no
 * capabilities, and another user than root; no new privileges; Landlock without any rule (files,
 * TCP, signals); seccomp with a list of what live analysis needs. What is open stays usable; new
 * outputs come from the opener (opener.h).
 */
#ifndef SW_LIVE_SANDBOX_H
#define SW_LIVE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum sw_sandbox_layer {
    SW_SANDBOX_NO_CORE,
    SW_SANDBOX_CAPABILITIES,
    SW_SANDBOX_USER,
    SW_SANDBOX_NO_NEW_PRIVILEGES,
    SW_SANDBOX_LANDLOCK,
    SW_SANDBOX_SECCOMP,
    SW_SANDBOX_LAYERS,
};

struct sw_sandbox {
    bool entered; /* false: nothing was tried (--no-sandbox) */
    bool active[SW_SANDBOX_LAYERS];
    char detail[SW_SANDBOX_LAYERS][80]; /* what it is, or why it is missing */
    int landlock_abi;                   /* 0: none */
};

/* Puts every layer on that this machine has. There is no way back. */
void sw_sandbox_enter(struct sw_sandbox *sandbox);
/* "core-dumps", "capabilities", ... */
const char *sw_sandbox_layer_name(enum sw_sandbox_layer layer);
/* Says what is missing; with `all` also what is there. */
void sw_sandbox_tell(const struct sw_sandbox *sandbox, bool all, FILE *out);

/* The parts that other processes of ours use as well. */
bool sw_sandbox_no_core(void);
bool sw_sandbox_drop_capabilities(char *why, size_t room);
/* What Landlock leaves: of the file system these directories (descriptors), and what is below. */
struct sw_sandbox_ground {
    const int *made; /* files in them may be made, written and removed */
    unsigned made_count;
    const int *read; /* files in them may be read */
    unsigned read_count;
    bool network; /* TCP */
};

/* Returns the ABI, or 0 and the reason in `why`. */
int sw_sandbox_landlock(const struct sw_sandbox_ground *ground, char *why, size_t room);

#endif
