#include "cli/complain.h"

#include "report/page.h"

#include <stdarg.h>
#include <stdio.h>

void sw_complain_escape(const char *text, char *out, size_t room)
{
    struct sw_writer safe;
    sw_writer_open_memory(&safe);
    sw_page_escape(&safe, sw_span_str(text), false);
    struct sw_span shown = sw_span_sub(sw_writer_span(&safe), 0, room - 1);
    if (shown.len > 0)
        memcpy(out, shown.ptr, shown.len);
    out[shown.len] = '\0';
    sw_writer_release(&safe);
}

void sw_complain(const char *format, ...)
{
    enum { MESSAGE = 2048, ESCAPED = 4 * MESSAGE };
    char message[MESSAGE];
    char shown[ESCAPED];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    sw_complain_escape(message, shown, sizeof(shown));
    (void)fprintf(stderr, "smtpwhy: %s\n", shown);
}
