/* phrases - see phrases.h */

#include "policy/base/phrases.h"

#include "policy/base/unicode.h"

/* A word, a sign or blanks has a number from 1 on; 0 is what no phrase has. */
struct phrase_node {
    guint32 number; /* of the step that leads here */
    guint32 child;  /* the first; 0: none, for the root is nobody's child */
    guint32 sibling;
    guint32 fallback; /* the longest end of the way to here that is a way from the root */
    bool ends;        /* a phrase ends here, or at a fallback */
};

struct phrases {
    GStringChunk *strings;
    GHashTable *numbers; /* char * -> number */
    GHashTable *steps;   /* guint64 *: node and number -> node */
    GArray *nodes;       /* struct phrase_node; the first is the root */
    unsigned words;      /* of all phrases */
    unsigned count;
};

/* Both halves have a part in it: many nodes have the same few steps. */
static guint step_hash(gconstpointer key)
{
    return (guint)((*(const guint64 *)key * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15)) >> 32);
}

struct phrases *phrases_new(void)
{
    struct phrases *phrases = g_new0(struct phrases, 1);

    phrases->strings = g_string_chunk_new(1024);
    phrases->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    phrases->steps = g_hash_table_new_full(step_hash, g_int64_equal, g_free, NULL);
    phrases->nodes = g_array_new(FALSE, TRUE, sizeof(struct phrase_node));
    g_array_set_size(phrases->nodes, 1);
    return phrases;
}

void phrases_free(struct phrases *phrases)
{
    if (phrases == NULL)
        return;
    g_hash_table_unref(phrases->numbers);
    g_hash_table_unref(phrases->steps);
    g_array_unref(phrases->nodes);
    g_string_chunk_free(phrases->strings);
    g_free(phrases);
}

unsigned phrases_count(const struct phrases *phrases)
{
    return phrases->count;
}

static struct phrase_node *node_at(const struct phrases *phrases, guint32 place)
{
    return &g_array_index(phrases->nodes, struct phrase_node, place);
}

/* Where a step leads; 0 if there is no such step. */
static guint32 step(const struct phrases *phrases, guint32 place, guint32 number)
{
    guint64 key = (guint64)place << 32 | number;

    return GPOINTER_TO_UINT(g_hash_table_lookup(phrases->steps, &key));
}

/* ---- words, signs and blanks */

static bool is_blank(gunichar c)
{
    return g_unichar_isspace(c) || g_unichar_iscntrl(c);
}

static bool in_word(gunichar c)
{
    return (g_unichar_isalnum(c) || g_unichar_ismark(c)) && !letter_is_unspaced(c);
}

static const char *skip(const char *text, bool (*is)(gunichar c))
{
    while (*text != '\0' && is(g_utf8_get_char(text)))
        text = g_utf8_next_char(text);
    return text;
}

static bool is_mark(gunichar c)
{
    return g_unichar_ismark(c);
}

/* The next piece of a folded text; NULL at its end, else what comes after it. */
static const char *next_piece(const char *text, GString *piece)
{
    gunichar c = g_utf8_get_char(text);

    g_string_truncate(piece, 0);
    if (c == 0)
        return NULL;
    const char *end = g_utf8_next_char(text);
    if (is_blank(c)) {
        g_string_append_c(piece, ' ');
        return skip(end, is_blank);
    }
    /* A mark belongs to what it is upon. */
    end = skip(end, in_word(c) ? in_word : is_mark);
    g_string_append_len(piece, text, end - text);
    return end;
}

/* ---- built */

static guint32 number_of(struct phrases *phrases, const char *piece)
{
    guint32 number = GPOINTER_TO_UINT(g_hash_table_lookup(phrases->numbers, piece));

    if (number == 0) {
        number = g_hash_table_size(phrases->numbers) + 1;
        g_hash_table_insert(phrases->numbers, g_string_chunk_insert(phrases->strings, piece), GUINT_TO_POINTER(number));
    }
    return number;
}

static guint32 add_step(struct phrases *phrases, guint32 place, guint32 number)
{
    guint64 key = (guint64)place << 32 | number;
    guint32 next = step(phrases, place, number);
    struct phrase_node node = {.number = number, .sibling = node_at(phrases, place)->child};

    if (next != 0)
        return next;
    next = phrases->nodes->len;
    g_array_append_val(phrases->nodes, node);
    node_at(phrases, place)->child = next;
    g_hash_table_insert(phrases->steps, g_memdup2(&key, sizeof key), GUINT_TO_POINTER(next));
    return next;
}

/* The numbers of a phrase (guint32), without blanks at its ends. */
static GArray *numbers_of(struct phrases *phrases, const char *folded)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GString) piece = g_string_new(NULL);

    folded = skip(folded, is_blank);
    while ((folded = next_piece(folded, piece)) != NULL) {
        if (piece->str[0] == ' ' && *folded == '\0')
            break;
        guint32 number = number_of(phrases, piece->str);
        g_array_append_val(numbers, number);
    }
    return numbers;
}

char *phrases_add(struct phrases *phrases, const char *phrase)
{
    guint32 place = 0;

    if (g_utf8_strlen(phrase, -1) > (glong)PHRASE_LENGTH_LIMIT)
        return g_strdup_printf("a word or phrase has at most %u characters", PHRASE_LENGTH_LIMIT);
    g_autofree char *folded = letters_fold(phrase);
    g_autoptr(GArray) numbers = numbers_of(phrases, folded);
    if (numbers->len == 0)
        return g_strdup("expected a word or a phrase");
    if (numbers->len > PHRASES_WORDS_LIMIT - phrases->words)
        return g_strdup_printf("a list has at most %u words and signs in all", PHRASES_WORDS_LIMIT);
    phrases->words += numbers->len;
    for (unsigned i = 0; i < numbers->len; i++)
        place = add_step(phrases, place, g_array_index(numbers, guint32, i));
    phrases->count += !node_at(phrases, place)->ends;
    node_at(phrases, place)->ends = true;
    return NULL;
}

/* From a place that is reached, as far back as a step needs it. */
static guint32 advance(const struct phrases *phrases, guint32 place, guint32 number)
{
    guint32 next;

    while ((next = step(phrases, place, number)) == 0 && place != 0)
        place = node_at(phrases, place)->fallback;
    return next;
}

/* Nearer nodes first: a fallback is nearer to the root than what falls back on it. */
void phrases_finish(struct phrases *phrases)
{
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint32 root = 0;

    g_array_append_val(queue, root);
    for (unsigned i = 0; i < queue->len; i++) {
        guint32 place = g_array_index(queue, guint32, i);
        for (guint32 child = node_at(phrases, place)->child; child != 0; child = node_at(phrases, child)->sibling) {
            struct phrase_node *node = node_at(phrases, child);
            if (place != 0)
                node->fallback = advance(phrases, node_at(phrases, place)->fallback, node->number);
            node->ends = node->ends || node_at(phrases, node->fallback)->ends;
            g_array_append_val(queue, child);
        }
    }
}

bool phrases_found(const struct phrases *phrases, const char *text)
{
    g_autofree char *folded = letters_fold(text);
    g_autoptr(GString) piece = g_string_new(NULL);
    guint32 place = 0;

    for (const char *next = folded; (next = next_piece(next, piece)) != NULL;) {
        guint32 number = GPOINTER_TO_UINT(g_hash_table_lookup(phrases->numbers, piece->str));
        place = number == 0 ? 0 : advance(phrases, place, number);
        if (node_at(phrases, place)->ends)
            return true;
    }
    return false;
}
