/*
 * sendmail_setup - Sendmail's part of setup.h: sendmail.mc, from which m4 makes
 * sendmail.cf.
 *
 * INPUT_MAIL_FILTER adds its filter after those that are above it, so ours goes
 * below the last of them; and all of them have to be above MAILER.
 */

#include "milter/sendmail/sendmail.h"

#include "milter/sendmail/sendmail_config.h"

#include <grp.h>
#include <string.h>

#define NAME "rcptguard"

#define INPUT_FILTER "INPUT_MAIL_FILTER("

static const char *const filter_words[] = {INPUT_FILTER, "MAIL_FILTER(", "define(`confINPUT_MAIL_FILTERS'", NULL};

static char *path(const char *directory)
{
    return g_strdup(directory);
}

static const char *skip_blanks(const char *line)
{
    return line + strspn(line, " \t");
}

static bool begins(const char *line, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (g_str_has_prefix(skip_blanks(line), *words))
            return true;
    }
    return false;
}

static bool has_socket(const char *line, const char *socket)
{
    g_autofree char *comma = g_strdup_printf("S=%s,", socket);
    g_autofree char *quote = g_strdup_printf("S=%s'", socket);
    return strstr(line, comma) != NULL || strstr(line, quote) != NULL;
}

/* A filter at our socket, or of our name; `dnl` in front of a line is a comment. */
static bool is_ours(const char *line, const char *socket)
{
    g_autofree char *named = g_strdup_printf("(`" NAME "',");
    return begins(line, filter_words) && (strstr(line, named) != NULL || has_socket(line, socket));
}

/* Where ours goes: below the last filter, or above the first MAILER, or at the end. */
static guint place(char **lines)
{
    static const char *const mailers[] = {"MAILER(", "LOCAL_CONFIG", "LOCAL_RULESETS", "LOCAL_RULE_", NULL};
    guint count = g_strv_length(lines);
    guint end = count > 0 && lines[count - 1][0] == '\0' ? count - 1 : count;
    guint first = end;
    for (guint i = end; i > 0; i--) {
        if (begins(lines[i - 1], filter_words))
            return i;
        if (begins(lines[i - 1], mailers))
            first = i - 1;
    }
    return first;
}

static char *with(struct setup *setup, const char *text, char **error)
{
    g_autofree char *socket = sendmail_socket_name(setup->config->socket);
    g_autofree char *line = sendmail_filter_line(NAME, setup->config->socket);
    if (line == NULL) {
        *error = g_strdup("the socket is handed to the daemon as a descriptor: it has no name for sendmail.mc");
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **each = lines; *each != NULL; each++) {
        if (!is_ours(*each, socket))
            continue;
        if (has_socket(*each, socket) || !g_str_has_prefix(skip_blanks(*each), INPUT_FILTER))
            return g_strdup(text);
        g_free(*each); /* the socket that it had is another one now */
        *each = g_steal_pointer(&line);
        return g_strjoinv("\n", lines);
    }
    guint at = place(lines);
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (i == at)
            g_string_append_printf(out, "%s\n", line);
        g_string_append_printf(out, "%s%s", lines[i], lines[i + 1] != NULL ? "\n" : "");
    }
    if (at == g_strv_length(lines))
        g_string_append_printf(out, "\n%s\n", line);
    return g_strdup(out->str);
}

static char *without(struct setup *setup, const char *text, char **error)
{
    (void)error;
    g_autofree char *socket = sendmail_socket_name(setup->config->socket);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (char **each = lines; *each != NULL; each++) {
        if (socket == NULL || !is_ours(*each, socket))
            g_ptr_array_add(kept, *each);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv("\n", (char **)kept->pdata);
}

/* The sendmail.cf in force: the one beside the sendmail.mc that was named, else the one that review uses. */
static char *built(const struct setup *setup)
{
    if (setup->directory == NULL)
        return g_strdup(config_mta(setup->config, MTA_SENDMAIL));
    g_autofree char *folder = g_path_get_dirname(setup->path);
    return g_build_filename(folder, "sendmail.cf", NULL);
}

static bool has_ours(const struct setup *setup, const struct sendmail_config *config, const char *list)
{
    const struct sendmail_filter *filter = sendmail_filter_find(config, setup->config->socket);
    g_autoptr(GPtrArray) filters = sendmail_filters(config, list);
    return filter != NULL && g_ptr_array_find(filters, filter, NULL);
}

static char *used(const struct setup *setup, char **error)
{
    g_autofree char *file = built(setup);
    auto_free(sendmail_config) config = sendmail_config_read(file, error);
    if (config == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    if (has_ours(setup, config, sendmail_option(config, "InputMailFilters")))
        g_string_append(out, "InputMailFilters\n");
    for (guint i = 0; i < config->daemons->len; i++) {
        const char *daemon = g_ptr_array_index(config->daemons, i);
        g_autofree char *own = sendmail_setting(daemon, "InputMailFilters");
        g_autofree char *name = sendmail_setting(daemon, "Name");
        if (own != NULL && has_ours(setup, config, own))
            g_string_append_printf(out, "InputMailFilters of %s\n", name != NULL ? name : "a daemon");
    }
    return g_string_free(out, FALSE);
}

static gid_t group(const struct setup *setup)
{
    (void)setup;
    const struct group *entry = getgrnam("smmsp");
    return entry == NULL ? (gid_t)-1 : entry->gr_gid;
}

static char *next(const struct setup *setup)
{
    g_autofree char *folder = g_path_get_dirname(setup->path);
    return g_strdup_printf("make -C %s, or sendmailconfig; then restart Sendmail", folder);
}

const struct setup_mta sendmail_setup = {
    .directory = "/etc/mail/sendmail.mc",
    .path = path,
    .with = with,
    .without = without,
    .used = used,
    .group = group,
    .next = next,
};
