/* conf_keys - see conf_keys.h */

#include <config.h>

#include "milter/common/conf_keys.h"

#include "milter/common/conninfo.h"
#include "milter/common/duration.h"
#include "policy/base/suggest.h"

#include <stddef.h>
#include <string.h>
#include <syslog.h>

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

static void *place_of(const struct key *key, struct config *config)
{
    return (char *)config + key->place;
}

/* An int or an enum. */
static char *read_choice(const struct key *key, struct config *config, const char *value)
{
    return read_word(value, key->words, place_of(key, config));
}

static char *read_bool(const struct key *key, struct config *config, const char *value)
{
    bool *place = place_of(key, config);
    int found = *place;
    char *error = read_word(value, key->words, &found);
    *place = found != 0;
    return error;
}

#define DAY ((unsigned)DURATION_DAY)

/* Seconds: a number, alone or with s, m, h or d after it. */
static char *read_duration(const struct key *key, struct config *config, const char *value)
{
    unsigned least = key->least, most = key->most, *place = place_of(key, config);
    gint64 seconds = duration_read(value, "smhd", 's');
    if (seconds == -1)
        return g_strdup_printf("expected a time such as 90s, 15m or 1h, not `%s`", value);
    if (seconds < least || seconds > most)
        return g_strdup_printf("expected a time from %u%c to %ud, not `%s`", least % DAY == 0 ? least / DAY : least,
                               least % DAY == 0 ? 'd' : 's', most / DAY, value);
    *place = (unsigned)seconds;
    return NULL;
}

/* Of the unit, which is a mebibyte. */
#define GIBIBYTE 1024u

/* A number with M or G after it; stored in mebibytes. */
static char *read_size(const struct key *key, struct config *config, const char *value)
{
    unsigned *place = place_of(key, config);
    char *end;
    guint64 number = g_ascii_isdigit(value[0]) ? g_ascii_strtoull(value, &end, 10) : 0;
    if (number == 0 || (strcmp(end, "M") != 0 && strcmp(end, "G") != 0))
        return g_strdup_printf("expected a size such as 256M or 1G, not `%s`", value);
    guint64 unit = end[0] == 'G' ? GIBIBYTE : 1;
    if (number > key->most / unit || number * unit < key->least)
        return g_strdup_printf("expected a size from %uM to %uG, not `%s`", key->least, key->most / GIBIBYTE, value);
    *place = (unsigned)(number * unit);
    return NULL;
}

static char *read_socket(const struct key *key, struct config *config, const char *value)
{
    char *error;
    (void)key;
    struct endpoint *endpoint = endpoint_parse(value, &error);
    if (endpoint == NULL)
        return error;
    endpoint_free(config->socket);
    config->socket = endpoint;
    return NULL;
}

static char *read_user(const struct key *key, struct config *config, const char *value)
{
    (void)key;
    if (strpbrk(value, " \t:/") != NULL)
        return g_strdup_printf("expected the name of a user, not `%s`", value);
    g_free(config->user);
    config->user = g_strdup(value);
    config->user_given = true;
    return NULL;
}

/* A relative path counts from the directory of the configuration. */
static char *read_path(const struct key *key, struct config *config, const char *value)
{
    char **path = place_of(key, config);
    g_autofree char *directory = g_path_get_dirname(config->path);
    g_free(*path);
    *path = g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(directory, value, NULL);
    return NULL;
}

static char *read_metrics(const struct key *key, struct config *config, const char *value)
{
    g_autofree char *name = g_path_get_basename(value);
    if (!g_str_has_suffix(name, ".prom") || strcmp(name, ".prom") == 0)
        return g_strdup_printf("expected the path of a file whose name ends in .prom, not `%s`: what reads metrics out "
                               "of files looks at no others",
                               value);
    return read_path(key, config, value);
}

/* Longest name, in bytes. */
#define INSTANCE_LIMIT 64

static char *read_instance(const struct key *key, struct config *config, const char *value)
{
    static const char characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-";
    (void)key;
    if (strlen(value) > INSTANCE_LIMIT || value[strspn(value, characters)] != '\0')
        return g_strdup_printf("expected a name of at most %d letters, digits, dots, hyphens and underscores, not `%s`",
                               INSTANCE_LIMIT, value);
    g_free(config->instance);
    config->instance = g_strdup(value);
    return NULL;
}

static char *read_database(const struct key *key, struct config *config, const char *value)
{
    char **place = place_of(key, config);
#ifdef HAVE_LIBPQ
    char *error = conninfo_wrong(value);
#else
    char *error = g_strdup("this rcptguard was built without PostgreSQL (libpq)");
#endif
    if (error != NULL)
        return error;
    g_free(*place);
    *place = g_strdup(value);
    return NULL;
}

/* It is typed as NODE:ID, and as the value of an option. */
static char *read_node(const struct key *key, struct config *config, const char *value)
{
    (void)key;
    if (strlen(value) > CONFIG_NODE_LIMIT || !g_ascii_isalnum(value[0]) ||
        value[strspn(value, CONFIG_NODE_CHARACTERS)] != '\0')
        return g_strdup_printf("expected a name of at most %d letters, digits, dots, hyphens and underscores that "
                               "begins with a letter or a digit, not `%s`",
                               CONFIG_NODE_LIMIT, value);
    g_free(config->fleet_node);
    config->fleet_node = g_strdup(value);
    return NULL;
}

/* That of the fleet, or a connection string. */
static char *read_state_database(const struct key *key, struct config *config, const char *value)
{
    bool named = strcmp(value, CONFIG_STATE_FLEET) == 0;
    if (!named && strchr(value, '=') == NULL && strstr(value, "://") == NULL) /* what it is may be a secret */
        return g_strdup_printf("expected `%s`, or a connection string such as `host=db.example dbname=rcptguard`",
                               CONFIG_STATE_FLEET);
    if (!named)
        return read_database(key, config, value);
    g_free(config->state_database);
    config->state_database = g_strdup(value);
    return NULL;
}

static char *read_approvals(const struct key *key, struct config *config, const char *value)
{
    (void)key;
    if (strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
        return g_strdup_printf("expected 1 or 2, not `%s`", value);
    config->review.approvals = value[0] == '2' ? 2 : 1;
    return NULL;
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
static char *read_groups(const struct key *key, struct config *config, const char *value)
{
    char ***groups = place_of(key, config);
    if (strcmp(value, "none") != 0)
        return read_list(value, wrong_group, groups);
    g_strfreev(*groups);
    *groups = g_new0(char *, 1);
    return NULL;
}

/* They become arguments of sendmail(1), and are in a header. */
static char *wrong_address(const char *item)
{
    if (item[0] != '\0' && item[0] != '-' && strpbrk(item, " \t<>()[]\\\";:") == NULL)
        return NULL;
    return g_strdup_printf("expected addresses with commas between them; `%s` is none", item);
}

static char *read_addresses(const struct key *key, struct config *config, const char *value)
{
    return read_list(value, wrong_address, place_of(key, config));
}

static char *read_delimiter(const struct key *key, struct config *config, const char *value)
{
    (void)key;
    if (value[0] == '\0' || value[1] != '\0' || strchr("+-=_", value[0]) == NULL)
        return g_strdup_printf("expected one of + - = _, as the MTA has it, not `%s`", value);
    g_free(config->review.answers_delimiter);
    config->review.answers_delimiter = g_strdup(value);
    return NULL;
}

/* `10d return`, `10d delete`, or `no`. */
static char *read_expiry(const struct key *key, struct config *config, const char *value)
{
    struct conf_expiry *expiry = place_of(key, config);
    g_autofree char *time = g_strndup(value, strcspn(value, " \t"));
    const char *word = value + strlen(time) + strspn(value + strlen(time), " \t");
    gint64 seconds = duration_read(time, "hd", '\0');
    if (strcmp(value, "no") == 0) {
        *expiry = (struct conf_expiry){0, EXPIRE_AS_CONFIGURED};
        return NULL;
    }
    bool returns = strcmp(word, expire_way_name(EXPIRE_RETURN)) == 0;
    if (seconds == -1 || (!returns && strcmp(word, expire_way_name(EXPIRE_DELETE)) != 0))
        return g_strdup_printf("expected a time in hours or days and `return` or `delete`, such as `10d return`, or "
                               "`no`; not `%s`",
                               value);
    if (seconds < key->least || seconds > key->most)
        return g_strdup_printf("expected a time from %ud to %ud, not `%s`", key->least / DAY, key->most / DAY, time);
    *expiry = (struct conf_expiry){(unsigned)seconds, returns ? EXPIRE_RETURN : EXPIRE_DELETE};
    return NULL;
}

/* One that needs no quotes, so that it can be read and typed, and that leaves room for what is added to it. */
static char *read_answers(const struct key *key, struct config *config, const char *value)
{
    static const char characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-";
    size_t length = strspn(value, characters);
    (void)key;
    if (length == 0 || length > 30 || value[length] != '@' || value[length + 1] == '\0' ||
        value[length + 1 + strspn(value + length + 1, characters)] != '\0')
        return g_strdup_printf("expected an address of letters, digits, dots, hyphens and underscores, with at most 30 "
                               "of them before its @, not `%s`",
                               value);
    g_free(config->review.answers);
    config->review.answers = g_strdup(value);
    return NULL;
}

static char *read_mta(const struct key *key, struct config *config, const char *value)
{
    struct conf_word words[MTAS + 1] = {{"auto", MTA_NONE}}; /* the last stays NULL */
    for (int i = MTA_NONE + 1; i < MTAS; i++)
        words[i] = (struct conf_word){mta_word((enum mta)i), i};
    return read_word(value, words, place_of(key, config));
}

/* ---- the table */

static const struct conf_word on_error_words[] = {
    {"tempfail", DISPOSITION_TEMPFAIL}, {"accept", DISPOSITION_ACCEPT}, {NULL, 0}};

static const struct conf_word on_fault_words[] = {{"quarantine", DISPOSITION_QUARANTINE},
                                                  {"tempfail", DISPOSITION_TEMPFAIL},
                                                  {"reject", DISPOSITION_REJECT},
                                                  {NULL, 0}};

static const struct conf_word facility_words[] = {{"mail", LOG_MAIL},
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

static const struct conf_word yes_words[] = {{"yes", true}, {"no", false}, {NULL, 0}};

static const struct conf_word away_words[] = {
    {"on-error", STATE_AWAY_ON_ERROR}, {"local", STATE_AWAY_LOCAL}, {NULL, 0}};

static const struct conf_word format_words[] = {{"text", false}, {"json", true}, {NULL, 0}};

#define AT(member) .place = offsetof(struct config, member)

/* The keys of a group are together. */
static const struct key keys[] = {
    {"milter", "socket", read_socket, KEY_RESTART, KEY_SOCKET, AT(socket)},
    {"milter", "user", read_user, KEY_RESTART, KEY_TEXT, AT(user)},
    {"milter", "policy", read_path, KEY_RELOAD, KEY_TEXT, AT(policy)},
    {"milter", "on-error", read_choice, KEY_RELOAD, KEY_NUMBER, AT(on_error), .words = on_error_words},
    {"milter", "on-fault", read_choice, KEY_RELOAD, KEY_NUMBER, AT(on_fault), .words = on_fault_words},
    {"milter", "timeout", read_duration, KEY_RESTART, KEY_NUMBER, AT(timeout), .least = 1, .most = 7 * DAY},
    {"milter", "memory", read_size, KEY_RELOAD, KEY_NUMBER, AT(memory), .least = 16, .most = 64 * GIBIBYTE},
    {"milter", "body", read_size, KEY_RELOAD, KEY_NUMBER, AT(body), .least = 1, .most = GIBIBYTE},
    {"milter", "read-ahead", read_bool, KEY_RESTART, KEY_FLAG, AT(read_ahead), .words = yes_words},
    {"log", "facility", read_choice, KEY_RESTART, KEY_NUMBER, AT(facility), .words = facility_words},
    {"log", "format", read_bool, KEY_RELOAD, KEY_FLAG, AT(log_json), .words = format_words},
    {"log", "accepted", read_bool, KEY_RELOAD, KEY_FLAG, AT(accepted), .words = yes_words},
    {"log", "summary", read_duration, KEY_RELOAD, KEY_NUMBER, AT(summary), .least = 1, .most = 7 * DAY},
    {"ledger", "path", read_path, KEY_RESTART, KEY_TEXT, AT(ledger)},
    {"ledger", "keep", read_duration, KEY_RELOAD, KEY_NUMBER, AT(keep), .least = DAY, .most = 3650 * DAY},
    {"ledger", "subject", read_bool, KEY_RELOAD, KEY_FLAG, AT(subject), .words = yes_words},
    {"state", "path", read_path, KEY_RESTART, KEY_TEXT, AT(state)},
    {"state", "key", read_path, KEY_RESTART, KEY_TEXT, AT(state_key)},
    {"state", "database", read_state_database, KEY_RESTART, KEY_TEXT, AT(state_database)},
    {"state", "on-away", read_choice, KEY_RESTART, KEY_NUMBER, AT(state_on_away), .words = away_words},
    {"fleet", "database", read_database, KEY_RESTART, KEY_TEXT, AT(fleet_database)},
    {"fleet", "node", read_node, KEY_COMMAND, KEY_TEXT, AT(fleet_node)},
    {"metrics", "path", read_metrics, KEY_RESTART, KEY_TEXT, AT(metrics)},
    {"metrics", "instance", read_instance, KEY_RESTART, KEY_TEXT, AT(instance)},
    {"review", "approvals", read_approvals, KEY_COMMAND, KEY_NUMBER, AT(review.approvals)},
    {"review", "identities", read_path, KEY_COMMAND, KEY_TEXT, AT(review.identities)},
    {"review", "list", read_groups, KEY_COMMAND, KEY_TEXTS, AT(review.groups[REVIEW_LIST])},
    {"review", "show", read_groups, KEY_COMMAND, KEY_TEXTS, AT(review.groups[REVIEW_SHOW])},
    {"review", "release", read_groups, KEY_COMMAND, KEY_TEXTS, AT(review.groups[REVIEW_RELEASE])},
    {"review", "return", read_groups, KEY_COMMAND, KEY_TEXTS, AT(review.groups[REVIEW_RETURN])},
    {"review", "delete", read_groups, KEY_COMMAND, KEY_TEXTS, AT(review.groups[REVIEW_DELETE])},
    {"review", "notice", read_path, KEY_RELOAD, KEY_TEXT, AT(review.notice)},
    {"review", "decision-key", read_path, KEY_COMMAND, KEY_TEXT, AT(review.decision_key)},
    {"review", "expire", read_expiry, KEY_COMMAND, KEY_EXPIRY, AT(review.expire), .least = DAY, .most = 365 * DAY},
    {"review", "answers", read_answers, KEY_RESTART, KEY_TEXT, AT(review.answers)},
    {"review", "answers-delimiter", read_delimiter, KEY_RESTART, KEY_TEXT, AT(review.answers_delimiter)},
    {"review", "sender-release", read_duration, KEY_RELOAD, KEY_NUMBER, AT(review.sender_release), .least = 60,
     .most = 7 * DAY},
    {"review", "reviewers-by-mail", read_bool, KEY_RELOAD, KEY_FLAG, AT(review.by_mail), .words = yes_words},
    {"review", "digest-to", read_addresses, KEY_COMMAND, KEY_TEXTS, AT(review.digest_to)},
    {"review", "mta", read_mta, KEY_COMMAND, KEY_NUMBER, AT(review.mta)},
    {"review", "postfix-config", read_path, KEY_COMMAND, KEY_TEXT, AT(review.places[MTA_POSTFIX].configuration)},
    {"review", "sendmail-config", read_path, KEY_COMMAND, KEY_TEXT, AT(review.places[MTA_SENDMAIL].configuration)},
    {"review", "sendmail-command", read_path, KEY_COMMAND, KEY_TEXT, AT(review.places[MTA_SENDMAIL].command)},
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

/* ---- values again */

G_STATIC_ASSERT(sizeof(enum disposition) == sizeof(int) && sizeof(enum mta) == sizeof(int) &&
                sizeof(enum state_on_away) == sizeof(int));

char *key_text(const struct key *key, const struct config *config)
{
    const void *place = (const char *)config + key->place;
    switch (key->kind) {
    case KEY_TEXT:
        return g_strdup(*(char *const *)place);
    case KEY_TEXTS:
        return *(char **const *)place == NULL ? NULL : g_strjoinv(",", *(char **const *)place);
    case KEY_NUMBER:
        return g_strdup_printf("%d", *(const int *)place);
    case KEY_FLAG:
        return g_strdup(*(const bool *)place ? "yes" : "no");
    case KEY_SOCKET:
        return g_strdup((*(struct endpoint *const *)place)->name);
    case KEY_EXPIRY: {
        const struct conf_expiry *expiry = place;
        return g_strdup_printf("%u %d", expiry->seconds, expiry->way);
    }
    }
    return NULL;
}

static void copy_socket(struct endpoint **to, const struct endpoint *from)
{
    char *error;
    endpoint_free(*to);
    *to = endpoint_parse(from->name, &error); /* it was parsed before */
}

void key_copy(const struct key *key, struct config *to, const struct config *from)
{
    void *place = (char *)to + key->place;
    const void *source = (const char *)from + key->place;
    switch (key->kind) {
    case KEY_TEXT:
        g_free(*(char **)place);
        *(char **)place = g_strdup(*(char *const *)source);
        break;
    case KEY_TEXTS:
        g_strfreev(*(char ***)place);
        *(char ***)place = g_strdupv(*(char **const *)source);
        break;
    case KEY_NUMBER:
        *(int *)place = *(const int *)source;
        break;
    case KEY_FLAG:
        *(bool *)place = *(const bool *)source;
        break;
    case KEY_SOCKET:
        copy_socket(place, *(struct endpoint *const *)source);
        break;
    case KEY_EXPIRY:
        *(struct conf_expiry *)place = *(const struct conf_expiry *)source;
        break;
    }
}
