/*
 * view.h - what more than one format works out of a session: numbers that are derived, words for
 * enums, and lines of the dialogue with their secrets masked.
 */
#ifndef SW_REPORT_VIEW_H
#define SW_REPORT_VIEW_H

#include "analyzer/verdict.h"
#include "base/time.h"
#include "report/veil.h"

enum { SW_VIEW_ENHANCED_BYTES = 20, SW_VIEW_DURATION_BYTES = 40 };

/* "5.7.1" with a NUL, or "" when there is none. */
void sw_view_enhanced(struct smtp_enhanced enhanced, char out[SW_VIEW_ENHANCED_BYTES]);
/* From the SYN that was answered to the client's ACK; SW_TIME_NONE when the handshake was not seen.
 */
int64_t sw_view_handshake_rtt(const struct sw_flow_facts *facts);
/* The longest time between two things that were said, or between the last of them and the end. */
int64_t sw_view_longest_silence(const struct sw_session *session);
/* How long after `from_ns` that was; not negative, though a recorder's clock may step back. */
int64_t sw_view_since(int64_t from_ns, int64_t at_ns);
/* The delay of a reply, or SW_TIME_NONE. */
int64_t sw_view_delay(const struct sw_session *session, const struct sw_step *reply);
/* "fin", "rst", "timeout", "icmp", "open". */
const char *sw_view_close_name(enum sw_close_kind close);
/* "client", "server", "network", or NULL when nobody closed. */
const char *sw_view_closed_by(const struct sw_flow_facts *facts);
/* Who closed first, in order, while the other side still sent data afterwards; or NULL. */
const char *sw_view_half_closed_by(const struct sw_flow_facts *facts);
/* How long the text of a mail took, from its first bytes to its last; SW_TIME_NONE without one. */
int64_t sw_view_upload(const struct sw_message *message);
/* Its octets a second; 0 when it came all at once. */
uint64_t sw_view_upload_rate(const struct sw_message *message);
/* "accepted", "rejected", ... */
const char *sw_view_auth_name(enum sw_auth_result result);
/* The name of a command as it is shown: canonical, or as it was written when it is none that we
 * know. */
struct sw_span sw_view_verb(const struct sw_step *command);
/*
 * The argument of a command as it may be shown: what belongs to a login is "***". False when there
 * is none. *out is borrowed from the step or a constant.
 */
bool sw_view_argument(const struct sw_step *command, struct sw_span *out);
/* A login with an initial response: its argument is the mechanism, and "***" has to follow it. */
bool sw_view_argument_hides(const struct sw_step *command);
/* A command as it may be shown, behind what `out` holds: "RCPT TO:<bob@example.org>". */
void sw_view_command(const struct sw_step *command, struct sw_writer *out);
/* "550 5.7.1 Relaying denied": a reply as one text; with_lines keeps its lines. */
void sw_view_reply(const struct sw_step *reply, bool with_lines, struct sw_writer *out);
/*
 * A Wireshark display filter for exactly this connection. With a veil that is on the addresses are
 * left out: the frame numbers find it.
 */
void sw_view_filter(const struct sw_session *session, const struct sw_veil *veil,
                    struct sw_writer *out);
/* A duration for people: "0.3 ms", "41 ms", "3.2 s", "4 min 12 s". */
void sw_view_duration(int64_t duration_ns, char out[SW_VIEW_DURATION_BYTES]);
/* Who must act, in words a user knows. */
const char *sw_view_actor_words(enum sw_actor actor);
/* What trying again is worth, or NULL when nothing is to be said. */
const char *sw_view_permanence_words(enum sw_permanence permanence);
/* The same of a verdict: a refusal may be called permanent though only its time was wrong. */
const char *sw_view_again_words(const struct sw_verdict *verdict);
/* "frame 12", and with " of mail.pcap1" behind it where the session spans captures. */
void sw_view_frame(const struct sw_session *session, uint64_t frame, struct sw_writer *out);
/* The capture as it was named; behind a veil without its directories. */
struct sw_span sw_view_file(const char *file, const struct sw_veil *veil);
/* The name of the server that a reply, SNI or look-up gave; empty with no_names or when there is
 * none. */
struct sw_span sw_view_server_name(const struct sw_verdict *verdict, bool no_names);

/* False for a look-up that no connection followed: there was no server. */
bool sw_view_has_server(const struct sw_session *session);

#endif
