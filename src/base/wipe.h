/*
 * wipe.h - overwrites memory that held a secret, in a way the compiler may not drop.
 */
#ifndef SW_BASE_WIPE_H
#define SW_BASE_WIPE_H

#include <stddef.h>

void sw_wipe(void *bytes, size_t n);

#endif
