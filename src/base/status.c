#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

struct sw_status sw_status_make(enum sw_status_code code, uint64_t offset_bytes, const char *format,
                                ...)
{
    struct sw_status status = {.code = code, .offset_bytes = offset_bytes};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(status.message, sizeof(status.message), format, args);
    va_end(args);
    return status;
}
