/*
 * pg_error - why a call of PostgreSQL failed: what can be done about it, and one line.
 */
#ifndef RCPTGUARD_PG_ERROR_H
#define RCPTGUARD_PG_ERROR_H

#include <glib.h>
#include <stdbool.h>

/* What can be done about a failure. */
enum pg_failure {
    PG_AWAY,    /* cannot be reached, too slow, closed, overloaded or read-only: try later, with a new connection */
    PG_REFUSED, /* the login is refused or has no password, or the right is missing: SQLSTATE 28..., 42501 */
    PG_WRONG,   /* what a person has to fix: the connection string, a certificate, a missing schema, other SQLSTATEs */
};

struct pg_error {
    enum pg_failure kind;
    char sqlstate[6]; /* of the server; "" if it did not say one */
    char text[512];   /* one printable line without a full stop; never a password */
};

/* Sets it; for the modules above.  Returns -1, as they do then. */
int pg_error_set(struct pg_error *error, enum pg_failure kind, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Gives it another text: one line. */
void pg_error_of_text(struct pg_error *error, const char *text);

/* What a SQLSTATE means: appendix A of the manual of PostgreSQL. */
enum pg_failure pg_failure_of(const char *sqlstate);

/* What a server said to a statement; `sqlstate` may be NULL.  Returns -1. */
int pg_error_of_statement(struct pg_error *error, const char *sqlstate, const char *message);

/*
 * What libpq said of a connection that failed or broke, in the locale C with PQERRORS_VERBOSE: it gives a SQLSTATE
 * only as a part of that text.  `no_password`: the server wanted one, and none was found.  Returns -1.
 */
int pg_error_of_connection(struct pg_error *error, const char *message, bool no_password);

#endif
