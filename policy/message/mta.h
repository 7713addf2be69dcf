/*
 * mta - the MTAs that a message may come from, one row each, and in what their messages differ.
 */
#ifndef RCPTGUARD_MTA_H
#define RCPTGUARD_MTA_H

#include <stdbool.h>
#include <stddef.h>

enum mta { MTA_NONE, MTA_POSTFIX, MTA_SENDMAIL };
#define MTAS (MTA_SENDMAIL + 1)

/* Longest name of an instance that is read, in bytes. */
#define MTA_INSTANCE_LIMIT 64

struct mta_facts {
    const char *word;     /* "postfix": in rcptguard.conf, in the ledger, on command lines; NULL of MTA_NONE */
    const char *version;  /* how the macro `v` of its milter connections begins; NULL: not recognised by it */
    bool local_port_0;    /* it hands in mail of sendmail(1) from port 0, which no connection has */
    bool delivers_bcc;    /* Bcc and Resent-Bcc reach the recipients */
    bool rewrites_routes; /* the milter sees source routes and the like already rewritten to addresses */
    const char *instance_configuration[2]; /* where that of an instance is: before its name, and after it */
    unsigned header_tokens; /* from this number of tokens on it may have cut a header; 0: it does not count them */
};

const struct mta_facts *mta_facts(enum mta mta);

/* "postfix", "sendmail"; NULL of MTA_NONE.  MTA_NONE for any other word, and for NULL. */
const char *mta_word(enum mta mta);
enum mta mta_find(const char *word);

/* By the macro `v`, or NULL: Sendmail if it names no other, since Bcc is then not counted as visible. */
enum mta mta_of_version(const char *version);

/*
 * The instance of the MTA that the macro `v` names with `instance=NAME`, or NULL: such as
 * "Postfix 3.7.11 instance=postfix-out"; for g_free.
 */
char *mta_instance(const char *version);

#endif
