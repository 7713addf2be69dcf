/* condition_flag - see condition_flag.h */

#include "policy/conditions/condition_flag.h"

#include "policy/conditions/history.h"

enum flag { FLAG_AUTHENTICATED, FLAG_LOCAL, FLAG_SYNTAX, FLAG_MALFORMED, FLAG_TRUNCATED, FLAG_KNOWN };

/* In the order of enum flag. */
static const char *const flag_words[] = {"authenticated", "local", "syntax", "malformed", "truncated", "known", NULL};

struct flag_test {
    struct test test;
    enum flag flag;
};

static enum flag flag_of(const struct test *test)
{
    return ((const struct flag_test *)test)->flag;
}

bool condition_is_known(const struct test *test)
{
    return test->kind == &condition_flag && flag_of(test) == FLAG_KNOWN;
}

bool condition_is_authenticated(const struct test *test)
{
    return test->kind == &condition_flag && flag_of(test) == FLAG_AUTHENTICATED;
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    (void)parser;
    ((struct flag_test *)test)->flag = (enum flag)word;
    return true;
}

static void print(GString *out, const struct test *test)
{
    g_string_append(out, flag_words[flag_of(test)]);
}

/* `defects`: bits of enum defect. */
static bool holds(enum flag flag, bool authenticated, bool local, unsigned defects, bool known)
{
    const bool flags[] = {[FLAG_AUTHENTICATED] = authenticated,
                          [FLAG_LOCAL] = local,
                          [FLAG_SYNTAX] = (defects & DEFECT_SYNTAX) != 0,
                          [FLAG_MALFORMED] = (defects & (DEFECT_LIMIT | DEFECT_UNPARSED)) != 0,
                          [FLAG_TRUNCATED] = (defects & DEFECT_CUT) != 0,
                          [FLAG_KNOWN] = known};

    return flags[flag];
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct message *message = evaluation->message;

    return holds(flag_of(test), message->authenticated, message->local,
                 evaluation->exposure != NULL ? exposure_defects(evaluation->exposure) : 0,
                 flag_of(test) == FLAG_KNOWN && history_known(evaluation));
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    return g_strdup(evaluate(evaluation, test) == TEST_YES ? "yes" : "no");
}

static char *kept_value(const struct kept_facts *facts, const struct test *test)
{
    enum flag flag = flag_of(test);

    if (flag == FLAG_LOCAL)
        return NULL;
    if (flag == FLAG_KNOWN)
        return g_strdup(facts->known != NULL ? facts->known : "?");
    return g_strdup(holds(flag, facts->authenticated, false, facts->counts->defects, false) ? "yes" : "no");
}

static bool at_mail(const struct test *test)
{
    return flag_of(test) == FLAG_AUTHENTICATED || flag_of(test) == FLAG_LOCAL;
}

const struct condition_kind condition_flag = {
    .words = flag_words,
    .size = sizeof(struct flag_test),
    .parse = parse,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .kept_value = kept_value,
    .at_mail = at_mail,
};
