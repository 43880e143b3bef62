#include "analyzer/reply_automaton.h"

#include <assert.h>
#include <stdlib.h>

bool sw_automaton_init(struct sw_reply_automaton *a, size_t words, size_t bytes)
{
    memset(a, 0, sizeof(*a));
    assert(bytes + 1 < UINT16_MAX && words < SW_WORDS_MAX);
    a->node_room = bytes + 1;
    a->word_room = words;
    a->nodes = calloc(a->node_room, sizeof(*a->nodes));
    a->words = calloc(words ? words : 1, sizeof(*a->words));
    if (!a->nodes || !a->words) {
        sw_automaton_release(a);
        return false;
    }
    a->node_count = 1;
    a->symbol_count = 1;
    return true;
}

void sw_automaton_release(struct sw_reply_automaton *a)
{
    free(a->nodes);
    free(a->words);
    a->nodes = NULL;
    a->words = NULL;
}

static uint16_t add_child(struct sw_reply_automaton *a, uint16_t node, uint8_t byte)
{
    if (a->symbols[byte] == 0)
        a->symbols[byte] = (uint8_t)a->symbol_count++;
    uint8_t symbol = a->symbols[byte];
    uint16_t child = sw_automaton_child(a, node, symbol);
    if (child != 0)
        return child;
    assert(a->node_count < a->node_room);
    child = (uint16_t)a->node_count++;
    a->nodes[child].symbol = symbol;
    a->nodes[child].sibling = a->nodes[node].child;
    a->nodes[node].child = child;
    return child;
}

uint16_t sw_automaton_add(struct sw_reply_automaton *a, const char *word)
{
    struct sw_span s = sw_span_str(word);
    bool starts = s.len > 0 && s.ptr[0] == '|';
    bool ends = s.len > 1 && s.ptr[s.len - 1] == '|';
    s = sw_span_sub(s, starts ? 1 : 0, s.len - (starts ? 1 : 0) - (ends ? 1 : 0));
    assert(s.len > 0 && s.len <= SW_WORD_MAX_BYTES);
    uint16_t node = 0;
    for (size_t i = 0; i < s.len; i++)
        node = add_child(a, node, s.ptr[i]);
    for (uint16_t w = a->nodes[node].word; w != 0; w = a->words[w - 1].same_node) {
        if (a->words[w - 1].starts == starts && a->words[w - 1].ends == ends)
            return (uint16_t)(w - 1);
    }
    assert(a->word_count < a->word_room);
    a->words[a->word_count] = (struct sw_word){
        .text = (const char *)s.ptr,
        .node = node,
        .length = (uint8_t)s.len,
        .starts = starts,
        .ends = ends,
        .same_node = a->nodes[node].word,
    };
    a->word_count++;
    a->nodes[node].word = (uint16_t)a->word_count;
    return (uint16_t)(a->word_count - 1);
}

/* Where a child's failure leads: the longest suffix of its path that is a path from the root too.
 */
static uint16_t fail_of(const struct sw_reply_automaton *a, uint16_t parent, uint8_t symbol)
{
    if (parent == 0)
        return 0;
    uint16_t node = a->nodes[parent].fail;
    for (;;) {
        uint16_t child = node == 0 ? a->root[symbol] : sw_automaton_child(a, node, symbol);
        if (child != 0 || node == 0)
            return child;
        node = a->nodes[node].fail;
    }
}

/*
 * The nodes anew, in the order in which they are listed: the children of one stand side by side
 * then, so that who looks for one of them stays in a line of the cache or two.
 */
static struct sw_automaton_node *in_order(const struct sw_reply_automaton *a, const uint16_t *order,
                                          uint16_t *place)
{
    struct sw_automaton_node *nodes = malloc(a->node_count * sizeof(*nodes));
    for (size_t i = 0; i < a->node_count; i++)
        place[order[i]] = (uint16_t)i;
    for (size_t i = 0; nodes && i < a->node_count; i++) {
        const struct sw_automaton_node *n = &a->nodes[order[i]];
        nodes[i] = (struct sw_automaton_node){
            .child = place[n->child],
            .sibling = place[n->sibling],
            .fail = place[n->fail],
            .word = n->word,
            .shorter = place[n->shorter],
            .symbol = n->symbol,
        };
    }
    return nodes;
}

bool sw_automaton_close(struct sw_reply_automaton *a)
{
    uint16_t *queue = calloc(2 * a->node_count, sizeof(*queue));
    if (!queue)
        return false;
    for (uint16_t c = a->nodes[0].child; c != 0; c = a->nodes[c].sibling)
        a->root[a->nodes[c].symbol] = c;
    size_t head = 0, tail = 1; /* breadth first: a failure is always shorter, so it is done */
    while (head < tail) {
        uint16_t node = queue[head++];
        for (uint16_t c = a->nodes[node].child; c != 0; c = a->nodes[c].sibling) {
            uint16_t fail = fail_of(a, node, a->nodes[c].symbol);
            a->nodes[c].fail = fail;
            a->nodes[c].shorter = a->nodes[fail].word ? fail : a->nodes[fail].shorter;
            queue[tail++] = c;
        }
    }
    uint16_t *place = queue + a->node_count;
    struct sw_automaton_node *nodes = in_order(a, queue, place);
    for (size_t i = 0; nodes && i < a->symbol_count; i++)
        a->root[i] = place[a->root[i]];
    for (size_t i = 0; nodes && i < a->word_count; i++)
        a->words[i].node = place[a->words[i].node];
    free(queue);
    if (!nodes)
        return false;
    free(a->nodes);
    a->nodes = nodes;
    a->node_room = a->node_count;
    return true;
}
