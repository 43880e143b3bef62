/*
 * keys.h - reads TLS key logs from files. Private to the pipeline room.
 */
#ifndef SW_PIPELINE_KEYS_H
#define SW_PIPELINE_KEYS_H

#include "base/status.h"
#include "crypto/keylog.h"

/*
 * Adds the secrets of a file in the format of SSLKEYLOGFILE, line by line; lines that are none are
 * counted. A status other than SW_OK says what is wrong with the file: it cannot be read, or holds
 * no secret at all.
 */
struct sw_status sw_keys_read(struct sw_keylog *log, const char *path,
                              struct sw_keylog_counts *counts);

#endif
