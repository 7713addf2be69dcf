/*
 * findings - what `rcptguardq doctor` found: what it is, why it matters, and the
 * line that fixes it.
 *
 * Ownership: findings_free frees all of it.
 */
#ifndef RCPTGUARD_FINDINGS_H
#define RCPTGUARD_FINDINGS_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

enum severity {
    SEVERITY_OK,
    SEVERITY_NOTE,    /* worth knowing */
    SEVERITY_WARNING, /* will hurt some day */
    SEVERITY_ERROR,   /* mail passes unjudged, is lost, or cannot be reviewed */
};
#define SEVERITIES (SEVERITY_ERROR + 1)

/* "ok", "note", "warning", "error" */
const char *severity_name(enum severity severity);

/* Where a line that fixes a problem belongs: a file's name, or the shell, or psql(1) as an owner of the fleet. */
#define MEND_SHELL "shell"
#define MEND_PSQL  "psql"

struct mend {
    const char *place;
    char *line;
};

struct finding {
    enum severity severity;
    const char *check;
    const char *about; /* see struct findings */
    char *what;
    const char *why;  /* NULL for what is ok */
    GPtrArray *mends; /* struct mend *, in their order; none if there is no one line */
};

struct findings {
    GPtrArray *all;    /* struct finding * */
    const char *check; /* that is being made: the findings to come belong to it */
    const char *about; /* of several instances, the one that it is made of: each text begins with it; or NULL */
};

struct findings *findings_new(void);
void findings_free(struct findings *findings);
AUTO_FREE_DEFINE(findings, findings_free)

/* Adds one of the check that is being made.  `why` is a sentence that lives for ever. */
struct finding *findings_add(struct findings *findings, enum severity severity, const char *why, const char *format,
                             ...) G_GNUC_PRINTF(4, 5);

/* One that has nothing against it. */
void findings_ok(struct findings *findings, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A line that fixes it; if there are several, all are needed, in this order. */
void finding_mend(struct finding *finding, const char *place, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Whether the check that is being made, of this instance, found anything yet, and how many there are of a severity. */
bool findings_silent(const struct findings *findings);
unsigned findings_count(const struct findings *findings, enum severity severity);

/* As text: the problems first, then, if `verbose`, a line for each check that is ok; then the summary. */
void findings_append_text(const struct findings *findings, bool verbose, bool colours, unsigned width, GString *out);

/* An object a line. */
void findings_append_json(const struct findings *findings, GString *out);

#endif
