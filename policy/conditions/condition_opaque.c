/* condition_opaque - see condition_opaque.h */

#include "policy/conditions/condition_opaque.h"

#include "policy/conditions/body_facts.h"

#include <string.h>

static const char *const opaque_words[] = {"opaque", NULL};

static const char *const kind_words[] = {"encrypted", "types", "limits", "broken", NULL};

struct opaque_test {
    struct test test;
    GPtrArray *names; /* const char *: of kind_words, as written */
    unsigned kinds;   /* bits of enum opaque_kind */
};

static const struct opaque_test *opaque_test_of(const struct test *test)
{
    return (const struct opaque_test *)test;
}

static bool take_kind(struct parser *parser, struct opaque_test *opaque)
{
    for (unsigned i = 0; kind_words[i] != NULL; i++) {
        if (!parser_is_word(parser, kind_words[i]))
            continue;
        if ((opaque->kinds & opaque_kind_find(kind_words[i])) != 0)
            parser_fail_at(parser, parser->token.offset, "`%s` is there already", kind_words[i]);
        opaque->kinds |= opaque_kind_find(kind_words[i]);
        g_ptr_array_add(opaque->names, (gpointer)kind_words[i]);
        parser_advance(parser);
        return true;
    }
    return parser_fail_expected(parser, "`encrypted`, `types`, `limits` or `broken`", kind_words);
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct opaque_test *opaque = (struct opaque_test *)test;

    (void)word;
    opaque->names = g_ptr_array_new();
    if (!parser_take(parser, TOKEN_LEFT, "`(` and `encrypted`, `types`, `limits` or `broken`"))
        return false;
    do {
        if (!take_kind(parser, opaque))
            return false;
    } while (parser_skip(parser, TOKEN_COMMA));
    return parser_take(parser, TOKEN_RIGHT, "`)` or `,`");
}

static void resolve(struct resolver *resolver, struct test *test)
{
    (void)test;
    resolver->policy->asks_body = true;
}

static void print(GString *out, const struct test *test)
{
    const GPtrArray *names = opaque_test_of(test)->names;

    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(out, "%s%s", i == 0 ? "opaque(" : ", ", (const char *)g_ptr_array_index(names, i));
    g_string_append_c(out, ')');
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct parts_exposure *exposure = body_facts(evaluation);

    if (exposure == NULL)
        return TEST_ERROR;
    return (parts_exposure_opaque(exposure) & opaque_test_of(test)->kinds) != 0;
}

/* Which of those that it asks for: "encrypted, types". */
static char *found_text(const struct opaque_test *test, unsigned kinds)
{
    GString *found = g_string_new(NULL);

    for (unsigned i = 0; i < test->names->len; i++) {
        const char *name = g_ptr_array_index(test->names, i);
        if ((kinds & opaque_kind_find(name)) != 0)
            g_string_append_printf(found, "%s%s", found->len > 0 ? ", " : "", name);
    }
    return g_string_free(g_string_append(found, found->len == 0 ? "no" : ""), FALSE);
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    const struct parts_exposure *exposure = body_facts(evaluation);

    if (exposure == NULL)
        return g_strdup("?");
    return found_text(opaque_test_of(test), parts_exposure_opaque(exposure));
}

static char *kept_value(const struct kept_facts *facts, const struct test *test)
{
    if (facts->shown == NULL || facts->shown->asked != INSIDE_READ)
        return g_strdup("?");
    return found_text(opaque_test_of(test), facts->shown->opaque);
}

static bool implies(struct classes *classes, const struct test *one, const struct test *other)
{
    (void)classes;
    return one->kind == other->kind && (opaque_test_of(one)->kinds & ~opaque_test_of(other)->kinds) == 0;
}

static void clear(struct test *test)
{
    g_clear_pointer(&((struct opaque_test *)test)->names, g_ptr_array_unref);
}

const struct condition_kind condition_opaque = {
    .words = opaque_words,
    .size = sizeof(struct opaque_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .implies = implies,
    .clear = clear,
};
