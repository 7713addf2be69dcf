/* conninfo_read - see conninfo_read.h */

#include "milter/common/conninfo_read.h"

#include <glib.h>
#include <string.h>

/* ---- name=value */

/* A value from where it begins, without quotes and backslashes; moves on after it. */
static char *take_value(const char **at)
{
    GString *value = g_string_new(NULL);
    bool quoted = **at == '\'';
    if (quoted)
        ++*at;
    for (; **at != '\0' && (quoted ? **at != '\'' : !g_ascii_isspace(**at)); ++*at) {
        if (**at == '\\' && (*at)[1] != '\0')
            ++*at;
        g_string_append_c(value, **at);
    }
    if (quoted && **at == '\'')
        ++*at;
    return g_string_free(value, FALSE);
}

static const char *skip_blanks(const char *at)
{
    while (g_ascii_isspace(*at))
        at++;
    return at;
}

/* Keeps the last of that name. */
static void keep(char **found, char *value)
{
    g_free(*found);
    *found = value;
}

static char *value_of_settings(const char *text, const char *name)
{
    char *found = NULL;
    for (const char *at = skip_blanks(text); *at != '\0'; at = skip_blanks(at)) {
        size_t length = strspn(at, G_CSET_a_2_z "_");
        bool wanted = length == strlen(name) && strncmp(at, name, length) == 0;
        at = skip_blanks(at + length);
        if (*at != '=')
            break;
        at = skip_blanks(at + 1);
        char *value = take_value(&at);
        if (wanted)
            keep(&found, value);
        else
            g_free(value);
    }
    return found;
}

/* ---- a URI */

static const char *after_scheme(const char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_str_has_prefix(conninfo, schemes[i]))
            return conninfo + strlen(schemes[i]);
    }
    return NULL;
}

static char *decoded(const char *text, size_t length)
{
    g_autofree char *part = g_strndup(text, length);
    return g_uri_unescape_string(part, NULL);
}

/* HOST[:PORT],... without the ports and the brackets of addresses. */
static char *hosts_of(const char *text, size_t length)
{
    g_autofree char *part = g_strndup(text, length);
    g_auto(GStrv) hosts = g_strsplit(part, ",", -1);
    for (char **host = hosts; *host != NULL; host++) {
        bool bracket = **host == '[';
        size_t end = strcspn(*host, bracket ? "]" : ":");
        char *bare = decoded(*host + (bracket ? 1 : 0), end - (bracket ? 1 : 0));
        keep(host, bare == NULL ? g_strdup("") : bare);
    }
    return g_strjoinv(",", hosts);
}

/* What is before the query: [user@]hosts[/dbname]. */
static char *value_of_authority(const char *rest, const char *name)
{
    size_t length = strcspn(rest, "/?");
    const char *at = memchr(rest, '@', length), *path = rest[length] == '/' ? rest + length + 1 : NULL;
    const char *hosts = at == NULL ? rest : at + 1;
    if (strcmp(name, "user") == 0 && at != NULL)
        return decoded(rest, (size_t)(at - rest));
    if (strcmp(name, "host") == 0)
        return hosts_of(hosts, length - (size_t)(hosts - rest));
    if (strcmp(name, "dbname") == 0 && path != NULL)
        return decoded(path, strcspn(path, "?"));
    return NULL;
}

static char *value_of_uri(const char *rest, const char *name)
{
    char *found = value_of_authority(rest, name);
    const char *query = strchr(rest, '?');
    g_auto(GStrv) settings = g_strsplit(query == NULL ? "" : query + 1, "&", -1);
    for (char **setting = settings; *setting != NULL; setting++) {
        size_t length = strcspn(*setting, "=");
        g_autofree char *known = decoded(*setting, length);
        if (g_strcmp0(known, name) == 0 && (*setting)[length] == '=')
            keep(&found, g_uri_unescape_string(*setting + length + 1, NULL));
    }
    return found;
}

/* ---- */

char *conninfo_value(const char *conninfo, const char *name)
{
    const char *rest = after_scheme(conninfo);
    char *found = rest != NULL ? value_of_uri(rest, name) : value_of_settings(conninfo, name);
    if (found != NULL && *found == '\0')
        keep(&found, NULL);
    return found;
}

/* The last one counts, but a person should not find two. */
static void append_others(GString *out, const char *text, const char *name)
{
    for (const char *at = skip_blanks(text), *begin = at; *at != '\0'; at = begin = skip_blanks(at)) {
        size_t length = strspn(at, G_CSET_a_2_z "_");
        bool same = length == strlen(name) && strncmp(at, name, length) == 0;
        at = skip_blanks(at + length);
        if (*at != '=')
            break;
        at = skip_blanks(at + 1);
        g_free(take_value(&at));
        if (!same)
            g_string_append_printf(out, "%.*s ", (int)(at - begin), begin);
    }
}

char *conninfo_with(const char *conninfo, const char *name, const char *value)
{
    const char *rest = after_scheme(conninfo), *query = rest == NULL ? NULL : strchr(rest, '?');
    GString *out = g_string_new(NULL);
    if (rest == NULL) {
        append_others(out, conninfo, name);
        g_string_append_printf(out, "%s=%s", name, value);
        return g_string_free(out, FALSE);
    }
    g_string_append_len(out, conninfo, query == NULL ? (gssize)strlen(conninfo) : query - conninfo);
    g_auto(GStrv) settings = g_strsplit(query == NULL ? "" : query + 1, "&", -1);
    char lead = '?';
    for (char **setting = settings; *setting != NULL; setting++) {
        size_t length = strcspn(*setting, "=");
        if (length == strlen(name) && strncmp(*setting, name, length) == 0)
            continue;
        g_string_append_printf(out, "%c%s", lead, *setting);
        lead = '&';
    }
    g_string_append_printf(out, "%c%s=%s", lead, name, value);
    return g_string_free(out, FALSE);
}

/* `@` begins the name of an abstract socket. */
static bool is_local_host(const char *host)
{
    return *host == '\0' || *host == '/' || *host == '@' || strcmp(host, "localhost") == 0 ||
           g_str_has_prefix(host, "127.") || strcmp(host, "::1") == 0;
}

bool conninfo_is_local(const char *conninfo)
{
    g_autofree char *address = conninfo_value(conninfo, "hostaddr"), *host = conninfo_value(conninfo, "host");
    g_autofree char *service = conninfo_value(conninfo, "service");
    const char *named = address != NULL ? address : host;
    if (named == NULL)
        return service == NULL;
    g_auto(GStrv) hosts = g_strsplit(named, ",", -1);
    for (char **each = hosts; *each != NULL; each++) {
        if (!is_local_host(*each))
            return false;
    }
    return true;
}
