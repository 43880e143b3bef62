/*
 * html_plain.h - what the HTML page says where its program may not run (in the preview of a mail
 * program, say): the sentences of the first sessions that failed, and the counts.
 */
#ifndef SW_REPORT_HTML_PLAIN_H
#define SW_REPORT_HTML_PLAIN_H

#include "report/report.h"

/* One failed session; writes nothing once *told says that enough were told. */
void sw_html_plain_session(struct sw_part *part, const struct sw_session *session,
                           const struct sw_verdict *verdict, unsigned *told);
void sw_html_plain_summary(struct sw_part *part, const struct sw_summary *summary);

#endif
