/*
 * condition - what a kind of test has to answer, and what several kinds share.
 * Private to the library.
 *
 * Ownership: a test is freed with its expression; free strings with g_free.
 */
#ifndef RCPTGUARD_CONDITION_H
#define RCPTGUARD_CONDITION_H

#include "policy/conditions/kept_facts.h"
#include "policy/message/message.h"
#include "policy/state/state.h"
#include "policy/syntax/parser_tokens.h"
#include "policy/syntax/resolve_context.h"

#include <glib.h>

/*
 * What a test says of a message: a fault is a limit that was reached, an error is a state that gave no
 * answer, or a body that was not read; neither
 * is ever "no".
 */
enum { TEST_NO = 0, TEST_YES = 1, TEST_FAULT = -1, TEST_ERROR = -2 };

struct trace;
struct count_test;
struct window_test;
struct inside_test;
struct body_parts;
struct parts_exposure;

/* What the state has said of one message: see history.h. */
struct history {
    const struct state *state; /* NULL: it is away */
    gint64 now;
    bool look_only; /* nothing is kept */
    bool known_asked, known;
    gint64 known_when; /* when its parties were seen together, or 0 */
    bool windows_asked, windows_away;
    guint32 *values;     /* of each window of the policy; NULL until it is asked */
    state_hash *parties; /* of each recipient of the exposure, 0 until it is asked for; or NULL */
    state_hash record;   /* what was kept, or 0 */
    bool away, bound;    /* something was asked and there was no answer; there was more than is looked at */
};

/* What was read of the body and of named header fields: see body_facts.h. */
struct body_state {
    const struct body_parts *parts;  /* or NULL: not read yet, or no rule asks for them */
    struct body_parts *own;          /* the same, if they were read here; or NULL */
    struct parts_exposure *exposure; /* or NULL */
    bool away;                       /* it was asked for, and the message has no body with it */
};

/* The first counts of the rule at hand that were true, within parts that were: see struct text_values. */
struct deciding {
    const struct count_test *counted;
    const struct window_test *windowed; /* within a time */
    const struct inside_test *inside;   /* inside parts */
};

/* One message while it is evaluated, with what was worked out for one test and may be asked for by another. */
struct evaluation {
    struct policy *policy;
    const struct message *message;
    const struct trace *trace; /* or NULL: who follows the evaluation */
    struct pattern_budget *budget;
    struct exposure *exposure; /* NULL at MAIL FROM */
    char *sender;              /* when a test has asked for it: by evaluation_sender alone */
    GPtrArray *authors;        /* when a test has asked for them */
    bool authors_whole;
    GHashTable *decoded; /* struct header * -> its value, decoded; NULL beyond the limit of words */
    unsigned words;      /* that were decoded for it */
    size_t searched;     /* bytes in which `contains` has looked for words */
    struct deciding deciding;
    struct body_state body;
    struct history history;
};

/*
 * A kind of test.  What may be NULL says so; a kind that leaves out all of that is evaluated, printed and explained,
 * the warnings of `check` know nothing of it, and of held mail nothing is shown for it.
 */
struct condition_kind {
    const char *const *words; /* each begins such a test; ended by NULL */
    size_t size;              /* of the kind's struct */

    /* Parses what follows its word, which is `words[word]`; false after an error. */
    bool (*parse)(struct parser *parser, struct test *test, unsigned word);

    /* Gives names, tables and patterns their meaning; may be NULL. */
    void (*resolve)(struct resolver *resolver, struct test *test);

    /* The canonical text. */
    void (*print)(GString *out, const struct test *test);

    /* TEST_YES, TEST_NO, TEST_FAULT or TEST_ERROR. */
    int (*evaluate)(struct evaluation *evaluation, const struct test *test);

    /* What the message has, for `explain`. */
    char *(*value)(struct evaluation *evaluation, const struct test *test);

    /* The same of a message of the past: NULL where it is not to be shown, "?" where it was not kept.  May be NULL. */
    char *(*kept_value)(const struct kept_facts *facts, const struct test *test);

    /* Whether it is known at MAIL FROM, when headers and recipients are not there yet; NULL: it is not. */
    bool (*at_mail)(const struct test *test);

    /* The names of classes in it (struct item *), or NULL; may be NULL. */
    const GPtrArray *(*classes)(const struct test *test);

    /* Whether `one`, of this kind, cannot be true without `other`; false if it is not known.  May be NULL. */
    bool (*implies)(struct classes *classes, const struct test *one, const struct test *other);

    /* Whether both cannot be true at once, called in either order; false if it is not known.  May be NULL. */
    bool (*excludes)(struct classes *classes, const struct test *one, const struct test *other);

    /* Frees what its own struct holds beside `test`; may be NULL. */
    void (*clear)(struct test *test);
};

/* The first test of that kind in the order of writing that is not within `not`; NULL if there is none. */
const struct test *expression_first(const struct expression *expression, const struct condition_kind *kind);

/* A test of that kind at an offset, to be freed with its expression. */
struct test *test_new(const struct condition_kind *kind, size_t offset);

/* What the kind of the first says; false if it says nothing. */
bool test_implies(struct classes *classes, const struct test *one, const struct test *other);
bool test_excludes(struct classes *classes, const struct test *one, const struct test *other);

/* The canonical text of a test. */
char *test_print(const struct test *test);

/* ---- the message */

void evaluation_start(struct evaluation *evaluation, struct policy *policy, const struct message *message);
void evaluation_end(struct evaluation *evaluation);

/* The envelope sender, normalised; "" is the null sender. */
const char *evaluation_sender(struct evaluation *evaluation);

/* Whether an address is of one of the classes.  The null sender has none; a bare local part is internal. */
int evaluation_in_classes(struct evaluation *evaluation, const char *address, class_mask mask);

/* ---- sets of classes, and other lists */

/* Items with commas between them, NULL after an error. */
GPtrArray *condition_parse_classes(struct parser *parser);
GPtrArray *condition_parse_strings(struct parser *parser, const char *expected);
void condition_print_items(GString *out, const GPtrArray *items, bool quoted);

/* The classes that names mean. */
class_mask condition_resolve_classes(struct resolver *resolver, const GPtrArray *names);

/* ---- comparison with a number */

enum comparison { AT_LEAST, MORE, AT_MOST, LESS, EXACTLY };

struct number_comparison {
    enum comparison comparison;
    unsigned number;
};

bool number_comparison_parse(struct parser *parser, struct number_comparison *comparison);
void number_comparison_print(GString *out, const struct number_comparison *comparison);

/* Inline: every count of every rule asks it of every message. */
static inline bool number_comparison_holds(const struct number_comparison *comparison, unsigned value)
{
    switch (comparison->comparison) {
    case AT_LEAST:
        return value >= comparison->number;
    case MORE:
        return value > comparison->number;
    case AT_MOST:
        return value <= comparison->number;
    case LESS:
        return value < comparison->number;
    case EXACTLY:
        break;
    }
    return value == comparison->number;
}

/* ---- comparison with a text */

/* How a value is compared; the last two are a subject's alone. */
enum relation {
    RELATION_PRESENT,
    RELATION_EQUALS,
    RELATION_MATCHES,
    RELATION_CONTAINS,
    RELATION_IN_CLASSES,
    RELATION_IN_TABLE
};

struct text_comparison {
    enum relation relation;
    struct item *operand; /* string, pattern, or the file of a table or of words; NULL if the words are strings */
    struct pattern *pattern;
    GPtrArray *words; /* struct item *: the strings of `contains`, or NULL */
    struct phrases *phrases;
};

/* Bytes in which all tests with `contains` of one message look: beyond that they are faults. */
#define SEARCHED_BYTES_LIMIT (128u * 1024)

/* `= S`, `=~ RE` or `contains ...`; RELATION_PRESENT if there is none of them.  False after an error. */
bool text_comparison_parse(struct parser *parser, struct text_comparison *comparison);
void text_comparison_print(GString *out, const struct text_comparison *comparison);
void text_comparison_resolve(struct resolver *resolver, struct text_comparison *comparison);

/* RELATION_CONTAINS, of valid UTF-8. */
int text_comparison_search(struct evaluation *evaluation, const struct text_comparison *comparison, const char *text);
void text_comparison_clear(struct text_comparison *comparison);

#endif
