/*
 * internal.h - the parts of the DNS dissector to each other.
 */
#ifndef DISSECTORS_DNS_INTERNAL_H
#define DISSECTORS_DNS_INTERNAL_H

#include "base/cursor.h"
#include "dissectors/dns/dns.h"

/*
 * Reads a name at the cursor, which stands inside `message`, and moves behind it. False when it is
 * cut, longer than RFC 1035 section 2.3.4 allows, or its pointers lead nowhere.
 */
bool dns_name_read(struct sw_span message, struct sw_cursor *c, struct dns_name *name);

#endif
