#include "analyzer/detect.h"

bool sw_detect_private(const uint8_t a[16], int ip_version)
{
    if (ip_version == 4)
        return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xF0) == 16) ||
               (a[0] == 192 && a[1] == 168) || (a[0] == 169 && a[1] == 254);
    static const uint8_t loopback[16] = {[15] = 1};
    return memcmp(a, loopback, 16) == 0 || (a[0] & 0xFE) == 0xFC ||
           (a[0] == 0xFE && (a[1] & 0xC0) == 0x80);
}

bool sw_detect_loopback(const struct sw_case *c)
{
    const struct sw_tuple *t = &c->facts->tuple;
    static const uint8_t loopback[16] = {[15] = 1};
    if (t->ip_version == 4)
        return t->src[0] == 127 && t->dst[0] == 127;
    return memcmp(t->src, loopback, 16) == 0;
}

bool sw_detect_inside(const struct sw_case *c)
{
    const struct sw_tuple *t = &c->facts->tuple;
    return sw_detect_private(t->src, t->ip_version) && sw_detect_private(t->dst, t->ip_version);
}

bool sw_detect_protected(const struct sw_case *c, const struct sw_step *step)
{
    return sw_step_protected(c->session, step);
}

struct sw_span sw_detect_domain(struct sw_span address)
{
    size_t at = sw_span_index(address, '@');
    return at < address.len ? sw_span_from(address, at + 1) : (struct sw_span){NULL, 0};
}

struct sw_span sw_detect_organisation(struct sw_span name)
{
    size_t dots = 0;
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '.' && ++dots == 2)
            return sw_span_from(name, i);
    }
    return name;
}

const struct sw_oddity *sw_detect_odd(const struct sw_case *c, enum sw_side from,
                                      enum smtp_anomaly kind)
{
    const struct sw_oddity *o;
    SW_EACH(o, c->session->oddities) {
        if (o->kind == kind && o->from == from)
            return o;
    }
    return NULL;
}

static void add(const struct sw_case *c, struct sw_verdict *verdict, enum sw_finding_id id,
                const struct sw_hit *hit)
{
    struct sw_finding *f = SW_ARENA_NEW(c->arena, struct sw_finding);
    if (!f)
        return;
    f->id = id;
    f->severity =
        hit->severity == SW_SEVERITY_COUNT ? sw_finding_info(id)->severity : hit->severity;
    f->summary = hit->summary ? hit->summary : sw_finding_wording(id)->summary;
    f->frame = hit->mark.frame;
    struct sw_finding **place = &verdict->findings;
    while (*place && (*place)->id < id)
        place = &(*place)->next;
    f->next = *place;
    *place = f;
}

static void run(const struct sw_detector *list, unsigned has, const struct sw_case *c,
                struct sw_verdict *verdict)
{
    for (; list->detect; list++) {
        bool rare = !(list->looks_at & SW_HAS_USUAL);
        if (rare && !(has & ~(unsigned)SW_HAS_USUAL))
            return; /* so are all the others */
        if (!(list->looks_at & has))
            continue;
        struct sw_hit hit = {.mark = c->facts->first, .severity = SW_SEVERITY_COUNT};
        if (list->detect(c, &hit))
            add(c, verdict, list->id, &hit);
    }
}

static bool any_sign(const struct sw_conduct_signs *s)
{
    return s->guessing.frame || s->guessed.frame || s->enumerating.frame || s->many_servers.frame ||
           s->bounces.frame || s->fell_back.frame || s->offer_changed.frame || s->duplicate.frame;
}

void sw_detect(const struct sw_case *c, struct sw_verdict *verdict)
{
    unsigned has = c->survey.has | (any_sign(&c->signs) ? SW_HAS_SIGN : 0);
    if (has == 0) /* a connection on which nobody said anything */
        return;
    run(sw_detect_login, has, c, verdict);
    run(sw_detect_server, has, c, verdict);
    if (has & (SW_HAS_TLS | SW_HAS_NAMING))
        run(sw_detect_tls, has, c, verdict);
    run(sw_detect_wire, has, c, verdict);
    run(sw_detect_content, has, c, verdict);
}
