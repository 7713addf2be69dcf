/*
 * conf - rcptguard.conf: what belongs to the mail admin.  See rcptguard.conf(5).
 *
 * The syntax is GLib's key file.  A pre-scan of our own knows the line of each
 * key, which GLib does not tell, and finds duplicates and comments behind
 * values, which GLib takes without a word.  conf_keys.c reads the values.
 *
 * Ownership: a configuration owns all that it points at.
 */
#ifndef RCPTGUARD_CONF_H
#define RCPTGUARD_CONF_H

#include "auto.h"
#include "diag.h"
#include "endpoint.h"
#include "message.h"
#include "verdict.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#define CONFIG_DEFAULT_PATH      SYSCONFDIR "/rcptguard/rcptguard.conf"
#define CONFIG_DEFAULT_POLICY    SYSCONFDIR "/rcptguard/policy"
#define CONFIG_DEFAULT_SOCKET    "unix:/var/spool/postfix/rcptguard/rcptguard.sock"
#define CONFIG_DEFAULT_USER      "rcptguard"
#define CONFIG_DEFAULT_TIMEOUT   7210 /* seconds: longer than any MTA is silent within a message */
#define CONFIG_DEFAULT_SUMMARY   3600 /* seconds */
#define CONFIG_DEFAULT_LEDGER    LOCALSTATEDIR "/lib/rcptguard/ledger.db"
#define CONFIG_DEFAULT_KEEP      7776000 /* seconds: 90 days */
#define CONFIG_DEFAULT_REVIEWERS "rcptguard-review"

/* A configuration file's size in bytes. */
#define CONFIG_SIZE_LIMIT (256u * 1024)

/* What a group of reviewers may be allowed. */
enum review_action { REVIEW_LIST, REVIEW_SHOW, REVIEW_RELEASE, REVIEW_RETURN, REVIEW_DELETE, REVIEW_ACTIONS };

/* [review]: what rcptguardq(8) needs. */
struct review {
    unsigned approvals;            /* different people that every release needs: 1 or 2 */
    char *identities;              /* a file: which mail is a reviewer's own; or NULL */
    char **groups[REVIEW_ACTIONS]; /* names of groups, ended by NULL; none: root alone */
    char *notice;                  /* a template: tell the author of a held message; NULL: do not */
    char **digest_to;              /* addresses, ended by NULL; or NULL */
    enum mta mta;                  /* MTA_NONE: find out */
    char *postfix_config;          /* a directory, for postfix -c; or NULL */
    char *sendmail_config;         /* sendmail.cf, for sendmail -C; or NULL */
    char *sendmail_command;        /* sendmail(8) of Sendmail; or NULL */
};

struct config {
    char *path; /* of the file itself */
    struct timespec modified;

    struct endpoint *socket;
    char *user;
    bool user_given;           /* the file names the user */
    char *policy;              /* absolute */
    enum disposition on_error; /* accept or tempfail: what an action that failed becomes */
    enum disposition on_fault; /* quarantine, tempfail or reject: what a fault of the policy becomes */
    unsigned timeout;          /* seconds that the MTA may be silent within a packet */

    int facility;     /* of syslog(3) */
    bool log_json;    /* lines are JSON, not text */
    bool accepted;    /* accepted messages get their line too */
    unsigned summary; /* seconds between two summary lines */

    char *ledger;  /* absolute */
    unsigned keep; /* seconds that a closed row stays in the ledger */
    bool subject;  /* the ledger keeps subjects */

    char *metrics; /* absolute; or NULL: none are written */

    struct review review;
};

/*
 * Reads the file.  NULL if there is any error; all of them are in `diags` then.
 * Each key has a default, so an empty file is a configuration; none is an error.
 * Relative paths count from the file's directory.
 */
struct config *config_load(const char *path, struct diags *diags);

/* The same from memory; `path` is for messages and relative names. */
struct config *config_parse(const char *path, const char *text, size_t length, struct diags *diags);

void config_free(struct config *config);
AUTO_FREE_DEFINE(config, config_free)

/* Whether the file was changed since it was read. */
bool config_is_stale(const struct config *config);

#endif
