#include "pipeline/early.h"

#include "base/account.h"
#include "base/wipe.h"

#include <stdlib.h>

static size_t size_of(const struct sw_early_record *record)
{
    return sizeof(*record) + (size_t)record->end.number;
}

void sw_early_begin(struct sw_early *early, size_t *account)
{
    sw_early_clear(early, account);
    early->fate = SW_EARLY_WAITING;
}

void sw_early_leave_out(struct sw_early *early, struct sw_at at, uint64_t bytes)
{
    if (early->left_out_bytes == 0)
        early->left_out_at = at;
    early->left_out_bytes += bytes;
}

void sw_early_keep(struct sw_early *early, const struct tls_event *end, struct sw_span body,
                   size_t *account)
{
    early->records++;
    bool fits = early->left_out_bytes == 0 && early->kept < SW_EARLY_RECORDS &&
                body.len <= SW_EARLY_BYTES - early->bytes;
    struct sw_early_record *record = fits ? malloc(sizeof(*record) + body.len) : NULL;
    if (!record) {
        early->over_cap = early->over_cap || early->left_out_bytes == 0;
        sw_early_leave_out(early, end->begin, body.len);
        return;
    }
    *record = (struct sw_early_record){.end = *end};
    record->end.number = body.len;
    memcpy(record->body, body.ptr, body.len);
    sw_account_take(account, size_of(record));
    early->bytes += body.len;
    early->kept++;
    if (!early->first)
        early->tail = &early->first;
    *early->tail = record;
    early->tail = &record->next;
}

struct sw_early_record *sw_early_next(struct sw_early *early)
{
    struct sw_early_record *record = early->first;
    if (record)
        early->first = record->next;
    return record;
}

void sw_early_free(struct sw_early_record *record, size_t *account)
{
    if (!record)
        return;
    sw_account_give(account, size_of(record));
    sw_wipe_free(record, size_of(record));
}

void sw_early_clear(struct sw_early *early, size_t *account)
{
    while (early->first)
        sw_early_free(sw_early_next(early), account);
    *early = (struct sw_early){.fate = SW_EARLY_NONE};
}
