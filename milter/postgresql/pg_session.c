/* pg_session - see pg_session.h */

#include <config.h>

#include "milter/postgresql/pg_session.h"

#include "milter/postgresql/pg_frame.h"

#include <errno.h>
#include <gio/gio.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* What the child may take beyond a deadline, in microseconds: it keeps that itself and says so in better words. */
#define GRACE (100 * 1000)

/* How long a child that is in order may take to end the connection, in milliseconds. */
#define FAREWELL 5000

/* ---- users */

static struct pg_user *user_of(const struct passwd *entry)
{
    if (entry == NULL)
        return NULL;
    struct pg_user *user = g_new0(struct pg_user, 1);
    *user = (struct pg_user){
        .uid = entry->pw_uid,
        .gid = entry->pw_gid,
        .login = g_strdup(entry->pw_name),
        .home = g_strdup(entry->pw_dir),
    };
    return user;
}

struct pg_user *pg_user_of(uid_t uid)
{
    return user_of(getpwuid(uid));
}

struct pg_user *pg_user_named(const char *login)
{
    return user_of(getpwnam(login));
}

void pg_user_free(struct pg_user *user)
{
    if (user == NULL)
        return;
    g_free(user->login);
    g_free(user->home);
    g_free(user);
}

/* ---- the child */

#define SOCKET STDIN_FILENO

static struct pg_connection *served;

/* Between two calls: the connection is in order, or dead. */
static void leave(void) G_GNUC_NORETURN;
static void leave(void)
{
    pg_close(served);
    _exit(0);
}

/* As long as it takes: the caller keeps the time. */
static void say(GByteArray *frame)
{
    if (pg_frame_send(SOCKET, frame, G_MAXINT64) == -1)
        leave();
}

static void say_error(const struct pg_error *error, bool dead)
{
    GByteArray *frame = pg_frame_new(PG_FRAME_ERROR);
    pg_frame_put_error(frame, error, dead);
    say(frame);
    if (dead)
        _exit(0);
}

static void say_answer(struct pg_answer *answer)
{
    GByteArray *frame = pg_frame_new(PG_FRAME_ANSWER);
    if (answer != NULL)
        pg_frame_put_answer(frame, answer);
    pg_answer_free(answer);
    say(frame);
}

/* What the caller wants; without a caller there is nothing more to do. */
static void hear(struct pg_frame_reader *reader, enum pg_frame_kind kind)
{
    if (pg_frame_receive(SOCKET, reader, G_MAXINT64) != 1 || pg_frame_kind(reader) != kind)
        leave();
}

static void serve_query(void)
{
    struct pg_frame_reader reader;
    struct pg_error error;
    hear(&reader, PG_FRAME_QUERY);
    gint64 deadline = pg_frame_number(&reader);
    const char *sql = pg_frame_text(&reader);
    gint64 count = pg_frame_number(&reader);
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    while (!reader.bad && (gint64)values->len < count)
        g_ptr_array_add(values, (gpointer)pg_frame_text(&reader));
    if (reader.bad || sql == NULL)
        leave();
    struct pg_answer *answer = pg_query(served, sql, values->len, (const char *const *)values->pdata, deadline, &error);
    g_free(reader.data);
    if (answer != NULL)
        say_answer(answer);
    else
        say_error(&error, pg_is_dead(served));
}

/* Reports that one has come, or that the server has gone. */
static void serve_notices(void)
{
    struct pg_error error;
    int found = pg_wait(served, 0, &error);
    if (found == 1)
        say(pg_frame_new(PG_FRAME_NOTICE));
    if (found == -1)
        say_error(&error, true);
}

static void serve(void) G_GNUC_NORETURN;
static void serve(void)
{
    for (;;) {
        struct pollfd polled[] = {{.fd = SOCKET, .events = POLLIN}, {.fd = pg_fd(served), .events = POLLIN}};
        if (poll(polled, G_N_ELEMENTS(polled), -1) == -1)
            continue;
        if (polled[0].revents != 0)
            serve_query();
        serve_notices();
    }
}

static void end_with_parent(void)
{
#ifdef HAVE_SYS_PRCTL_H
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a change of the user */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
}

/* 0, or an errno. */
static int become(uid_t uid, gid_t gid, const char *login)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (geteuid() == 0 && (initgroups(login, gid) == -1 || setgid(gid) == -1 || setuid(uid) == -1))
        return errno;
    end_with_parent();
    return uid != 0 && getuid() == uid && geteuid() == uid && (geteuid() == 0 || setuid(0) == -1) ? 0 : EPERM;
}

/* Who may run this program by sudo could start the child, too: its socket has to be one that its parent has made. */
static bool is_of_parent(void)
{
    struct ucred maker;
    socklen_t size = sizeof maker;
    return g_getenv("SUDO_UID") == NULL && getsockopt(SOCKET, SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 &&
           maker.uid == geteuid() && maker.pid == getppid();
}

void pg_session_serve(char **words)
{
    struct pg_error error;
    struct pg_frame_reader reader;
    if (g_strv_length(words) != 3 || !is_of_parent())
        _exit(2);
    int failed =
        become((uid_t)g_ascii_strtoull(words[0], NULL, 10), (gid_t)g_ascii_strtoull(words[1], NULL, 10), words[2]);
    hear(&reader, PG_FRAME_OPEN);
    gint64 deadline = pg_frame_number(&reader);
    const char *conninfo = pg_frame_text(&reader);
    if (reader.bad || conninfo == NULL)
        _exit(0);
    if (failed != 0) {
        pg_error_set(&error, PG_WRONG, "cannot become the user `%s`: %s", words[2], g_strerror(failed));
        say_error(&error, true);
    }
    served = pg_connect(conninfo, deadline, &error);
    if (served == NULL) {
        say_error(&error, true);
        _exit(0);
    }
    say_answer(NULL);
    serve();
}

/* ---- the caller */

struct pg_session {
    GSubprocess *child;
    int fd; /* -1: dead */
    bool noticed;
};

static int dead(struct pg_session *session)
{
    if (session->fd != -1)
        close(session->fd);
    session->fd = -1;
    return -1;
}

/* Of a session that is in order no call is under way, so the child sees at once that it is over. */
static void say_farewell(struct pg_session *session)
{
    struct pollfd polled = {.fd = session->fd}; /* POLLHUP: the child has ended */
    if (session->fd == -1)
        return;
    shutdown(session->fd, SHUT_WR);
    poll(&polled, 1, FAREWELL);
}

void pg_session_close(struct pg_session *session)
{
    if (session == NULL)
        return;
    say_farewell(session);
    dead(session);
    if (session->child != NULL) {
        g_subprocess_force_exit(session->child);
        g_subprocess_wait(session->child, NULL, NULL);
        g_object_unref(session->child);
    }
    g_free(session);
}

/* In the new process: it must not go on when we are gone. */
static void follow_parent(gpointer data)
{
    (void)data;
#ifdef HAVE_SYS_PRCTL_H
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static GSubprocess *start(int fd, const struct pg_user *user, GError **error)
{
    g_autofree char *uid = g_strdup_printf("%lu", (unsigned long)user->uid);
    g_autofree char *gid = g_strdup_printf("%lu", (unsigned long)user->gid);
    g_autofree char *home = g_strconcat("HOME=", user->home, NULL), *name = g_strconcat("USER=", user->login, NULL);
    g_autofree char *login = g_strconcat("LOGNAME=", user->login, NULL);
    const char *const words[] = {"/proc/self/exe", PG_SESSION_WORD, uid, gid, user->login, NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", home, name, login, NULL};
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
    g_subprocess_launcher_set_environ(launcher, (char **)environment);
    g_subprocess_launcher_set_cwd(launcher, "/");
    g_subprocess_launcher_set_child_setup(launcher, follow_parent, NULL, NULL);
    g_subprocess_launcher_take_stdin_fd(launcher, fd);
    return g_subprocess_launcher_spawnv(launcher, words, error);
}

/* What the child says next, but for notices: 1; 0: nothing in time; -1: it is gone. */
static int listen_to(struct pg_session *session, struct pg_frame_reader *reader, enum pg_frame_kind *kind,
                     gint64 deadline)
{
    for (;;) {
        int result = pg_frame_receive(session->fd, reader, deadline);
        if (result != 1)
            return result;
        *kind = pg_frame_kind(reader);
        if (*kind != PG_FRAME_NOTICE)
            return 1;
        session->noticed = true;
        g_free(reader->data);
    }
}

static int no_answer(struct pg_session *session, int result, struct pg_error *error)
{
    dead(session);
    if (session->child != NULL)
        g_subprocess_force_exit(session->child);
    return pg_error_set(error, PG_AWAY,
                        result == 0 ? "the server has not answered in time"
                                    : "the process that talks to the server has ended");
}

static int take_error(struct pg_session *session, struct pg_frame_reader *reader, struct pg_error *error)
{
    bool over;
    if (pg_frame_error(reader, error, &over) == -1)
        return no_answer(session, -1, error);
    return over ? dead(session) : -1;
}

/* Sends a frame and takes what comes back. */
static struct pg_answer *ask(struct pg_session *session, GByteArray *frame, gint64 deadline, struct pg_error *error)
{
    struct pg_frame_reader reader = {0};
    enum pg_frame_kind kind = PG_FRAME_ERROR;
    struct pg_answer *answer = NULL;
    gint64 end = deadline > G_MAXINT64 - GRACE ? deadline : deadline + GRACE;
    int result = pg_frame_send(session->fd, frame, end) == -1 ? -1 : listen_to(session, &reader, &kind, end);
    if (result != 1) {
        no_answer(session, result, error);
        return NULL;
    }
    if (kind == PG_FRAME_ANSWER && reader.at == reader.size)
        answer = pg_answer_new(0, 0, 0);
    else if (kind == PG_FRAME_ANSWER)
        answer = pg_frame_answer(&reader);
    if (kind == PG_FRAME_ERROR)
        take_error(session, &reader, error);
    else if (answer == NULL)
        no_answer(session, -1, error);
    g_free(reader.data);
    return answer;
}

static struct pg_session *begin(const struct pg_user *user, struct pg_error *error)
{
    int ends[2];
    g_autoptr(GError) failed = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
        pg_error_set(error, PG_AWAY, "socketpair: %s", g_strerror(errno));
        return NULL;
    }
    struct pg_session *session = g_new0(struct pg_session, 1);
    session->fd = ends[0];
    session->child = start(ends[1], user, &failed);
    if (session->child != NULL)
        return session;
    pg_error_set(error, PG_AWAY, "%s", failed->message);
    pg_session_close(session);
    return NULL;
}

static int check_user(const struct pg_user *user, struct pg_error *error)
{
    if (!pg_is_built())
        return pg_error_set(error, PG_WRONG, "this rcptguard was built without PostgreSQL (libpq)");
    if (user->uid == 0)
        return pg_error_set(error, PG_WRONG, "root does not talk to a database server: another user is needed");
    if (geteuid() != 0 && geteuid() != user->uid)
        return pg_error_set(error, PG_WRONG, "only root can become the user `%s`", user->login);
    return 0;
}

struct pg_session *pg_session_open(const char *conninfo, const struct pg_user *user, gint64 deadline,
                                   struct pg_error *error)
{
    auto_free(pg_session) session = check_user(user, error) == -1 ? NULL : begin(user, error);
    if (session == NULL)
        return NULL;
    GByteArray *frame = pg_frame_new(PG_FRAME_OPEN);
    pg_frame_put_number(frame, deadline);
    pg_frame_put_text(frame, conninfo);
    auto_free(pg_answer) answer = ask(session, frame, deadline, error);
    return answer == NULL ? NULL : g_steal_pointer(&session);
}

struct pg_answer *pg_session_query(struct pg_session *session, const char *sql, unsigned count,
                                   const char *const *values, gint64 deadline, struct pg_error *error)
{
    if (session->fd == -1) {
        pg_error_set(error, PG_AWAY, "the connection was closed");
        return NULL;
    }
    GByteArray *frame = pg_frame_new(PG_FRAME_QUERY);
    pg_frame_put_number(frame, deadline);
    pg_frame_put_text(frame, sql);
    pg_frame_put_number(frame, count);
    for (unsigned i = 0; i < count; i++)
        pg_frame_put_text(frame, values[i]);
    return ask(session, frame, deadline, error);
}

/* One frame that came without being asked for: as pg_session_wait. */
static int take_notice(struct pg_session *session, gint64 deadline, struct pg_error *error)
{
    struct pg_frame_reader reader = {0};
    int result = pg_frame_receive(session->fd, &reader, deadline);
    if (result == 0)
        return 0;
    enum pg_frame_kind kind = result == 1 ? pg_frame_kind(&reader) : PG_FRAME_ANSWER;
    if (kind == PG_FRAME_ERROR)
        take_error(session, &reader, error);
    else if (kind != PG_FRAME_NOTICE)
        no_answer(session, -1, error);
    g_free(reader.data);
    return kind == PG_FRAME_NOTICE ? 1 : dead(session);
}

int pg_session_wait(struct pg_session *session, gint64 deadline, struct pg_error *error)
{
    struct pg_error later;
    bool noticed = session->noticed;
    session->noticed = false;
    if (session->fd == -1)
        return noticed ? 1 : pg_error_set(error, PG_AWAY, "the connection was closed");
    int result = noticed ? 1 : take_notice(session, deadline, error);
    while (result == 1 && session->fd != -1 && take_notice(session, 0, &later) == 1)
        continue;
    return result;
}

int pg_session_fd(const struct pg_session *session)
{
    return session->fd;
}

bool pg_session_is_dead(const struct pg_session *session)
{
    return session->fd == -1;
}
