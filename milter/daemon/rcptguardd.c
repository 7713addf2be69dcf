/* rcptguardd - the milter's command line.  See rcptguardd(8). */

#include <config.h>

#include "milter/common/conf_load.h"
#include "milter/common/privileges.h"
#include "milter/daemon/filter.h"
#include "milter/daemon/ledger_writer.h"
#include "milter/daemon/supervisor.h"
#include "milter/database/database.h"
#include "milter/log/log.h"
#include "milter/metrics/metrics_replace.h"
#include "milter/notify/notice_template.h"
#include "milter/postgresql/pg_connection.h"
#include "policy/cli/exit_codes.h"
#include "policy/cli/version_text.h"
#include "policy/engine/policy.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *config;
    const char *socket; /* or NULL */
    bool foreground;
    bool check;
};

static const char usage[] = "usage: rcptguardd [-c CONF] [-f] [-n] [-p SOCKET]\n";

static const char help[] = "\n"
                           "A milter that stops mail in which hundreds of recipients see each other.\n"
                           "\n"
                           "  -c CONF    the configuration (" CONFIG_DEFAULT_PATH ")\n"
                           "  -f         stay in the foreground; also log to standard error\n"
                           "  -n         check the configuration and the policy; exit 0 if there is no error\n"
                           "  -p SOCKET  listen there: unix:/path, inet:port@host, inet6:port@host or fd:N\n"
                           "  --help     this text\n"
                           "  --version  this version, and those of the libraries\n"
                           "\n"
                           "SIGHUP reloads the policy and the configuration.\n"
                           "See rcptguardd(8), rcptguard.conf(5), rcptguard-policy(5).\n";

static void print_version(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    versions_begin(out, "rcptguardd");
    g_autofree char *postgresql = pg_library_version();
    versions_add(out, "libmilter", filter_library_version());
    versions_add(out, "SQLite", database_library_version());
    versions_add(out, "libpq", postgresql == NULL ? "none" : postgresql);
#ifdef HAVE_SYSTEMD
    versions_add_built(out, "libsystemd", SYSTEMD_VERSION);
#endif
    fputs(out->str, stdout);
}

/* -1 to go on, or an exit code. */
static int read_options(int argc, char **argv, struct options *options)
{
    enum { OPTION_HELP = 256, OPTION_VERSION };
    static const struct option words[] = {
        {"help", no_argument, NULL, OPTION_HELP}, {"version", no_argument, NULL, OPTION_VERSION}, {NULL, 0, NULL, 0}};
    *options = (struct options){.config = CONFIG_DEFAULT_PATH};
    int option;
    while ((option = getopt_long(argc, argv, "c:fnp:", words, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'f':
            options->foreground = true;
            break;
        case 'n':
            options->check = true;
            break;
        case 'p':
            options->socket = optarg;
            break;
        case OPTION_HELP:
            printf("%s%s", usage, help);
            return EXITS_DONE;
        case OPTION_VERSION:
            print_version();
            return EXITS_DONE;
        default:
            fputs(usage, stderr);
            return EXITS_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "rcptguardd: there is no operand `%s`\n%s", argv[optind], usage);
        return EXITS_USAGE;
    }
    return -1;
}

/* A warning only: without metrics mail is evaluated as usual, so no reload shall fail for them. */
static void check_metrics(const struct config *config, struct diags *diags)
{
    g_autofree char *obstacle = config->metrics == NULL ? NULL : metrics_obstacle(config->metrics);
    auto_free(diags) found = diags_new();
    if (obstacle == NULL)
        return;
    diags_file_error(found, config->metrics, "the metrics cannot be there: %s", obstacle);
    diags_demote(found);
    diags_move(diags, found);
}

/* -n: everything that can be wrong is said, as the user that will read it. */
static int check(const struct config *config)
{
    g_autofree char *error = NULL;
    bool root = geteuid() == 0;
    bool dropped = privileges_drop(config->user, config->user_given, &error) == 0;
    if (!dropped && root) {
        fprintf(stderr, "%s: error: %s\n", config->path, error);
        return EXITS_WRONG;
    }
    if (!dropped) {
        fprintf(stderr, "%s: warning: checked as the user who asks, not as `%s`\n", config->path, config->user);
    }
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = service_first_policy(config, diags);
    if (policy != NULL) {
        policy_assert(policy, diags);
        policy_lint(policy, g_get_real_time() / G_USEC_PER_SEC, diags);
    }
    if (config->review.notice != NULL) /* who sends the notices is the same user */
        g_free(notice_load(config->review.notice, diags));
    if (dropped) { /* to another user the ledger is closed, as it should be */
        keeper_check(config, diags);
        if (policy != NULL && policy_remembers(policy))
            state_client_check(config, diags);
        check_metrics(config, diags);
    }
    log_diags_shown(diags);
    if (policy == NULL || diags_errors(diags) > 0)
        return EXITS_WRONG;
    printf("%s and %s are sound: policy %.*s, %u rules, %u assertions hold\n", config->path, config->policy,
           POLICY_DIGEST_SHOWN, policy_digest(policy), policy_rule_count(policy), policy_assertions(policy));
    return EXITS_DONE;
}

static int run(const struct config *config, bool foreground)
{
    log_open("rcptguardd", config->facility);
    log_as_json(config->log_json);
    unsigned descriptors = privileges_raise_descriptors();
    g_autofree char *error = NULL;
    if (privileges_drop(config->user, config->user_given, &error) == -1) {
        log_line(LOG_ERR, "%s: error: %s", config->path, error);
        return EXITS_WRONG;
    }
    if (descriptors < PRIVILEGES_DESCRIPTORS)
        log_line(LOG_WARNING, "descriptors: the limit cannot be raised to %u and stays at %u", PRIVILEGES_DESCRIPTORS,
                 descriptors);
    return supervisor_run(config, descriptors, foreground);
}

int main(int argc, char **argv)
{
    struct options options;
    int code = read_options(argc, argv, &options);
    if (code != -1)
        return code;

    struct endpoint *socket = NULL;
    if (options.socket != NULL) {
        g_autofree char *error = NULL;
        socket = endpoint_parse(options.socket, &error);
        if (socket == NULL) {
            fprintf(stderr, "rcptguardd: -p %s: %s\n", options.socket, error);
            return EXITS_USAGE;
        }
    }
    auto_free(diags) diags = diags_new();
    auto_free(config) config = config_load(options.config, diags);
    if (config == NULL) {
        if (!options.check)
            log_open("rcptguardd", LOG_MAIL); /* whoever started it may not look at standard error */
        log_diags_shown(diags);
        endpoint_free(socket);
        return EXITS_WRONG;
    }
    if (socket != NULL) {
        endpoint_free(config->socket);
        config->socket = socket;
        config->socket_given = true;
    }
    return options.check ? check(config) : run(config, options.foreground);
}
