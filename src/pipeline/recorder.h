/*
 * recorder.h - keeps frames of live traffic for the disk: all of them, those that concern mail, or
 * the last ones in memory until a session turns out stuck. Private to the pipeline room.
 *
 * Invariants: frames are written in the order in which they came (of a ring: within a session); the
 * memory is one buffer, allocated at the start; what was never decided when room is needed is
 * dropped and counted. Every file is a whole pcapng file from its first byte to its statistics.
 */
#ifndef SW_PIPELINE_RECORDER_H
#define SW_PIPELINE_RECORDER_H

#include "capture/frame.h"
#include "pipeline/engine.h"
#include "smtpwhy.h"

struct sw_recorder;

/* One interface, as the files describe it. */
struct sw_recorder_interface {
    const char *name, *filter;
    int32_t link_type;
    uint32_t snaplen;
    uint8_t time_digits;
};

/* NULL without memory. The options are copied; interfaces and engine are borrowed. */
struct sw_recorder *sw_recorder_new(const struct sw_recording_options *options,
                                    const struct sw_recorder_interface *interfaces, unsigned count,
                                    struct sw_engine *engine);
/* A frame that the engine has just taken. */
void sw_recorder_frame(struct sw_recorder *recorder, const struct sw_frame *frame);
/* A session has become final. */
void sw_recorder_session(struct sw_recorder *recorder, const struct sw_record *record);
/* Time goes on: what is decided is written. */
void sw_recorder_time(struct sw_recorder *recorder, int64_t now_ns);
/* Is a file begun and not complete? */
bool sw_recorder_writes(const struct sw_recorder *recorder);
/* That file is completed, and another begins, before a rotation is due. */
void sw_recorder_rotate(struct sw_recorder *recorder, int64_t now_ns);
/* Frames that were lost on the way to the recorder, of one interface; for the statistics. */
void sw_recorder_losses(struct sw_recorder *recorder, unsigned interface, uint64_t by_kernel,
                        uint64_t by_interface);
/* What is held of a session, as a file of its own. Returns the number of frames. */
uint64_t sw_recorder_save(struct sw_recorder *recorder, const struct sw_session_key *key,
                          bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx);
/* Is a packet one of the session's? (extract.c) */
bool sw_session_key_fits(const struct sw_session_key *key, const void *src, const void *dst,
                         uint16_t src_port, uint16_t dst_port, int64_t time_ns);
/* The end: what is held is decided, the file completed. False when writing ever failed. */
bool sw_recorder_finish(struct sw_recorder *recorder, int64_t now_ns);
void sw_recorder_free(struct sw_recorder *recorder);

#endif
