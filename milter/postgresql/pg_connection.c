/* pg_connection - see pg_connection.h */

#include <config.h>

#include "milter/postgresql/pg_connection.h"

#ifdef HAVE_LIBPQ

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct pg_connection {
    PGconn *handle;       /* NULL: dead */
    GHashTable *prepared; /* SQL: its name in the session */
};

/* ---- waiting */

/* Microseconds that are left, never below 0. */
static gint64 time_left(gint64 deadline)
{
    return MAX(deadline - g_get_monotonic_time(), 0);
}

/* Waits for events of poll(2): those that there are, 0 at the deadline, -1. */
static int await(int fd, short events, gint64 deadline)
{
    struct pollfd polled = {.fd = fd, .events = events};
    for (;;) {
        gint64 milliseconds = (time_left(deadline) + 999) / 1000;
        int found = poll(&polled, 1, (int)MIN(milliseconds, G_MAXINT));
        if (found > 0)
            return polled.revents;
        if (found == 0 && time_left(deadline) == 0)
            return 0;
        if (found == -1 && errno != EINTR)
            return -1;
    }
}

/*
 * What becomes of what the server has not acknowledged when the socket is closed, by us or because the process was
 * killed.  Discarded: a statement whose caller has given up does not come later, when the network is there again.  The
 * server sees a reset then, which it logs, so a connection that ends in order ends without.
 */
static void set_discarding(PGconn *handle, bool discarding)
{
    const struct linger linger = {.l_onoff = discarding, .l_linger = 0};
    setsockopt(PQsocket(handle), SOL_SOCKET, SO_LINGER, &linger, sizeof linger); /* nothing for a socket of Unix */
}

/* Drops a connection without a word: a farewell could block. */
static void drop(PGconn *handle)
{
    if (PQsocket(handle) >= 0)
        shutdown(PQsocket(handle), SHUT_RDWR);
    PQfinish(handle);
}

static int dead(struct pg_connection *connection)
{
    if (connection->handle != NULL)
        drop(connection->handle);
    connection->handle = NULL;
    return -1;
}

static int too_late(struct pg_connection *connection, struct pg_error *error)
{
    dead(connection);
    return pg_error_set(error, PG_AWAY, "the server has not answered in time");
}

static int broken(struct pg_connection *connection, struct pg_error *error)
{
    pg_error_of_connection(error, PQerrorMessage(connection->handle), false);
    return dead(connection);
}

/* ---- connecting */

#define HOSTS_LIMIT 16

/* The servers of a connection string, each to be tried by itself. */
struct hosts {
    char **names, **addresses, **ports; /* ended by NULL; none: NULL */
    unsigned count;
};

static void hosts_clear(struct hosts *hosts)
{
    g_strfreev(hosts->names);
    g_strfreev(hosts->addresses);
    g_strfreev(hosts->ports);
}

static char **list_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, keyword) == 0 && option->val != NULL && option->val[0] != '\0')
            return g_strsplit(option->val, ",", HOSTS_LIMIT + 1);
    }
    return NULL;
}

static unsigned list_length(char **list)
{
    return list == NULL ? 0 : g_strv_length(list);
}

/* If the lists do not match each other, libpq gets all as it is and says so. */
static void hosts_read(struct hosts *hosts, const PQconninfoOption *options)
{
    hosts->names = list_of(options, "host");
    hosts->addresses = list_of(options, "hostaddr");
    hosts->ports = list_of(options, "port");
    unsigned names = list_length(hosts->names), addresses = list_length(hosts->addresses);
    unsigned ports = list_length(hosts->ports), count = MAX(names, addresses);
    bool matching = (names == 0 || names == count) && (addresses == 0 || addresses == count) &&
                    (ports <= 1 || ports == count) && count <= HOSTS_LIMIT;
    hosts->count = matching ? MAX(count, 1) : 1;
    if (count > 1 && matching)
        return;
    hosts_clear(hosts);
    *hosts = (struct hosts){.count = 1};
}

static const char *item(char **list, unsigned index)
{
    return list == NULL ? NULL : list[1] == NULL ? list[0] : list[index];
}

/* Begins to connect to one of the hosts.  The deadline moves by the time in which its name is looked up: the server has
 * not had it. */
static PGconn *begin(const char *conninfo, const struct hosts *hosts, unsigned index, gint64 *deadline)
{
    gint64 now = g_get_monotonic_time();
    const char *keywords[10], *values[G_N_ELEMENTS(keywords)];
    unsigned count = 0;
#define ADD(keyword, value) (keywords[count] = (keyword), values[count++] = (value))
    ADD("application_name", "rcptguard");
    ADD("target_session_attrs", "read-write");
    ADD("keepalives_idle", "60");
    ADD("dbname", conninfo); /* what it sets replaces what is above */
    ADD("client_encoding", "UTF8");
    if (item(hosts->names, index) != NULL)
        ADD("host", item(hosts->names, index));
    if (item(hosts->addresses, index) != NULL)
        ADD("hostaddr", item(hosts->addresses, index));
    if (item(hosts->ports, index) != NULL)
        ADD("port", item(hosts->ports, index));
    ADD(NULL, NULL);
#undef ADD
    PGconn *handle = PQconnectStartParams(keywords, values, 1);
    if (*deadline < G_MAXINT64 - G_TIME_SPAN_DAY)
        *deadline += g_get_monotonic_time() - now;
    return handle;
}

static int failed_to_connect(PGconn *handle, struct pg_error *error)
{
    pg_error_of_connection(error, PQerrorMessage(handle), PQconnectionNeedsPassword(handle) != 0);
    drop(handle);
    return -1;
}

static const char *host_name(PGconn *handle)
{
    const char *host = PQhost(handle);
    return host == NULL || host[0] == '\0' ? "the server" : host;
}

/* Goes on connecting: the connection, or NULL, and it was dropped. */
static PGconn *finish(PGconn *handle, gint64 deadline, struct pg_error *error)
{
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE); /* for the SQLSTATE in what is no result */
    for (PostgresPollingStatusType status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK;) {
        if (PQstatus(handle) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) {
            failed_to_connect(handle, error);
            return NULL;
        }
        int events = await(PQsocket(handle), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
        if (events <= 0) {
            pg_error_set(error, PG_AWAY, "%s has not answered in time", host_name(handle));
            drop(handle);
            return NULL;
        }
        status = PQconnectPoll(handle);
    }
    return handle;
}

/* Each of the hosts gets its part of the time, so that a silent one does not hide the next. */
static PGconn *connect_to_one(const char *conninfo, const struct hosts *hosts, gint64 *deadline, struct pg_error *error)
{
    struct pg_error said = {.kind = PG_AWAY};
    g_autoptr(GString) all = g_string_new(NULL);
    for (unsigned i = 0; i < hosts->count; i++) {
        PGconn *handle = begin(conninfo, hosts, i, deadline);
        if (handle == NULL)
            g_error("out of memory");
        handle = finish(handle, g_get_monotonic_time() + time_left(*deadline) / (hosts->count - i), &said);
        if (handle != NULL)
            return handle;
        g_string_append_printf(all, "%s%s", i > 0 ? "; " : "", said.text);
        *error = i > 0 && error->kind == PG_WRONG ? *error : said;
        if (said.kind == PG_REFUSED)
            break;
    }
    pg_error_of_text(error, all->str);
    return NULL;
}

/* One that libpq has in a file is known only once it begins to connect. */
static void find_hosts(struct hosts *hosts, const char *conninfo, PQconninfoOption *options, gint64 *deadline)
{
    hosts_read(hosts, options);
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "service") != 0 || option->val == NULL || hosts->count > 1)
            continue;
        PGconn *handle = begin(conninfo, hosts, 0, deadline);
        PQconninfoOption *all = PQconninfo(handle);
        if (all != NULL)
            hosts_read(hosts, all);
        PQconninfoFree(all);
        drop(handle);
    }
}

static PGconn *connect_to_any(const char *conninfo, gint64 *deadline, struct pg_error *error)
{
    char *said = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &said);
    if (options == NULL) {
        /* It quotes what it did not understand, which may be a password, unless it is a name. */
        bool name = said != NULL && g_str_has_prefix(said, "invalid connection option");
        pg_error_set(error, PG_WRONG, "%s", name ? said : "the connection string cannot be read by libpq");
        PQfreemem(said);
        return NULL;
    }
    struct hosts hosts = {.count = 1};
    find_hosts(&hosts, conninfo, options, deadline);
    PQconninfoFree(options);
    PGconn *handle = connect_to_one(conninfo, &hosts, deadline, error);
    hosts_clear(&hosts);
    return handle;
}

/* Notices go nowhere: there may be no terminal, or one that a person uses. */
static void ignore_notice(void *data, const PGresult *result)
{
    (void)data;
    (void)result;
}

static int settle(struct pg_connection *connection, gint64 deadline, struct pg_error *error)
{
    auto_free(pg_answer) answer =
        pg_query(connection,
                 "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false),"
                 " pg_catalog.set_config('statement_timeout', '60s', false),"
                 " pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', false),"
                 " pg_catalog.set_config('DateStyle', 'ISO', false), pg_catalog.set_config('TimeZone', 'UTC', false)",
                 0, NULL, deadline, error);
    return answer == NULL ? -1 : 0;
}

struct pg_connection *pg_connect(const char *conninfo, gint64 deadline, struct pg_error *error)
{
    PGconn *handle = connect_to_any(conninfo, &deadline, error);
    if (handle == NULL)
        return NULL;
    PQsetNoticeReceiver(handle, ignore_notice, NULL);
    PQsetnonblocking(handle, 1);
    set_discarding(handle, true);
    struct pg_connection *connection = g_new0(struct pg_connection, 1);
    connection->handle = handle;
    connection->prepared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (settle(connection, deadline, error) == 0)
        return connection;
    pg_close(connection);
    return NULL;
}

void pg_close(struct pg_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->handle != NULL) {
        set_discarding(connection->handle, false);
        PQfinish(connection->handle); /* it does not block: see PQsetnonblocking */
    }
    g_hash_table_unref(connection->prepared);
    g_free(connection);
}

/* ---- queries */

/* Sends what is still to be sent; meanwhile the server may want to get rid of something. */
static int flush(struct pg_connection *connection, gint64 deadline, struct pg_error *error)
{
    for (int left; (left = PQflush(connection->handle)) != 0;) {
        int events = left < 0 ? -1 : await(PQsocket(connection->handle), POLLIN | POLLOUT, deadline);
        if (events == 0)
            return too_late(connection, error);
        if (events < 0 || ((events & ~POLLOUT) != 0 && PQconsumeInput(connection->handle) == 0))
            return broken(connection, error);
    }
    return 0;
}

/* The next result of what was sent; NULL after the last. */
static int next_result(struct pg_connection *connection, PGresult **result, gint64 deadline, struct pg_error *error)
{
    while (PQisBusy(connection->handle) != 0) {
        int events = await(PQsocket(connection->handle), POLLIN, deadline);
        if (events == 0)
            return too_late(connection, error);
        if (events < 0 || PQconsumeInput(connection->handle) == 0)
            return broken(connection, error);
    }
    *result = PQgetResult(connection->handle);
    return 0;
}

static int check_result(struct pg_connection *connection, const PGresult *result, struct pg_error *error)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return 0;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (status != PGRES_FATAL_ERROR) {
        dead(connection);
        return pg_error_set(error, PG_WRONG, "the server has answered with %s", PQresStatus(status));
    }
    pg_error_of_statement(error, state, message != NULL ? message : PQresultErrorMessage(result));
    return -1;
}

/* After these the session is of no more use, though it may be open. */
static bool is_final(const struct pg_connection *connection, const struct pg_error *error)
{
    return PQstatus(connection->handle) == CONNECTION_BAD || strcmp(error->sqlstate, "25006") == 0 ||
           strcmp(error->sqlstate, "26000") == 0;
}

/* The one result of what was sent, for PQclear; NULL with `error`. */
static PGresult *take_result(struct pg_connection *connection, bool sent, gint64 deadline, struct pg_error *error)
{
    PGresult *first = NULL, *result = NULL;
    pg_error_set(error, PG_AWAY, "the server gave no answer");
    if (!sent) {
        broken(connection, error);
        return NULL;
    }
    if (flush(connection, deadline, error) == -1)
        return NULL;
    while (next_result(connection, &result, deadline, error) == 0) {
        if (result == NULL && first != NULL && check_result(connection, first, error) == 0)
            return first;
        if (result == NULL)
            break;
        if (first != NULL)
            PQclear(result);
        else
            first = result;
        if (PQresultStatus(first) == PGRES_COPY_IN || PQresultStatus(first) == PGRES_COPY_OUT)
            break;
    }
    if (first != NULL && connection->handle != NULL)
        check_result(connection, first, error);
    PQclear(first);
    if (connection->handle != NULL && is_final(connection, error))
        dead(connection);
    return NULL;
}

/* The name of the prepared statement; NULL with `error`. */
static const char *prepare(struct pg_connection *connection, const char *sql, unsigned count, gint64 deadline,
                           struct pg_error *error)
{
    const char *known = g_hash_table_lookup(connection->prepared, sql);
    if (known != NULL)
        return known;
    g_autofree char *name = g_strdup_printf("rcptguard%u", g_hash_table_size(connection->prepared));
    PGresult *result =
        take_result(connection, PQsendPrepare(connection->handle, name, sql, (int)count, NULL) == 1, deadline, error);
    if (result == NULL)
        return NULL;
    PQclear(result);
    g_hash_table_insert(connection->prepared, g_strdup(sql), name);
    return g_steal_pointer(&name);
}

static struct pg_answer *answer_of(const PGresult *result)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    unsigned changed = (unsigned)g_ascii_strtoull(PQcmdTuples((PGresult *)result), NULL, 10);
    struct pg_answer *answer = pg_answer_new((unsigned)rows, (unsigned)columns, changed);
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            if (PQgetisnull(result, row, column) == 0)
                pg_answer_set(answer, (unsigned)row, (unsigned)column, PQgetvalue(result, row, column));
        }
    }
    return answer;
}

struct pg_answer *pg_query(struct pg_connection *connection, const char *sql, unsigned count, const char *const *values,
                           gint64 deadline, struct pg_error *error)
{
    if (connection->handle == NULL) {
        pg_error_set(error, PG_AWAY, "the connection was closed");
        return NULL;
    }
    const char *name = prepare(connection, sql, count, deadline, error);
    if (name == NULL)
        return NULL;
    bool sent = PQsendQueryPrepared(connection->handle, name, (int)count, values, NULL, NULL, 0) == 1;
    PGresult *result = take_result(connection, sent, deadline, error);
    if (result == NULL)
        return NULL;
    struct pg_answer *answer = answer_of(result);
    PQclear(result);
    return answer;
}

/* ---- notifications */

static bool take_notifications(PGconn *handle)
{
    bool any = false;
    for (PGnotify *notification; (notification = PQnotifies(handle)) != NULL; any = true)
        PQfreemem(notification);
    return any;
}

int pg_wait(struct pg_connection *connection, gint64 deadline, struct pg_error *error)
{
    if (connection->handle == NULL)
        return pg_error_set(error, PG_AWAY, "the connection was closed");
    for (;;) {
        if (PQconsumeInput(connection->handle) == 0)
            return broken(connection, error);
        if (take_notifications(connection->handle))
            return 1;
        int events = await(PQsocket(connection->handle), POLLIN, deadline);
        if (events == 0)
            return 0;
        if (events < 0)
            return broken(connection, error);
    }
}

bool pg_is_dead(const struct pg_connection *connection)
{
    return connection->handle == NULL;
}

int pg_fd(const struct pg_connection *connection)
{
    return connection->handle == NULL ? -1 : PQsocket(connection->handle);
}

bool pg_is_built(void)
{
    return true;
}

char *pg_library_version(void)
{
    int version = PQlibVersion(); /* 150020 */
    return g_strdup_printf("%d.%d", version / 10000, version % 10000);
}

#else

struct pg_connection *pg_connect(const char *conninfo, gint64 deadline, struct pg_error *error)
{
    (void)conninfo;
    (void)deadline;
    pg_error_set(error, PG_WRONG, "this rcptguard was built without PostgreSQL (libpq)");
    return NULL;
}

/* There is no connection, so none of these is ever called. */
struct pg_answer *pg_query(struct pg_connection *connection, const char *sql, unsigned count, const char *const *values,
                           gint64 deadline, struct pg_error *error)
{
    (void)sql;
    (void)count;
    (void)values;
    return pg_wait(connection, deadline, error) == -1 ? NULL : pg_answer_new(0, 0, 0);
}

int pg_wait(struct pg_connection *connection, gint64 deadline, struct pg_error *error)
{
    (void)connection;
    (void)deadline;
    return pg_error_set(error, PG_WRONG, "this rcptguard was built without PostgreSQL (libpq)");
}

void pg_close(struct pg_connection *connection)
{
    (void)connection;
}

bool pg_is_dead(const struct pg_connection *connection)
{
    return connection != NULL;
}

int pg_fd(const struct pg_connection *connection)
{
    (void)connection;
    return -1;
}

bool pg_is_built(void)
{
    return false;
}

char *pg_library_version(void)
{
    return NULL;
}

#endif
