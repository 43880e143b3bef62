#include "report/html_plain.h"

#include "base/time.h"
#include "report/markup.h"
#include "report/view.h"

enum { TOLD = 20 }; /* sessions in one page, shared by the captures */

/* Parts are written side by side and do not know of each other. */
static unsigned most_in(const struct sw_part *part)
{
    unsigned files = part->style->files > 0 ? part->style->files : 1;
    if (part->index >= TOLD)
        return 0;
    return files < TOLD ? TOLD / files : 1;
}

static void put_veiled(struct sw_part *part, struct sw_span text)
{
    sw_markup_put(part->out, sw_veil_text(&part->veil, text));
}

static void put_place(struct sw_part *part, const struct sw_session *session,
                      const struct sw_verdict *verdict)
{
    const struct sw_flow_facts *facts = session->facts;
    char time[SW_TIME_TEXT_BYTES];
    char address[SW_ADDRESS_TEXT_BYTES];
    sw_time_format(facts->first.time_ns, 0, time);
    sw_markup_text(part->out, time);
    sw_veil_address(&part->veil, facts->tuple.src, facts->tuple.ip_version, address);
    sw_writer_text(part->out, ", from ");
    sw_markup_text(part->out, address);
    struct sw_span name = sw_view_server_name(verdict, part->style->no_names);
    if (name.len > 0) {
        sw_writer_text(part->out, " to ");
        sw_markup_put(part->out, sw_veil_name(&part->veil, name));
    } else if (sw_view_has_server(session)) {
        sw_veil_address(&part->veil, facts->tuple.dst, facts->tuple.ip_version, address);
        sw_writer_text(part->out, " to ");
        sw_markup_text(part->out, address);
    }
}

void sw_html_plain_session(struct sw_part *part, const struct sw_session *session,
                           const struct sw_verdict *verdict, unsigned *told)
{
    if (verdict->outcome != SW_OUTCOME_STUCK && verdict->outcome != SW_OUTCOME_PARTIAL)
        return;
    if (*told >= most_in(part))
        return;
    ++*told;
    sw_writer_text(part->out, "<noscript><h2>");
    put_veiled(part, sw_span_str(verdict->summary));
    sw_writer_text(part->out, "</h2><p>");
    put_place(part, session, verdict);
    sw_writer_text(part->out, "<br>Who must act: ");
    sw_markup_text(part->out, sw_view_actor_words(verdict->actor));
    if (verdict->advice && verdict->advice[0]) {
        sw_writer_text(part->out, "<br>Try first: ");
        sw_markup_text(part->out, verdict->advice[0]);
    }
    sw_writer_text(part->out, "</p></noscript>\n");
}

void sw_html_plain_summary(struct sw_part *part, const struct sw_summary *summary)
{
    sw_writer_text(part->out, "<noscript><p>Sessions in all: ");
    sw_writer_number(part->out, summary->sessions);
    for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
        if (summary->by_outcome[i] == 0)
            continue;
        sw_writer_format(part->out, ", %s ", sw_outcome_name((enum sw_outcome)i));
        sw_writer_number(part->out, summary->by_outcome[i]);
    }
    sw_writer_text(part->out, ".</p></noscript>\n");
}
