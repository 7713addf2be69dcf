/*
 * postfix_setup - Postfix's part of setup.h: main.cf, and in master.cf the listeners that
 * take mail back from a content filter, which must not show it to our milter again.
 *
 * postconf(1) edits a copy, so that comments and all other lines stay as they are.
 * Values of main.cf are taken as they are written, with the variables in them.
 */

#include "milter/postfix/postfix.h"

#include "milter/postfix/postfix_config.h"
#include "milter/postfix/postfix_instances.h"
#include "milter/postfix/postfix_services.h"
#include "policy/cli/run_program.h"
#include "policy/init/postconf.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const lists[] = {SMTPD, NON_SMTPD};

static char *path(const char *directory)
{
    return g_build_filename(directory, MAIN_CF, NULL);
}

static char *services_path(const char *directory)
{
    return g_build_filename(directory, MASTER_CF, NULL);
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
    static const char *const names[] = {MAIN_CF, MASTER_CF};
    time_t then = time(NULL) - 60;
    struct timespec times[] = {{.tv_sec = then}, {.tv_sec = then}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(folder, names[i], NULL);
        (void)!utimensat(AT_FDCWD, file, times, 0);
    }
}

/* What the file of this name, in the directory of the one that is edited, has; "" if it is not there. */
static char *read_beside(const struct setup *setup, const char *name)
{
    char *text = NULL;
    g_autofree char *place = g_path_get_dirname(setup->path);
    g_autofree char *path = g_build_filename(place, name, NULL);
    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* A directory that holds the two texts as main.cf and master.cf. */
static char *copy(const char *main_text, const char *services, char **error)
{
    char *folder = edit_scratch(error);
    if (folder == NULL)
        return NULL;
    g_autofree char *main_cf = g_build_filename(folder, MAIN_CF, NULL);
    g_autofree char *master_cf = g_build_filename(folder, MASTER_CF, NULL);
    g_autoptr(GError) failure = NULL;
    if (g_file_set_contents(main_cf, main_text, -1, &failure) &&
        g_file_set_contents(master_cf, services, -1, &failure)) {
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

/* Whether a list, with its variables expanded, has ours, and last, and no socket of it that nobody serves. */
static bool is_there(const struct setup *setup, const struct postfix_config *config, const char *list)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    int ours = postfix_milters_find(config, milters, setup->config->socket);
    for (guint i = 0; i < milters->len; i++) {
        if (postfix_milter_is_left_over(config, g_ptr_array_index(milters, i), setup->config->socket))
            return false;
    }
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

/* ---- the name of an instance, by which the daemon tells it from others: see mta_instance */

static int name_instance(const struct setup *setup, const char *folder, char **error)
{
    auto_free(postfix_config) config = setup->instance == NULL ? NULL : postfix_config_read(folder, error);
    if (config == NULL)
        return setup->instance == NULL ? 0 : -1;
    g_autofree char *now = mta_instance(postfix_config_value(config, POSTFIX_MACRO_V));
    if (g_strcmp0(now, setup->instance) == 0)
        return 0;
    g_autofree char *written = postconf(folder, "-h", POSTFIX_MACRO_V, error);
    if (written == NULL)
        return -1;
    g_autofree char *before = postfix_nameless(written);
    g_autofree char *value = g_strdup_printf("%s instance=%s", before, setup->instance);
    return set(folder, POSTFIX_MACRO_V, value, error);
}

/* What is left of it may be what Postfix has by itself. */
static int take_name_out(const struct setup *setup, const char *folder, char **error)
{
    (void)setup;
    g_autofree char *written = postconf(folder, "-h", POSTFIX_MACRO_V, error);
    g_autofree char *before = written == NULL ? NULL : postfix_nameless(written);
    if (written == NULL || strcmp(before, written) == 0)
        return written == NULL ? -1 : 0;
    return set(folder, POSTFIX_MACRO_V, strcmp(before, "$mail_name $mail_version") == 0 ? "" : before, error);
}

/* What master.cf says for a service beats main.cf. */
static void note_services(struct setup *setup, const char *folder)
{
    g_autofree char *error = NULL;
    auto_free(postfix_config) config = postfix_config_read(folder, &error);
    for (guint i = 0; config != NULL && i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        for (size_t j = 0; j < G_N_ELEMENTS(lists); j++) {
            if (postfix_service_overrides(service, lists[j]) && !postfix_service_takes_back(config, service) &&
                !is_there(setup, config, postfix_service_value(config, service, lists[j])))
                g_string_append_printf(setup->notes, "%s has its own %s in master.cf, which stays as it is\n",
                                       service->name, lists[j]);
        }
    }
}

/* Does one thing to both lists in a copy, and to the name of the instance, and gives the text that comes of it. */
static char *edit(struct setup *setup, const char *text,
                  int (*change)(const struct setup *, const char *, const char *, char **),
                  int (*change_name)(const struct setup *, const char *, char **), char **error)
{
    g_autofree char *services = read_beside(setup, MASTER_CF);
    g_autofree char *folder = copy(text, services, error);
    if (folder == NULL)
        return NULL;
    char *result = NULL;
    int status = 0;
    for (size_t i = 0; status == 0 && i < G_N_ELEMENTS(lists); i++)
        status = change(setup, folder, lists[i], error);
    if (status == 0)
        status = change_name(setup, folder, error);
    if (status == 0) {
        g_autofree char *main_cf = g_build_filename(folder, MAIN_CF, NULL);
        result = edit_read(main_cf, error);
        if (setup->notes->len == 0)
            note_services(setup, folder);
    }
    edit_scratch_remove(folder);
    return result;
}

static char *with(struct setup *setup, const char *text, char **error)
{
    return edit(setup, text, add, name_instance, error);
}

static char *without(struct setup *setup, const char *text, char **error)
{
    return edit(setup, text, take_out, take_name_out, error);
}

/* ---- listeners that take mail back from a content filter */

/* The milters of the service without ours, as a service has them; for g_free. */
static char *others(const struct setup *setup, const struct postfix_config *config,
                    const struct postfix_service *service)
{
    g_autofree char *list =
        postfix_milters_without(config, postfix_service_value(config, service, SMTPD), setup->config->socket);
    return postfix_milters_compact(list);
}

/* The others stay: what signs or scans mail that comes back goes on. */
static int leave_ours_out(struct setup *setup, const struct postfix_config *config, const char *folder,
                          const struct postfix_service *service, char **error)
{
    const char *list = postfix_service_value(config, service, SMTPD);
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    if (postfix_milters_find(config, milters, setup->config->socket) == -1 ||
        postfix_list_has(postfix_service_value(config, service, OVERRIDES), "no_milters"))
        return 0;
    g_autofree char *rest = others(setup, config, service);
    g_autofree char *line = g_strdup_printf("%s/%s=%s", service->name, SMTPD, rest);
    g_autofree char *said = postconf(folder, "-P", line, error);
    settle(folder);
    g_string_append_printf(setup->notes,
                           "%s takes mail back from a content filter: its milters are those of " MAIN_CF
                           " without rcptguard, which saw that mail before\n",
                           service->name);
    return said == NULL ? -1 : 0;
}

/* Its list was ours if it is what main.cf has, without our milter; then main.cf's own does as well. */
static int take_list_out(struct setup *setup, const struct postfix_config *config, const char *folder,
                         const struct postfix_service *service, char **error)
{
    if (!postfix_service_overrides(service, SMTPD))
        return 0;
    g_autofree char *own = postfix_milters_compact(postfix_service_value(config, service, SMTPD));
    const struct postfix_service *main_cf = NULL;
    g_autofree char *rest = others(setup, config, main_cf);
    if (strcmp(own, rest) != 0)
        return 0;
    g_autofree char *name = g_strdup_printf("%s/%s", service->name, SMTPD);
    g_autofree char *said = postconf(folder, "-PX", name, error);
    settle(folder);
    return said == NULL ? -1 : 0;
}

/* Does one thing to each such listener in a copy whose main.cf has our milter, and gives the master.cf of it. */
static char *edit_services(struct setup *setup, const char *text,
                           int (*change)(struct setup *, const struct postfix_config *, const char *,
                                         const struct postfix_service *, char **),
                           char **error)
{
    g_autofree char *main_text = read_beside(setup, MAIN_CF);
    g_autofree char *folder = copy(main_text, text, error);
    if (folder == NULL)
        return NULL;
    int status = 0;
    for (size_t i = 0; status == 0 && i < G_N_ELEMENTS(lists); i++)
        status = add(setup, folder, lists[i], error);
    auto_free(postfix_config) config = status == 0 ? postfix_config_read(folder, error) : NULL;
    for (guint i = 0; config != NULL && status == 0 && i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (postfix_service_takes_back(config, service))
            status = change(setup, config, folder, service, error);
    }
    g_autofree char *master_cf = g_build_filename(folder, MASTER_CF, NULL);
    char *result = config != NULL && status == 0 ? edit_read(master_cf, error) : NULL;
    edit_scratch_remove(folder);
    return result;
}

static char *services_with(struct setup *setup, const char *text, char **error)
{
    return edit_services(setup, text, leave_ours_out, error);
}

/* Without a backup nobody knows who wrote such a list, and it does no harm. */
static char *services_without(struct setup *setup, const char *text, char **error)
{
    g_autofree char *backup = edit_backup(setup->path);
    return backup == NULL ? g_strdup(text) : edit_services(setup, text, take_list_out, error);
}

/* ---- what names it */

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

static const struct setup_mta services = {.path = services_path, .with = services_with, .without = services_without};

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
    .waits = "Postfix reads its configuration when that has not been written for two seconds",
    .beside = &services,
};
