/*
 * page.h - the dashboard's page, as CMake puts it into the program; @NONCE@ in it stands for the
 * number that the policy of one answer names.
 */
#ifndef SW_LIVE_PAGE_H
#define SW_LIVE_PAGE_H

#include "report/writer.h"

struct sw_span sw_page_html(void);

#endif
