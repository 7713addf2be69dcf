/* pattern - see pattern.h */

#include "policy/base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <glib.h>
#include <pcre2.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Longest pattern in bytes; a list of names belongs into a table. */
#define PATTERN_LENGTH_LIMIT 8192

/* Memory for the backtracking of one match, in kibibytes. */
#define PATTERN_HEAP_LIMIT (16 * 1024)

/*
 * What is charged.
 *
 * PCRE2 does not say how much of its limit a match used, and to find out by ever larger limits costs
 * more than most matches do.  So a match is first tried with what a harmless expression needs at most,
 * some points for each character: if that is enough, it is charged the bytes of its value, of which
 * a message may have many.  Only what goes on from there is charged in points, as much as its limits.
 *
 * Between two points PCRE2 may read the whole value, or the whole expression: `reach`
 * bounds it.  A far reaching match starts with few points and is timed.
 * So is whatever is charged in points, since those of some expressions take a thousand times as long
 * as those of others.  The points end what explodes, and give the same verdict
 * everywhere; the time is there for what is expensive in each point.
 */
#define HARMLESS_POINTS 100u
#define HARMLESS_FACTOR 8u /* points for each byte of the value */
#define STEP_FACTOR     4u

/* Bytes of a compiled expression: one twice as large is charged as two. */
#define WEIGHT_BYTES 1024u

/* Beyond this reach, and with a larger expression than one, a match is timed, and its first step is shorter. */
#define REACH_NEAR  256u
#define REACH_STEPS (REACH_NEAR * 2048u)
#define FIRST_LEAST 4u

/* Nanoseconds that a harmless match may take, and for each byte of the value. */
#define HARMLESS_TIME      100000
#define HARMLESS_BYTE_TIME 30

struct pattern {
    pcre2_code *code;
    uint32_t weight;
};

struct pattern_budget {
    pcre2_match_data *data;
    pcre2_match_context *context;
    guint64 bytes;   /* left of PATTERN_BYTES_LIMIT */
    uint32_t points; /* of PATTERN_MESSAGE_LIMIT */
    gint64 time;     /* of PATTERN_TIME_LIMIT, in nanoseconds */
    guint64 tried;   /* points, as far as one can know */
};

/* One match while it goes on. */
struct match {
    uint32_t harmless; /* points that cost nothing but the bytes */
    uint32_t limit;
    uint32_t charged; /* points */
    bool timed;
    gint64 start;
    gint64 elapsed;
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
    size_t size = 0;
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
    pattern->code = code;
    pattern->weight = 1 + (uint32_t)(size / WEIGHT_BYTES);
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

    budget->bytes = PATTERN_BYTES_LIMIT;
    budget->points = PATTERN_MESSAGE_LIMIT;
    budget->time = PATTERN_TIME_LIMIT * G_GINT64_CONSTANT(1000000);
    return budget;
}

void pattern_budget_free(struct pattern_budget *budget)
{
    pcre2_match_data_free(budget->data);
    pcre2_match_context_free(budget->context);
    g_free(budget);
}

guint64 pattern_budget_tried(const struct pattern_budget *budget)
{
    return budget->tried;
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

/* Processor time of this thread, in nanoseconds. */
static gint64 now(void)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * G_GINT64_CONSTANT(1000000000) + time.tv_nsec;
}

/* Starts the clock, or reads it. */
static void match_time(struct match *match)
{
    if (match->timed)
        match->elapsed = now() - match->start;
    else
        match->start = now();
    match->timed = true;
}

static struct match match_begin(const struct pattern *pattern, size_t length)
{
    size_t most = (HARMLESS_POINTS + HARMLESS_FACTOR * MIN(length, PATTERN_MATCH_LIMIT)) * pattern->weight;
    size_t reach = length * pattern->weight * pattern->weight;
    struct match match = {.harmless = (uint32_t)MIN(most, PATTERN_MATCH_LIMIT)};

    match.limit = match.harmless;
    if (reach > REACH_NEAR || pattern->weight > 1) {
        match.limit = (uint32_t)CLAMP(REACH_STEPS / (reach + 1), FIRST_LEAST, match.harmless);
        match_time(&match);
    }
    return match;
}

/* Whether there is a further step, and it may be taken. */
static bool match_goes_on(struct match *match, const struct pattern_budget *budget)
{
    uint32_t most = match->limit < match->harmless ? match->harmless : PATTERN_MATCH_LIMIT;

    match_time(match);
    if (match->limit == PATTERN_MATCH_LIMIT || match->elapsed * STEP_FACTOR > budget->time)
        return false;
    match->limit = MIN(match->limit * STEP_FACTOR, most);
    return match->limit <= match->harmless || budget->points > 0;
}

static void match_charge(struct match *match, struct pattern_budget *budget, uint32_t points)
{
    match->charged += points;
    budget->points -= MIN(budget->points, points);
}

static int match_step(struct match *match, const struct pattern *pattern, const char *subject, size_t length,
                      struct pattern_budget *budget)
{
    if (match->limit > match->harmless) {
        match->limit = MIN(match->limit, budget->points);
        match_charge(match, budget, match->limit);
        budget->tried += match->limit;
    } else {
        budget->tried += match->limit / HARMLESS_FACTOR;
    }
    pcre2_set_match_limit(budget->context, match->limit);
    return pcre2_match(pattern->code, (PCRE2_SPTR)subject, length, 0, PCRE2_NO_UTF_CHECK, budget->data,
                       budget->context);
}

/* What a match took of the message's time; one that has no answer is never harmless. */
static void match_end(struct match *match, struct pattern_budget *budget, bool answered, size_t length)
{
    if (!answered && match->charged < PATTERN_MATCH_LIMIT)
        match_charge(match, budget, PATTERN_MATCH_LIMIT - match->charged);
    if (!match->timed)
        return;
    match_time(match);
    if (match->charged > 0 || match->elapsed > HARMLESS_TIME + HARMLESS_BYTE_TIME * (gint64)length)
        budget->time -= MIN(budget->time, match->elapsed);
}

enum pattern_result pattern_match(const struct pattern *pattern, const char *subject, struct pattern_budget *budget)
{
    size_t length = strlen(subject);
    guint64 bytes = ((guint64)length + PATTERN_BYTES_MATCH) * pattern->weight;
    int result;

    budget->bytes -= MIN(budget->bytes, bytes);
    if (budget->bytes == 0 || budget->points == 0 || budget->time <= 0)
        return PATTERN_LIMIT;
    budget_prepare(budget);
    struct match match = match_begin(pattern, length);
    do
        result = match_step(&match, pattern, subject, length, budget);
    while (result == PCRE2_ERROR_MATCHLIMIT && match_goes_on(&match, budget));
    /* Any other error, known or not, is no answer. */
    bool answered = result >= 0 || result == PCRE2_ERROR_NOMATCH;
    match_end(&match, budget, answered, length);
    if (!answered)
        return PATTERN_LIMIT;
    return result >= 0 ? PATTERN_YES : PATTERN_NO;
}
