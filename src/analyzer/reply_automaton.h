/*
 * reply_automaton.h - finds all known words in a text in one pass (Aho and Corasick, 1975).
 *
 * Words are added, then the automaton is closed; a closed one is read-only. Its nodes are kept as
 * first child and next sibling over a compressed alphabet (only bytes that occur in words), with a
 * full table for the root alone, which is where a text that says nothing special spends its time.
 */
#ifndef SW_ANALYZER_REPLY_AUTOMATON_H
#define SW_ANALYZER_REPLY_AUTOMATON_H

#include "base/span.h"

enum {
    SW_WORD_MAX_BYTES = 96, /* longest word */
    SW_WORDS_MAX = 4096,
};

/* A word: what it is and where its end stands in the tree. */
struct sw_word {
    const char *text; /* without bars */
    uint16_t node;
    uint8_t length;
    bool starts;        /* nothing alphanumeric may stand before it */
    bool ends;          /* nor behind it */
    uint16_t same_node; /* the next word that ends at the node, plus one; 0: none */
};

struct sw_automaton_node {
    uint16_t child, sibling;
    uint16_t fail;
    uint16_t word;    /* first word that ends here, plus one; 0: none */
    uint16_t shorter; /* the longest proper suffix that is a word's end; 0: none */
    uint8_t symbol;
};

struct sw_reply_automaton {
    struct sw_automaton_node *nodes;
    struct sw_word *words;
    size_t node_count, node_room;
    size_t word_count, word_room;
    uint16_t root[256];   /* by symbol */
    uint8_t symbols[256]; /* of each byte; 0: in no word */
    unsigned symbol_count;
};

/* Room for this many words of together this many bytes. False when there is no memory. */
bool sw_automaton_init(struct sw_reply_automaton *a, size_t words, size_t bytes);
/*
 * Adds a word ("|spam|": bars at the ends ask for word boundaries); the text is borrowed for good.
 * Returns its number; a word that is there already gets the number it has.
 */
uint16_t sw_automaton_add(struct sw_reply_automaton *a, const char *word);
/* Completes it; no words can be added afterwards. False when there is no memory. */
bool sw_automaton_close(struct sw_reply_automaton *a);
void sw_automaton_release(struct sw_reply_automaton *a);

/* The node below `node` with that symbol, or 0. */
static inline uint16_t sw_automaton_child(const struct sw_reply_automaton *a, uint16_t node,
                                          uint8_t symbol)
{
    uint16_t child = a->nodes[node].child;
    while (child != 0 && a->nodes[child].symbol != symbol)
        child = a->nodes[child].sibling;
    return child;
}

/* The node after reading one byte at a node; 0 is the root. */
static inline uint16_t sw_automaton_step(const struct sw_reply_automaton *a, uint16_t node,
                                         uint8_t byte)
{
    uint8_t symbol = a->symbols[byte];
    if (symbol == 0)
        return 0;
    while (node != 0) {
        uint16_t child = sw_automaton_child(a, node, symbol);
        if (child != 0)
            return child;
        node = a->nodes[node].fail;
    }
    return a->root[symbol];
}

#endif
