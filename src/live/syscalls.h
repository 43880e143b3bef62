/*
 * syscalls.h - what the kernel still does for us once the first packet is looked at (seccomp).
 */
#ifndef SW_LIVE_SYSCALLS_H
#define SW_LIVE_SYSCALLS_H

/*
 * From here on every system call that is not on the list fails with EPERM, and one that could start
 * a program or look into another process ends this one. Returns 0, or an errno.
 */
int sw_syscalls_restrict(void);

#endif
