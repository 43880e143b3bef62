#include "report/markup.h"

#include "report/page.h"

void sw_markup_put(struct sw_writer *out, struct sw_span text)
{
    struct sw_writer safe;
    sw_writer_open_memory(&safe);
    sw_page_escape(&safe, text, false);
    struct sw_span rest = sw_writer_span(&safe);
    for (size_t i = 0; i < rest.len; i++) {
        switch (rest.ptr[i]) {
        case '<':
            sw_writer_text(out, "&lt;");
            break;
        case '>':
            sw_writer_text(out, "&gt;");
            break;
        case '&':
            sw_writer_text(out, "&amp;");
            break;
        case '"':
            sw_writer_text(out, "&quot;");
            break;
        case '\'':
            sw_writer_text(out, "&#39;");
            break;
        default:
            sw_writer_char(out, (char)rest.ptr[i]);
        }
    }
    sw_writer_release(&safe);
}

void sw_markup_text(struct sw_writer *out, const char *text)
{
    sw_markup_put(out, sw_span_str(text));
}
