/* pattern - see pattern.h */

#include "policy/base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <glib.h>
#include <pcre2.h>
#include <string.h>

/* Longest pattern in bytes; a list of names belongs into a table. */
#define PATTERN_LENGTH_LIMIT 8192

/* Memory for the backtracking of one match, in kibibytes. */
#define PATTERN_HEAP_LIMIT (16 * 1024)

/*
 * PCRE2 does not say how much of its limit a match used.  So a match starts with
 * a small limit, which is what it is charged, and goes on with larger ones only
 * if it must.
 */
static const uint32_t steps[] = {100, 2000, PATTERN_MATCH_LIMIT};

struct pattern {
    pcre2_code *code;
};

struct pattern_budget {
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint32_t left;
};

static pcre2_code *compile(const char *text, pcre2_compile_context *context, int *error, PCRE2_SIZE *where)
{
    return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                         PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS | PCRE2_UTF | PCRE2_DOTALL |
                             PCRE2_NEVER_BACKSLASH_C,
                         error, where, context);
}

/* How much further on than PCRE2 10.42 this version says that an error is. */
static PCRE2_SIZE distance_behind(int error)
{
    static const struct {
        int error;
        const char *wrong;
        PCRE2_SIZE where;
    } samples[] = {{PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, ")", 0},
                   {PCRE2_ERROR_QUANTIFIER_INVALID, "*", 0},
                   {PCRE2_ERROR_CLASS_RANGE_ORDER, "[z-a]", 3}};
    PCRE2_SIZE where;
    int same;

    for (unsigned i = 0; i < G_N_ELEMENTS(samples); i++)
        if (samples[i].error == error && compile(samples[i].wrong, NULL, &same, &where) == NULL)
            return where - MIN(where, samples[i].where);
    return 0;
}

struct pattern *pattern_compile(const char *text, size_t *offset, char **message)
{
    int error = 0;
    PCRE2_SIZE where = 0;
    PCRE2_UCHAR reason[256];

    *offset = 0;
    if (g_str_has_prefix(text, "(*")) {
        *message = g_strdup("a pattern cannot start with a verb such as (*LIMIT_MATCH=...)");
        return NULL;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_max_pattern_length(context, PATTERN_LENGTH_LIMIT);
    pcre2_code *code = compile(text, context, &error, &where);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        pcre2_get_error_message(error, reason, sizeof reason);
        *message = g_strdup((char *)reason);
        where -= MIN(where, distance_behind(error));
        *offset = MIN(where, strlen(text));
        return NULL;
    }
    struct pattern *pattern = g_new(struct pattern, 1);
    pattern->code = code;
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    g_free(pattern);
}

char *pattern_library_version(void)
{
    int size = pcre2_config(PCRE2_CONFIG_VERSION, NULL);
    char *version = g_malloc0((gsize)MAX(size, 1));

    pcre2_config(PCRE2_CONFIG_VERSION, version);
    return version;
}

struct pattern_budget *pattern_budget_new(void)
{
    struct pattern_budget *budget = g_new0(struct pattern_budget, 1);

    budget->left = PATTERN_MESSAGE_LIMIT;
    return budget;
}

void pattern_budget_free(struct pattern_budget *budget)
{
    pcre2_match_data_free(budget->data);
    pcre2_match_context_free(budget->context);
    g_free(budget);
}

unsigned pattern_budget_spent(const struct pattern_budget *budget)
{
    return PATTERN_MESSAGE_LIMIT - budget->left;
}

/* Most messages match nothing against a pattern: what a match needs is made when it is needed. */
static void budget_prepare(struct pattern_budget *budget)
{
    if (budget->data != NULL)
        return;
    budget->data = pcre2_match_data_create(1, NULL);
    budget->context = pcre2_match_context_create(NULL);
    if (budget->data == NULL || budget->context == NULL)
        g_error("out of memory");
    pcre2_set_heap_limit(budget->context, PATTERN_HEAP_LIMIT);
}

enum pattern_result pattern_match(const struct pattern *pattern, const char *subject, struct pattern_budget *budget)
{
    budget_prepare(budget);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        uint32_t limit = MIN(steps[i], budget->left);
        pcre2_set_match_limit(budget->context, limit);
        int result = pcre2_match(pattern->code, (PCRE2_SPTR)subject, strlen(subject), 0, PCRE2_NO_UTF_CHECK,
                                 budget->data, budget->context);
        budget->left -= limit;
        if (result >= 0)
            return PATTERN_YES;
        if (result == PCRE2_ERROR_NOMATCH)
            return PATTERN_NO;
        /* Any other error, known or not, is no answer. */
        if (result != PCRE2_ERROR_MATCHLIMIT || budget->left == 0)
            return PATTERN_LIMIT;
    }
    return PATTERN_LIMIT;
}
