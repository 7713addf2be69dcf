/*
 * setup - what `rcptguardq setup` does to a file of an MTA's configuration.
 * What differs between MTAs is one small table of functions for each.
 *
 * Ownership: texts and errors are for g_free.
 */
#ifndef RCPTGUARD_SETUP_H
#define RCPTGUARD_SETUP_H

#include "milter/common/conf.h"
#include "milter/setup/config_edit.h"

#include <glib.h>
#include <stdbool.h>

struct setup {
    const struct config *config;
    const char *directory; /* where the MTA's configuration is; NULL: its own place */
    const char *instance;  /* the name that the daemon has to hear, where there are several of the MTA; or NULL */
    char *path;            /* of the file that is edited just now */
    GString *notes;        /* what else a person has to know or do, a line each */
};

struct setup_mta {
    const char *directory;    /* where its configuration is by itself, or its file */
    bool edits_configuration; /* [review]'s configuration of the MTA is what is edited */
    /* The file that is edited. */
    char *(*path)(const char *directory);
    /* The text with our milter in it; the same if it is there.  Adds notes.  NULL with `error`. */
    char *(*with)(struct setup *setup, const char *text, char **error);
    /* The text without our milter, whatever else is in it now. */
    char *(*without)(struct setup *setup, const char *text, char **error);
    /* The places of the configuration in force that name the socket, a line each; "" if none does.  NULL with `error`.
     */
    char *(*used)(const struct setup *setup, char **error);
    /* The group that may open the socket, or -1 if there is none. */
    gid_t (*group)(const struct setup *setup);
    /* What a person does now, for a note. */
    char *(*next)(const struct setup *setup);
    /* Has the MTA read it; NULL if it has to be built first.  0, or -1 with `error`. */
    int (*reload)(const struct setup *setup, char **error);
    /* What a reload waits for, which takes seconds; or NULL. */
    const char *waits;
    /* A second file, which may be absent, in the same directory: `path`, `with` and `without` alone; or NULL. */
    const struct setup_mta *beside;
};

/* What the file becomes: back by the steps that were made, or else without our milter.  NULL with `error`. */
char *setup_undone(struct setup *setup, const struct setup_mta *mta, const char *text, char **error);

#endif
