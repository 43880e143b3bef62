/*
 * token_error.h - why a server refuses a sign-in token: the JSON challenge of OAUTHBEARER (RFC 7628
 * 3.2.2) and XOAUTH2; private to the analyzer.
 */
#ifndef SW_ANALYZER_TOKEN_ERROR_H
#define SW_ANALYZER_TOKEN_ERROR_H

#include "analyzer/prose.h"

/* Adds a sentence with status, schemes and scope of the challenge of `auth`; nothing when it had
 * none. */
void sw_token_error_tell(const struct sw_auth *auth, struct sw_prose *story);
/* Adds ": status 401, scope ...; what that means." of such a challenge. */
void sw_token_error_members(struct sw_span json, struct sw_prose *story);
/* The value of a member of a flat JSON object, a string without its quotation marks (escapes as
 * they are) or a number; empty when there is none. */
struct sw_span sw_token_error_member(struct sw_span json, const char *name);

#endif
