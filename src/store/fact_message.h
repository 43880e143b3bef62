/*
 * fact_message.h - a fact as bytes, for the way from one process of ours to another.
 *
 * Both ends are the same program: the form has no version and is never kept. Reading believes
 * nothing all the same: the writer is the process that looks at packets.
 */
#ifndef SW_STORE_FACT_MESSAGE_H
#define SW_STORE_FACT_MESSAGE_H

#include "audit/fact.h"

enum { SW_FACT_MESSAGE_BYTES = 96 * 1024 };

/* Returns how many bytes of `out` it takes, 0 when it does not fit. A series of captures is kept as
 * its first file. */
size_t sw_fact_message_write(const struct sw_fact *fact, uint8_t out[SW_FACT_MESSAGE_BYTES]);
/* The fact borrows from the message. False: it is none. */
bool sw_fact_message_read(struct sw_span message, struct sw_fact *fact);

#endif
