/* conf_keys - see conf_keys.h */

#include "milter/common/conf_keys.h"

#include "milter/common/duration.h"
#include "policy/base/suggest.h"

#include <string.h>
#include <syslog.h>

struct conf_word {
    const char *name;
    int value;
};

/* ---- values */

/* What other programs call it. */
static const char *called_here(const char *value, const struct conf_word *words)
{
    static const char *const others[][2] = {
        {"on", "yes"},  {"true", "yes"},        {"1", "yes"},          {"enabled", "yes"}, {"enable", "yes"},
        {"off", "no"},  {"false", "no"},        {"0", "no"},           {"disabled", "no"}, {"disable", "no"},
        {"none", "no"}, {"hold", "quarantine"}, {"defer", "tempfail"}, {"pass", "accept"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        for (const struct conf_word *word = words; g_ascii_strcasecmp(others[i][0], value) == 0 && word->name != NULL;
             word++) {
            if (strcmp(word->name, others[i][1]) == 0)
                return word->name;
        }
    }
    return NULL;
}

/* Looks a word up; if it is none of them, says which there are. */
static char *read_word(const char *value, const struct conf_word *words, int *result)
{
    for (const struct conf_word *word = words; word->name != NULL; word++) {
        if (strcmp(word->name, value) == 0) {
            *result = word->value;
            return NULL;
        }
    }
    g_autoptr(GString) known = g_string_new(NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct conf_word *word = words; word->name != NULL; word++) {
        const char *joint = word == words ? "" : word[1].name == NULL ? " or " : ", ";
        g_string_append_printf(known, "%s%s", joint, word->name);
        g_ptr_array_add(names, (gpointer)word->name);
    }
    g_ptr_array_add(names, NULL);
    const char *near = called_here(value, words);
    if (near == NULL)
        near = diag_nearest(value, (const char *const *)names->pdata);
    if (near != NULL)
        return g_strdup_printf("expected %s, not `%s`; did you mean `%s`?", known->str, value, near);
    return g_strdup_printf("expected %s, not `%s`", known->str, value);
}

#define DAY ((unsigned)DURATION_DAY)

/* Seconds: a number, alone or with s, m, h or d after it. */
static char *read_duration(const char *value, unsigned least, unsigned most, unsigned *result)
{
    gint64 seconds = duration_read(value, "smhd", 's');
    if (seconds == -1)
        return g_strdup_printf("expected a time such as 90s, 15m or 1h, not `%s`", value);
    if (seconds < least || seconds > most)
        return g_strdup_printf("expected a time from %u%c to %ud, not `%s`", least % DAY == 0 ? least / DAY : least,
                               least % DAY == 0 ? 'd' : 's', most / DAY, value);
    *result = (unsigned)seconds;
    return NULL;
}

static char *read_socket(struct config *config, const char *value)
{
    char *error;
    struct endpoint *endpoint = endpoint_parse(value, &error);
    if (endpoint == NULL)
        return error;
    endpoint_free(config->socket);
    config->socket = endpoint;
    return NULL;
}

static char *read_user(struct config *config, const char *value)
{
    if (strpbrk(value, " \t:/") != NULL)
        return g_strdup_printf("expected the name of a user, not `%s`", value);
    g_free(config->user);
    config->user = g_strdup(value);
    config->user_given = true;
    return NULL;
}

/* A relative path counts from the directory of the configuration. */
static char *read_path(const struct config *config, const char *value, char **path)
{
    g_autofree char *directory = g_path_get_dirname(config->path);
    g_free(*path);
    *path = g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(directory, value, NULL);
    return NULL;
}

static char *read_policy(struct config *config, const char *value)
{
    return read_path(config, value, &config->policy);
}

static char *read_on_error(struct config *config, const char *value)
{
    static const struct conf_word words[] = {
        {"tempfail", DISPOSITION_TEMPFAIL}, {"accept", DISPOSITION_ACCEPT}, {NULL, 0}};
    int found = (int)config->on_error;
    char *error = read_word(value, words, &found);
    config->on_error = (enum disposition)found;
    return error;
}

static char *read_on_fault(struct config *config, const char *value)
{
    static const struct conf_word words[] = {{"quarantine", DISPOSITION_QUARANTINE},
                                             {"tempfail", DISPOSITION_TEMPFAIL},
                                             {"reject", DISPOSITION_REJECT},
                                             {NULL, 0}};
    int found = (int)config->on_fault;
    char *error = read_word(value, words, &found);
    config->on_fault = (enum disposition)found;
    return error;
}

static char *read_timeout(struct config *config, const char *value)
{
    return read_duration(value, 1, 7 * DAY, &config->timeout);
}

static char *read_facility(struct config *config, const char *value)
{
    static const struct conf_word words[] = {{"mail", LOG_MAIL},
                                             {"daemon", LOG_DAEMON},
                                             {"auth", LOG_AUTH},
                                             {"user", LOG_USER},
                                             {"local0", LOG_LOCAL0},
                                             {"local1", LOG_LOCAL1},
                                             {"local2", LOG_LOCAL2},
                                             {"local3", LOG_LOCAL3},
                                             {"local4", LOG_LOCAL4},
                                             {"local5", LOG_LOCAL5},
                                             {"local6", LOG_LOCAL6},
                                             {"local7", LOG_LOCAL7},
                                             {NULL, 0}};
    return read_word(value, words, &config->facility);
}

static char *read_yes(const char *value, bool *result)
{
    static const struct conf_word words[] = {{"yes", true}, {"no", false}, {NULL, 0}};
    int found = *result;
    char *error = read_word(value, words, &found);
    *result = found != 0;
    return error;
}

static char *read_format(struct config *config, const char *value)
{
    static const struct conf_word words[] = {{"text", false}, {"json", true}, {NULL, 0}};
    int found = config->log_json;
    char *error = read_word(value, words, &found);
    config->log_json = found != 0;
    return error;
}

static char *read_read_ahead(struct config *config, const char *value)
{
    return read_yes(value, &config->read_ahead);
}

static char *read_accepted(struct config *config, const char *value)
{
    return read_yes(value, &config->accepted);
}

static char *read_summary(struct config *config, const char *value)
{
    return read_duration(value, 1, 7 * DAY, &config->summary);
}

/* ---- the ledger */

static char *read_ledger(struct config *config, const char *value)
{
    return read_path(config, value, &config->ledger);
}

static char *read_keep(struct config *config, const char *value)
{
    return read_duration(value, DAY, 3650 * DAY, &config->keep);
}

static char *read_subject(struct config *config, const char *value)
{
    return read_yes(value, &config->subject);
}

/* ---- metrics */

static char *read_metrics(struct config *config, const char *value)
{
    g_autofree char *name = g_path_get_basename(value);
    if (!g_str_has_suffix(name, ".prom") || strcmp(name, ".prom") == 0)
        return g_strdup_printf("expected the path of a file whose name ends in .prom, not `%s`: what reads metrics out "
                               "of files looks at no others",
                               value);
    return read_path(config, value, &config->metrics);
}

/* ---- review */

static char *read_approvals(struct config *config, const char *value)
{
    if (strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
        return g_strdup_printf("expected 1 or 2, not `%s`", value);
    config->review.approvals = value[0] == '2' ? 2 : 1;
    return NULL;
}

static char *read_identities(struct config *config, const char *value)
{
    return read_path(config, value, &config->review.identities);
}

/* A list with commas; `wrong` tells of one of its items what is wrong with it, or gives NULL. */
static char *read_list(const char *value, char *(*wrong)(const char *item), char ***result)
{
    g_auto(GStrv) items = g_strsplit(value, ",", -1);
    for (unsigned i = 0; items[i] != NULL; i++) {
        char *error = wrong(g_strstrip(items[i]));
        if (error != NULL)
            return error;
    }
    g_strfreev(*result);
    *result = g_steal_pointer(&items);
    return NULL;
}

static char *wrong_group(const char *item)
{
    if (item[0] != '\0' && item[0] != '-' && strpbrk(item, " \t:/") == NULL)
        return NULL;
    return g_strdup_printf("expected names of groups with commas between them, or none; `%s` is no name", item);
}

/* `none` alone: no group, so root alone. */
static char *read_groups(struct config *config, const char *value, enum review_action action)
{
    char ***groups = &config->review.groups[action];
    if (strcmp(value, "none") != 0)
        return read_list(value, wrong_group, groups);
    g_strfreev(*groups);
    *groups = g_new0(char *, 1);
    return NULL;
}

static char *read_list_groups(struct config *config, const char *value)
{
    return read_groups(config, value, REVIEW_LIST);
}

static char *read_show_groups(struct config *config, const char *value)
{
    return read_groups(config, value, REVIEW_SHOW);
}

static char *read_release_groups(struct config *config, const char *value)
{
    return read_groups(config, value, REVIEW_RELEASE);
}

static char *read_return_groups(struct config *config, const char *value)
{
    return read_groups(config, value, REVIEW_RETURN);
}

static char *read_delete_groups(struct config *config, const char *value)
{
    return read_groups(config, value, REVIEW_DELETE);
}

static char *read_notice(struct config *config, const char *value)
{
    return read_path(config, value, &config->review.notice);
}

/* They become arguments of sendmail(1), and stand in a header. */
static char *wrong_address(const char *item)
{
    if (item[0] != '\0' && item[0] != '-' && strpbrk(item, " \t<>()[]\\\";:") == NULL)
        return NULL;
    return g_strdup_printf("expected addresses with commas between them; `%s` is none", item);
}

static char *read_digest_to(struct config *config, const char *value)
{
    return read_list(value, wrong_address, &config->review.digest_to);
}

static char *read_mta(struct config *config, const char *value)
{
    struct conf_word words[MTAS + 1] = {{"auto", MTA_NONE}}; /* the last stays NULL */
    for (int i = MTA_NONE + 1; i < MTAS; i++)
        words[i] = (struct conf_word){mta_word((enum mta)i), i};
    int found = (int)config->review.mta;
    char *error = read_word(value, words, &found);
    config->review.mta = (enum mta)found;
    return error;
}

static char *read_postfix_config(struct config *config, const char *value)
{
    return read_path(config, value, &config->review.places[MTA_POSTFIX].configuration);
}

static char *read_sendmail_config(struct config *config, const char *value)
{
    return read_path(config, value, &config->review.places[MTA_SENDMAIL].configuration);
}

static char *read_sendmail_command(struct config *config, const char *value)
{
    return read_path(config, value, &config->review.places[MTA_SENDMAIL].command);
}

/* ---- the table */

/* The keys of a group stand together. */
static const struct key keys[] = {
    {"milter", "socket", read_socket},
    {"milter", "user", read_user},
    {"milter", "policy", read_policy},
    {"milter", "on-error", read_on_error},
    {"milter", "on-fault", read_on_fault},
    {"milter", "timeout", read_timeout},
    {"milter", "read-ahead", read_read_ahead},
    {"log", "facility", read_facility},
    {"log", "format", read_format},
    {"log", "accepted", read_accepted},
    {"log", "summary", read_summary},
    {"ledger", "path", read_ledger},
    {"ledger", "keep", read_keep},
    {"ledger", "subject", read_subject},
    {"metrics", "path", read_metrics},
    {"review", "approvals", read_approvals},
    {"review", "identities", read_identities},
    {"review", "list", read_list_groups},
    {"review", "show", read_show_groups},
    {"review", "release", read_release_groups},
    {"review", "return", read_return_groups},
    {"review", "delete", read_delete_groups},
    {"review", "notice", read_notice},
    {"review", "digest-to", read_digest_to},
    {"review", "mta", read_mta},
    {"review", "postfix-config", read_postfix_config},
    {"review", "sendmail-config", read_sendmail_config},
    {"review", "sendmail-command", read_sendmail_command},
};

const struct key *key_at(unsigned index)
{
    return index < G_N_ELEMENTS(keys) ? &keys[index] : NULL;
}

const struct key *key_find(const char *group, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, group) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}
