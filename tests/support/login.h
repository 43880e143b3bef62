/*
 * login.h - captures of dialogues with logins in them that know which of their bytes are secret,
 * and the proof that a masked copy shows none of these.
 *
 * Everything is chosen by bytes: which logins, what the server says to them, what is pipelined, how
 * the streams are cut into segments, which of them come again, overlap, stand in parts of IP
 * packets or are cut by the recorder. Without bytes left the first of each choice is taken.
 */
#ifndef TESTS_SUPPORT_LOGIN_H
#define TESTS_SUPPORT_LOGIN_H

#include <stddef.h>
#include <stdint.h>

/* What was looked at, so that a test can see that there was something. */
struct login_told {
    unsigned frames;    /* that came out */
    unsigned secrets;   /* bytes in them that had to be masked, and were */
    unsigned shown;     /* payload bytes that are as they were */
    unsigned checksums; /* of segments that were whole */
};

/* Aborts when a secret byte is shown, a length changes or a checksum becomes wrong. */
void login_check(const uint8_t *choices, size_t size, struct login_told *told);

#endif
