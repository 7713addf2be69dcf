/* reviewer - see reviewer.h */

#include "milter/review/reviewer.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* More groups than this no system gives a person. */
#define GROUPS_LIMIT 65536

/* The person after sudo(8); false if there is none. */
static bool lent_to(uid_t *uid, char **error)
{
    const char *text = getenv("SUDO_UID");
    guint64 number;
    if (geteuid() != 0 || text == NULL)
        return false;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        *error = g_strdup("SUDO_UID is no user id");
        return false;
    }
    *uid = (uid_t)number;
    return true;
}

static GArray *groups_of(const struct passwd *entry)
{
    int count = 64;
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
    g_array_set_size(groups, (guint)count);
    while (getgrouplist(entry->pw_name, entry->pw_gid, (gid_t *)(void *)groups->data, &count) == -1 &&
           count <= GROUPS_LIMIT)
        g_array_set_size(groups, (guint)count);
    g_array_set_size(groups, (guint)MIN(count, (int)groups->len));
    return groups;
}

struct reviewer *reviewer_find(char **error)
{
    uid_t uid = getuid();
    *error = NULL;
    bool sudo = lent_to(&uid, error);
    if (*error != NULL)
        return NULL;
    struct passwd *entry = getpwuid(uid);
    if (entry == NULL) {
        *error = g_strdup_printf("the user %lu has no name", (unsigned long)uid);
        return NULL;
    }
    struct reviewer *reviewer = g_new0(struct reviewer, 1);
    reviewer->login = g_strdup(entry->pw_name);
    reviewer->uid = uid;
    reviewer->root = uid == 0;
    reviewer->sudo = sudo && uid != 0;
    reviewer->groups = groups_of(entry);
    return reviewer;
}

struct reviewer *reviewer_named(const char *login)
{
    const struct passwd *entry = getpwnam(login);
    if (entry == NULL)
        return NULL;
    struct reviewer *reviewer = g_new0(struct reviewer, 1);
    reviewer->login = g_strdup(entry->pw_name);
    reviewer->uid = entry->pw_uid;
    reviewer->root = entry->pw_uid == 0;
    reviewer->sudo = !reviewer->root;
    reviewer->groups = groups_of(entry);
    return reviewer;
}

void reviewer_free(struct reviewer *reviewer)
{
    if (reviewer == NULL)
        return;
    g_free(reviewer->login);
    g_array_unref(reviewer->groups);
    g_free(reviewer);
}

bool reviewer_may(const struct reviewer *reviewer, const char *const *groups)
{
    if (reviewer->root)
        return true;
    for (; groups != NULL && *groups != NULL; groups++) {
        const struct group *group = getgrnam(*groups);
        for (guint i = 0; group != NULL && i < reviewer->groups->len; i++) {
            if (g_array_index(reviewer->groups, gid_t, i) == group->gr_gid)
                return true;
        }
    }
    return false;
}
