#include "cli/history.h"

#include "cli/complain.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

static bool complain(struct sw_keeper *keeper)
{
    if (!keeper->failed)
        sw_complain("%s", sw_history_error(keeper->history));
    keeper->failed = true;
    return false;
}

bool sw_keeper_open(struct sw_keeper *keeper, const struct sw_settings *settings)
{
    struct sw_status status = sw_status_ok();
    *keeper = (struct sw_keeper){.settings = settings};
    if (settings->store) {
        if (!sw_fleet_choose(&keeper->choice, settings))
            return false;
        keeper->fleet = sw_fleet_open(&keeper->choice.options, &status);
        if (!keeper->fleet)
            sw_complain("%s", status.message);
        if (!keeper->fleet)
            return false;
    }
    if (!settings->db)
        return true;
    keeper->history = sw_history_open(settings->db, true, &status);
    if (!keeper->history)
        sw_complain("%s", status.message);
    return keeper->history != NULL;
}

static void complain_of_fleet(struct sw_keeper *keeper)
{
    if (!keeper->fleet_failed && sw_fleet_message(keeper->fleet)[0])
        sw_complain("%s", sw_fleet_message(keeper->fleet));
    keeper->fleet_failed = true;
}

/* A run begins with its first session: one that brings none leaves nothing behind. */
static bool begin(struct sw_keeper *keeper)
{
    char what[40];
    struct timespec now = {0};
    unsigned n = keeper->settings->word_count;
    if (keeper->began)
        return true;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(what, sizeof(what), n > 0 ? "%u capture%s" : "live", n, n == 1 ? "" : "s");
    keeper->began = sw_history_begin_run(keeper->history, what,
                                         (int64_t)now.tv_sec * SW_NS_PER_S + now.tv_nsec);
    return keeper->began;
}

void sw_keeper_fact(struct sw_keeper *keeper, const struct sw_fact *fact)
{
    if (keeper->fleet && !keeper->fleet_failed && !sw_fleet_add(keeper->fleet, fact))
        complain_of_fleet(keeper);
    if (!keeper->history || keeper->failed)
        return;
    if (!begin(keeper) || !sw_history_add(keeper->history, fact))
        (void)complain(keeper);
}

void sw_keeper_record(struct sw_keeper *keeper, const struct sw_record *record)
{
    struct sw_fact fact;
    if ((!keeper->history && !keeper->fleet) || record->kind != SW_RECORD_SESSION ||
        !sw_select_shows(&keeper->settings->select, record->session, record->verdict))
        return;
    sw_fact_of(&fact, record->session, record->verdict);
    sw_keeper_fact(keeper, &fact);
}

/* So many days before the newest session: the clock is packet time. */
static void forget(struct sw_keeper *keeper)
{
    uint64_t forgotten = 0;
    if (!sw_history_commit(keeper->history)) {
        (void)complain(keeper);
        return;
    }
    int64_t newest = sw_history_newest(keeper->history);
    if (newest == SW_TIME_NONE)
        return;
    int64_t before = sw_time_between((int64_t)keeper->settings->retain_days * NS_PER_DAY, newest);
    if (!sw_history_forget(keeper->history, before, &forgotten))
        (void)complain(keeper);
}

static bool close_fleet(struct sw_keeper *keeper)
{
    if (!keeper->fleet)
        return true;
    enum sw_fleet_end end = sw_fleet_finish(keeper->fleet);
    if (end != SW_FLEET_SENT)
        complain_of_fleet(keeper);
    keeper->waits = end == SW_FLEET_WAITS;
    sw_fleet_close(keeper->fleet);
    keeper->fleet = NULL;
    return end != SW_FLEET_FAILED;
}

static bool close_history(struct sw_keeper *keeper)
{
    if (!keeper->history)
        return true;
    if (keeper->settings->retain_days > 0 && !keeper->failed)
        forget(keeper);
    if (!sw_history_commit(keeper->history))
        (void)complain(keeper);
    bool good = sw_history_close(keeper->history) && !keeper->failed;
    keeper->history = NULL;
    return good;
}

bool sw_keeper_close(struct sw_keeper *keeper)
{
    bool good = close_history(keeper);
    return close_fleet(keeper) && good;
}

bool sw_keeper_take_db(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->db = value;
    return true;
}

bool sw_keeper_take_retain(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t days = 0;
    if (!sw_span_u64(sw_span_str(value), &days) || days < 1 || days > 36500) {
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES,
                       "takes a number of days from 1 to 36500, not '%.60s'", value);
        return false;
    }
    settings->retain_days = (unsigned)days;
    return true;
}

bool sw_keeper_take_diff(struct sw_settings *settings, const char *value, char *message)
{
    settings->diff = value;
    if (strcmp(value, "last") == 0 || sw_time_parse(value, &settings->diff_ns) == 0)
        return true;
    (void)snprintf(message, SW_CLI_MESSAGE_BYTES,
                   "takes 'last' (the last run) or a time (2024-05-01), not '%.60s'", value);
    return false;
}
