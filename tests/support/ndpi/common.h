/*
 * common.h - what every version of nDPI declares alike, as far as src/pipeline/ndpi_shim.c uses it.
 * These headers only prove that the branches of the shim compile; they come from the public
 * declarations of each version and are not nDPI.
 */
#ifndef TESTS_SUPPORT_NDPI_COMMON_H
#define TESTS_SUPPORT_NDPI_COMMON_H

#include <stdint.h>
#include <string.h>

enum {
    NDPI_PROTOCOL_UNKNOWN,
    NDPI_PROTOCOL_FTP_CONTROL,
    NDPI_PROTOCOL_MAIL_SMTP,
    NDPI_PROTOCOL_RDP,
    NDPI_PROTOCOL_VNC,
    NDPI_PROTOCOL_MYSQL,
    NDPI_PROTOCOL_POSTGRES,
    NDPI_PROTOCOL_REDIS,
    NDPI_PROTOCOL_IRC,
    NDPI_PROTOCOL_TELNET,
    NDPI_PROTOCOL_SIP,
    NDPI_PROTOCOL_RTSP,
    NDPI_PROTOCOL_LDAP,
    NDPI_PROTOCOL_SMBV1,
    NDPI_PROTOCOL_SMBV23,
    NDPI_PROTOCOL_MQTT,
    NDPI_PROTOCOL_MSSQL_TDS,
    NDPI_PROTOCOL_USENET,
    NDPI_PROTOCOL_MEMCACHED,
    NDPI_PROTOCOL_RSYNC,
    NDPI_PROTOCOL_MONGODB,
};

struct ndpi_detection_module_struct;
struct ndpi_global_context;
typedef struct ndpi_flow_input_info ndpi_flow_input_info;

struct ndpi_flow_struct {
    struct {
        struct {
            struct {
                char username[32], password[16];
            } ftp_imap_pop_smtp;
        } tcp;
    } l4;
};

#define SIZEOF_FLOW_STRUCT (sizeof(struct ndpi_flow_struct))

void *ndpi_flow_malloc(size_t size);
void ndpi_flow_free(void *flow);
void ndpi_free_flow_data(struct ndpi_flow_struct *flow);
char *ndpi_revision(void);
void ndpi_exit_detection_module(struct ndpi_detection_module_struct *module);

#endif
