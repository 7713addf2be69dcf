/* hold_reasons - see hold_reasons.h */

#include "milter/review/hold_reasons.h"

#include "policy/exposure/exposure.h"

#include <string.h>

static void why_line_free(gpointer data)
{
    struct why_line *line = data;
    g_free(line->condition);
    g_free(line->has);
    g_free(line);
}

void why_free(struct why *why)
{
    if (why == NULL)
        return;
    g_ptr_array_unref(why->lines);
    g_free(why);
}

/* What the counts are taken from. */
struct reason_facts {
    const struct ledger_message *message;
    const GPtrArray *parties;
};

static bool is_external(const char *class_name)
{
    return strcmp(class_name, "internal") != 0;
}

/* People or parties of the classes; those that were too many to be kept stand there without a name, and count. */
static unsigned sum_parties(const struct reason_facts *facts, char **classes, bool people)
{
    unsigned sum = 0;
    for (guint i = 0; i < facts->parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index((GPtrArray *)facts->parties, i);
        const char *const *names = (const char *const *)classes;
        bool wanted = g_strv_contains(names, party->class_name) || g_strv_contains(names, "all") ||
                      (g_strv_contains(names, "external") && is_external(party->class_name));
        if (wanted)
            sum += people ? party->people : party->parties;
    }
    return sum;
}

static bool is_only(char **classes, const char *name)
{
    return g_strv_length(classes) == 1 && strcmp(classes[0], name) == 0;
}

/* The message's own count, if the ledger has it. */
static bool find_count(const struct reason_facts *facts, const char *count, char **classes, unsigned *value)
{
    const struct ledger_message *message = facts->message;
    const struct {
        const char *count, *class_name;
        unsigned value;
    } known[] = {
        {"visible", "external", message->counts.visible}, {"parties", "external", message->counts.parties},
        {"domains", "external", message->counts.domains}, {"visible", "internal", message->counts.internal},
        {"hidden", "all", message->counts.hidden},        {"recipients", "all", message->counts.recipients},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(count, known[i].count) == 0 && is_only(classes, known[i].class_name)) {
            *value = known[i].value;
            return true;
        }
    }
    if (strcmp(count, "visible") != 0 && strcmp(count, "parties") != 0)
        return false;
    *value = sum_parties(facts, classes, strcmp(count, "visible") == 0);
    return true;
}

/* What the ledger knows of a flag: NULL if nothing. */
static const char *find_flag(const struct reason_facts *facts, const char *flag)
{
    const struct ledger_message *message = facts->message;
    const struct {
        const char *flag;
        bool value;
    } known[] = {
        {"authenticated", message->user != NULL},
        {"syntax", (message->counts.defects & DEFECT_SYNTAX) != 0},
        {"malformed", (message->counts.defects & (DEFECT_LIMIT | DEFECT_UNPARSED)) != 0},
        {"truncated", (message->counts.defects & DEFECT_CUT) != 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(flag, known[i].flag) == 0)
            return known[i].value ? "yes" : "no";
    }
    return NULL;
}

/* One test of a line as the regex found it. */
static void append_value(GString *has, const struct reason_facts *facts, const GMatchInfo *match)
{
    g_autofree char *flag = g_match_info_fetch_named(match, "flag");
    g_autofree char *count = g_match_info_fetch_named(match, "count");
    g_autofree char *names = g_match_info_fetch_named(match, "classes");
    g_autofree char *number = NULL;
    const char *value = flag != NULL && flag[0] != '\0' ? find_flag(facts, flag) : NULL;
    if (count != NULL && names != NULL) {
        g_auto(GStrv) classes = g_strsplit(names, ", ", -1);
        unsigned found;
        if (find_count(facts, count, classes, &found))
            value = number = g_strdup_printf("%u", found);
    }
    g_string_append_printf(has, "%s%s", has->len > 0 ? ", " : "", value != NULL ? value : "?");
}

/* What the message has for each count and flag in a line, in order; NULL if there is none. */
static char *describe(const struct reason_facts *facts, const char *line)
{
    static const char pattern[] = "\\b(?<flag>authenticated|syntax|malformed|truncated)\\b"
                                  "|\\b(?<count>visible|parties|domains|recipients|hidden)"
                                  "\\((?<classes>[a-z0-9, -]+)\\) [<>=]+ \\d+";
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GString) has = g_string_new(NULL);
    for (g_regex_match(regex, line, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL))
        append_value(has, facts, match);
    return has->len == 0 ? NULL : g_string_free(g_steal_pointer(&has), FALSE);
}

/* A string of the policy may say the same words, but never at the beginning of a line. */
static const char *find_rule(const char *policy, const char *name)
{
    g_autofree char *start = g_strdup_printf("\nrule %s ", name);
    const char *found = strstr(policy, start);
    return found == NULL ? NULL : found + 1;
}

/* The canonical form: `    when TEST`, then `        and TEST` or `        or TEST`, a part of the outermost a line. */
struct why *why_new(const struct ledger_message *message, const GPtrArray *parties, const char *policy)
{
    struct why *why = g_new(struct why, 1);
    why->lines = g_ptr_array_new_with_free_func(why_line_free);
    const char *rule = policy == NULL ? NULL : find_rule(policy, message->rule);
    if (rule == NULL)
        return why;
    static const char when[] = "    when ", more[] = "        ";
    const char *end = strstr(rule, "\n}\n");
    g_autofree char *block = end == NULL ? g_strdup(rule) : g_strndup(rule, (size_t)(end - rule));
    g_auto(GStrv) lines = g_strsplit(block, "\n", -1);
    const struct reason_facts facts = {.message = message, .parties = parties};
    for (char **line = lines; *line != NULL; line++) {
        bool first = g_str_has_prefix(*line, when);
        if (!first && (why->lines->len == 0 || !g_str_has_prefix(*line, more)))
            continue;
        struct why_line *one = g_new(struct why_line, 1);
        one->condition = g_strdup(*line + (first ? sizeof when : sizeof more) - 1);
        one->has = describe(&facts, one->condition);
        g_ptr_array_add(why->lines, one);
    }
    return why;
}
