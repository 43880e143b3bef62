#include "analyzer/explanation_near.h"

#include "analyzer/client_code.h"
#include "analyzer/finding.h"

enum { LONGEST = 64, QUESTION = 400, MOST = 16, SHORT_WORD = 4 };

/* Farness: below SLIP what was asked for but for a slip of the fingers, and what has the word in
 * it; then what has a word in it but for a slip. */
enum { SLIP = 100, FAR = 1000 };

/* Letters to change, add or remove to make one of the other. */
static size_t distance(struct sw_span a, struct sw_span b)
{
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = sw_ascii_lower(a.ptr[i - 1]) == sw_ascii_lower(b.ptr[j - 1]);
            size_t best = diagonal + (same ? 0 : 1);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.len];
}

/* Every fourth letter may be another one, or one digit; beyond that it is another word. */
static size_t slip(struct sw_span word, struct sw_span candidate)
{
    size_t most = sw_ascii_digit(candidate.ptr[0]) ? 1 : (word.len + 2) / 4;
    size_t letters = distance(word, candidate);
    return letters <= most ? letters : FAR;
}

/* An id is meant by a part of it, or by what is nearly one of its words. */
static size_t word_farness(struct sw_span word, struct sw_span candidate)
{
    if (sw_span_find_nocase(candidate, word) < candidate.len)
        return 1 + (candidate.len - word.len) / 2;
    size_t best = FAR;
    for (struct sw_span rest = candidate; rest.len > 0;) {
        struct sw_span part = sw_span_sub(rest, 0, sw_span_index(rest, '-'));
        size_t far = part.len >= SHORT_WORD ? SLIP + slip(word, part) : FAR;
        far += (candidate.len - part.len) / 2;
        best = far < best ? far : best;
        rest = sw_span_from(rest, part.len + 1);
    }
    return best;
}

/* The next word of a question, or of something like an id. */
static struct sw_span next_word(struct sw_span *rest)
{
    size_t begin = 0, end;
    while (begin < rest->len && !sw_ascii_alpha(rest->ptr[begin]) &&
           !sw_ascii_digit(rest->ptr[begin]))
        begin++;
    for (end = begin; end < rest->len && rest->ptr[end] > ' ' && rest->ptr[end] != '-';)
        end++;
    struct sw_span word = sw_span_sub(*rest, begin, end - begin);
    *rest = sw_span_from(*rest, end);
    return word;
}

/* Of a question of several words the one that is nearest counts; short ones say nothing. */
static size_t farness(struct sw_span question, const char *id)
{
    struct sw_span candidate = sw_span_sub(sw_span_str(id), 0, LONGEST);
    size_t best = slip(sw_span_sub(question, 0, LONGEST), candidate);
    struct sw_span rest = question;
    for (struct sw_span word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        size_t far = best;
        size_t least = word.len == question.len ? SHORT_WORD - 1 : SHORT_WORD;
        while (word.len > 0 && !sw_ascii_alpha(word.ptr[word.len - 1]))
            word.len--;
        if (word.len >= least)
            far = word_farness(sw_span_sub(word, 0, LONGEST), candidate);
        best = far < best ? far : best;
    }
    return best;
}

struct ranking {
    const char *ids[MOST];
    size_t far[MOST];
    size_t most;
};

static void consider(struct ranking *r, struct sw_span word, const char *id)
{
    size_t far = farness(word, id);
    size_t at = r->most;
    while (at > 0 && far < r->far[at - 1])
        at--;
    for (size_t i = 0; i < at; i++) {
        if (strcmp(r->ids[i], id) == 0)
            return;
    }
    for (size_t i = r->most; i > at + 1; i--) {
        r->ids[i - 1] = r->ids[i - 2];
        r->far[i - 1] = r->far[i - 2];
    }
    if (at < r->most) {
        r->ids[at] = id;
        r->far[at] = far;
    }
}

void sw_nearest_ids(struct sw_span word, const char **nearest, size_t most)
{
    struct ranking r = {.most = most < MOST ? most : MOST};
    for (size_t i = 0; i < r.most; i++) {
        r.ids[i] = "";
        r.far[i] = FAR;
    }
    word = sw_span_sub(sw_span_trim(word), 0, QUESTION);
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++)
        consider(&r, word, sw_cause_name((enum sw_cause)i));
    for (unsigned i = 0; i < SW_FINDING_COUNT; i++)
        consider(&r, word, sw_finding_info((enum sw_finding_id)i)->id);
    size_t count;
    const struct sw_client_code *codes = sw_client_codes(&count);
    for (size_t i = 0; i < count; i++) {
        struct sw_span code = sw_span_str(codes[i].code);
        bool number = sw_ascii_digit(code.ptr[0]) && !(word.len > 0 && sw_ascii_digit(word.ptr[0]));
        bool name = code.len >= 4 && sw_span_index(code, ' ') == code.len; /* no sentence */
        if (name && !number)
            consider(&r, word, codes[i].code);
    }
    /* A slip is no better guess than what was really said. */
    size_t limit = r.most > 0 && r.far[0] < SLIP ? SLIP : FAR;
    for (size_t i = 0; i <= most; i++)
        nearest[i] = i < r.most && r.far[i] < limit ? r.ids[i] : NULL;
}
