/*
 * extract.c - the packets of one session out of saved captures, as a pcapng of their own.
 */
#include "capture/capture.h"
#include "capture/pcapng_writer.h"
#include "decode/decode.h"
#include "pipeline/recorder.h"

#include <stdio.h>
#include <string.h>

enum { LINKS_MAX = 16, DNS_PORT = 53 };

struct extract {
    const struct sw_session_key *key;
    bool (*write)(void *ctx, const void *bytes, size_t size);
    void *ctx;
    bool failed;
    struct sw_pcapng_writer writer;
    int32_t links[LINKS_MAX]; /* each is an interface of the file that is written */
    unsigned link_count;
    uint64_t frames;
};

static void put(void *ctx, struct sw_span bytes)
{
    struct extract *extract = ctx;
    if (!extract->failed)
        extract->failed = !extract->write(extract->ctx, bytes.ptr, bytes.len);
}

bool sw_session_key_fits(const struct sw_session_key *key, const void *src, const void *dst,
                         uint16_t src_port, uint16_t dst_port, int64_t time_ns)
{
    if (time_ns < key->from_ns || time_ns > key->to_ns)
        return false;
    if (key->client_port == 0 && key->server_port == 0) {
        bool asks =
            src_port == DNS_PORT || dst_port == DNS_PORT || (src_port == 0 && dst_port == 0);
        return asks && (memcmp(src, key->client, 16) == 0 || memcmp(dst, key->client, 16) == 0);
    }
    bool there = src_port == key->client_port && dst_port == key->server_port &&
                 memcmp(src, key->client, 16) == 0 && memcmp(dst, key->server, 16) == 0;
    bool back = dst_port == key->client_port && src_port == key->server_port &&
                memcmp(dst, key->client, 16) == 0 && memcmp(src, key->server, 16) == 0;
    return there || back;
}

/* The packet itself, one that an ICMP error quotes, or a search for a neighbour. */
static bool belongs(const struct extract *extract, const struct sw_frame *frame)
{
    struct sw_packet packet = {.payload = {NULL, 0}};
    enum sw_decode_result decoded = sw_decode(frame, &packet);
    if (packet.neighbour.seen)
        return sw_session_key_fits(extract->key, packet.neighbour.asker, packet.neighbour.target, 0,
                                   0, frame->time_ns);
    if (decoded != SW_DECODE_IP)
        return false;
    bool quotes = packet.transport == SW_TRANSPORT_ICMP || packet.transport == SW_TRANSPORT_ICMP6;
    if (quotes && !packet.icmp.has_quote)
        return false;
    const struct sw_tuple *t = quotes ? &packet.icmp.quote : &packet.tuple;
    return sw_session_key_fits(extract->key, t->src, t->dst, t->src_port, t->dst_port,
                               frame->time_ns);
}

static uint32_t interface_for(struct extract *extract, int32_t link)
{
    for (unsigned i = 0; i < extract->link_count; i++) {
        if (extract->links[i] == link)
            return i;
    }
    if (extract->link_count == LINKS_MAX)
        return 0;
    extract->links[extract->link_count++] = link;
    return sw_pcapng_put_interface(
        &extract->writer, &(struct sw_pcapng_interface_info){.link_type = link, .time_digits = 9});
}

static struct sw_status read_all(struct extract *extract, const char *path)
{
    const struct sw_capture_options options = {.filter = NULL};
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK)
        return status;
    struct sw_frame frame;
    while ((status = sw_capture_next(capture, &frame)).code != SW_END) {
        if (status.code != SW_OK || !belongs(extract, &frame))
            continue;
        uint32_t interface = interface_for(extract, frame.link_type);
        sw_pcapng_put_frame(&extract->writer, interface, 9, &frame, NULL, 0);
        extract->frames++;
    }
    sw_capture_close(capture);
    return sw_status_ok();
}

bool sw_extract_session(const char *const *paths, unsigned count, const struct sw_session_key *key,
                        bool (*write)(void *ctx, const void *bytes, size_t size), void *ctx,
                        uint64_t *frames, char *message, size_t room)
{
    struct extract extract = {.key = key, .write = write, .ctx = ctx};
    extract.writer = (struct sw_pcapng_writer){.put = put, .ctx = &extract};
    sw_pcapng_put_section(&extract.writer, &(struct sw_pcapng_section_info){
                                               .application = "smtpwhy " SMTPWHY_VERSION});
    message[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        struct sw_status status = read_all(&extract, paths[i]);
        if (status.code != SW_OK && !message[0])
            (void)snprintf(message, room, "%s", status.message);
    }
    *frames = extract.frames;
    if (extract.failed)
        (void)snprintf(message, room, "it cannot be written");
    return !extract.failed && extract.frames > 0;
}
