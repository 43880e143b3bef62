#include "cli/review.h"

#include "cli/complain.h"
#include "store/history.h"

#include <pthread.h>
#include <string.h>

enum {
    PARTS = 2,
    WORTH_SPLITTING = 64, /* sessions: a thread costs as much as some dozens of them */
};

/* What one thread reads. */
struct part {
    const struct sw_settings *settings;
    struct sw_history *history;
    struct sw_history_range range;
    struct sw_audit *audit;
    struct sw_diff *diff;
    int64_t last_run; /* --diff last */
    bool matched, good;
};

static bool complain(const char *what)
{
    sw_complain("%s", what);
    return false;
}

bool sw_review_matches(const struct sw_settings *settings, const struct sw_fact *fact)
{
    return sw_select_fails_fact(&settings->select, fact) ||
           sw_select_fails_stuck(&settings->select, fact->outcome);
}

static void on_kept(void *ctx, const struct sw_fact *fact, int64_t run)
{
    struct part *part = ctx;
    bool after = part->last_run ? run >= part->last_run : fact->start_ns >= part->settings->diff_ns;
    if (!sw_select_shows_fact(&part->settings->select, fact))
        return;
    if (part->audit) {
        sw_audit_add(part->audit, fact);
        part->matched = part->matched || sw_review_matches(part->settings, fact);
    }
    if (part->diff)
        sw_diff_add(part->diff, fact, after);
}

static void *read_part(void *ctx)
{
    struct part *part = ctx;
    part->good = sw_history_each(part->history, &part->range, on_kept, part);
    return NULL;
}

/* The second half goes to a thread and to results of its own; false when that cannot be. */
static bool split(struct part *first, struct part *second, const struct sw_review *review)
{
    struct sw_status status;
    int64_t middle = sw_history_middle(first->history, WORTH_SPLITTING);
    if (middle == 0)
        return false;
    *second = *first;
    second->history = sw_history_open(review->settings->db, false, &status);
    if (!second->history)
        return false;
    second->audit = review->audit ? sw_audit_new(sw_audit_policy(review->audit), 0) : NULL;
    second->diff = review->diff ? sw_diff_new() : NULL;
    first->range.below = middle;
    second->range.from = middle;
    if ((!review->audit || second->audit) && (!review->diff || second->diff) &&
        sw_history_read_alike(first->history, second->history))
        return true;
    first->range.below = 0;
    return false;
}

static void release(struct part *part)
{
    (void)sw_history_close(part->history);
    sw_audit_free(part->audit);
    sw_diff_free(part->diff);
}

/* Puts the second half to the first. */
static bool join(struct sw_review *review, const struct part *second)
{
    review->matched = review->matched || second->matched;
    if (!second->good)
        return complain(sw_history_error(second->history));
    if (review->audit)
        sw_audit_merge(review->audit, second->audit);
    return !review->diff || sw_diff_merge(review->diff, second->diff) || complain("out of memory");
}

static bool read_all(struct sw_review *review, struct part *first)
{
    struct part second = {.history = NULL};
    pthread_t thread;
    bool two = split(first, &second, review);
    bool started = two && pthread_create(&thread, NULL, read_part, &second) == 0;
    (void)read_part(first);
    if (started)
        (void)pthread_join(thread, NULL);
    else if (two)
        (void)read_part(&second);
    review->matched = first->matched;
    bool good = first->good || complain(sw_history_error(first->history));
    if (good && two)
        good = join(review, &second);
    release(&second);
    return good;
}

bool sw_review_history(struct sw_review *review)
{
    struct sw_status status = sw_status_ok();
    const struct sw_settings *settings = review->settings;
    const struct sw_select *select = &settings->select;
    struct part part = {.settings = settings,
                        .audit = review->audit,
                        .diff = review->diff,
                        .range = {.has_since = select->has_since,
                                  .since_ns = select->since_ns,
                                  .has_until = select->has_until,
                                  .until_ns = select->until_ns}};
    part.history = sw_history_open(settings->db, false, &status);
    if (!part.history)
        return complain(status.message);
    if (settings->diff && strcmp(settings->diff, "last") == 0)
        part.last_run = sw_history_last_run(part.history);
    bool good = read_all(review, &part);
    (void)sw_history_close(part.history);
    return good;
}
