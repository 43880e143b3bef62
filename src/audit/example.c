#include "audit/example.h"

#include "base/frame_ref.h"

enum { FILES_MOST = 70000 };

void sw_example_files_init(struct sw_example_files *files, struct sw_arena *arena)
{
    files->arena = arena;
    sw_table_init(&files->table, arena, sizeof(char *), FILES_MOST);
}

void sw_example_files_release(struct sw_example_files *files)
{
    sw_table_release(&files->table);
}

/* A copy that lives as long as the arena; the same file gives the same pointer. */
static const char *keep_file(struct sw_example_files *files, const char *file)
{
    bool fresh = false;
    if (files->last && strcmp(files->last, file) == 0)
        return files->last;
    const char **kept = sw_table_get(&files->table, sw_span_str(file), &fresh);
    if (kept && fresh)
        *kept = sw_arena_strdup(files->arena, file);
    files->last = kept && *kept ? *kept : "";
    return files->last;
}

bool sw_example_is_earlier(const struct sw_example *example, const struct sw_fact *fact)
{
    if (example->session[0] == '\0')
        return true;
    return fact->start_ns != example->time_ns ? fact->start_ns < example->time_ns
                                              : strcmp(fact->id, example->session) < 0;
}

bool sw_example_offer(struct sw_example_files *files, struct sw_example *example,
                      const struct sw_fact *fact, uint64_t frame)
{
    if (!sw_example_is_earlier(example, fact))
        return false;
    uint64_t shown = frame ? frame : fact->first_frame;
    size_t id = strlen(fact->id) + 1;
    *example = (struct sw_example){.time_ns = fact->start_ns,
                                   .file = keep_file(files, sw_fact_file(fact, shown)),
                                   .frame = sw_frame_number(shown),
                                   .ip_version = fact->ip_version};
    memcpy(example->session, fact->id, id <= sizeof(example->session) ? id : 0);
    memcpy(example->client, fact->client, sizeof(example->client));
    return true;
}

bool sw_example_merge(struct sw_example_files *files, struct sw_example *into,
                      const struct sw_example *from)
{
    if (from->session[0] == '\0')
        return false;
    if (into->session[0] != '\0' &&
        (from->time_ns != into->time_ns ? from->time_ns > into->time_ns
                                        : strcmp(from->session, into->session) >= 0))
        return false;
    *into = *from;
    into->file = keep_file(files, from->file);
    return true;
}

bool sw_name_is_better(struct sw_span kept, int64_t kept_ns, struct sw_span name, int64_t at_ns)
{
    if (name.len == 0 || kept.len == 0 || at_ns != kept_ns)
        return name.len > 0 && (kept.len == 0 || at_ns < kept_ns);
    size_t shared = name.len < kept.len ? name.len : kept.len;
    int order = memcmp(name.ptr, kept.ptr, shared);
    return order < 0 || (order == 0 && name.len < kept.len);
}
