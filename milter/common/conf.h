/*
 * conf - the settings of rcptguard.conf(5), with their defaults; conf_load.h reads the file.
 *
 * Ownership: a configuration owns all that it points at.
 */
#ifndef RCPTGUARD_CONF_H
#define RCPTGUARD_CONF_H

#include "milter/common/endpoint.h"
#include "policy/base/cleanup.h"
#include "policy/message/disposition.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_DEFAULT_PATH    SYSCONFDIR "/rcptguard/rcptguard.conf"
#define CONFIG_DEFAULT_POLICY  SYSCONFDIR "/rcptguard/policy"
#define CONFIG_DEFAULT_SOCKET  "unix:/var/spool/postfix/rcptguard/rcptguard.sock"
#define CONFIG_SENDMAIL_SOCKET "unix:/run/rcptguard/rcptguard.sock"
/* Of an instance, which has the name of an instance of Postfix, as postmulti(1) makes those. */
#define CONFIG_INSTANCE_SOCKET          "unix:/var/spool/%s/rcptguard/rcptguard.sock"
#define CONFIG_INSTANCE_SENDMAIL_SOCKET "unix:/run/rcptguard-%s/rcptguard.sock"

#define CONFIG_DEFAULT_USER    "rcptguard"
#define CONFIG_DEFAULT_TIMEOUT 7210 /* seconds: longer than any MTA is silent within a message */
#define CONFIG_DEFAULT_MEMORY  256  /* MiB */
#define CONFIG_DEFAULT_BODY    10   /* MiB */
#define CONFIG_DEFAULT_SUMMARY 3600 /* seconds */
#define CONFIG_DEFAULT_LEDGER  LOCALSTATEDIR "/lib/rcptguard/ledger.db"
#define CONFIG_DEFAULT_KEEP    7776000 /* seconds: 90 days */
/* In the place of configurations of Postfix: all that postmulti(1) lists. */
#define CONFIG_ALL_INSTANCES "postmulti"

#define CONFIG_DEFAULT_REVIEWERS "rcptguard-review"

/* [state] database: that of the fleet. */
#define CONFIG_STATE_FLEET "fleet"

#define CONFIG_DEFAULT_SENDER_RELEASE 7200 /* seconds */

/* What a group of reviewers may be allowed. */
enum review_action { REVIEW_LIST, REVIEW_SHOW, REVIEW_RELEASE, REVIEW_RETURN, REVIEW_DELETE, REVIEW_ACTIONS };

/* Where an MTA is. */
struct review_place {
    char *
        *configurations; /* directories or files, ended by NULL: several are several instances; NULL: its own choice */
    char *command;       /* its sendmail(8); NULL: the one of the system */
};

/* What becomes of a held message that nobody decides in time. */
struct conf_expiry {
    unsigned seconds; /* 0: it stays on hold */
    enum expire_way way;
};

/* [review]: what rcptguardq(8) needs. */
struct review {
    unsigned approvals;            /* different people that every release needs: 1 or 2 */
    char *identities;              /* a file: which mail is a reviewer's own; or NULL */
    char **groups[REVIEW_ACTIONS]; /* names of groups, ended by NULL; none: root alone */
    char *notice;                  /* a template: tell the author of a held message; NULL: do not */
    char *decision_key;            /* of the seals of decisions; NULL: decision.key beside this file */
    struct conf_expiry expire;
    char *answers;           /* the address that people answer to; or NULL */
    char *answers_delimiter; /* one character, before what is added to its local part */
    unsigned sender_release; /* seconds after the notice in which an author may answer it */
    bool by_mail;            /* reviewers may decide by an answer to the digest */
    char **digest_to;        /* addresses, ended by NULL; or NULL */
    enum mta mta;            /* MTA_NONE: find out */
    struct review_place places[MTAS];
};

/* Who answers while the database of [state] is away. */
enum state_on_away {
    STATE_AWAY_ON_ERROR, /* nobody: `on-error` decides */
    STATE_AWAY_LOCAL,    /* the file of this server */
};

struct config {
    char *path; /* of the file itself */
    char *name; /* of this instance of rcptguard; NULL: the one without a name */

    struct endpoint *socket;
    bool socket_given; /* on the command line: the file's is not used */
    char *user;
    bool user_given;           /* the file names the user */
    char *policy;              /* absolute */
    enum disposition on_error; /* accept or tempfail: what an action that failed becomes */
    enum disposition on_fault; /* quarantine, tempfail or reject: what a fault of the policy becomes */
    unsigned timeout;          /* seconds that the MTA may be silent within a packet */
    unsigned memory;           /* MiB that all messages may have at once */
    unsigned body;             /* MiB of the body of a message that are read, if the policy needs it */
    bool read_ahead;           /* more is read of a connection than libmilter asks for */

    int facility;     /* of syslog(3) */
    bool log_json;    /* lines are JSON, not text */
    bool accepted;    /* accepted messages get their line too */
    unsigned summary; /* seconds between two summary lines */

    char *ledger;  /* absolute */
    unsigned keep; /* seconds that a closed row stays in the ledger */
    bool subject;  /* the ledger keeps subjects */

    char *state;          /* what is remembered between messages; NULL: state.db beside the ledger; see config_state */
    char *state_key;      /* of its hashes; NULL: state.key beside the ledger */
    char *state_database; /* see config_state_database */
    enum state_on_away state_on_away;

    char *fleet_database; /* a connection string; NULL: this server shares nothing */
    char *fleet_node;     /* NULL: see config_fleet_node */

    char *metrics;  /* absolute; or NULL: none are written */
    char *instance; /* a label of all of them; or NULL */

    struct review review;
};

/* One in which each key has its default; `path` is the file's: that of an instance has others, see conf_instance.h. */
struct config *config_new(const char *path);
void config_free(struct config *config);

/* The first configuration of an MTA that [review] names, or NULL. */
const char *config_mta(const struct config *config, enum mta mta);

/* A unit of systemd: "rcptguard-agent", ".timer" is rcptguard-agent@NAME.timer of an instance; for g_free. */
char *config_unit(const struct config *config, const char *unit, const char *suffix);

/* What follows the name of a command, for people: " --instance NAME", or ""; for g_free. */
char *config_instance_option(const struct config *config);

/* Whose files are trusted: the daemon's user; without such a user, or for another one who asks, the one who asks. */
uid_t config_owner(const struct config *config);

/* Where [state] is, and the key of its hashes: absolute paths, for g_free. */
char *config_state(const struct config *config);
char *config_state_key(const struct config *config);

/* The connection string of the database of [state], which may be that of the fleet; NULL: it is in a file alone. */
const char *config_state_database(const struct config *config);

/* Where the key of the codes of answers by mail is, the daemon's own: an absolute path, for g_free. */
char *config_answers_key(const struct config *config);

/* Where the key is that seals decisions: an absolute path, for g_free. */
char *config_decision_key(const struct config *config);

/* Of the name of a node: the most bytes, and its characters. */
#define CONFIG_NODE_LIMIT      63
#define CONFIG_NODE_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-"

/* What this server is called among those of its fleet: [fleet] node, or the short name of the host, with that of this
 * instance after it; for g_free. */
char *config_fleet_node(const struct config *config);

AUTO_FREE_DEFINE(config, config_free)

#endif
