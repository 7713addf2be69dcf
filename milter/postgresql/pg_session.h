/*
 * pg_session - a connection to PostgreSQL by a child process that runs as a given user.
 *
 * The child is this program again (/proc/self/exe), which becomes the user with his
 * groups before it talks to a server: root never does, and the server sees whom it would
 * see if he ran psql: peer authentication, ~/.pgpass, ~/.pg_service.conf, Kerberos,
 * ~/.postgresql.  Its environment is HOME, USER, LOGNAME and LC_ALL=C, whatever that of
 * the caller is.  The caller keeps the deadlines: a child that does not answer is killed,
 * whatever it waits for.
 *
 * The calls are those of pg_connection.h, with the same errors; what comes back is
 * checked in form, but is only as true as the user is.
 *
 * Ownership: pg_session_close frees a session, and ends its child.  One thread uses it.
 */
#ifndef RCPTGUARD_PG_SESSION_H
#define RCPTGUARD_PG_SESSION_H

#include "milter/postgresql/pg_connection.h"

#include <sys/types.h>

/* Whom a session is for. */
struct pg_user {
    uid_t uid;
    gid_t gid;
    char *login;
    char *home;
};

/* The user of that id or name, of the system's users; NULL: there is none.  For pg_user_free. */
struct pg_user *pg_user_of(uid_t uid);
struct pg_user *pg_user_named(const char *login);
void pg_user_free(struct pg_user *user); /* also of NULL */
AUTO_FREE_DEFINE(pg_user, pg_user_free)

struct pg_session;

/* The first argument of a program that is to be the child: its main hands over to pg_session_serve then. */
#define PG_SESSION_WORD "postgresql-session"

/* The child, after main has seen that word; `words` are the arguments after it.  Never returns. */
void pg_session_serve(char **words) G_GNUC_NORETURN;

/* As pg_connect.  Only root may name another user than itself; root itself is refused: PG_WRONG. */
struct pg_session *pg_session_open(const char *conninfo, const struct pg_user *user, gint64 deadline,
                                   struct pg_error *error);
void pg_session_close(struct pg_session *session); /* also of NULL */
AUTO_FREE_DEFINE(pg_session, pg_session_close)

/* As pg_query. */
struct pg_answer *pg_session_query(struct pg_session *session, const char *sql, unsigned count,
                                   const char *const *values, gint64 deadline, struct pg_error *error);

/* As pg_wait: the child reports notifications by itself, so a deadline of 0 only looks. */
int pg_session_wait(struct pg_session *session, gint64 deadline, struct pg_error *error);

/*
 * Readable when a notification has come, or the connection has broken: pg_session_wait says which.  One that came
 * during a query is already read, so call pg_session_wait with a deadline of 0 before a poll.  -1: it is dead.
 */
int pg_session_fd(const struct pg_session *session);
bool pg_session_is_dead(const struct pg_session *session);

#endif
