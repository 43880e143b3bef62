/* ndpi_api.h - the calls of nDPI 4.8 that src/pipeline/ndpi_shim.c uses; see ../common.h. */
#ifndef TESTS_SUPPORT_NDPI_API_H
#define TESTS_SUPPORT_NDPI_API_H

#define NDPI_MAJOR 4
#define NDPI_MINOR 8

#include "../common.h"

typedef struct {
    uint16_t master_protocol, app_protocol, protocol_by_ip;
    int category;
} ndpi_protocol;
typedef struct {
    uint32_t fds_bits[16];
} NDPI_PROTOCOL_BITMASK;
#define NDPI_BITMASK_RESET(mask) memset(&(mask), 0, sizeof(mask))
#define NDPI_BITMASK_ADD(mask, n) ((mask).fds_bits[(n) / 32] |= 1u << ((n) % 32))
int ndpi_set_protocol_detection_bitmask2(struct ndpi_detection_module_struct *module,
                                         const NDPI_PROTOCOL_BITMASK *mask);
typedef enum { ndpi_no_prefs = 0 } ndpi_init_prefs;
struct ndpi_detection_module_struct *ndpi_init_detection_module(ndpi_init_prefs prefs);
void ndpi_finalize_initialization(struct ndpi_detection_module_struct *module);
ndpi_protocol ndpi_detection_process_packet(struct ndpi_detection_module_struct *module,
                                            struct ndpi_flow_struct *flow,
                                            const unsigned char *packet, unsigned short length,
                                            uint64_t time_ms, const ndpi_flow_input_info *info);
char *ndpi_get_proto_name(struct ndpi_detection_module_struct *module, uint16_t protocol);

#endif
