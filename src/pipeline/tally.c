#include "pipeline/tally.h"

void sw_tally(struct sw_summary *summary, const struct sw_flow_counters *c,
              const struct sw_analyzer *analyzer, const struct sw_book *book,
              const struct sw_strangers *strangers)
{
    const struct {
        enum sw_limit limit;
        uint64_t hits;
    } all[] = {
        {SW_LIMIT_STRANGERS, strangers->refused},
        {SW_LIMIT_LOOKUPS, sw_book_dropped(book)},
        {SW_LIMIT_STORIES, sw_analyzer_shed(analyzer, SW_LIMIT_STORIES)},
        {SW_LIMIT_STORY_BYTES, sw_analyzer_shed(analyzer, SW_LIMIT_STORY_BYTES)},
        {SW_LIMIT_MEMORY, c->shed_memory},
        {SW_LIMIT_CONNECTIONS, c->shed_flows},
        {SW_LIMIT_HALF_OPEN, c->shed_half_open},
        {SW_LIMIT_HELD_BYTES, c->held_limit},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        sw_summary_count(summary->limits, sw_limit_row(all[i].limit)->name, all[i].hits);
    sw_summary_count(summary->skipped, "connections-shed",
                     c->shed_flows + c->shed_half_open + c->shed_memory);
    sw_summary_count(summary->skipped, "duplicate-packets", c->duplicates);
    sw_summary_count(summary->skipped, "bad-checksum", c->bad_checksum);
}
