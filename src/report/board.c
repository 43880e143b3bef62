#include "report/board.h"

#include "report/json_writer.h"
#include "report/ladder.h"
#include "report/view.h"

#include <stdlib.h>

enum { TEXT_WIDTH = 78 };

const double sw_board_delay_limits[SW_BOARD_DELAYS - 1] = {0.005, 0.025, 0.1, 0.5, 1,
                                                           5,     10,    30,  60};

bool sw_board_init(struct sw_board *board, const struct sw_report_style *style, bool with_text,
                   uint64_t most_bytes)
{
    memset(board, 0, sizeof(*board));
    board->style = *style;
    board->style.verbose = true;
    board->style.flow = false;
    board->style.quiet = board->style.color = false;
    board->style.width = TEXT_WIDTH;
    board->style.files = 1;
    board->flow_style = board->style;
    board->flow_style.verbose = false;
    board->flow_style.flow = true;
    board->with_text = with_text;
    board->most_bytes = most_bytes ? most_bytes : SW_BOARD_BYTES;
    board->first = board->next = 1;
    board->rows = calloc(SW_BOARD_ROWS, sizeof(*board->rows));
    sw_writer_open_memory(&board->record_out);
    sw_writer_open_memory(&board->flow_out);
    sw_writer_open_memory(&board->told_out);
    sw_writer_open_memory(&board->scratch);
    return board->rows &&
           sw_part_open(&board->record_part, sw_report_format_find("json"), &board->style,
                        &board->record_out, "", 0) &&
           sw_part_open(&board->flow_part, sw_report_format_find("text"), &board->flow_style,
                        &board->flow_out, "", 0) &&
           sw_part_open(&board->told_part, sw_report_format_find("text"), &board->style,
                        &board->told_out, "", 0);
}

static void drop_oldest(struct sw_board *board)
{
    struct sw_board_row *row = &board->rows[board->first++ % SW_BOARD_ROWS];
    board->bytes -= row->bytes;
    free(row->memory);
    *row = (struct sw_board_row){0};
}

/* --- what is counted --- */

static struct sw_board_host *host_of(struct sw_board_host *hosts, const char *ip)
{
    struct sw_board_host *least = &hosts[0];
    for (int i = 0; i < SW_BOARD_HOSTS; i++) {
        if (hosts[i].sessions > 0 && strcmp(hosts[i].ip, ip) == 0)
            return &hosts[i];
        if (hosts[i].sessions < least->sessions)
            least = &hosts[i];
    }
    *least = (struct sw_board_host){.sessions = 0}; /* the least of them is forgotten */
    memcpy(least->ip, ip, sizeof(least->ip));
    return least;
}

static void count_host(struct sw_board_host *hosts, const struct sw_veil *veil,
                       const uint8_t address[16], int version, bool stuck)
{
    char ip[SW_ADDRESS_TEXT_BYTES] = "";
    sw_veil_address(veil, address, version, ip);
    struct sw_board_host *host = host_of(hosts, ip);
    host->sessions++;
    host->stuck += stuck;
}

static void count_delay(struct sw_board_counts *c, enum sw_board_stage stage, int64_t delay_ns)
{
    if (delay_ns == SW_TIME_NONE || delay_ns < 0)
        return;
    double seconds = (double)delay_ns / 1e9;
    unsigned class = 0;
    while (class < SW_BOARD_DELAYS - 1 && seconds > sw_board_delay_limits[class])
        class ++;
    c->delays[stage][class]++;
    c->delay_count[stage]++;
    c->delay_sum_s[stage] += seconds;
}

static void count_reply(struct sw_board_counts *c, const struct sw_session *session,
                        const struct sw_step *reply)
{
    enum sw_board_stage stage = sw_board_stage_of(reply->phase);
    unsigned digit = reply->code / 100;
    if (digit < 6)
        c->replies[digit][stage]++;
    if (reply->enhanced.klass >= 2 && reply->enhanced.klass < 6 &&
        reply->enhanced.subject < SW_BOARD_SUBJECTS)
        c->enhanced[reply->enhanced.klass][reply->enhanced.subject]++;
    count_delay(c, stage, sw_view_delay(session, reply));
}

static void count(struct sw_board *board, const struct sw_session *session,
                  const struct sw_verdict *verdict)
{
    struct sw_board_counts *c = &board->counts;
    const struct sw_flow_facts *f = session->facts;
    const struct sw_veil *veil = &board->record_part.veil;
    bool stuck = verdict->outcome == SW_OUTCOME_STUCK || verdict->outcome == SW_OUTCOME_PARTIAL;
    c->sessions++;
    c->by_outcome[verdict->outcome]++;
    c->by_cause[verdict->cause][verdict->stage]++;
    c->security[verdict->security]++;
    const char *reason;
    c->tls_results[sw_tls_result_of(session, verdict, &reason)]++;
    c->acked_unseen_bytes += f->half[SW_CLIENT].gap_bytes + f->half[SW_SERVER].gap_bytes;
    count_delay(c, SW_BOARD_TCP, session->lookup ? SW_TIME_NONE : sw_view_handshake_rtt(f));
    const struct sw_step *step;
    SW_EACH(step, session->steps) {
        if (step->from == SW_SERVER)
            count_reply(c, session, step);
    }
    int64_t minute = session->final.time_ns / (60 * SW_NS_PER_S);
    struct sw_board_minute *m = &board->minutes[(uint64_t)minute % SW_BOARD_MINUTES];
    if (m->minute != minute)
        *m = (struct sw_board_minute){.minute = minute};
    m->by_outcome[verdict->outcome]++;
    count_host(board->clients, veil, f->tuple.src, f->tuple.ip_version, stuck);
    if (sw_view_has_server(session))
        count_host(board->servers, veil, f->tuple.dst, f->tuple.ip_version, stuck);
}

/* --- rows --- */

static void put_rung(struct sw_json *json, const struct sw_rung *rung)
{
    sw_json_object(json, NULL);
    sw_json_text(json, "kind", sw_rung_kind_name(rung->kind));
    sw_json_text(json, "mood", sw_rung_mood_name(rung->mood));
    sw_json_text(json, "from", sw_origin_name(rung->from));
    sw_json_frame(json, "frame", rung->first.frame);
    sw_json_seconds(json, "t_s", rung->t_ns);
    sw_json_seconds(json, "lasted_s", rung->lasted_ns);
    sw_json_number(json, "evidence", rung->evidence);
    sw_json_bool(json, "lost", rung->lost);
    sw_json_bool(json, "encrypted", rung->encrypted);
    sw_json_wire(json, "text", rung->text);
    if (rung->evidence)
        sw_json_wire(json, "proves", rung->proves);
    sw_json_end_object(json);
}

static void put_ladder(struct sw_board *board, const struct sw_session *session,
                       const struct sw_verdict *verdict)
{
    struct sw_ladder ladder;
    struct sw_json json;
    sw_writer_clear(&board->scratch);
    sw_ladder_build(&ladder, session, verdict, &board->record_part.veil);
    sw_json_begin(&json, &board->scratch);
    sw_json_array(&json, NULL);
    for (uint32_t i = 0; i < ladder.count; i++)
        put_rung(&json, &ladder.rungs[i]);
    sw_json_end_array(&json);
    sw_ladder_release(&ladder);
}

/* The texts in one block. */
static void keep_texts(struct sw_board *board, struct sw_board_row *row,
                       const struct sw_session *session)
{
    enum { TEXTS = 5 };
    const struct sw_span texts[TEXTS] = {
        sw_view_file(session->file, &board->record_part.veil), sw_writer_span(&board->record_out),
        sw_writer_span(&board->scratch), sw_writer_span(&board->flow_out),
        sw_writer_span(&board->told_out)};
    struct sw_span *kept[TEXTS] = {&row->file, &row->json, &row->ladder, &row->flow, &row->told};
    size_t size = 0;
    for (int i = 0; i < TEXTS; i++)
        size += texts[i].len;
    uint8_t *memory = malloc(size ? size : 1);
    row->memory = memory;
    row->bytes = memory ? size : 0;
    for (int i = 0; i < TEXTS && memory; i++) {
        if (texts[i].len > 0)
            memcpy(memory, texts[i].ptr, texts[i].len);
        *kept[i] = sw_span_make(memory, texts[i].len);
        memory += texts[i].len;
    }
}

void sw_board_record(struct sw_board *board, const struct sw_record *record)
{
    if (record->kind != SW_RECORD_SESSION ||
        !sw_select_shows(board->style.select, record->session, record->verdict))
        return;
    if (board->next - board->first == SW_BOARD_ROWS)
        drop_oldest(board);
    struct sw_board_row *row = &board->rows[board->next % SW_BOARD_ROWS];
    *row = (struct sw_board_row){.number = board->next++};
    sw_writer_clear(&board->record_out);
    sw_writer_clear(&board->flow_out);
    sw_writer_clear(&board->told_out);
    sw_part_record(&board->record_part, record);
    if (board->with_text) {
        sw_part_record(&board->flow_part, record);
        sw_part_record(&board->told_part, record);
    }
    sw_board_fill(row, record->session, record->verdict, &board->record_part.veil);
    if (board->style.no_names)
        row->name[0] = '\0';
    count(board, record->session, record->verdict);
    put_ladder(board, record->session, record->verdict);
    keep_texts(board, row, record->session);
    board->bytes += row->bytes;
    while (board->bytes > board->most_bytes && board->next - board->first > 1)
        drop_oldest(board);
}

const struct sw_board_row *sw_board_row(const struct sw_board *board, uint64_t number)
{
    bool there = number >= board->first && number < board->next;
    return there ? &board->rows[number % SW_BOARD_ROWS] : NULL;
}

const struct sw_board_row *sw_board_find(const struct sw_board *board, struct sw_span id)
{
    for (uint64_t number = board->next; number > board->first; number--) {
        const struct sw_board_row *row = &board->rows[(number - 1) % SW_BOARD_ROWS];
        if (sw_span_eq(id, sw_span_str(row->id)))
            return row;
    }
    return NULL;
}

/* --- as JSON --- */

void sw_board_row_json(const struct sw_board_row *row, struct sw_writer *out)
{
    static const char *const marks[] = {"not", "ok", "failed", "waiting"};
    struct sw_json json;
    sw_json_begin(&json, out);
    sw_json_object(&json, NULL);
    sw_json_number(&json, "number", row->number);
    sw_json_text(&json, "id", row->id);
    sw_json_time(&json, "start", row->start_ns, 3);
    sw_json_text(&json, "outcome", sw_outcome_name(row->outcome));
    sw_json_text(&json, "cause", sw_cause_name(row->cause));
    sw_json_text(&json, "stage", sw_stage_name(row->stage));
    sw_json_text(&json, "confidence", sw_confidence_name(row->confidence));
    sw_json_text(&json, "client", row->client);
    sw_json_text(&json, "server", row->server);
    sw_json_wire(&json, "name", sw_span_str(row->name));
    sw_json_wire(&json, "summary", sw_span_str(row->summary));
    sw_json_text(&json, "to_act", sw_view_actor_words(row->actor));
    sw_json_wire(&json, "advice", sw_span_str(row->advice));
    sw_json_object(&json, "stages");
    for (int i = 0; i < SW_BOARD_STAGES; i++) {
        sw_json_object(&json, sw_board_stage_name((enum sw_board_stage)i));
        sw_json_text(&json, "mark", marks[row->stages[i].mark]);
        sw_json_seconds(&json, "delay_s", row->stages[i].delay_ns);
        sw_json_end_object(&json);
    }
    sw_json_end_object(&json);
    sw_json_end_object(&json);
}

static void put_outcomes(struct sw_json *json, const uint32_t *counts)
{
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        sw_json_number(json, sw_outcome_name((enum sw_outcome)i), counts[i]);
}

static void put_hosts(struct sw_json *json, const char *key, const struct sw_board_host *hosts)
{
    sw_json_array(json, key);
    for (int i = 0; i < SW_BOARD_HOSTS; i++) {
        if (hosts[i].sessions == 0)
            continue;
        sw_json_object(json, NULL);
        sw_json_text(json, "ip", hosts[i].ip);
        sw_json_number(json, "sessions", hosts[i].sessions);
        sw_json_number(json, "stuck", hosts[i].stuck);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

void sw_board_overview_json(const struct sw_board *board, struct sw_writer *out)
{
    const struct sw_board_counts *c = &board->counts;
    struct sw_json json;
    sw_json_begin(&json, out);
    sw_json_object(&json, NULL);
    sw_json_number(&json, "sessions", c->sessions);
    sw_json_object(&json, "by_outcome");
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        sw_json_number(&json, sw_outcome_name((enum sw_outcome)i), c->by_outcome[i]);
    sw_json_end_object(&json);
    sw_json_object(&json, "by_cause");
    for (int i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        uint64_t n = 0;
        for (int s = 0; s < SW_STAGE_COUNT; s++)
            n += c->by_cause[i][s];
        if (n > 0)
            sw_json_number(&json, sw_cause_name((enum sw_cause)i), n);
    }
    sw_json_end_object(&json);
    sw_json_array(&json, "minutes");
    for (int i = 0; i < SW_BOARD_MINUTES; i++) {
        if (board->minutes[i].minute == 0)
            continue;
        sw_json_object(&json, NULL);
        sw_json_time(&json, "time", board->minutes[i].minute * 60 * SW_NS_PER_S, 0);
        put_outcomes(&json, board->minutes[i].by_outcome);
        sw_json_end_object(&json);
    }
    sw_json_end_array(&json);
    put_hosts(&json, "clients", board->clients);
    put_hosts(&json, "servers", board->servers);
    sw_json_end_object(&json);
}

void sw_board_release(struct sw_board *board)
{
    while (board->rows && board->first < board->next)
        drop_oldest(board);
    free(board->rows);
    board->rows = NULL;
    if (board->record_part.format)
        sw_part_close(&board->record_part);
    if (board->flow_part.format)
        sw_part_close(&board->flow_part);
    if (board->told_part.format)
        sw_part_close(&board->told_part);
    sw_writer_release(&board->record_out);
    sw_writer_release(&board->flow_out);
    sw_writer_release(&board->told_out);
    sw_writer_release(&board->scratch);
}
