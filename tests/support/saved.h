/*
 * saved.h - builds saved captures for tests, byte by byte, sound and damaged ones.
 *
 * Begin with an empty struct (`big` for big-endian), append, then saved_write(); saved_remove()
 * deletes the file and frees the struct.
 */
#ifndef TESTS_SUPPORT_SAVED_H
#define TESTS_SUPPORT_SAVED_H

#include "base/span.h"

enum { SAVED_ROOM_BYTES = 512 * 1024, SAVED_NO_TSRESOL = -1 };

struct saved {
    uint8_t bytes[SAVED_ROOM_BYTES];
    size_t len;
    bool big;
    char path[64];
};

/* An empty one, little-endian; saved_remove() frees it. */
struct saved *saved_new(void);

void saved_bytes(struct saved *s, const void *bytes, size_t n);
void saved_u16(struct saved *s, uint16_t value);
void saved_u32(struct saved *s, uint32_t value);

void saved_pcap(struct saved *s, uint32_t magic, uint32_t snaplen, uint32_t link_type);
/* A record of caplen bytes, each of them `fill`. */
void saved_record(struct saved *s, uint32_t seconds, uint32_t fraction, uint32_t caplen,
                  uint32_t len, uint8_t fill);

/* Blocks of a pcapng file. */
void saved_section(struct saved *s);
void saved_interface(struct saved *s, uint16_t link_type, uint32_t snaplen, int tsresol);
void saved_packet(struct saved *s, uint32_t interface, uint64_t time, uint32_t caplen, uint32_t len,
                  uint8_t fill);
void saved_block(struct saved *s, uint32_t type, const void *body, size_t n);
/* A block piece by piece: saved_begin(), append, saved_end() with what saved_begin() gave. */
size_t saved_begin(struct saved *s, uint32_t type);
void saved_end(struct saved *s, size_t at);
/* An option of a block; code 0 ends them. */
void saved_option(struct saved *s, uint16_t code, const void *value, uint16_t n);
void saved_u64(struct saved *s, uint64_t value);
/* Overwrites four bytes. */
void saved_poke(struct saved *s, size_t at, uint32_t value);

/* Writes what there is into a file of its own and returns its path. */
const char *saved_write(struct saved *s);
void saved_remove(struct saved *s);

#endif
