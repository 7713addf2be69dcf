/*
 * doctor - what the checks of `rcptguardq doctor` share.  Each is a function that
 * adds what it finds.  What differs between MTAs is one table of checks for each;
 * no other file asks which MTA it is.
 */
#ifndef RCPTGUARD_DOCTOR_H
#define RCPTGUARD_DOCTOR_H

#include "finding.h"
#include "queue_tool.h"

struct doctor;

struct examination {
    const char *name; /* of the check, as the manual has it */
    void (*examine)(struct doctor *doctor);
};

/* What a check has to work with.  All of it is owned by doctor.c. */
struct doctor {
    struct tool *tool; /* ledger and queue are NULL if they could not be opened */
    struct findings *findings;
    const struct doctor_mta *mta; /* or NULL */
    const char *directory;        /* of Postfix's configuration, or Sendmail's file; NULL: its own */
    void *state;                  /* what the MTA's `open` made */
    bool answers;                 /* a milter does, at the daemon's socket */
    bool asks_macros;             /* and it names the macros that it needs */
    char **complaints;            /* what `rcptguardd -n` said, a line each; NULL: nothing */
};

/* How the socket looks from one of the MTA's processes. */
struct doctor_view {
    char *process;   /* for people: "smtpd (chrooted)" */
    char *user;      /* it runs as */
    char *root;      /* it is confined to, or NULL */
    char *directory; /* it works in, or NULL */
    char *path;      /* of the socket, as this process opens it; relative counts from `directory` */
};

void doctor_view_free(struct doctor_view *view);

struct doctor_mta {
    enum mta mta;
    const char *name;
    const char *command;                                /* that only this MTA has */
    const char *group;                                  /* that may open the daemon's socket */
    void *(*open)(const char *directory, char **error); /* reads the MTA's configuration */
    void (*close)(void *state);
    /* Adds struct doctor_view * for each kind of process that connects to a socket file. */
    void (*views)(struct doctor *doctor, GPtrArray *views);
    const struct examination *examinations; /* ended by a NULL name */
};

extern const struct doctor_mta doctor_postfix, doctor_sendmail;

/* The daemon's socket, policy and process: checks of any MTA. */
extern const struct examination doctor_daemon_examinations[];

/* Seconds that an MTA has to wait for an answer at least: any command, and the end of a message. */
#define DOCTOR_COMMAND_SECONDS 10u
#define DOCTOR_MESSAGE_SECONDS 30u

#endif
