/* conf - see conf.h */

#include "milter/common/conf.h"

#include "milter/common/conf_instance.h"

#include <pwd.h>
#include <syslog.h>
#include <unistd.h>

/* Of Postfix's chroot: where Sendmail is and Postfix is not, the socket is where Sendmail takes it for safe. */
static bool socket_is_outside(void)
{
    return access("/usr/sbin/postconf", X_OK) == -1 && access("/etc/mail/sendmail.cf", F_OK) == 0;
}

static char **only(char *text)
{
    char **texts = g_new0(char *, 2);
    texts[0] = text;
    return texts;
}

/* What another instance has by default is none of this one's. */
static void set_instance(struct config *config)
{
    const char *name = config->name;
    char *error;
    g_autofree char *socket =
        g_strdup_printf(socket_is_outside() ? CONFIG_INSTANCE_SENDMAIL_SOCKET : CONFIG_INSTANCE_SOCKET, name);
    endpoint_free(config->socket);
    config->socket = endpoint_parse(socket, &error);
    g_free(config->policy);
    config->policy = g_strdup_printf(INSTANCE_DIRECTORY "/%s.policy", name);
    g_free(config->ledger);
    config->ledger = g_strdup_printf(LOCALSTATEDIR "/lib/rcptguard-%s/ledger.db", name);
    config->instance = g_strdup(name);
    config->review.decision_key = g_strdup_printf(INSTANCE_DIRECTORY "/%s.decision.key", name);
    for (int mta = MTA_NONE + 1; mta < MTAS; mta++) {
        const char *const *around = mta_facts((enum mta)mta)->instance_configuration;
        config->review.places[mta].configurations = only(g_strconcat(around[0], name, around[1], NULL));
    }
}

struct config *config_new(const char *path)
{
    struct config *config = g_new0(struct config, 1);
    char *error;
    config->path = g_canonicalize_filename(path, NULL); /* the daemon leaves the directory it was started in */
    config->socket = endpoint_parse(socket_is_outside() ? CONFIG_SENDMAIL_SOCKET : CONFIG_DEFAULT_SOCKET, &error);
    config->user = g_strdup(CONFIG_DEFAULT_USER);
    config->policy = g_strdup(CONFIG_DEFAULT_POLICY);
    config->on_error = DISPOSITION_TEMPFAIL;
    config->on_fault = DISPOSITION_QUARANTINE;
    config->timeout = CONFIG_DEFAULT_TIMEOUT;
    config->memory = CONFIG_DEFAULT_MEMORY;
    config->body = CONFIG_DEFAULT_BODY;
    config->read_ahead = true;
    config->facility = LOG_MAIL;
    config->accepted = true;
    config->summary = CONFIG_DEFAULT_SUMMARY;
    config->ledger = g_strdup(CONFIG_DEFAULT_LEDGER);
    config->keep = CONFIG_DEFAULT_KEEP;
    config->subject = true;
    config->review.approvals = 1;
    config->review.answers_delimiter = g_strdup("+");
    config->review.sender_release = CONFIG_DEFAULT_SENDER_RELEASE;
    for (unsigned i = 0; i < REVIEW_ACTIONS; i++)
        config->review.groups[i] = g_strsplit(CONFIG_DEFAULT_REVIEWERS, ",", -1);
    config->name = instance_of_path(config->path);
    if (config->name != NULL)
        set_instance(config);
    return config;
}

char *config_unit(const struct config *config, const char *unit, const char *suffix)
{
    return g_strconcat(unit, config->name != NULL ? "@" : "", config->name != NULL ? config->name : "", suffix, NULL);
}

char *config_instance_option(const struct config *config)
{
    return config->name == NULL ? g_strdup("") : g_strdup_printf(" --instance %s", config->name);
}

const char *config_mta(const struct config *config, enum mta mta)
{
    char **configurations = config->review.places[mta].configurations;
    return configurations == NULL ? NULL : configurations[0];
}

static void review_clear(struct review *review)
{
    for (unsigned i = 0; i < REVIEW_ACTIONS; i++)
        g_strfreev(review->groups[i]);
    g_free(review->identities);
    g_free(review->notice);
    g_free(review->answers);
    g_free(review->answers_delimiter);
    g_free(review->decision_key);
    g_strfreev(review->digest_to);
    for (unsigned i = 0; i < MTAS; i++) {
        g_strfreev(review->places[i].configurations);
        g_free(review->places[i].command);
    }
}

void config_free(struct config *config)
{
    g_free(config->path);
    g_free(config->name);
    endpoint_free(config->socket);
    g_free(config->user);
    g_free(config->policy);
    g_free(config->ledger);
    g_free(config->state);
    g_free(config->state_key);
    g_free(config->state_database);
    g_free(config->fleet_database);
    g_free(config->fleet_node);
    g_free(config->metrics);
    g_free(config->instance);
    review_clear(&config->review);
    g_free(config);
}

static char *beside_ledger(const struct config *config, const char *path, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(config->ledger);
    return path != NULL ? g_strdup(path) : g_build_filename(folder, name, NULL);
}

uid_t config_owner(const struct config *config)
{
    const struct passwd *entry = getpwnam(config->user);
    return entry != NULL && (geteuid() == 0 || config->user_given) ? entry->pw_uid : geteuid();
}

char *config_state(const struct config *config)
{
    return beside_ledger(config, config->state, "state.db");
}

char *config_state_key(const struct config *config)
{
    return beside_ledger(config, config->state_key, "state.key");
}

const char *config_state_database(const struct config *config)
{
    bool shared = g_strcmp0(config->state_database, CONFIG_STATE_FLEET) == 0;
    return shared ? config->fleet_database : config->state_database;
}

char *config_answers_key(const struct config *config)
{
    return beside_ledger(config, NULL, "answers.key");
}

char *config_fleet_node(const struct config *config)
{
    if (config->fleet_node != NULL)
        return g_strdup(config->fleet_node);
    /* Of an instance its name follows, whole. */
    g_autofree char *instance = config->name == NULL ? g_strdup("") : g_strconcat("-", config->name, NULL);
    const size_t room = CONFIG_NODE_LIMIT - MIN(strlen(instance), CONFIG_NODE_LIMIT);
    const char *host = g_get_host_name();
    g_autofree char *name = g_strndup(host, MIN(strcspn(host, "."), room));
    g_strcanon(name, CONFIG_NODE_CHARACTERS, '-');
    if (room == 0)
        return g_strdup(config->name);
    return g_strconcat(name[0] == '\0' ? "localhost" : name, instance, NULL);
}

char *config_decision_key(const struct config *config)
{
    g_autofree char *folder = g_path_get_dirname(config->path);
    const char *path = config->review.decision_key;
    return path != NULL ? g_strdup(path) : g_build_filename(folder, "decision.key", NULL);
}
