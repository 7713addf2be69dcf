/* database_place - see database_place.h */

#include "milter/database/database_place.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const place_suffixes[PLACE_FILES] = {"", "-wal", "-shm"};

static bool trusted(const struct stat *status, uid_t owner)
{
    return status->st_uid == 0 || status->st_uid == owner;
}

/* For g_free.  Several threads may open a ledger at once, which getpwuid(3) is not made for. */
static char *user_name(uid_t user)
{
    struct passwd entry, *found = NULL;
    char names[4096];
    if (getpwuid_r(user, &entry, names, sizeof names, &found) != 0 || found == NULL)
        return g_strdup("another user");
    return g_strdup(found->pw_name);
}

/* Whether nobody but root and `owner` can put another entry in the place of one of this directory. */
static int check_folder(const char *folder, uid_t owner, bool own, struct database_error *error)
{
    struct stat status;
    if (lstat(folder, &status) == -1)
        return database_error_set(error, database_failure_of(errno), "%s: %s", folder, g_strerror(errno));
    if (!trusted(&status, owner)) {
        g_autofree char *name = user_name(status.st_uid);
        return database_error_set(error, DATABASE_INSECURE, "%s belongs to %s, who could replace what is in it", folder,
                                  name);
    }
    /* In a sticky directory others cannot replace, but they can be the first to make a file with a name. */
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (own || (status.st_mode & S_ISVTX) == 0))
        return database_error_set(error, DATABASE_INSECURE,
                                  "%s can be written by others (mode %04o), who could replace it; "
                                  "use a directory that only its owner can write",
                                  folder, (unsigned)status.st_mode & 07777u);
    return 0;
}

/* The directory and all above it. */
static int check_folders(const char *folder, uid_t owner, struct database_error *error)
{
    g_autofree char *above = g_strdup(folder);
    for (bool own = true;; own = false) {
        if (check_folder(above, owner, own, error) == -1)
            return -1;
        if (strcmp(above, "/") == 0)
            return 0;
        char *parent = g_path_get_dirname(above);
        g_free(above);
        above = parent;
    }
}

/* 1: it is there and as it should be; 0: it is not there. */
static int check_file(const char *path, uid_t owner, struct database_error *error)
{
    struct stat status;
    if (lstat(path, &status) == -1) {
        if (errno == ENOENT)
            return 0;
        return database_error_set(error, database_failure_of(errno), "%s: %s", path, g_strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        return database_error_set(error, DATABASE_INSECURE, "%s is no regular file with one name", path);
    if (!trusted(&status, owner)) {
        g_autofree char *name = user_name(status.st_uid);
        return database_error_set(error, DATABASE_INSECURE, "%s belongs to %s", path, name);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return database_error_set(error, DATABASE_INSECURE, "%s can be written by others (mode %04o)", path,
                                  (unsigned)status.st_mode & 07777u);
    return 1;
}

/* The path without symbolic links, for g_free; NULL with an error. */
char *place_real_path(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    char *real = realpath(folder, NULL);
    if (real == NULL && errno == ENOENT) {
        g_autofree char *user = user_name(owner);
        database_error_set(error, DATABASE_MISSING,
                           "%s: its directory does not exist; create it: install -d -m 750 -o %s %s", path, user,
                           folder);
        return NULL;
    }
    if (real == NULL) {
        database_error_set(error, database_failure_of(errno), "%s: %s", folder, g_strerror(errno));
        return NULL;
    }
    char *result = g_build_filename(real, name, NULL);
    free(real);
    return result;
}

/* 1, 0 as check_file; the files that SQLite puts beside it are looked at, too. */
static int check_place(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int there = 0;
    if (check_folders(folder, owner, error) == -1)
        return -1;
    for (unsigned i = 0; i < PLACE_FILES; i++) {
        g_autofree char *file = g_strconcat(path, place_suffixes[i], NULL);
        int result = check_file(file, owner, error);
        if (result == -1)
            return -1;
        if (i == 0)
            there = result;
    }
    if (geteuid() != 0 && access(folder, W_OK | X_OK) == -1) {
        int reason = errno;
        g_autofree char *user = user_name(geteuid());
        return database_error_set(error, DATABASE_READ_ONLY, "%s: %s may not write there: %s", folder, user,
                                  g_strerror(reason));
    }
    return there;
}

int database_check_place(const char *path, uid_t owner, struct database_error *error)
{
    g_autofree char *real = place_real_path(path, owner, error);
    return real == NULL ? -1 : check_place(real, owner, error);
}

/*
 * An empty file of mode 0600, which the files beside it inherit.  It never
 * opens one that is there: to close a file of the same process would drop SQLite's locks.
 */
static int make_file(const char *path, uid_t owner, struct database_error *error)
{
    int descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor == -1 && errno == EEXIST) /* somebody else was quicker */
        return 0;
    if (descriptor == -1 || (geteuid() == 0 && owner != 0 && fchown(descriptor, owner, (gid_t)-1) == -1)) {
        database_error_set(error, database_failure_of(errno), "%s: cannot be made: %s", path, g_strerror(errno));
        if (descriptor != -1)
            close(descriptor);
        return -1;
    }
    close(descriptor);
    return 0;
}

int place_prepare(const char *path, uid_t owner, bool make, struct database_error *error)
{
    int there = check_place(path, owner, error);
    if (there != 0)
        return there == -1 ? -1 : 0;
    if (make)
        return make_file(path, owner, error);
    return database_error_set(error, DATABASE_MISSING, "%s: there is no such file", path);
}
