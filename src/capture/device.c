#include "capture/device.h"

#include "base/time.h"
#include "capture/filter.h"
#include "capture/internal.h"

#include <fcntl.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOSS_FILES = 2, NAME_BYTES = 64 };

struct sw_device {
    char name[NAME_BYTES];
    const char *filter;
    pcap_t *pcap;
    int fd;
    int32_t link_type;
    bool nano;
    int loss_fds[LOSS_FILES]; /* what the card's driver counts, -1 where it does not */
    uint64_t loss_before[LOSS_FILES];
    uint32_t kernel_told; /* libpcap counts in 32 bits, from time to time from 0 again */
    uint64_t kernel_lost;
};

/*
 * What is certainly no mail, nor about it, stays in the kernel: UDP, but for names, tunnels and
 * parts of packets. Frames with tags, labels or PPPoE are no UDP to the filter and pass, as does
 * whatever it cannot look into.
 */
static const char mail_filter[] =
    "not udp or udp port 53 or ip[6:2] & 0x3fff != 0 or ip6 proto 44 or udp port 4789 or "
    "udp port 8472 or udp port 4790 or udp port 6081 or udp port 2152 or udp port 1701 or "
    "udp port 3544 or udp port 37008 or udp port 4500 or udp port 1194 or udp port 51820";

static struct sw_status refuse(const struct sw_device *device, int code)
{
    const char *name = device->name;
    switch (code) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: there is no such interface; smtpwhy live -D lists them", name);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: no permission to capture; run it as root, or give the program "
                              "the right once: setcap cap_net_raw+ep SMTPWHY",
                              name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return sw_status_make(SW_UNREADABLE, 0, "%s: is down; ip link set %s up", name, name);
    default:
        return sw_status_make(SW_UNREADABLE, 0, "%s: %s%s%s", name, pcap_statustostr(code),
                              code == PCAP_ERROR ? ": " : "",
                              code == PCAP_ERROR ? pcap_geterr(device->pcap) : "");
    }
}

static struct sw_status set_filter(struct sw_device *device, const char *expression)
{
    struct bpf_program program;
    bool given = expression != NULL;
    device->filter = given ? expression : mail_filter;
    if (pcap_compile(device->pcap, &program, device->filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        if (given)
            return sw_filter_refuse(expression, pcap_geterr(device->pcap));
        device->filter = ""; /* no link layer that it knows: all comes up */
        return sw_status_ok();
    }
    int failed = pcap_setfilter(device->pcap, &program);
    pcap_freecode(&program);
    if (failed)
        return sw_status_make(SW_UNREADABLE, 0, "%s: its filter cannot be set: %s", device->name,
                              pcap_geterr(device->pcap));
    return sw_status_ok();
}

/* What the card lost is counted in files that cannot be opened any more later. */
static void open_loss_files(struct sw_device *device)
{
    static const char *const counters[LOSS_FILES] = {"rx_missed_errors", "rx_fifo_errors"};
    for (int i = 0; i < LOSS_FILES; i++) {
        char path[sizeof("/sys/class/net//statistics/rx_missed_errors") + NAME_BYTES];
        (void)snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device->name,
                       counters[i]);
        device->loss_fds[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
}

static uint64_t read_loss_file(int fd)
{
    char text[32];
    uint64_t value = 0;
    ssize_t size = fd >= 0 ? pread(fd, text, sizeof(text), 0) : 0;
    struct sw_span number = sw_span_trim(sw_span_make(text, size > 0 ? (size_t)size : 0));
    return sw_span_u64(number, &value) ? value : 0;
}

/*
 * Immediate mode would make the kernel wake us for every frame; so it fills blocks and hands them
 * over at a tick, and no call of libpcap's ever waits for one (it would wait for good on an idle
 * link).
 */
static struct sw_status activate(struct sw_device *device, const struct sw_device_options *options)
{
    pcap_t *pcap = device->pcap;
    uint32_t snaplen = options->snaplen ? options->snaplen : (uint32_t)SW_DEVICE_SNAPLEN;
    uint32_t room =
        options->buffer_bytes ? options->buffer_bytes : (uint32_t)SW_DEVICE_BUFFER_BYTES;
    char error[PCAP_ERRBUF_SIZE];
    (void)pcap_set_snaplen(pcap, (int)snaplen);
    (void)pcap_set_promisc(pcap, strcmp(device->name, "any") != 0);
    (void)pcap_set_buffer_size(pcap, (int)room);
    (void)pcap_set_timeout(pcap, SW_DEVICE_TICK_MS);
    device->nano = pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    int code = pcap_activate(pcap);
    if (code < 0)
        return refuse(device, code);
    if (pcap_datalink(pcap) == DLT_LINUX_SLL) /* the newer one says which interface it was */
        (void)pcap_set_datalink(pcap, DLT_LINUX_SLL2);
    device->link_type = pcap_datalink(pcap);
    if (!sw_capture_link_is_known(device->link_type))
        return sw_status_make(SW_UNSUPPORTED, 0,
                              "%s: frames of link type %d cannot be decoded; choose an Ethernet "
                              "interface or 'any'",
                              device->name, device->link_type);
    struct sw_status status = set_filter(device, options->filter);
    if (status.code != SW_OK)
        return status;
    if (pcap_setnonblock(pcap, 1, error) != 0)
        return sw_status_make(SW_UNREADABLE, 0, "%s: %s", device->name, error);
    device->fd = pcap_get_selectable_fd(pcap);
    return sw_status_ok();
}

struct sw_status sw_device_open(const struct sw_device_options *options, struct sw_device **out)
{
    char error[PCAP_ERRBUF_SIZE];
    *out = NULL;
    struct sw_device *device = calloc(1, sizeof(*device));
    if (!device)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", options->name);
    (void)snprintf(device->name, sizeof(device->name), "%s", options->name);
    device->loss_fds[0] = device->loss_fds[1] = -1;
    device->pcap = pcap_create(options->name, error);
    struct sw_status status = device->pcap
                                  ? activate(device, options)
                                  : sw_status_make(SW_UNREADABLE, 0, "%s: %s", device->name, error);
    if (status.code != SW_OK) {
        sw_device_close(device);
        return status;
    }
    open_loss_files(device);
    for (int i = 0; i < LOSS_FILES; i++)
        device->loss_before[i] = read_loss_file(device->loss_fds[i]);
    *out = device;
    return status;
}

int sw_device_fd(const struct sw_device *device)
{
    return device->fd;
}

struct sw_status sw_device_next(struct sw_device *device, struct sw_frame *frame)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int got = pcap_next_ex(device->pcap, &header, &bytes);
    if (got == 0)
        return (struct sw_status){.code = SW_END};
    if (got < 0)
        return sw_status_make(SW_UNREADABLE, 0, "%s: capturing ended: %s", device->name,
                              pcap_geterr(device->pcap));
    *frame = (struct sw_frame){
        /* with nanoseconds libpcap keeps them in the field for microseconds */
        .time_ns = (int64_t)header->ts.tv_sec * SW_NS_PER_S +
                   (int64_t)header->ts.tv_usec * (device->nano ? 1 : 1000),
        .bytes = bytes,
        .caplen = header->caplen,
        .len = header->len < header->caplen ? header->caplen : header->len,
        .link_type = device->link_type,
        .time_digits = device->nano ? 9 : 6,
    };
    return sw_status_ok();
}

void sw_device_losses(struct sw_device *device, struct sw_device_losses *losses)
{
    struct pcap_stat stat = {0};
    *losses = (struct sw_device_losses){0};
    if (pcap_stats(device->pcap, &stat) == 0) {
        device->kernel_lost += (uint32_t)(stat.ps_drop - device->kernel_told);
        device->kernel_told = stat.ps_drop;
    }
    losses->by_kernel = device->kernel_lost;
    for (int i = 0; i < LOSS_FILES; i++) {
        uint64_t now = read_loss_file(device->loss_fds[i]);
        losses->by_interface += now > device->loss_before[i] ? now - device->loss_before[i] : 0;
    }
}

const char *sw_device_name(const struct sw_device *device)
{
    return device->name;
}

int32_t sw_device_link_type(const struct sw_device *device)
{
    return device->link_type;
}

uint8_t sw_device_time_digits(const struct sw_device *device)
{
    return device->nano ? 9 : 6;
}

const char *sw_device_filter(const struct sw_device *device)
{
    return device->filter;
}

void sw_device_close(struct sw_device *device)
{
    if (!device)
        return;
    for (int i = 0; i < LOSS_FILES; i++) {
        if (device->loss_fds[i] >= 0)
            (void)close(device->loss_fds[i]);
    }
    if (device->pcap)
        pcap_close(device->pcap);
    free(device);
}

struct sw_status sw_device_list(void (*tell)(void *ctx, const char *name, const char *description),
                                void *ctx)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, error) != 0)
        return sw_status_make(SW_UNREADABLE, 0, "the interfaces cannot be listed: %s", error);
    for (const pcap_if_t *one = all; one; one = one->next)
        tell(ctx, one->name, one->description ? one->description : "");
    pcap_freealldevs(all);
    return sw_status_ok();
}

const char *sw_device_library(void)
{
    return pcap_lib_version();
}
