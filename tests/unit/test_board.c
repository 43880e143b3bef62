/* The newest sessions in bounded memory, and what is counted over all of them. */
#include "report/board.h"
#include "report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct sw_report_style style = {.version = "1"};

static struct sw_board *board_of(uint64_t most_bytes)
{
    struct sw_board *board = malloc(sizeof(*board));
    assert_non_null(board);
    assert_true(sw_board_init(board, &style, false, most_bytes));
    return board;
}

static void free_board(struct sw_board *board)
{
    sw_board_release(board);
    free(board);
}

static void add(struct sw_board *board, const struct fixture *f)
{
    const struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f->session, .verdict = &f->verdict};
    sw_board_record(board, &record);
}

static void test_a_row(void **state)
{
    (void)state;
    static struct fixture f;
    struct sw_board *board = board_of(0);
    fixture_init(&f);
    add(board, &f);
    const struct sw_board_row *row = sw_board_row(board, 1);
    assert_non_null(row);
    assert_null(sw_board_row(board, 0));
    assert_null(sw_board_row(board, 2));
    assert_ptr_equal(sw_board_find(board, SW_SPAN_LIT("0123456789abcdef")), row);
    assert_null(sw_board_find(board, SW_SPAN_LIT("0123456789abcdee")));
    assert_string_equal(row->client, "192.0.2.10:40000");
    assert_string_equal(row->server, "198.51.100.25:25");
    assert_int_equal(row->stages[SW_BOARD_TCP].mark, SW_BOARD_FAILED);
    assert_int_equal(row->stages[SW_BOARD_GREETING].mark, SW_BOARD_NOT);
    assert_true(sw_span_starts(row->json, SW_SPAN_LIT("{\"type\":\"session\"")));
    assert_int_equal(board->counts.by_outcome[SW_OUTCOME_STUCK], 1);
    assert_int_equal(board->counts.by_cause[SW_CAUSE_TCP_SYN_TIMEOUT][SW_STAGE_CONNECT], 1);
    free_board(board);
}

/* There is room for a sentence; what is longer says that it was cut. */
static void test_the_first_advice(void **state)
{
    (void)state;
    static struct fixture f;
    static const char sentence[] = "Ask the owner of mx.example.org.";
    static const char menus[] = "Ask the owner of mx.example.org. Outlook: File > Change.";
    char longer[2 * SW_BOARD_ADVICE_BYTES];
    struct sw_board *board = board_of(0);
    fixture_init(&f);
    f.advice[0] = menus;
    add(board, &f);
    assert_string_equal(sw_board_row(board, 1)->advice, sentence);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    f.advice[0] = longer;
    add(board, &f);
    const char *cut = sw_board_row(board, 2)->advice;
    assert_int_equal(strlen(cut), SW_BOARD_ADVICE_BYTES - 1);
    assert_string_equal(cut + strlen(cut) - 3, "...");
    free_board(board);
}

/* The oldest give way; what is counted stays. */
static void test_bounds(void **state)
{
    (void)state;
    static struct fixture f;
    struct sw_board *board = board_of(64 * 1024);
    fixture_init(&f);
    for (int i = 0; i < SW_BOARD_ROWS + 100; i++)
        add(board, &f);
    assert_true(board->bytes <= 64 * 1024);
    assert_null(sw_board_row(board, 1));
    assert_non_null(sw_board_row(board, SW_BOARD_ROWS + 100));
    assert_int_equal(board->counts.sessions, SW_BOARD_ROWS + 100);
    free_board(board);
    board = board_of(UINT64_C(1) << 40);
    for (int i = 0; i < SW_BOARD_ROWS + 1; i++)
        add(board, &f);
    assert_null(sw_board_row(board, 1));
    assert_non_null(sw_board_row(board, 2));
    free_board(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row),
        cmocka_unit_test(test_the_first_advice),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
