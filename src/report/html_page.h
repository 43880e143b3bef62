/*
 * html_page.h - the page that the html report puts its records into; made of web/built/report.html
 * when the program is built.
 */
#ifndef SW_REPORT_HTML_PAGE_H
#define SW_REPORT_HTML_PAGE_H

#include "base/span.h"

/* Everything before the records, and everything behind them. */
struct sw_span sw_html_page_head(void);
struct sw_span sw_html_page_tail(void);

#endif
