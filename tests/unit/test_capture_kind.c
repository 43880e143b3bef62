/* Inputs that cannot be opened: the code, the offset and a message that says what to do. */
#include "capture/capture.h"
#include "support/saved.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { MICRO = (int)0xA1B2C3D4, NOBODY = 65534 };

static struct sw_status open_with(const char *path, const char *filter)
{
    const struct sw_capture_options options = {.filter = filter};
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK)
        assert_null(capture);
    sw_capture_close(capture);
    return status;
}

static void assert_says(const struct sw_status *status, const char *word)
{
    if (!strstr(status->message, word))
        fail_msg("'%s' is not in: %s", word, status->message);
}

static void assert_refused(const char *path, enum sw_status_code code, uint64_t offset,
                           const char *word)
{
    struct sw_status status = open_with(path, NULL);
    assert_int_equal(status.code, code);
    assert_int_equal(status.offset_bytes, offset);
    assert_int_equal(strncmp(status.message, path, strlen(path)), 0);
    assert_says(&status, word);
    assert_null(strchr(status.message, '\n'));
}

static void assert_bytes_refused(const void *bytes, size_t n, enum sw_status_code code,
                                 uint64_t offset, const char *word)
{
    struct saved *s = saved_new();
    saved_bytes(s, bytes, n);
    assert_refused(saved_write(s), code, offset, word);
    saved_remove(s);
}

static void test_missing(void **state)
{
    (void)state;
    assert_refused("/tmp/smtpwhy-no-such-file.pcap", SW_UNREADABLE, 0, "No such file");
    assert_refused("/tmp/smtpwhy-no-such-file.pcap", SW_UNREADABLE, 0, "check the name");
    assert_refused("/dev/null/x", SW_UNREADABLE, 0, "Not a directory");
}

static void test_directory(void **state)
{
    (void)state;
    assert_refused("/tmp", SW_UNREADABLE, 0, "is a directory; name the capture files in it");
}

static void test_no_permission(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, 1);
    assert_int_equal(chmod(saved_write(s), 0), 0);
    bool root = geteuid() == 0; /* who may read everything */
    if (root)
        assert_int_equal(seteuid(NOBODY), 0);
    struct sw_status status = open_with(s->path, NULL);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(status.code, SW_UNREADABLE);
    assert_says(&status, "Permission denied; run as a user who may read it");
    assert_says(&status, s->path);
    saved_remove(s);
}

static void test_empty(void **state)
{
    (void)state;
    assert_bytes_refused("", 0, SW_UNREADABLE, 0, "is empty (0 bytes)");
    assert_bytes_refused("", 0, SW_UNREADABLE, 0, "still holds it back");
    assert_refused("/dev/null", SW_UNREADABLE, 0, "is empty (0 bytes)");
}

static void test_read_that_fails(void **state)
{
    (void)state;
    /* The first page of this process is not mapped. */
    struct sw_status status = open_with("/proc/self/mem", NULL);
    assert_int_equal(status.code, SW_UNREADABLE);
    assert_says(&status, strerror(EIO));
}

static void test_cut_header(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, 1);
    for (size_t len = 4; len < 24; len++)
        assert_bytes_refused(s->bytes, len, SW_UNREADABLE, len, "cut off in its header");
    for (size_t len = 1; len < 4; len++)
        assert_bytes_refused(s->bytes, len, SW_UNREADABLE, 0, "not a capture");
    free(s);
    s = saved_new();
    saved_section(s);
    saved_interface(s, 1, 65535, 9);
    for (size_t len = 4; len < s->len; len++) {
        if (len == 28) /* a section without interfaces is whole */
            continue;
        struct saved *cut = saved_new();
        saved_bytes(cut, s->bytes, len);
        struct sw_status status = open_with(saved_write(cut), NULL);
        assert_int_equal(status.code, SW_UNREADABLE);
        assert_true(status.offset_bytes <= len);
        assert_says(&status, len < 28 ? "cut off in its header" : "its header cannot be used");
        saved_remove(cut);
    }
    free(s);
}

static void test_header_that_makes_no_sense(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, 1);
    s->bytes[4] = 99; /* version 99.4 */
    assert_bytes_refused(s->bytes, s->len, SW_UNREADABLE, 4, "its header cannot be used");
    free(s);
    s = saved_new();
    saved_section(s);
    memset(s->bytes + 8, 'x', 4); /* the byte order */
    struct sw_status status = open_with(saved_write(s), NULL);
    assert_int_equal(status.code, SW_UNREADABLE);
    saved_remove(s);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "No.     Time           Source                Destination           Protocol\r\n",
        "12:00:00.000000 IP 192.0.2.1.49152 > 198.51.100.25.25: Flags [S]\n",
        "hello",
        "Gr\303\274\303\237e aus dem Postausgang",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_bytes_refused(texts[i], strlen(texts[i]), SW_UNREADABLE, 0,
                             "is text, not a capture");
    /* what tcpdump -w - > FILE comes to in PowerShell */
    static const char redirected[] = "\xff\xfe\xd4\0\x1c\x25\x93\x25\xed\0\x02\0\0\0";
    assert_bytes_refused(redirected, sizeof(redirected), SW_UNREADABLE, 0, "PowerShell");
    struct saved *s = saved_new();
    saved_bytes(s, "x", 1);
    for (int i = 0; i < 300; i++)
        saved_bytes(s, "\303\274", 2);
    /* The look ends inside a character. */
    assert_bytes_refused(s->bytes, s->len, SW_UNREADABLE, 0, "is text, not a capture");
    free(s);
}

static void test_wrong_magic(void **state)
{
    (void)state;
    assert_bytes_refused("\177ELF\2\1\1\0\0\0\0\0", 12, SW_UNREADABLE, 0,
                         "begins (byte 0) with 7f454c46");
    assert_bytes_refused("\xa1\xb2\xc3\xd5 and a lot more than a header", 30, SW_UNREADABLE, 0,
                         "neither pcap nor pcapng");
}

struct container {
    const char *bytes;
    size_t len;
    const char *word;
};

static void test_containers_are_named(void **state)
{
    (void)state;
    static const struct container containers[] = {
        {"\xfd\x37\x7a\x58\x5a\x00\x00", 7, "(xz)"},
        {"BZh91AY&SY", 10, "bzip2"},
        {"LZIP\x01", 5, "lzip"},
        {"\x1f\x9d\x90", 3, "uncompress"},
        {"PK\x03\x04\x14", 5, "(zip)"},
        {"7z\xbc\xaf\x27\x1c\x00", 7, "7-zip"},
        {"snoop\0\0\0\0\0\0\2\0\0\0\4", 16, "is a snoop file; convert it first (editcap"},
        {"GMBU\1\2", 6, "Network Monitor 2"},
        {"RTSS\1\1", 6, "Network Monitor 1"},
        {"XCP\0"
         "001.000",
         11, "NetXRay"},
        {"TRSNIFF data    \x1a", 17, "Sniffer"},
        {"iptrace 2.0", 11, "iptrace"},
    };
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
        assert_bytes_refused(containers[i].bytes, containers[i].len, SW_UNSUPPORTED, 0,
                             containers[i].word);
    struct saved *s = saved_new();
    saved_bytes(s, "mail.pcap", 9);
    s->len = 257;
    saved_bytes(s, "ustar", 6);
    s->len = 512;
    assert_bytes_refused(s->bytes, s->len, SW_UNSUPPORTED, 0, "tar archive");
    free(s);
}

static void test_event_trace_by_its_name(void **state)
{
    (void)state;
    char path[] = "/tmp/smtpwhy-test-XXXXXX.ETL";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\0\0\1\0\310\1\0\0", 8), 8);
    (void)close(fd);
    assert_refused(path, SW_UNSUPPORTED, 0, "pktmon etl2pcap");
    (void)unlink(path);
}

static void test_link_type_that_nobody_decodes(void **state)
{
    (void)state;
    static const struct {
        uint32_t number;
        const char *word;
    } types[] = {
        {195, "IEEE802_15_4 (195)"},
        {220, "USB_LINUX_MMAPPED (220)"},
        {60000, "unknown (60000)"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct saved *s = saved_new();
        saved_pcap(s, (uint32_t)MICRO, 65535, types[i].number);
        saved_record(s, 1, 0, 60, 60, 'a');
        assert_refused(saved_write(s), SW_UNSUPPORTED, 0, types[i].word);
        assert_refused(s->path, SW_UNSUPPORTED, 0, "record on");
        saved_remove(s);
    }
}

static void test_filter_that_does_not_compile(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, 1);
    struct sw_status status = open_with(saved_write(s), "tcp port mail or so");
    assert_int_equal(status.code, SW_USAGE);
    assert_says(&status, "filter 'tcp port mail or so': ");
    assert_says(&status, "; it is written as for tcpdump (tcp port 25 and host 192.0.2.7), not as "
                         "a display filter of Wireshark");
    assert_int_equal(open_with(s->path, "tcp port 25").code, SW_OK);
    saved_remove(s);
}

/* A message has a limited length; a long path must not push the reason out of it. */
static void test_long_path(void **state)
{
    (void)state;
    char path[1200] = "/tmp/";
    for (size_t i = 5; i < sizeof(path) - 12; i++)
        path[i] = i % 100 == 99 ? '/' : 'd';
    memcpy(path + sizeof(path) - 12, "/mails.pcap", 12);
    struct sw_status status = open_with(path, NULL);
    assert_int_equal(status.code, SW_UNREADABLE);
    assert_says(&status, "/mails.pcap: No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_no_permission),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_read_that_fails),
        cmocka_unit_test(test_cut_header),
        cmocka_unit_test(test_header_that_makes_no_sense),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_wrong_magic),
        cmocka_unit_test(test_containers_are_named),
        cmocka_unit_test(test_event_trace_by_its_name),
        cmocka_unit_test(test_link_type_that_nobody_decodes),
        cmocka_unit_test(test_filter_that_does_not_compile),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
