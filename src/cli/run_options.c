#include "cli/run_options.h"

static bool shows_letterheads(const struct sw_settings *settings)
{
    for (unsigned i = 0; i < settings->output_count; i++) {
        const struct sw_report_format *format = settings->outputs[i].format;
        if (format && format->letterheads)
            return true;
    }
    return false;
}

struct sw_run_options sw_run_options_of(const struct sw_settings *settings)
{
    return (struct sw_run_options){
        .filter = settings->filter,
        .ports = settings->ports,
        .stop_after_frames = settings->stop_after_frames,
        .limits = settings->limits,
        .ca_file = settings->ca_file,
        .ca_path = settings->ca_path,
        .keylog = settings->keylog,
        .rsa_key = settings->rsa_key,
        .no_names = settings->no_names,
        .letterheads = shows_letterheads(settings),
        .server_name = settings->server_name,
    };
}
