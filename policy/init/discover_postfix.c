/*
 * discover_postfix - what Postfix says of itself; see discover.h and postconf(5).
 *
 * Its lists hold names, `!names` that are not meant, files, and tables.  What a
 * program can list is listed; of the rest a note names the table.
 */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/cli/run_program.h"
#include "policy/engine/policy.h"
#include "policy/exposure/table.h"
#include "policy/init/discover.h"
#include "policy/init/postconf.h"

#include <string.h>

/* Files in files: deeper is a loop. */
#define DEPTH_LIMIT 5

/* One list while it is read. */
struct list {
    struct site *site;
    const char *config;
    const char *parameter;
    bool networks;
    bool below;         /* a name means all below it as well */
    bool addresses;     /* a table of it holds addresses too, which are not meant */
    GPtrArray *names;   /* char * */
    GPtrArray *without; /* char *: those after a `!` */
};

/* ---- lists */

/* `type:name`; an IPv6 address is in brackets. */
static bool is_table(const char *word)
{
    return word[0] != '[' && strchr(word, ':') != NULL;
}

static void take_list(struct list *list, const char *value, unsigned depth);

static void take_file(struct list *list, const char *path, unsigned depth)
{
    auto_free(diags) diags = diags_new();

    if (depth >= DEPTH_LIMIT) {
        site_note(list->site, "%s: %s is a file in a file in a file; add what it holds by hand", list->parameter, path);
        return;
    }
    auto_free(source) source = source_read(path, "a list", TABLE_SIZE_LIMIT, diags);
    if (source == NULL) {
        site_note(list->site, "%s: %s %s", list->parameter, path, diags_get(diags, 0)->message);
        return;
    }
    g_auto(GStrv) lines = g_strsplit(source->text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        if (g_strstrip(lines[i])[0] != '#')
            take_list(list, lines[i], depth + 1);
    }
}

/* Whether postmap(1) can list tables of this type; others may be servers, or patterns. */
static bool can_be_listed(const char *table)
{
    static const char *const types[] = {"btree:", "cdb:", "dbm:", "hash:", "inline:", "lmdb:", "sdbm:", "texthash:"};

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_has_prefix(table, types[i]))
            return true;
    }
    return false;
}

/* The lines of `postmap -s`: a key, a tab, what it means. */
static void take_keys(struct list *list, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i] != NULL; i++) {
        char *end = strchr(lines[i], '\t');
        if (end != NULL)
            *end = '\0';
        if (lines[i][0] == '\0')
            continue;
        /* A table of aliases has domains among addresses and bare names. */
        if (list->addresses && (strchr(lines[i], '@') != NULL || strchr(lines[i], '.') == NULL))
            continue;
        g_ptr_array_add(list->names, g_strdup(lines[i]));
    }
}

static void take_table(struct list *list, const char *word)
{
    const char *table = g_str_has_prefix(word, "proxy:") ? word + strlen("proxy:") : word;
    g_autofree char *error = NULL;
    const char *own[] = {"postmap", "-s", table, NULL};
    const char *configured[] = {"postmap", "-c", list->config, "-s", table, NULL};
    const struct program program = {
        .arguments = list->config == NULL ? own : configured, .seconds = ASK_POSTFIX_SECONDS, .callers = true};

    if (!can_be_listed(table)) {
        site_note(list->site, "%s: %s cannot be listed; add its %s by hand", list->parameter, word,
                  list->networks ? "networks" : "domains");
        return;
    }
    g_autofree char *keys = program_output(&program, &error);
    if (keys != NULL)
        take_keys(list, keys);
    else
        site_note(list->site, "%s: %s", list->parameter, error);
}

static void take_list(struct list *list, const char *value, unsigned depth)
{
    g_autoptr(GPtrArray) words = postconf_words(value);

    for (unsigned i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        if (word[0] == '!')
            g_ptr_array_add(list->without, g_strdup(word + 1 + strspn(word + 1, "!")));
        else if (word[0] == '/')
            take_file(list, word, depth);
        else if (is_table(word))
            take_table(list, word);
        else
            g_ptr_array_add(list->names, g_strdup(word));
    }
}

/* ---- what is not meant */

static char *normalise(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name[0] == '.' ? name + 1 : name, -1);

    return domain_normalise(valid, strlen(valid));
}

static bool is_or_is_below(const char *name, const char *above)
{
    return strcmp(name, above) == 0 || (g_str_has_suffix(name, above) && name[strlen(name) - strlen(above) - 1] == '.');
}

/*
 * A name that is excluded, or is below one that is, is dropped; one above keeps
 * its own name and loses what is below it.  So nothing excluded becomes internal.
 */
static bool allowed(const struct list *list, const char *name, bool *below)
{
    g_autofree char *normal = normalise(name);

    for (unsigned i = 0; i < list->without->len; i++) {
        g_autofree char *other = normalise(g_ptr_array_index(list->without, i));
        if (is_or_is_below(normal, other))
            return false;
        if (is_or_is_below(other, normal))
            *below = false;
    }
    return true;
}

static void add_domains(struct list *list)
{
    for (unsigned i = 0; i < list->without->len; i++) {
        const char *name = g_ptr_array_index(list->without, i);
        if (name[0] == '/' || is_table(name))
            site_note(list->site, "%s: !%s is not looked at; take out by hand what is not yours", list->parameter,
                      name);
        else
            site_note(list->site, "%s: !%s: left out, with what is below it", list->parameter, name);
    }
    for (unsigned i = 0; i < list->names->len; i++) {
        const char *name = g_ptr_array_index(list->names, i);
        bool below = list->below || name[0] == '.';
        if (allowed(list, name, &below))
            site_add_domain(list->site, name[0] == '.' ? name + 1 : name, below, list->parameter);
    }
}

static void add_networks(struct list *list)
{
    for (unsigned i = 0; i < list->without->len; i++)
        site_note(list->site, "%s: !%s: what comes from there is judged as from the other networks", list->parameter,
                  (const char *)g_ptr_array_index(list->without, i));
    for (unsigned i = 0; i < list->names->len; i++)
        site_add_network(list->site, g_ptr_array_index(list->names, i), list->parameter);
}

static void take_parameter(struct list *list, const char *value)
{
    list->names = g_ptr_array_new_with_free_func(g_free);
    list->without = g_ptr_array_new_with_free_func(g_free);
    take_list(list, value, 0);
    if (list->networks)
        add_networks(list);
    else
        add_domains(list);
    g_ptr_array_unref(list->names);
    g_ptr_array_unref(list->without);
}

/* ---- postconf */

/* {name: value}, or NULL with `error`. */
static GHashTable *ask_values(const char *config, const char *const *words, char **error)
{
    g_autofree char *text = postconf_output(config, words, true, error);
    char *rest = text;
    const char *name, *value;

    if (text == NULL)
        return NULL;
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (postconf_next(&rest, &name, &value))
        g_hash_table_insert(values, g_strdup(name), g_strdup(value));
    return values;
}

static const char *value_of(GHashTable *values, const char *name)
{
    const char *value = g_hash_table_lookup(values, name);

    return value != NULL ? value : "";
}

/* ---- mail that comes back */

static const char * override(GHashTable *values, const char *service, const char *parameter)
{
    g_autofree char *key = g_strdup_printf("%s/inet/%s", service, parameter);

    return g_hash_table_lookup(values, key);
}

/* Whether a listener's name can be in a policy as it is. */
static bool is_word(const char *name)
{
    const char *p = name;

    while (g_ascii_isgraph(*p) && *p != '"' && *p != '\\')
        p++;
    return p > name && *p == '\0';
}

/* Whether another listener, where mail comes in, has the name as well: then leaving it out would leave that mail out.
 */
static bool is_shared(GHashTable *values, const char *name)
{
    static const char end[] = "/inet/milter_macro_daemon_name";
    GHashTableIter iterator;
    gpointer key, value;

    g_hash_table_iter_init(&iterator, values);
    while (g_hash_table_iter_next(&iterator, &key, &value)) {
        g_autofree char *service = g_str_has_suffix(key, end) ? g_strndup(key, strlen(key) - strlen(end)) : NULL;
        const char *filter = service == NULL ? NULL : override(values, service, "content_filter");
        bool takes_back = filter != NULL && filter[0] == '\0' && postconf_is_loopback(service);
        if (service != NULL && !takes_back && strcmp(value, name) == 0)
            return true;
    }
    return false;
}

/*
 * A listener on the loopback that hands mail to no content filter takes it back
 * from one.  What it shows to milters was shown to them before.
 */
static void take_listener(struct site *site, GHashTable *values, const char *service)
{
    const char *filter = override(values, service, "content_filter");
    const char *milters = override(values, service, "smtpd_milters");
    const char *options = override(values, service, "receive_override_options");
    const char *name = override(values, service, "milter_macro_daemon_name");

    if (filter == NULL || filter[0] != '\0' || !postconf_is_loopback(service))
        return;
    if ((milters != NULL && milters[0] == '\0') || (options != NULL && strstr(options, "no_milters") != NULL))
        return;
    if (name != NULL && is_word(name) && !is_shared(values, name)) {
        if (!g_ptr_array_find_with_equal_func(site->reinjected, name, g_str_equal, NULL))
            g_ptr_array_add(site->reinjected, g_strdup(name));
        return;
    }
    site_note(site,
              "master.cf: %s takes mail back from a content filter and shows it to milters again; "
              "`rcptguardq setup postfix` keeps it from rcptguard, or its mail is evaluated twice",
              service);
}

/* Without a master.cf there is nothing to know. */
static void ask_listeners(struct site *site, const char *config)
{
    static const char *const words[] = {"-x", "-P", NULL};
    g_autofree char *error = NULL;
    g_autoptr(GHashTable) values = ask_values(config, words, &error);

    if (values == NULL)
        return;
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(values), (GCompareFunc)strcmp);
    for (GList *key = keys; key != NULL; key = key->next) {
        const char *end = strstr(key->data, "/inet/content_filter");
        g_autofree char *service = end == NULL ? NULL : g_strndup(key->data, (gsize)(end - (const char *)key->data));
        if (service != NULL)
            take_listener(site, values, service);
    }
}

/* ---- */

/* Sets the domain after bare names: the value, or the first line of a file (Debian's /etc/mailname). */
static void take_origin(struct site *site, const char *value)
{
    g_autofree char *text = NULL;

    if (value[0] == '/' && g_file_get_contents(value, &text, NULL, NULL)) {
        char *end = strchr(text, '\n');
        if (end != NULL)
            *end = '\0';
        value = g_strstrip(text);
    }
    if (value[0] != '\0' && value[0] != '/' && site_add_domain(site, value, false, "myorigin"))
        site->origin = normalise(value);
}

/* The domain above this host's name: it may be the organisation's, or that of who rents the host out. */
static void note_domain(struct site *site, const char *value)
{
    g_autofree char *name = normalise(value);

    if (strchr(name, '.') != NULL && domain_is_name(name) && !site_has(site, name))
        site_note(site, "mydomain: %s is in none of Postfix's lists; add it to the class if its addresses are yours",
                  name);
}

bool ask_postfix(struct site *site, const char *config, char **error)
{
    static const char *const words[] = {
        "-x",         "mydestination", "relay_domains", "virtual_mailbox_domains",          "virtual_alias_domains",
        "mynetworks", "mydomain",      "myorigin",      "parent_domain_matches_subdomains", "smtpd_milters",
        NULL};
    g_autoptr(GHashTable) values = ask_values(config, words, error);
    struct list lists[] = {
        {.parameter = "mydestination"},
        {.parameter = "relay_domains"},
        {.parameter = "virtual_mailbox_domains"},
        {.parameter = "virtual_alias_domains", .addresses = true},
        {.parameter = "mynetworks", .networks = true},
    };

    if (values == NULL)
        return false;
    site->mta = "Postfix";
    lists[1].below = strstr(value_of(values, "parent_domain_matches_subdomains"), "relay_domains") != NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        lists[i].site = site;
        lists[i].config = config;
        take_parameter(&lists[i], value_of(values, lists[i].parameter));
    }
    take_origin(site, value_of(values, "myorigin"));
    note_domain(site, value_of(values, "mydomain"));
    site->unguarded = strstr(value_of(values, "smtpd_milters"), "rcptguard") == NULL;
    ask_listeners(site, config);
    return true;
}
