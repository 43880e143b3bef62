#include "report/json_memo.h"

#include <stdlib.h>

void sw_json_keep_bytes(struct sw_span bytes, struct sw_span *kept)
{
    free((void *)(uintptr_t)kept->ptr);
    uint8_t *copy = malloc(bytes.len);
    if (copy)
        memcpy(copy, bytes.ptr, bytes.len);
    *kept = sw_span_make(copy, copy ? bytes.len : 0);
}

void sw_json_keep(const struct sw_json *json, const struct sw_json_passage *passage,
                  const uint8_t *at, struct sw_span *kept)
{
    const struct sw_writer *out = json->out;
    bool whole = out->error == 0 && out->bytes == passage->bytes && out->used == passage->used;
    if (whole && at > passage->from)
        sw_json_keep_bytes(sw_span_make(passage->from, (size_t)(at - passage->from)), kept);
}

static void release_all(struct sw_span *kept, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)kept[i].ptr);
}

void sw_json_memo_release(struct sw_json_memo *memo)
{
    release_all(memo->rulings, SW_CAUSE_COUNT);
    release_all(memo->advice, SW_CAUSE_COUNT);
    release_all(memo->client_codes, SW_CAUSE_COUNT);
    release_all(memo->findings, SW_FINDING_COUNT);
    release_all(&memo->capture, 1);
    release_all(&memo->capture_file, 1);
}
