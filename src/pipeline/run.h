/*
 * run.h - what a run is made of; private to the pipeline room. Files are run.c's, live traffic is
 * watch.c's.
 */
#ifndef SW_PIPELINE_RUN_H
#define SW_PIPELINE_RUN_H

#include "pipeline/engine.h"
#include "pipeline/hosts.h"
#include "pipeline/limits.h"
#include "pipeline/tls.h"

struct sw_watch;

struct sw_run {
    struct sw_run_options options;
    struct sw_mail_ports ports;
    struct sw_engine_limits limits;
    const struct sw_reply_kb *kb; /* own_kb, or that of a sibling */
    struct sw_reply_kb own_kb;
    struct sw_anchors *own_anchors; /* or NULL: those of a sibling */
    struct sw_tls_setting tls;
    struct sw_hosts hosts; /* of the captures that are being read */
    size_t account;        /* memory that grows with the traffic, of all stages */
    struct sw_summary summary;
    uint64_t frames; /* towards stop_after_frames */
    bool incomplete;
    struct sw_watch *watch; /* live traffic, or NULL */
    unsigned notes; /* what was wrong with the files of this call; the first is the message */
    char message[480];
};

/* The means of this run's engines. */
struct sw_engine_means sw_run_means(struct sw_run *run);

void sw_watch_release(struct sw_watch *watch);

#endif
