/*
 * wipe.h - overwrites memory that held a secret, in a way the compiler may not drop.
 *
 * Whatever held bytes of a capture is wiped before it is given back: any of them may be a password.
 */
#ifndef SW_BASE_WIPE_H
#define SW_BASE_WIPE_H

#include <stddef.h>

void sw_wipe(void *bytes, size_t n);
/* free() behind it; `block` may be NULL. */
void sw_wipe_free(void *block, size_t n);

#endif
