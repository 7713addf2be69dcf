/* privileges - see privileges.h */

#include <config.h>

#include "milter/common/privileges.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

/* The user's entry; errno is 0 if there is none. */
static struct passwd *user_find(const char *user)
{
    errno = 0;
    struct passwd *entry = getpwnam(user);
    if (entry == NULL && (errno == ENOENT || errno == ESRCH))
        errno = 0;
    return entry;
}

static int stay(const char *user, bool given, char **error)
{
    struct passwd *entry = given ? user_find(user) : NULL;
    if (!given || (entry != NULL && entry->pw_uid == geteuid()))
        return 0;
    *error = g_strdup_printf("the user is to be `%s`, and only root can become another; "
                             "start as root or as that user, or leave the key out",
                             user);
    return -1;
}

int privileges_drop(const char *user, bool given, char **error)
{
    *error = NULL;
    if (geteuid() != 0)
        return stay(user, given, error);

    struct passwd *entry = user_find(user);
    if (entry == NULL) {
        *error = errno != 0 ? g_strdup_printf("the user `%s` cannot be looked up: %s", user, g_strerror(errno))
                            : g_strdup_printf("there is no user `%s`; create it (useradd --system --shell "
                                              "/usr/sbin/nologin %s) or set user in [milter]",
                                              user, user);
        return -1;
    }
    if (entry->pw_uid == 0) {
        *error = g_strdup_printf("the user `%s` is root, who needs not read mail; set another user in [milter]", user);
        return -1;
    }
    uid_t uid = entry->pw_uid;
    gid_t gid = entry->pw_gid;
    if (initgroups(user, gid) == -1 || setgid(gid) == -1 || setuid(uid) == -1) {
        *error = g_strdup_printf("cannot become the user `%s`: %s", user, g_strerror(errno));
        return -1;
    }
    if (getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid || setuid(0) == 0) {
        *error = g_strdup_printf("root was not given up for the user `%s`", user);
        return -1;
    }
    return 0;
}

unsigned privileges_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 0;
    if (limit.rlim_cur >= PRIVILEGES_DESCRIPTORS)
        return (unsigned)MIN(limit.rlim_cur, (rlim_t)G_MAXINT);

    struct rlimit wanted = {PRIVILEGES_DESCRIPTORS, MAX(limit.rlim_max, (rlim_t)PRIVILEGES_DESCRIPTORS)};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == -1) { /* the hard limit stays, so go up to it */
        wanted = (struct rlimit){MIN(limit.rlim_max, (rlim_t)PRIVILEGES_DESCRIPTORS), limit.rlim_max};
        (void)setrlimit(RLIMIT_NOFILE, &wanted);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 0;
    return (unsigned)MIN(limit.rlim_cur, (rlim_t)G_MAXINT);
}
