/* mta - see mta.h */

#include "policy/message/mta.h"

#include <glib.h>
#include <string.h>

/* postconf(5), header_address_token_limit: 10,240. */
#define CUT_TOKENS 10200u

static const struct mta_facts all_facts[MTAS] = {
    [MTA_POSTFIX] = {.word = "postfix",
                     .version = "Postfix",
                     .local_port_0 = true,
                     .delivers_bcc = true,
                     .rewrites_routes = true,
                     .instance_configuration = {"/etc/", ""},
                     .header_tokens = CUT_TOKENS},
    [MTA_SENDMAIL] = {.word = "sendmail", .instance_configuration = {"/etc/mail/", ".cf"}},
};

const struct mta_facts *mta_facts(enum mta mta)
{
    return &all_facts[mta];
}

const char *mta_word(enum mta mta)
{
    return all_facts[mta].word;
}

enum mta mta_find(const char *word)
{
    for (unsigned i = 0; word != NULL && i < MTAS; i++)
        if (g_strcmp0(all_facts[i].word, word) == 0)
            return (enum mta)i;
    return MTA_NONE;
}

enum mta mta_of_version(const char *version)
{
    for (unsigned i = 0; version != NULL && i < MTAS; i++)
        if (all_facts[i].version != NULL && g_str_has_prefix(version, all_facts[i].version))
            return (enum mta)i;
    return MTA_SENDMAIL;
}

char *mta_instance(const char *version)
{
    static const char mark[] = " instance=", characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-";
    const char *found = version == NULL ? NULL : strstr(version, mark);
    size_t length = found == NULL ? 0 : strspn(found + sizeof mark - 1, characters);
    if (length == 0 || length > MTA_INSTANCE_LIMIT)
        return NULL;
    const char *name = found + sizeof mark - 1;
    return name[length] == '\0' || name[length] == ' ' ? g_strndup(name, length) : NULL;
}
