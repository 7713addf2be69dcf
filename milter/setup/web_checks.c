/* web_checks - the checks of the review in a browser, where its page is installed; see checks.h and rcptguard-web(7) */

#include "milter/setup/checks.h"
#include "policy/cli/run_program.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* What the package installs; Cockpit looks there. */
#define PAGE "/usr/share/cockpit/rcptguard/manifest.json"

/* What the page runs, by sudo. */
#define COMMAND "/usr/sbin/rcptguardq"

#define WEB_SOCKET     "rcptguard-web.socket"
#define COCKPIT_SOCKET "cockpit.socket"

/* More people than one fixes at once. */
#define PEOPLE_SHOWN 10

static bool is_installed(void)
{
    return g_file_test(PAGE, G_FILE_TEST_EXISTS);
}

/* ---- units */

/* What systemd says of a unit: lines NAME=VALUE, for g_free; NULL: no systemd runs here. */
static char *unit_properties(const char *unit)
{
    const char *const arguments[] = {
        "systemctl", "show", "--property=ActiveState,UnitFileState,Listen", unit, NULL,
    };
    g_autofree char *error = NULL;
    if (!g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR))
        return NULL;
    return program_output(&(struct program){.arguments = arguments}, &error);
}

static bool has_line(const char *properties, const char *line)
{
    g_auto(GStrv) lines = g_strsplit(properties, "\n", -1);
    return g_strv_contains((const char *const *)lines, line);
}

static bool is_open(const char *properties)
{
    return has_line(properties, "ActiveState=active") || has_line(properties, "UnitFileState=enabled");
}

/* The first address of a socket that other machines reach, for g_free; NULL: none. */
static char *address_outside(const char *properties)
{
    static const char *const within[] = {"127.", "[::1]:", "/", "@"};
    g_auto(GStrv) lines = g_strsplit(properties, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        const char *address = *line + strlen("Listen=");
        bool inside = !g_str_has_prefix(*line, "Listen=");
        for (size_t i = 0; !inside && i < G_N_ELEMENTS(within); i++)
            inside = g_str_has_prefix(address, within[i]);
        if (!inside)
            return g_strndup(address, strcspn(address, " "));
    }
    return NULL;
}

static void examine_web(struct doctor *doctor)
{
    if (!is_installed()) {
        findings_ok(doctor->findings, "the page for a browser is not installed");
        return;
    }
    g_autofree char *web = unit_properties(WEB_SOCKET), *cockpit = unit_properties(COCKPIT_SOCKET);
    if (web == NULL || cockpit == NULL)
        findings_ok(doctor->findings, "the page is installed, and systemd does not run here");
    else if (has_line(web, "ActiveState=active"))
        findings_ok(doctor->findings, WEB_SOCKET " is active");
    else if (has_line(cockpit, "ActiveState=active"))
        findings_ok(doctor->findings, "the page is shown in Cockpit, and " WEB_SOCKET " is not active");
    else
        finding_mend(findings_add(doctor->findings, SEVERITY_NOTE, "Nobody reaches the page yet.",
                                  "the page for a browser is installed, and " WEB_SOCKET " is not active"),
                     MEND_SHELL, "systemctl enable --now " WEB_SOCKET);
}

/* Debian's cockpit-ws opens it on all addresses when it is installed. */
static void examine_cockpit(struct doctor *doctor)
{
    if (!is_installed())
        return;
    g_autofree char *properties = unit_properties(COCKPIT_SOCKET);
    g_autofree char *address = properties == NULL ? NULL : address_outside(properties);
    if (address == NULL || !is_open(properties)) {
        findings_ok(doctor->findings, "Cockpit itself is not open to other machines");
        return;
    }
    struct finding *finding = findings_add(
        doctor->findings, SEVERITY_WARNING,
        "Every account of this machine can log in to Cockpit there, with a terminal; the review does not need it.",
        COCKPIT_SOCKET " is open on %s", address);
    finding_mend(finding, MEND_SHELL, "systemctl mask --now " COCKPIT_SOCKET);
}

/* ---- reviewers */

/* Called for one reviewer and a group of his that may review; false: he was not counted. */
typedef bool (*reviewer_check)(struct doctor *doctor, const char *group, const char *name);

/* Each member of the groups of [review], once, until there are enough findings. */
static void each_reviewer(struct doctor *doctor, reviewer_check look)
{
    const struct config *config = doctor->tool->config;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    unsigned found = 0;
    for (unsigned right = 0; right < REVIEW_ACTIONS; right++) {
        for (char **name = config->review.groups[right]; name != NULL && *name != NULL; name++) {
            struct group *group = getgrnam(*name);
            /* Copied: the checks ask for users, and run programs. */
            g_auto(GStrv) members = group == NULL ? NULL : g_strdupv(group->gr_mem);
            for (char **member = members; member != NULL && *member != NULL && found < PEOPLE_SHOWN; member++) {
                if (g_hash_table_add(seen, g_strdup(*member)) && look(doctor, *name, *member))
                    found++;
            }
        }
    }
}

static bool is_login_shell(const char *shell)
{
    g_autofree char *base = g_path_get_basename(shell);
    return *shell == '\0' || (access(shell, X_OK) == 0 && strcmp(base, "nologin") != 0 && strcmp(base, "false") != 0);
}

static bool lacks_shell(struct doctor *doctor, const char *group, const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (user == NULL || is_login_shell(user->pw_shell))
        return false;
    g_autofree char *quoted = g_shell_quote(name);
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_NOTE, "Cockpit refuses an account without a login shell.",
                     "%s is in %s, and has %s as shell", name, group, user->pw_shell);
    finding_mend(finding, MEND_SHELL, "usermod --shell /bin/sh %s", quoted);
    return true;
}

static void examine_shells(struct doctor *doctor)
{
    if (!is_installed())
        return;
    each_reviewer(doctor, lacks_shell);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "each reviewer has a login shell");
}

static bool lacks_sudo(struct doctor *doctor, const char *group, const char *name)
{
    const char *const arguments[] = {"sudo", "-n", "-l", "-U", name, COMMAND, NULL};
    g_autofree char *error = NULL;
    if (getpwnam(name) == NULL || program_run(&(struct program){.arguments = arguments}, &error) == 0)
        return false;
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING, "The page runs it so, and nothing else.",
                     "%s is in %s, and sudo does not let him run " COMMAND " as root", name, group);
    finding_mend(finding, MEND_SHELL,
                 "umask 0337 && echo '%%%s ALL = (root) NOPASSWD: " COMMAND "' >>/etc/sudoers.d/%s", group, group);
    return true;
}

static void examine_sudo(struct doctor *doctor)
{
    if (!is_installed())
        return;
    each_reviewer(doctor, lacks_sudo);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "each reviewer may run " COMMAND);
}

const struct examination checks_of_web[] = {
    {"web", examine_web}, {"cockpit", examine_cockpit}, {"shells", examine_shells}, {"sudo", examine_sudo},
    {NULL, NULL},
};
