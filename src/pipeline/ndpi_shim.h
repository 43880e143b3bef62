/*
 * ndpi_shim.h - nDPI behind four calls: names what a connection on a mail port is when the
 * recogniser cannot tell. The only file that knows nDPI; private to the pipeline room.
 *
 * nDPI gets the payload of a connection's first pieces in packets made for it, so that it sees no
 * more than that. What it keeps of logins is wiped after every piece.
 *
 * Built and run with nDPI 4.2; the branches for 4.6 to 5.0 are only compiled, against headers that
 * declare what those versions declare.
 */
#ifndef SW_PIPELINE_NDPI_SHIM_H
#define SW_PIPELINE_NDPI_SHIM_H

#include "flow/flow.h"

enum { SW_NDPI_NAME = 24, SW_NDPI_PIECES = 8 /* of one connection, then it stays unnamed */ };

struct sw_ndpi;
struct sw_ndpi_flow;

/* Of nDPI itself, for who reports it. */
const char *sw_ndpi_version(void);

/* NULL when nDPI cannot be had; every other call takes that for "cannot tell". */
struct sw_ndpi *sw_ndpi_new(void);
void sw_ndpi_free(struct sw_ndpi *ndpi);

struct sw_ndpi_flow *sw_ndpi_flow_new(struct sw_ndpi *ndpi);
void sw_ndpi_flow_free(struct sw_ndpi_flow *flow);
/* One piece of a direction. True when the connection has a name: `name` gets it in lower case. */
bool sw_ndpi_feed(struct sw_ndpi *ndpi, struct sw_ndpi_flow *flow, const struct sw_tuple *tuple,
                  const struct sw_chunk *chunk, char name[SW_NDPI_NAME]);

/* True when it has seen as much as it is given. */
bool sw_ndpi_is_tired(const struct sw_ndpi_flow *flow);

#endif
