/*
 * rare.h - marks a function that seldom runs although what calls it runs all the time. It stays out
 * of its caller, which then saves fewer registers and is laid out for the usual way.
 */
#ifndef SW_BASE_RARE_H
#define SW_BASE_RARE_H

#define SW_RARE __attribute__((noinline, cold))

#endif
