/*
 * series.h - what a capture's name says about others that it may continue; private to the pipeline
 * room.
 */
#ifndef SW_PIPELINE_SERIES_H
#define SW_PIPELINE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

enum { SW_SERIES_NAME_BYTES = 1024 };

/* A name taken apart. */
struct sw_series_name {
    char stem[SW_SERIES_NAME_BYTES]; /* without the number that counts the files */
    char key[SW_SERIES_NAME_BYTES];  /* and with a mark for each digit of a time */
    uint64_t number;                 /* that counts, 0 without one */
    bool counts; /* by its form it may be one of a series that is counted, or named by times */
};

/*
 * Knows "mail.pcap", "mail.pcap1" (tcpdump -C), "mail.pcap00" (-W), "mail-20260101-120000.pcap" (-G
 * with a time in the name) and "mail_00001_20260101120000.pcapng" (Wireshark), each also
 * compressed.
 */
void sw_series_parse(const char *path, struct sw_series_name *name);
/* True when the number of b is the one behind a's, or when a ring begins again at 0. */
bool sw_series_follows(const char *a, const char *b);

#endif
