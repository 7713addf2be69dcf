/*
 * postfix_setup - Postfix's part of setup.h: main.cf.
 *
 * postconf(1) edits a copy, so that comments and all other lines stay as they are.
 * Values are taken as they are written, with the variables in them.
 */

#include "milter/postfix/postfix_setup.h"

#include "milter/postfix/postfix_config.h"
#include "policy/cli/run_program.h"
#include "policy/init/postconf.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const lists[] = {"smtpd_milters", "non_smtpd_milters"};

static char *path(const char *directory)
{
    return g_build_filename(directory, "main.cf", NULL);
}

/* `postconf -c FOLDER` with these words; what it says, or NULL with `error`. */
static char *postconf(const char *folder, const char *option, const char *word, char **error)
{
    const char *const words[] = {option, word, NULL};
    char *output = postconf_output(folder, words, false, error);
    return output == NULL ? NULL : g_strchomp(output);
}

/*
 * Lets the copy be a minute old: Postfix waits until a configuration has not been written for
 * a second or two, at each look.  Where that fails, it takes that time.
 */
static void settle(const char *folder)
{
    static const char *const names[] = {"main.cf", "master.cf"};
    time_t then = time(NULL) - 60;
    struct timespec times[] = {{.tv_sec = then}, {.tv_sec = then}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(folder, names[i], NULL);
        (void)!utimensat(AT_FDCWD, file, times, 0);
    }
}

/* A folder that holds the text as main.cf, and master.cf as it is. */
static char *copy(const struct setup *setup, const char *text, char **error)
{
    char *folder = edit_scratch(error);
    if (folder == NULL)
        return NULL;
    g_autofree char *main_cf = g_build_filename(folder, "main.cf", NULL);
    g_autofree char *master_cf = g_build_filename(folder, "master.cf", NULL);
    g_autofree char *place = g_path_get_dirname(setup->path);
    g_autofree char *theirs = g_build_filename(place, "master.cf", NULL);
    g_autofree char *services = NULL;
    g_autoptr(GError) failure = NULL;
    g_file_get_contents(theirs, &services, NULL, NULL);
    if (g_file_set_contents(main_cf, text, -1, &failure) &&
        g_file_set_contents(master_cf, services == NULL ? "" : services, -1, &failure)) {
        settle(folder);
        return folder;
    }
    *error = g_strdup(failure->message);
    edit_scratch_remove(folder);
    g_free(folder);
    return NULL;
}

/* A list in the copy becomes `value`; one that is empty is taken out of the file. */
static int set(const char *folder, const char *name, const char *value, char **error)
{
    g_autofree char *line = g_strdup_printf("%s = %s", name, value);
    g_autofree char *said =
        value[0] == '\0' ? postconf(folder, "-X", name, error) : postconf(folder, "-e", line, error);
    settle(folder);
    return said == NULL ? -1 : 0;
}

/* Whether a list, with its variables expanded, has ours, and last. */
static bool is_there(const struct setup *setup, const struct postfix_config *config, const char *list)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    int ours = postfix_milters_find(config, milters, setup->config->socket);
    return ours != -1 && (guint)ours + 1 == milters->len;
}

static int add(const struct setup *setup, const char *folder, const char *name, char **error)
{
    auto_free(postfix_config) config = postfix_config_read(folder, error);
    if (config == NULL)
        return -1;
    if (is_there(setup, config, postfix_config_value(config, name)))
        return 0;
    g_autofree char *entry = postfix_milter_entry(config, setup->config->socket);
    g_autofree char *list = postconf(folder, "-h", name, error);
    if (list == NULL)
        return -1;
    g_autoptr(GPtrArray) written = postfix_milters(list);
    bool kept = postfix_milters_find(config, written, setup->config->socket) != -1;
    g_autofree char *with = postfix_milters_with(config, list, setup->config->socket, kept ? NULL : entry);
    return set(folder, name, with, error);
}

static int take_out(const struct setup *setup, const char *folder, const char *name, char **error)
{
    auto_free(postfix_config) config = postfix_config_read(folder, error);
    g_autofree char *list = config == NULL ? NULL : postconf(folder, "-h", name, error);
    if (list == NULL)
        return -1;
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    if (postfix_milters_find(config, milters, setup->config->socket) == -1)
        return 0;
    g_autofree char *without = postfix_milters_without(config, list, setup->config->socket);
    return set(folder, name, without, error);
}

/* What master.cf says for a service beats main.cf. */
static void note_services(struct setup *setup, const char *folder)
{
    g_autofree char *error = NULL;
    auto_free(postfix_config) config = postfix_config_read(folder, &error);
    for (guint i = 0; config != NULL && i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        for (size_t j = 0; j < G_N_ELEMENTS(lists); j++) {
            if (postfix_service_overrides(service, lists[j]) &&
                !is_there(setup, config, postfix_service_value(config, service, lists[j])))
                g_string_append_printf(setup->notes, "%s has its own %s in master.cf, which stays as it is\n",
                                       service->name, lists[j]);
        }
    }
}

/* Does one thing to both lists in a copy, and gives the text that comes of it. */
static char *edit(struct setup *setup, const char *text,
                  int (*change)(const struct setup *, const char *, const char *, char **), char **error)
{
    g_autofree char *folder = copy(setup, text, error);
    if (folder == NULL)
        return NULL;
    char *result = NULL;
    int status = 0;
    for (size_t i = 0; status == 0 && i < G_N_ELEMENTS(lists); i++)
        status = change(setup, folder, lists[i], error);
    if (status == 0) {
        g_autofree char *main_cf = g_build_filename(folder, "main.cf", NULL);
        result = edit_read(main_cf, error);
        if (setup->notes->len == 0)
            note_services(setup, folder);
    }
    edit_scratch_remove(folder);
    return result;
}

static char *with(struct setup *setup, const char *text, char **error)
{
    return edit(setup, text, add, error);
}

static char *without(struct setup *setup, const char *text, char **error)
{
    return edit(setup, text, take_out, error);
}

static bool names_ours(const struct setup *setup, const struct postfix_config *config, const char *list)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    return postfix_milters_find(config, milters, setup->config->socket) != -1;
}

static char *used(const struct setup *setup, char **error)
{
    g_autofree char *place = g_path_get_dirname(setup->path);
    auto_free(postfix_config) config = postfix_config_read(place, error);
    if (config == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (names_ours(setup, config, postfix_config_value(config, lists[i])))
            g_string_append_printf(out, "%s\n", lists[i]);
        for (guint j = 0; j < config->services->len; j++) {
            const struct postfix_service *service = g_ptr_array_index(config->services, j);
            if (postfix_service_overrides(service, lists[i]) &&
                names_ours(setup, config, postfix_service_value(config, service, lists[i])))
                g_string_append_printf(out, "%s of %s\n", lists[i], service->name);
        }
    }
    return g_string_free(out, FALSE);
}

static gid_t group(const struct setup *setup)
{
    g_autofree char *error = NULL;
    g_autofree char *place = g_path_get_dirname(setup->path);
    g_autofree char *owner = postconf(place, "-h", "mail_owner", &error);
    const struct passwd *entry = owner == NULL ? NULL : getpwnam(owner);
    return entry == NULL ? (gid_t)-1 : entry->pw_gid;
}

static char *next(const struct setup *setup)
{
    if (setup->directory == NULL)
        return g_strdup("postfix reload");
    g_autofree char *quoted = g_shell_quote(setup->directory);
    return g_strdup_printf("postfix -c %s reload", quoted);
}

static int reload(const struct setup *setup, char **error)
{
    g_autofree char *place = g_path_get_dirname(setup->path);
    const char *const arguments[] = {"postfix", "-c", place, "reload", NULL};
    const struct program program = {.arguments = arguments};
    return program_run(&program, error);
}

const struct setup_mta postfix_setup = {
    .directory = "/etc/postfix",
    .edits_configuration = true,
    .path = path,
    .with = with,
    .without = without,
    .used = used,
    .group = group,
    .next = next,
    .reload = reload,
};
