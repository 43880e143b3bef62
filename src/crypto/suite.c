#include "crypto/suite.h"

static const struct sw_suite suites[] = {
#define SW_SUITE(id, mode, key, mac, rsa, cipher, hmac, digest)                                    \
    {id, SW_SUITE_##mode, key, mac, rsa, cipher, hmac, digest},
#include "crypto/suite.def"
#undef SW_SUITE
};

const struct sw_suite *sw_suite_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (suites[i].id == id)
            return &suites[i];
    }
    return NULL;
}
