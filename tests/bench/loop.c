/*
 * loop.c - the yardstick: reads a capture with libpcap and does nothing but count.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char message[PCAP_ERRBUF_SIZE];
    pcap_t *capture = argc == 2 ? pcap_open_offline(argv[1], message) : NULL;
    if (!capture) {
        fprintf(stderr, "loop: %s\n", argc == 2 ? message : "usage: loop FILE");
        return 2;
    }
    struct pcap_pkthdr *head;
    const u_char *bytes;
    uint64_t frames = 0;
    uint64_t octets = 0;
    while (pcap_next_ex(capture, &head, &bytes) == 1) {
        frames++;
        octets += head->caplen;
    }
    pcap_close(capture);
    printf("%" PRIu64 " frames, %" PRIu64 " octets\n", frames, octets);
    return 0;
}
