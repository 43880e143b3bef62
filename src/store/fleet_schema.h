/*
 * fleet_schema.h - the tables of the fleet store, and how one version of them becomes the next.
 *
 * A session is a row of the table `session` of each server, under (sensor, session_uid); of several
 * rows with that key the one with the highest run_ver counts. With a cluster, the table
 * `session_on_CLUSTER` spreads them over its shards by their ids. What is written here is
 * understood by ClickHouse 18.16 and by those of today.
 */
#ifndef SW_STORE_FLEET_SCHEMA_H
#define SW_STORE_FLEET_SCHEMA_H

#include "store/courier.h"

/* The columns, in the order in which rows are written: X(name, type); the first is FIRST's. Times
 * are nanoseconds since 1970, frames as in base/frame_ref.h, seen-columns as enum sw_seen; a key is
 * the address in hex behind its version, which sorts as networks do; the last three are
 * those of fleet_pack.h. */
#define SW_FLEET_COLUMNS(FIRST, X)                                                                 \
    FIRST(sensor, "String")                                                                        \
    X(session_uid, "FixedString(16)")                                                              \
    X(run_ver, "UInt64")                                                                           \
    X(day, "Date")                                                                                 \
    X(start_ns, "Int64")                                                                           \
    X(file, "String")                                                                              \
    X(files, "Array(String)")                                                                      \
    X(first_frame, "UInt64")                                                                       \
    X(client, "String")                                                                            \
    X(server, "String")                                                                            \
    X(client_key, "String")                                                                        \
    X(server_key, "String")                                                                        \
    X(server_port, "UInt16")                                                                       \
    X(server_name, "String")                                                                       \
    X(outcome, "String")                                                                           \
    X(cause, "String")                                                                             \
    X(security, "String")                                                                          \
    X(login, "UInt8")                                                                              \
    X(login_user, "Array(String)")                                                                 \
    X(login_mechanism, "Array(String)")                                                            \
    X(login_exposed, "Array(UInt8)")                                                               \
    X(login_accepted, "Array(UInt8)")                                                              \
    X(login_frame, "Array(UInt64)")                                                                \
    X(clear_mail, "UInt8")                                                                         \
    X(clear_mail_frame, "UInt64")                                                                  \
    X(starttls, "UInt8")                                                                           \
    X(starttls_frame, "UInt64")                                                                    \
    X(tls, "UInt8")                                                                                \
    X(tls_version, "UInt16")                                                                       \
    X(tls_frame, "UInt64")                                                                         \
    X(certified, "UInt8")                                                                          \
    X(certificate, "String")                                                                       \
    X(certificate_subject, "String")                                                               \
    X(certificate_issuer, "String")                                                                \
    X(certificate_names, "String")                                                                 \
    X(certificate_not_before, "String")                                                            \
    X(certificate_not_after, "String")                                                             \
    X(certificate_end_ns, "Int64")                                                                 \
    X(certificate_problems, "UInt32")                                                              \
    X(certificate_frame, "UInt64")                                                                 \
    X(greeting_delay_ns, "Int64")                                                                  \
    X(greeting_due, "UInt8")                                                                       \
    X(greeting_wait_ns, "Int64")                                                                   \
    X(greeting_frame, "UInt64")                                                                    \
    X(clear_keywords, "String")                                                                    \
    X(inner_keywords, "String")                                                                    \
    X(finding, "Array(String)")                                                                    \
    X(finding_severity, "Array(UInt8)")                                                            \
    X(finding_frame, "Array(UInt64)")                                                              \
    X(found, "String")                                                                             \
    X(alike, "String")                                                                             \
    X(example, "String")

/* Where the store is. */
enum { SW_FLEET_PLACES = 16 };

struct sw_fleet_target {
    char places[SW_FLEET_PLACES][300]; /* "http://host:8123", of each server that was named */
    unsigned place_count;
    char user[64]; /* empty: ClickHouse's default */
    char database[64];
    char cluster[64]; /* empty: one server alone */
};

/* Reads "http://[user@]host[:port][/database]", or several with commas between them, and the name
 * of a cluster or NULL. False: *status says what is wrong, without repeating a password. */
bool sw_fleet_target_read(struct sw_fleet_target *target, const char *urls, const char *cluster,
                          struct sw_status *status);
/* The table that is written to and asked. */
const char *sw_fleet_table(const struct sw_fleet_target *target, char *out, size_t room);

/*
 * Brings the tables at one place up to the present version, if they are not; with `make` false they
 * are only looked at. What goes wrong is told by the courier, or by *status when it is not OK: a
 * store that is newer, or none.
 */
enum sw_answer sw_fleet_prepare(struct sw_courier *courier, const struct sw_fleet_target *target,
                                const char *place, bool make, struct sw_status *status);

/* The key of an address, or "" without one. */
enum { SW_FLEET_KEY_BYTES = 34 };
const char *sw_fleet_key(const uint8_t address[16], uint8_t ip_version,
                         char out[SW_FLEET_KEY_BYTES]);

/* What a short query answers, as text with a NUL behind it. */
enum sw_answer sw_fleet_ask_text(struct sw_courier *courier, const char *place, const char *query,
                                 char *out, size_t room);

#endif
