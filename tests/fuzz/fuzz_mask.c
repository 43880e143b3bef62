/*
 * fuzz_mask.c - logins in a dialogue whose form, replies, segments and losses the input chooses: no
 * byte of a secret may come through the masks of packet output, no length may change, no checksum
 * may become wrong.
 */
#include "support/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct login_told told;
    login_check(data, size, &told);
    return 0;
}
