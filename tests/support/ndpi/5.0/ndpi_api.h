/* ndpi_api.h - the calls of nDPI 5.0 that src/pipeline/ndpi_shim.c uses; see ../common.h. */
#ifndef TESTS_SUPPORT_NDPI_API_H
#define TESTS_SUPPORT_NDPI_API_H

#define NDPI_MAJOR 5
#define NDPI_MINOR 0

#include "../common.h"

typedef struct {
    struct {
        uint16_t master_protocol, app_protocol;
    } proto;
    uint16_t protocol_by_ip;
    int category, state;
} ndpi_protocol;
struct ndpi_detection_module_struct *ndpi_init_detection_module(
    struct ndpi_global_context *context);
int ndpi_finalize_initialization(struct ndpi_detection_module_struct *module);
ndpi_protocol ndpi_detection_process_packet(struct ndpi_detection_module_struct *module,
                                            struct ndpi_flow_struct *flow,
                                            const unsigned char *packet, unsigned short length,
                                            uint64_t time_ms, ndpi_flow_input_info *info);
char *ndpi_get_proto_name(struct ndpi_detection_module_struct *module, uint16_t protocol);

#endif
