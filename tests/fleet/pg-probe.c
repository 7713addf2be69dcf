/*
 * pg-probe - calls of pg_connection and of pg_session, for tests/fleet.
 *
 *     pg-probe connection|USER CONNINFO SECONDS
 *
 * connects, by itself or by a session as that user, and then reads commands, a line each:
 * `query SECONDS SQL`, with values after tabs, `\N` for NULL; `wait SECONDS`.  Each gets a line back:
 * `ok CHANGED`, and before it a line for each row; or `error KIND SQLSTATE DEAD TEXT`.  What is in
 * a row or a value is escaped as in C.
 */

#include "milter/postgresql/pg_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pg_connection *connection;
static struct pg_session *session;

static gint64 deadline_of(const char *seconds)
{
    return g_get_monotonic_time() + (gint64)(g_ascii_strtod(seconds, NULL) * G_USEC_PER_SEC);
}

static void print_error(const struct pg_error *error)
{
    static const char *const kinds[] = {"away", "refused", "wrong"};
    bool dead = connection != NULL ? pg_is_dead(connection) : session == NULL || pg_session_is_dead(session);
    printf("error %s %s %s %s\n", kinds[error->kind], error->sqlstate[0] == '\0' ? "-" : error->sqlstate,
           dead ? "dead" : "alive", error->text);
}

static void print_answer(const struct pg_answer *answer)
{
    for (unsigned row = 0; row < pg_rows(answer); row++) {
        for (unsigned column = 0; column < pg_columns(answer); column++) {
            const char *value = pg_value(answer, row, column);
            g_autofree char *escaped = value == NULL ? g_strdup("\\N") : g_strescape(value, NULL);
            printf("%s%s", column > 0 ? "\t" : "row ", escaped);
        }
        printf("\n");
    }
    printf("ok %u\n", pg_changed(answer));
}

static void query(const char *rest)
{
    struct pg_error error;
    char *end;
    gint64 deadline = deadline_of(rest);
    g_ascii_strtod(rest, &end);
    g_auto(GStrv) words = g_strsplit(end + 1, "\t", -1);
    unsigned count = g_strv_length(words) - 1;
    g_autofree const char **values = g_new0(const char *, count + 1);
    g_autofree char *sql = g_strcompress(words[0]);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(words[i + 1], "\\N") != 0) {
            char *value = g_strcompress(words[i + 1]);
            g_free(words[i + 1]);
            words[i + 1] = value;
            values[i] = value;
        }
    }
    auto_free(pg_answer) answer = session != NULL ? pg_session_query(session, sql, count, values, deadline, &error)
                                                  : pg_query(connection, sql, count, values, deadline, &error);
    if (answer != NULL)
        print_answer(answer);
    else
        print_error(&error);
}

static void wait_for(const char *rest)
{
    struct pg_error error;
    gint64 deadline = deadline_of(rest);
    int found = session != NULL ? pg_session_wait(session, deadline, &error) : pg_wait(connection, deadline, &error);
    if (found == -1)
        print_error(&error);
    else
        printf("ok %d\n", found);
}

static int open_by(const char *who, const char *conninfo, gint64 deadline, struct pg_error *error)
{
    if (strcmp(who, "connection") == 0) {
        connection = pg_connect(conninfo, deadline, error);
        return connection == NULL ? -1 : 0;
    }
    auto_free(pg_user) user = pg_user_named(who);
    if (user == NULL)
        return pg_error_set(error, PG_WRONG, "no such user");
    const char *home = g_getenv("PROBE_HOME");
    if (home != NULL) {
        g_free(user->home);
        user->home = g_strdup(home);
    }
    session = pg_session_open(conninfo, user, deadline, error);
    return session == NULL ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct pg_error error;
    char *line = NULL;
    size_t size = 0;
    if (argc > 1 && strcmp(argv[1], PG_SESSION_WORD) == 0)
        pg_session_serve(argv + 2);
    if (argc != 4)
        return 2;
    if (open_by(argv[1], argv[2], deadline_of(argv[3]), &error) == -1)
        print_error(&error);
    else
        printf("ok 0\n");
    fflush(stdout);
    while ((connection != NULL || session != NULL) && getline(&line, &size, stdin) > 0) {
        g_strchomp(line);
        if (g_str_has_prefix(line, "query "))
            query(line + strlen("query "));
        else
            wait_for(line + strlen("wait "));
        fflush(stdout);
    }
    free(line);
    pg_close(connection);
    pg_session_close(session);
    return 0;
}
