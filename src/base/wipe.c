#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

void sw_wipe(void *bytes, size_t n)
{
    if (n > 0)
        explicit_bzero(bytes, n);
}

void sw_wipe_free(void *block, size_t n)
{
    if (block)
        sw_wipe(block, n);
    free(block);
}
