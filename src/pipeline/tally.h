/*
 * tally.h - the counts of all rooms at the end of a stream: which limits were hit how often, what
 * was skipped. Private to the pipeline room.
 */
#ifndef SW_PIPELINE_TALLY_H
#define SW_PIPELINE_TALLY_H

#include "analyzer/analyzer.h"
#include "analyzer/record.h"
#include "pipeline/book.h"
#include "pipeline/stranger.h"

void sw_tally(struct sw_summary *summary, const struct sw_flow_counters *flows,
              const struct sw_analyzer *analyzer, const struct sw_book *book,
              const struct sw_strangers *strangers);

#endif
