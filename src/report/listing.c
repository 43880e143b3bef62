/*
 * listing.c - the lists of all causes and all findings (declared in explain.h).
 */
#include "report/explain.h"

#include "analyzer/advice.h"
#include "analyzer/cause.h"
#include "analyzer/finding.h"
#include "report/json_writer.h"
#include "report/page.h"

enum { ID_COLUMNS = 30, FINDING_COLUMNS = 36, SEVERITY_COLUMNS = 10, ARENA_BYTES = 16 * 1024 };

static void list_cause(const struct sw_cause_info *info, const char *summary,
                       const struct sw_explain_style *style, struct sw_writer *out)
{
    if (style->json) {
        struct sw_json json;
        sw_json_begin(&json, out);
        sw_json_object(&json, NULL);
        sw_json_text(&json, "type", "cause");
        sw_json_text(&json, "id", info->id);
        sw_json_number(&json, "tier", (uint64_t)info->tier);
        sw_json_text(&json, "parent",
                     info->parent == SW_CAUSE_NONE ? NULL : sw_cause_name(info->parent));
        sw_json_text(&json, "family", sw_family_name(info->family));
        sw_json_text(&json, "actor", sw_actor_name(info->actor));
        sw_json_text(&json, "permanence", sw_permanence_name(info->permanence));
        sw_json_text(&json, "summary", summary);
        sw_json_end_object(&json);
        sw_json_end_line(&json);
        return;
    }
    struct sw_page page;
    sw_page_open(&page, out, style->width, style->color);
    sw_page_paragraph(&page, 0, info->id, ID_COLUMNS, SW_TONE_PLAIN, sw_span_str(summary));
    sw_page_release(&page);
}

void sw_explain_list_causes(const struct sw_explain_style *style, struct sw_writer *out)
{
    for (int i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        struct sw_arena arena;
        sw_arena_init(&arena, ARENA_BYTES, NULL);
        /* A summary is a template; without values its names become nouns ("the server"). */
        const char *summary =
            sw_template_fill(sw_cause_wording((enum sw_cause)i)->summary, NULL, &arena);
        list_cause(sw_cause_info((enum sw_cause)i), summary ? summary : "", style, out);
        sw_arena_release(&arena);
    }
}

static void list_finding(enum sw_finding_id id, const struct sw_explain_style *style,
                         struct sw_writer *out)
{
    const struct sw_finding_info *info = sw_finding_info(id);
    const struct sw_finding_wording *wording = sw_finding_wording(id);
    const char *severity = sw_severity_name(info->severity);
    if (style->json) {
        struct sw_json json;
        sw_json_begin(&json, out);
        sw_json_object(&json, NULL);
        sw_json_text(&json, "type", "finding");
        sw_json_text(&json, "id", info->id);
        sw_json_text(&json, "severity", severity);
        sw_json_text(&json, "summary", wording->summary);
        sw_json_end_object(&json);
        sw_json_end_line(&json);
        return;
    }
    struct sw_page page;
    sw_page_open(&page, out, style->width, style->color);
    size_t id_len = strlen(info->id);
    sw_page_text(&page, SW_TONE_DIM, info->id);
    sw_writer_repeat(out, ' ', id_len < FINDING_COLUMNS ? FINDING_COLUMNS - id_len : 1);
    sw_page_text(&page, SW_TONE_PLAIN, severity);
    sw_writer_repeat(out, ' ', SEVERITY_COLUMNS - strlen(severity));
    sw_page_wrap(&page, FINDING_COLUMNS + SEVERITY_COLUMNS, SW_TONE_PLAIN,
                 sw_span_str(wording->summary));
    sw_page_release(&page);
}

void sw_explain_list_findings(const struct sw_explain_style *style, struct sw_writer *out)
{
    for (int i = 0; i < SW_FINDING_COUNT; i++)
        list_finding((enum sw_finding_id)i, style, out);
}
