/*
 * checks - what the checks of `rcptguardq doctor` share.  Each is a function that
 * adds what it finds.  What differs between MTAs is one table of checks for each.
 */
#ifndef RCPTGUARD_CHECKS_H
#define RCPTGUARD_CHECKS_H

#include "milter/review/rcptguardq_tool.h"
#include "milter/setup/findings.h"

struct doctor;
struct pg_session;
struct site_state;

struct examination {
    const char *name; /* of the check, as the manual has it */
    void (*examine)(struct doctor *doctor);
};

/* What a check has to work with.  All of it is owned by command_doctor.c. */
struct doctor {
    struct tool *tool; /* ledger and queue are NULL if they could not be opened */
    struct findings *findings;
    const char *unit;              /* the daemon's, of systemd */
    const char *conf;              /* the name of the configuration's file */
    const struct doctor_mta *mta;  /* or NULL */
    const char *option;            /* the configuration that the command line names, or NULL */
    const char *directory;         /* of the MTA's configuration, or its file; NULL: its own */
    char **directories;            /* of all its instances, ended by NULL; or none: see `directory` */
    void *state;                   /* what the MTA's `open` made */
    bool answers;                  /* a milter does, at the daemon's socket */
    bool asks_macros;              /* and it names the macros that it needs */
    struct site_state *remembered; /* between messages; NULL: no rule needs it, or it cannot be opened */
    struct pg_session *fleet;      /* to the database of [fleet]; NULL: there is none, or it cannot be used */
    char **complaints;             /* what `rcptguardd -n` said, a line each; NULL: nothing */
};

/* Whether there are several instances of the MTA. */
bool doctor_is_several(const struct doctor *doctor);

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
    /* The setting that bounds the size of a message, "NAME is VALUE", for g_free, and its bytes; 0: nothing does. */
    char *(*size_limit)(struct doctor *doctor, guint64 *bytes);
    const struct examination *examinations; /* ended by a NULL name */
};

/*
 * Checks of any MTA: what review rests on; the daemon's socket, policy and process; how each instance of the MTA
 * reaches it; what it remembers; the database of [fleet]; other rcptguards; the page.
 */
extern const struct examination checks_of_review[], checks_of_daemon[], checks_of_reach[], checks_of_state[],
    checks_of_fleet[], checks_of_instances[], checks_of_web[];

/* Opens the MTA's configuration in `directory`, for the checks of it: a check itself. */
void check_mta(struct doctor *doctor);

/* Seconds that an MTA has to wait for an answer at least: any command, and the end of a message. */
#define DOCTOR_COMMAND_SECONDS 10u
#define DOCTOR_MESSAGE_SECONDS 30u

#endif
