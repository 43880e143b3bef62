/*
 * fleet_row.h - a fact as a line of JSON, which a row of the table `session` is made of.
 */
#ifndef SW_STORE_FLEET_ROW_H
#define SW_STORE_FLEET_ROW_H

#include "store/fleet_pack.h"

struct sw_fleet_row {
    struct sw_fleet_text line, packed;
};

/* The row with its line end, in place of what was there; empty without memory. */
struct sw_span sw_fleet_row_write(struct sw_fleet_row *row, const struct sw_fact *fact,
                                  const char *sensor, uint64_t run_ver);
/* The month of the day that the row is kept under, as 202405. */
uint32_t sw_fleet_row_month(const struct sw_fact *fact);
void sw_fleet_row_release(struct sw_fleet_row *row);

#endif
