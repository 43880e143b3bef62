/*
 * recording.h - the files of a recording: their names, how many there are, and the rights they get.
 *
 * Names are those of tcpdump: FILE; FILE, FILE1, FILE2, ... by size; FILE0 to FILEn, used in turn,
 * with a number of files; a template (strftime) by time. Every file is for its owner only, and a
 * file of that name that was there before is replaced, not written into.
 */
#ifndef SW_LIVE_RECORDING_H
#define SW_LIVE_RECORDING_H

#include "live/opener.h"
#include "smtpwhy.h"

enum { SW_RECORDING_FILES_MAX = 4096 };

struct sw_recording_names {
    uint32_t path;  /* its index with the opener */
    bool by_size;   /* -C */
    bool by_time;   /* -G: the path is a template */
    uint32_t files; /* -W; 0: no limit */
};

struct sw_recording {
    struct sw_recording_names names;
    const struct sw_opener *opener;
    int fd;                                             /* -1: none open */
    int next_fd;                                        /* in its place from the next begin on */
    uint64_t begun;                                     /* files so far */
    int error;                                          /* errno of the first failure */
    struct sw_opener_file kept[SW_RECORDING_FILES_MAX]; /* by their order, modulo */
};

void sw_recording_init(struct sw_recording *recording, const struct sw_recording_names *names,
                       const struct sw_opener *opener);
/* Makes a file that is named otherwise; it is written to and closed as any. */
bool sw_recording_open(struct sw_recording *recording, const struct sw_opener_file *file);
/* The two that the library calls (struct sw_recording_options); ctx is the recording. */
bool sw_recording_begin(void *ctx, int64_t time_ns);
bool sw_recording_write(void *ctx, const void *bytes, size_t size);
/* Can the first file be made, from what is known now? False: errno says why not. */
bool sw_recording_try(const struct sw_recording *recording, int64_t time_ns);
/* Was the file moved away or removed? Then another of its name is opened, which the next begin
 * goes on with. False: it is where it was, or errno says why there cannot be another. */
bool sw_recording_renew(struct sw_recording *recording);
/* False when anything failed: error. */
bool sw_recording_close(struct sw_recording *recording);

#endif
