/*
 * markup.h - text inside XML and HTML: whatever the wire said is text there, never markup.
 */
#ifndef SW_REPORT_MARKUP_H
#define SW_REPORT_MARKUP_H

#include "report/writer.h"

/*
 * Writes a text as character data or inside quotes: < > & " ' become references; control, invisible
 * and bidirectional characters and bytes that are not UTF-8 are written out in words (\x1b), as
 * XML 1.0 has no place for them.
 */
void sw_markup_put(struct sw_writer *out, struct sw_span text);
void sw_markup_text(struct sw_writer *out, const char *text);

#endif
