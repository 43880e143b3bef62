/*
 * The writer: nothing lost or written twice, and the first failure is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_file_gets_every_byte_in_order(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    struct sw_writer writer;
    static uint8_t big[100000];
    assert_non_null(file);
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7);
    sw_writer_open_fd(&writer, fileno(file));
    for (size_t n = 1; n < sizeof(big); n = n * 3 + 1) {
        sw_writer_put(&writer, sw_span_make(big, n));
        sw_writer_char(&writer, '|');
    }
    assert_true(sw_writer_flush(&writer));
    sw_writer_release(&writer);
    rewind(file);
    for (size_t n = 1; n < sizeof(big); n = n * 3 + 1) {
        for (size_t i = 0; i < n; i++)
            assert_int_equal(fgetc(file), big[i]);
        assert_int_equal(fgetc(file), '|');
    }
    assert_int_equal(fgetc(file), EOF);
    (void)fclose(file);
}

static void test_memory_grows(void **state)
{
    (void)state;
    struct sw_writer writer;
    sw_writer_open_memory(&writer);
    for (int i = 0; i < 5000; i++)
        sw_writer_format(&writer, "%d,", i % 10);
    assert_int_equal(sw_writer_span(&writer).len, 10000);
    assert_memory_equal(writer.bytes + 9998, "9,", 2);
    sw_writer_clear(&writer);
    assert_int_equal(sw_writer_span(&writer).len, 0);
    sw_writer_release(&writer);
}

static void test_full_disk_is_kept(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        skip();
    struct sw_writer writer;
    sw_writer_open_fd(&writer, fd);
    sw_writer_text(&writer, "text");
    assert_int_equal(writer.error, 0);
    assert_false(sw_writer_flush(&writer));
    assert_int_equal(writer.error, ENOSPC);
    sw_writer_text(&writer, "more");
    assert_false(sw_writer_flush(&writer));
    sw_writer_release(&writer);
    (void)close(fd);
}

static void test_reader_that_went_away(void **state)
{
    (void)state;
    int ends[2];
    struct sw_writer writer;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    sw_writer_open_fd(&writer, ends[1]);
    sw_writer_text(&writer, "text");
    assert_false(sw_writer_flush(&writer));
    assert_int_equal(writer.error, EPIPE);
    sw_writer_release(&writer);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_gets_every_byte_in_order),
        cmocka_unit_test(test_memory_grows),
        cmocka_unit_test(test_full_disk_is_kept),
        cmocka_unit_test(test_reader_that_went_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
