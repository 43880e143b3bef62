#include "pipeline/ndpi_shim.h"

#include "base/wipe.h"

#include <ndpi_api.h>

#include <stdlib.h>

#define NDPI_AT_LEAST(major, minor)                                                                \
    (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

enum { IP_BYTES = 20, TCP_BYTES = 20, PIECE_BYTES = 1400 };

struct sw_ndpi {
    struct ndpi_detection_module_struct *module;
};

struct sw_ndpi_flow {
    struct ndpi_flow_struct *flow;
    uint32_t pieces;
    uint32_t sent[2]; /* octets of each side so far */
    uint8_t packet[IP_BYTES + TCP_BYTES + PIECE_BYTES];
};

/* What is of use: what may listen or call on a mail port and does not speak mail. Mail itself, TLS,
 * HTTP, SSH, POP and IMAP are recognised without nDPI. */
static const uint16_t wanted[] = {
    NDPI_PROTOCOL_FTP_CONTROL, NDPI_PROTOCOL_MAIL_SMTP, NDPI_PROTOCOL_RDP,
    NDPI_PROTOCOL_VNC,         NDPI_PROTOCOL_MYSQL,     NDPI_PROTOCOL_POSTGRES,
    NDPI_PROTOCOL_REDIS,       NDPI_PROTOCOL_IRC,       NDPI_PROTOCOL_TELNET,
    NDPI_PROTOCOL_SIP,         NDPI_PROTOCOL_RTSP,      NDPI_PROTOCOL_LDAP,
    NDPI_PROTOCOL_SMBV1,       NDPI_PROTOCOL_SMBV23,    NDPI_PROTOCOL_MQTT,
    NDPI_PROTOCOL_MSSQL_TDS,   NDPI_PROTOCOL_USENET,    NDPI_PROTOCOL_MEMCACHED,
    NDPI_PROTOCOL_RSYNC,       NDPI_PROTOCOL_MONGODB,
};

static bool is_wanted(uint16_t protocol)
{
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (wanted[i] == protocol)
            return true;
    }
    return false;
}

/* nDPI's macro shifts a long into an int. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
/* From 5.0 on there is no bitmask: everything is on, and is_wanted() picks. */
static void choose_protocols(struct ndpi_detection_module_struct *module)
{
#if NDPI_AT_LEAST(5, 0)
    (void)module;
#else
    NDPI_PROTOCOL_BITMASK mask;
    NDPI_BITMASK_RESET(mask);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        NDPI_BITMASK_ADD(mask, wanted[i]);
    ndpi_set_protocol_detection_bitmask2(module, &mask);
#endif
}
#pragma GCC diagnostic pop

const char *sw_ndpi_version(void)
{
    return ndpi_revision();
}

struct sw_ndpi *sw_ndpi_new(void)
{
    struct sw_ndpi *ndpi = calloc(1, sizeof(*ndpi));
    if (!ndpi)
        return NULL;
#if NDPI_AT_LEAST(4, 10)
    ndpi->module = ndpi_init_detection_module(NULL);
#else
    ndpi->module = ndpi_init_detection_module(ndpi_no_prefs);
#endif
    if (!ndpi->module) {
        free(ndpi);
        return NULL;
    }
    choose_protocols(ndpi->module);
    (void)ndpi_finalize_initialization(ndpi->module);
    return ndpi;
}

void sw_ndpi_free(struct sw_ndpi *ndpi)
{
    if (!ndpi)
        return;
    ndpi_exit_detection_module(ndpi->module);
    free(ndpi);
}

struct sw_ndpi_flow *sw_ndpi_flow_new(struct sw_ndpi *ndpi)
{
    struct sw_ndpi_flow *flow = ndpi ? calloc(1, sizeof(*flow)) : NULL;
    if (!flow)
        return NULL;
    flow->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
    if (!flow->flow) {
        free(flow);
        return NULL;
    }
    memset(flow->flow, 0, SIZEOF_FLOW_STRUCT);
    return flow;
}

void sw_ndpi_flow_free(struct sw_ndpi_flow *flow)
{
    if (!flow)
        return;
    sw_wipe(flow->packet, sizeof(flow->packet));
    ndpi_free_flow_data(flow->flow);
    sw_wipe(flow->flow, SIZEOF_FLOW_STRUCT);
    ndpi_flow_free(flow->flow);
    free(flow);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xFFFF);
}

/* nDPI remembers hosts: two connections must not look like one pair of them. */
static void put_address(uint8_t *at, const uint8_t address[16], uint8_t ip_version)
{
    memcpy(at, ip_version == 4 ? address : address + 12, 4);
}

/* The piece as an IPv4 packet. Returns its length. */
static uint16_t build(struct sw_ndpi_flow *flow, const struct sw_tuple *tuple,
                      const struct sw_chunk *chunk)
{
    enum sw_side from = chunk->from;
    enum sw_side to = sw_side_other(from);
    size_t n = chunk->bytes.len < PIECE_BYTES ? chunk->bytes.len : (size_t)PIECE_BYTES;
    uint8_t *ip = flow->packet;
    uint8_t *tcp = ip + IP_BYTES;
    memset(ip, 0, IP_BYTES + TCP_BYTES);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP_BYTES + TCP_BYTES + n));
    ip[8] = 64;
    ip[9] = 6;
    put_address(ip + (from == SW_CLIENT ? 12 : 16), tuple->src, tuple->ip_version);
    put_address(ip + (from == SW_CLIENT ? 16 : 12), tuple->dst, tuple->ip_version);
    put16(tcp, from == SW_CLIENT ? tuple->src_port : tuple->dst_port);
    put16(tcp + 2, from == SW_CLIENT ? tuple->dst_port : tuple->src_port);
    put32(tcp + 4, 1 + flow->sent[from]);
    put32(tcp + 8, 1 + flow->sent[to]);
    tcp[12] = 5 << 4;
    tcp[13] = 0x18; /* PSH, ACK */
    put16(tcp + 14, 0xFFFF);
    memcpy(tcp + TCP_BYTES, chunk->bytes.ptr, n);
    flow->sent[from] += (uint32_t)n;
    return (uint16_t)(IP_BYTES + TCP_BYTES + n);
}

/* nDPI copies user names and passwords of FTP, IMAP, POP and SMTP into the flow. */
static void wipe_logins(struct ndpi_flow_struct *flow)
{
#if !NDPI_AT_LEAST(4, 6)
    sw_wipe(&flow->l4.tcp.ftp_imap_pop_smtp, sizeof(flow->l4.tcp.ftp_imap_pop_smtp));
#else
    sw_wipe(flow->l4.tcp.ftp_imap_pop_smtp.username,
            sizeof(flow->l4.tcp.ftp_imap_pop_smtp.username));
    sw_wipe(flow->l4.tcp.ftp_imap_pop_smtp.password,
            sizeof(flow->l4.tcp.ftp_imap_pop_smtp.password));
#endif
}

static ndpi_protocol process(struct sw_ndpi *ndpi, struct sw_ndpi_flow *flow, uint16_t length,
                             uint64_t time_ms)
{
#if NDPI_AT_LEAST(4, 6)
    return ndpi_detection_process_packet(ndpi->module, flow->flow, flow->packet, length, time_ms,
                                         NULL);
#else
    return ndpi_detection_process_packet(ndpi->module, flow->flow, flow->packet, length, time_ms);
#endif
}

static uint16_t protocol_of(ndpi_protocol found)
{
#if NDPI_AT_LEAST(4, 11)
    uint16_t master = found.proto.master_protocol;
    uint16_t app = found.proto.app_protocol;
#else
    uint16_t master = found.master_protocol;
    uint16_t app = found.app_protocol;
#endif
    return is_wanted(master) ? master : is_wanted(app) ? app : NDPI_PROTOCOL_UNKNOWN;
}

bool sw_ndpi_feed(struct sw_ndpi *ndpi, struct sw_ndpi_flow *flow, const struct sw_tuple *tuple,
                  const struct sw_chunk *chunk, char name[SW_NDPI_NAME])
{
    if (!ndpi || !flow || flow->pieces == SW_NDPI_PIECES || chunk->bytes.len == 0)
        return false;
    flow->pieces++;
    uint16_t length = build(flow, tuple, chunk);
    uint64_t time_ms = (uint64_t)(chunk->mark.time_ns > 0 ? chunk->mark.time_ns / SW_NS_PER_MS : 0);
    uint16_t protocol = protocol_of(process(ndpi, flow, length, time_ms));
    wipe_logins(flow->flow);
    if (protocol == NDPI_PROTOCOL_UNKNOWN)
        return false;
    const char *found = ndpi_get_proto_name(ndpi->module, protocol);
    size_t n = 0;
    for (; found[n] != '\0' && n + 1 < SW_NDPI_NAME; n++)
        name[n] = (char)sw_ascii_lower((uint8_t)found[n]);
    name[n] = '\0';
    return true;
}

bool sw_ndpi_is_tired(const struct sw_ndpi_flow *flow)
{
    return flow->pieces >= SW_NDPI_PIECES;
}
