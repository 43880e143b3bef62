/*
 * engine_settings.c - what a run gives its engine before the first frame.
 */
#include "pipeline/engine_state.h"

void sw_engine_no_names(struct sw_engine *engine)
{
    sw_analyzer_no_names(engine->analyzer);
}

void sw_engine_hosts(struct sw_engine *engine, const struct sw_hosts *hosts)
{
    engine->hosts = hosts;
}

void sw_engine_files(struct sw_engine *engine, const char *const *files, unsigned count)
{
    engine->files = files;
    engine->file_count = count;
}
