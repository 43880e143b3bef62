#include "base/wipe.h"

void sw_wipe(void *bytes, size_t n)
{
    /* A volatile pointer makes every store an effect that may not be left out (C17 5.1.2.3). */
    volatile unsigned char *at = bytes;
    while (n-- > 0)
        *at++ = 0;
}
