/*
 * frame_ref.h - a frame as events, facts and verdicts name it: its number within its file and,
 * above it, which file of a series it stands in.
 *
 * Invariants: in the first file the reference is the number itself; references compare in the order
 * of reading; 0 is "no frame". Only what is shown to people or programs takes it apart.
 */
#ifndef SW_BASE_FRAME_REF_H
#define SW_BASE_FRAME_REF_H

#include <stdint.h>

enum { SW_FRAME_FILES_MAX = 65535 };

#define SW_FRAME_FILE_SHIFT 48

static inline uint64_t sw_frame_ref(uint32_t file, uint64_t number)
{
    return (uint64_t)file << SW_FRAME_FILE_SHIFT | number;
}

static inline uint64_t sw_frame_number(uint64_t ref)
{
    return ref & ((UINT64_C(1) << SW_FRAME_FILE_SHIFT) - 1);
}

static inline uint32_t sw_frame_file(uint64_t ref)
{
    return (uint32_t)(ref >> SW_FRAME_FILE_SHIFT);
}

#endif
