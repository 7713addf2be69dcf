/* command_init - `rcptguard init`: a first policy from what the MTA says; see rcptguard(1) */

#include "policy/base/source.h"
#include "policy/cli/json.h"
#include "policy/cli/run_program.h"
#include "policy/exposure/table.h"
#include "policy/init/discover.h"
#include "policy/init/first_policy.h"
#include "policy/init/new_files.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

static char *mta_option = NULL;
static char *postfix_option = NULL;
static char *sendmail_option = NULL;
static char **domain_option = NULL;
static char *freemail_option = NULL;

/* What was made, and where it goes. */
struct making {
    const char *path; /* of the policy; "-" prints it */
    char *folder;
    char *name;
    char *freemail;      /* the table's text */
    bool freemail_there; /* beside the policy, and used as it is */
    char *policy;
    char *domains; /* the text of the table DRAFT_INTERNAL, or NULL */
    struct site *site;
};

/* Says why nothing was written; EXITS_WRONG. */
static int G_GNUC_PRINTF(1, 2) fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "rcptguard: %s\n", message);
    return EXITS_WRONG;
}

static bool is_printed(const struct making *making)
{
    return strcmp(making->path, "-") == 0;
}

/* ---- what is asked */

/* An MTA that can be asked. */
struct askable {
    const char *word, *name;
    const char *program;
    char **config; /* the option that says where its configuration is */
    bool (*ask)(struct site *site, const char *config, char **error);
};

static const struct askable askable[] = {
    {"postfix", "Postfix", ASK_POSTFIX, &postfix_option, ask_postfix},
    {"sendmail", "Sendmail", ASK_SENDMAIL, &sendmail_option, ask_sendmail},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Whether an option names it. */
static bool is_named(const struct askable *mta)
{
    return g_strcmp0(mta_option, mta->word) == 0 || *mta->config != NULL;
}

/* The one that is installed, or the row of no name. */
static const struct askable *find_installed(void)
{
    const struct askable *mta = askable;

    for (; mta->word != NULL; mta++) {
        g_autofree char *path = program_find(mta->program, true);
        if (path != NULL)
            break;
    }
    return mta;
}

/* Asks the MTA that an option names, else the one that is installed; none if domains are named. */
static int ask_mta(struct site *site)
{
    const struct askable *mta = askable;
    g_autofree char *error = NULL;

    while (mta->word != NULL && !is_named(mta))
        mta++;
    if (mta->word == NULL && domain_option != NULL)
        return EXITS_DONE;
    if (mta->word == NULL)
        mta = find_installed();
    if (mta->word == NULL)
        return fail("there is neither Postfix (" ASK_POSTFIX ") nor Sendmail (" ASK_SENDMAIL
                    ") in PATH or in " PROGRAM_FOLDERS "; name your domains with --domain");
    if (!mta->ask(site, *mta->config, &error))
        return fail("%s does not answer: %s; name your domains with --domain", mta->name, error);
    return EXITS_DONE;
}

/* Takes what the command line names; what the MTA says is added after it. */
static int take_options(struct site *site)
{
    bool known = mta_option == NULL;
    unsigned named = 0;

    for (const struct askable *mta = askable; mta->word != NULL; mta++) {
        known = known || strcmp(mta_option, mta->word) == 0;
        named += is_named(mta);
    }
    if (!known)
        return tool_usage_error("`%s` is no MTA that can be asked; expected postfix or sendmail", mta_option);
    if (named > 1)
        return tool_usage_error("only one MTA can be asked");
    for (unsigned i = 0; domain_option != NULL && domain_option[i] != NULL; i++) {
        if (!site_add_domain(site, domain_option[i], false, "--domain"))
            return tool_usage_error("`%s` is no domain of an organisation", domain_option[i]);
    }
    return EXITS_DONE;
}

static int gather(struct site *site)
{
    int status = take_options(site);

    if (status == EXITS_DONE)
        status = ask_mta(site);
    if (status != EXITS_DONE)
        return status;
    if (domain_option != NULL) { /* what a person names comes before what an MTA says */
        g_free(site->origin);
        site->origin = g_strdup(((const struct site_domain *)g_ptr_array_index(site->domains, 0))->name);
    }
    site_finish(site);
    if (site->domains->len == 0) {
        for (unsigned i = 0; i < site->notes->len; i++)
            fprintf(stderr, "rcptguard: warning: %s\n", (const char *)g_ptr_array_index(site->notes, i));
        return fail("%s names no domain that mail from elsewhere could have; name yours with --domain", site->mta);
    }
    return EXITS_DONE;
}

/* ---- where it goes */

static bool is_there(const char *path)
{
    GStatBuf facts;

    return g_lstat(path, &facts) == 0;
}

static int find_place(struct making *making)
{
    making->path = tool_policy_path();
    making->folder = is_printed(making) ? g_strdup(g_get_tmp_dir()) : g_path_get_dirname(making->path);
    making->name = is_printed(making) ? g_strdup("policy") : g_path_get_basename(making->path);
    if (is_printed(making))
        return EXITS_DONE;
    if (is_there(making->path))
        return fail("%s is there already, and nothing is ever overwritten; move it away, or name another file with -p",
                    making->path);
    if (!g_file_test(making->folder, G_FILE_TEST_IS_DIR))
        return fail("there is no directory %s; create it, or name a file elsewhere with -p", making->folder);
    return EXITS_DONE;
}

/* The table that is beside the policy is the one to use; else the one that came with the program. */
static int find_freemail(struct making *making)
{
    g_autofree char *beside = g_build_filename(making->folder, DRAFT_FREEMAIL, NULL);
    const char *shipped = freemail_option != NULL ? freemail_option : PKGDATADIR "/" DRAFT_FREEMAIL;
    auto_free(diags) diags = diags_new();

    making->freemail_there = !is_printed(making) && is_there(beside);
    auto_free(source) source =
        source_read(making->freemail_there ? beside : shipped, "a table of freemail domains", TABLE_SIZE_LIMIT, diags);
    if (source != NULL)
        making->freemail = g_strndup(source->text, source->length);
    tool_print_diags(diags);
    if (making->freemail == NULL)
        return fail("the policy needs that table%s",
                    making->freemail_there ? "" : "; name where it is with --freemail");
    return EXITS_DONE;
}

/* ---- the policy is made, tried and brought to its place */

/* An expectation that fails, or a policy that cannot be loaded, is nothing to leave after. */
static int try_out(const char *path)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(path, diags);

    if (policy != NULL)
        policy_assert(policy, diags);
    if (diags_errors(diags) == 0)
        return EXITS_DONE;
    tool_print_diags(diags);
    return fail("what was found does not make a policy that holds; nothing was written");
}

static bool add_files(const struct making *making, struct place *place, char **error)
{
    bool added = making->freemail_there ? place_use(place, DRAFT_FREEMAIL, error)
                                        : place_add(place, DRAFT_FREEMAIL, making->freemail, error);

    if (added && making->domains != NULL)
        added = place_add(place, DRAFT_INTERNAL, making->domains, error);
    return added && place_add(place, making->name, making->policy, error); /* last: it names the others */
}

static int write_files(const struct making *making)
{
    g_autofree char *error = NULL;
    auto_free(place) place = place_new(making->folder, &error);

    if (place == NULL || !add_files(making, place, &error))
        return fail("%s; nothing was written", error);
    g_autofree char *tried = place_path(place, making->name);
    int status = try_out(tried);
    if (status == EXITS_DONE && !is_printed(making) && !place_commit(place, &error))
        status = fail("%s; nothing was written", error);
    return status;
}

/* ---- what is told */

/* The path of a file beside the policy, as a person would write it. */
static char *beside(const struct making *making, const char *name)
{
    return strchr(making->path, '/') == NULL ? g_strdup(name) : g_build_filename(making->folder, name, NULL);
}

/* The paths of what was written, the policy last. */
static GPtrArray *written_files(const struct making *making)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    if (is_printed(making))
        return paths;
    if (!making->freemail_there)
        g_ptr_array_add(paths, beside(making, DRAFT_FREEMAIL));
    if (making->domains != NULL)
        g_ptr_array_add(paths, beside(making, DRAFT_INTERNAL));
    g_ptr_array_add(paths, g_strdup(making->path));
    return paths;
}

static GPtrArray *domain_items(const struct site *site)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < site->domains->len; i++) {
        const struct site_domain *domain = g_ptr_array_index(site->domains, i);
        g_ptr_array_add(items, g_strdup_printf("%s%s", domain->below ? "." : "", domain->name));
    }
    return items;
}

static void print_json(const struct making *making)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GPtrArray) written = written_files(making);
    g_autoptr(GPtrArray) domains = domain_items(making->site);

    json_builder_begin_object(json);
    json_strings(json, "written", written);
    json_string(json, "mta", making->site->mta);
    json_strings(json, "domains", domains);
    json_strings(json, "networks", making->site->networks);
    json_strings(json, "notes", making->site->notes);
    json_string(json, "policy", making->policy);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* For the daemon's own policy: what comes next, in its order.  The MTA asks the daemon only when it runs. */
static void print_next(const struct making *making)
{
    if (strcmp(making->path, SYSCONFDIR "/rcptguard/policy") == 0 && making->site->mta != NULL) {
        g_autofree char *mta = g_ascii_strdown(making->site->mta, -1);
        printf("Then:  systemctl start rcptguardd\n"
               "       rcptguardq setup %s\n"
               "       rcptguardq doctor\n",
               mta);
    } else if (making->site->unguarded) {
        printf("Postfix has no rcptguard in smtpd_milters yet: see rcptguardd(8).\n");
    }
}

static void print_made(const struct making *making)
{
    g_autoptr(GPtrArray) written = written_files(making);
    g_autofree char *freemail = beside(making, DRAFT_FREEMAIL);

    if (is_printed(making)) {
        fputs(making->policy, stdout);
    } else {
        for (unsigned i = 0; i < written->len; i++)
            printf("%s: written\n", (const char *)g_ptr_array_index(written, i));
        if (making->freemail_there)
            printf("%s: was there, and is used as it is\n", freemail);
        printf("Internal domains: %u, networks that may relay: %u.  All rules are on trial.\n"
               "Look through it, then:  rcptguard check -p %s\n",
               making->site->domains->len, making->site->networks->len, making->path);
        print_next(making);
    }
    fflush(stdout);
    for (unsigned i = 0; i < making->site->notes->len; i++)
        fprintf(stderr, "rcptguard: warning: %s\n", (const char *)g_ptr_array_index(making->site->notes, i));
}

static int make(struct making *making)
{
    int status = find_place(making);

    if (status == EXITS_DONE)
        status = gather(making->site);
    if (status == EXITS_DONE)
        status = find_freemail(making);
    if (status != EXITS_DONE)
        return status;
    making->policy = draft_policy(making->site, making->freemail);
    making->domains = draft_domains(making->site);
    status = write_files(making);
    if (status != EXITS_DONE)
        return status;
    if (tool_json())
        print_json(making);
    else
        print_made(making);
    return EXITS_DONE;
}

static int command_init_run(struct tool *tool)
{
    struct making making = {.site = site_new()};
    int status = make(&making);

    (void)tool;
    g_free(making.folder);
    g_free(making.name);
    g_free(making.freemail);
    g_free(making.policy);
    g_free(making.domains);
    site_free(making.site);
    return status;
}

static const GOptionEntry entries[] = {
    {"mta", 0, 0, G_OPTION_ARG_STRING, &mta_option, "Ask this one: postfix or sendmail", "MTA"},
    {"postfix-config", 0, 0, G_OPTION_ARG_FILENAME, &postfix_option, "Where Postfix's main.cf is", "DIR"},
    {"sendmail-config", 0, 0, G_OPTION_ARG_FILENAME, &sendmail_option, "Sendmail's sendmail.cf", "FILE"},
    {"domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &domain_option, "An internal domain; may be repeated", "DOMAIN"},
    {"freemail", 0, 0, G_OPTION_ARG_FILENAME, &freemail_option, "The table of freemail domains to copy", "FILE"},
    G_OPTION_ENTRY_NULL,
};

const struct command command_init = {
    .name = "init",
    .summary = "Write a first policy from what the MTA says",
    .entries = entries,
    .run = command_init_run,
};
