/* conf_instance - see conf_instance.h */

#include "milter/common/conf_instance.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

/* Longest name, in bytes: a unit of systemd has room for it. */
#define NAME_LIMIT 63

/* The configuration without an instance, which has other defaults. */
#define NO_INSTANCE "rcptguard"

#define SUFFIX ".conf"

bool instance_name_is_sound(const char *name)
{
    static const char characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-";
    size_t length = strlen(name);
    return length <= NAME_LIMIT && g_ascii_isalnum(name[0]) && strspn(name, characters) == length &&
           strcmp(name, NO_INSTANCE) != 0;
}

char *instance_path(const char *name)
{
    return g_strconcat(INSTANCE_DIRECTORY "/", name, SUFFIX, NULL);
}

char *instance_of_path(const char *path)
{
    if (!g_str_has_prefix(path, INSTANCE_DIRECTORY "/") || !g_str_has_suffix(path, SUFFIX))
        return NULL;
    const char *start = path + strlen(INSTANCE_DIRECTORY "/");
    char *name = g_strndup(start, strlen(start) - strlen(SUFFIX));
    if (instance_name_is_sound(name))
        return name;
    g_free(name);
    return NULL;
}

static bool is_roots(const char *path, bool directory, struct diags *diags)
{
    struct stat status;
    if (lstat(path, &status) == -1)
        diags_file_error(diags, path, "%s", g_strerror(errno));
    else if (directory ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode))
        diags_file_error(diags, path, "is no %s: an instance has no other configuration",
                         directory ? "directory" : "regular file");
    else if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        diags_file_error(diags, path, "is not root's alone to write, and who uses sudo may name an instance");
    else
        return true;
    return false;
}

bool instance_is_roots(const char *path, struct diags *diags)
{
    g_autofree char *directory = g_path_get_dirname(path);
    return is_roots(directory, true, diags) && is_roots(path, false, diags);
}
