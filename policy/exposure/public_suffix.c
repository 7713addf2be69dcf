/* public_suffix - see public_suffix.h */

#include "policy/exposure/public_suffix.h"

#include "policy/address/address.h"

#include <glib.h>
#include <libpsl.h>
#include <string.h>

struct suffixes {
    psl_ctx_t *list;
    bool built_in;
    char *version;
};

struct suffixes *suffixes_open(void)
{
    struct suffixes *suffixes = g_new0(struct suffixes, 1);
    const char *path = psl_dist_filename();
    g_autofree char *bytes = NULL;
    gsize length;

    /* The distribution keeps its file fresh; the list inside the library is as old as the library. */
    if (path != NULL && path[0] != '\0' && g_file_get_contents(path, &bytes, &length, NULL))
        suffixes->list = psl_load_file(path);
    if (suffixes->list != NULL) {
        suffixes->version = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, length);
        return suffixes;
    }
    suffixes->built_in = true;
    suffixes->list = (psl_ctx_t *)psl_builtin();
    suffixes->version = g_strdup(psl_builtin_sha1sum());
    return suffixes;
}

void suffixes_free(struct suffixes *suffixes)
{
    if (suffixes == NULL)
        return;
    if (!suffixes->built_in)
        psl_free(suffixes->list);
    g_free(suffixes->version);
    g_free(suffixes);
}

const char *suffixes_version(const struct suffixes *suffixes)
{
    return suffixes->version;
}

const char *suffixes_organisation(const struct suffixes *suffixes, const char *domain)
{
    if (!domain_is_name(domain) || suffixes->list == NULL)
        return domain;
    /* It is asked once for each label. */
    const char *registrable = psl_registrable_domain(suffixes->list, domain_tail(domain, SUFFIX_LABELS_LIMIT));
    return registrable != NULL ? registrable : domain;
}

bool suffixes_is_registry(const struct suffixes *suffixes, const char *domain)
{
    /* Names that no list has, such as those of a home network, are none. */
    return suffixes->list != NULL && domain_is_name(domain) &&
           psl_is_public_suffix2(suffixes->list, domain, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

const char *suffixes_library_version(void)
{
    return psl_get_version();
}
