/* conninfo - see conninfo.h */

#include "milter/common/conninfo.h"

#include <string.h>

#define EXPECTED                                                                                                       \
    "expected settings of libpq with blanks between them, such as `host=db.example dbname=rcptguard`, or a URI that "  \
    "begins with postgresql://"

static char *secret_found(const char *name)
{
    return g_strdup_printf("a secret does not belong here, where others can read it: leave out `%s`, and put the "
                           "password into ~/.pgpass of the user, or a file that `passfile` names",
                           name);
}

static bool is_secret(const char *name)
{
    return strcmp(name, "password") == 0 || strcmp(name, "sslpassword") == 0 ||
           strcmp(name, "oauth_client_secret") == 0;
}

/* ---- name=value */

static const char *skip_blanks(const char *at)
{
    while (g_ascii_isspace(*at))
        at++;
    return at;
}

/* The end of a value; NULL: a quote is not closed. */
static const char *skip_value(const char *at)
{
    bool quoted = *at == '\'';
    at += quoted ? 1 : 0;
    while (*at != '\0' && (quoted ? *at != '\'' : !g_ascii_isspace(*at)))
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    if (!quoted)
        return at;
    return *at == '\'' && (at[1] == '\0' || g_ascii_isspace(at[1])) ? at + 1 : NULL;
}

static char *wrong_settings(const char *text)
{
    for (const char *at = skip_blanks(text); *at != '\0'; at = skip_blanks(at)) {
        size_t length = strspn(at, G_CSET_a_2_z "_");
        g_autofree char *name = g_strndup(at, length);
        at = skip_blanks(at + length);
        if (length == 0 || *at != '=')
            return g_strdup(EXPECTED);
        if (is_secret(name))
            return secret_found(name);
        at = skip_value(skip_blanks(at + 1));
        if (at == NULL)
            return g_strdup_printf("the quote of the value of `%s` is not closed, or something follows it", name);
    }
    return NULL;
}

/* ---- a URI */

static char *wrong_uri(const char *after_scheme)
{
    size_t authority = strcspn(after_scheme, "/"); /* as libpq has it: a password may have a `?` */
    const char *at = memchr(after_scheme, '@', authority);
    if (at != NULL && memchr(after_scheme, ':', (size_t)(at - after_scheme)) != NULL)
        return secret_found("user:password@");
    const char *query = strchr(after_scheme, '?');
    g_auto(GStrv) settings = g_strsplit(query == NULL ? "" : query + 1, "&", -1);
    for (char **setting = settings; *setting != NULL; setting++) {
        g_autofree char *name = g_strndup(*setting, strcspn(*setting, "="));
        g_autofree char *decoded = g_uri_unescape_string(name, NULL);
        if (decoded == NULL || strchr(*setting, '=') == NULL)
            return g_strdup("expected settings of the form name=value, with & between them, after the ? of a URI");
        if (is_secret(decoded))
            return secret_found(decoded);
    }
    return strpbrk(after_scheme, " \t") == NULL ? NULL : g_strdup("a URI has no blanks in it");
}

char *conninfo_wrong(const char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_str_has_prefix(conninfo, schemes[i]))
            return wrong_uri(conninfo + strlen(schemes[i]));
    }
    return wrong_settings(conninfo);
}

bool conninfo_may_be_secret(const char *line, size_t length)
{
    g_autofree char *text = g_ascii_strdown(line, (gssize)length);
    return strstr(text, "password") != NULL || strstr(text, "database") != NULL || strstr(text, "://") != NULL;
}
