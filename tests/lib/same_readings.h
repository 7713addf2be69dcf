/*
 * same_readings - whether the one pass over ordinary lists finds just what the long way finds.
 */
#ifndef RCPTGUARD_SAME_READINGS_H
#define RCPTGUARD_SAME_READINGS_H

#include "policy/message/message.h"
#include "policy/message/recipients.h"

#include <glib.h>
#include <string.h>

/* NULL, or how the recipients differ; `*at_once`: headers that one pass was enough for. */
static inline char *recipients_differ(const struct message *message, unsigned *at_once)
{
    auto_free(recipients) one = recipients_read(message);
    auto_free(recipients) other = recipients_read_long(message);

    *at_once = recipients_at_once(one);
    if (recipients_at_once(other) != 0)
        return g_strdup("the long way was not taken");
    if (recipients_defects(one) != recipients_defects(other) || recipients_longer(one) != recipients_longer(other))
        return g_strdup_printf("defects %u and %u, %u and %u longer", recipients_defects(one),
                               recipients_defects(other), recipients_longer(one), recipients_longer(other));
    if (recipients_count(one) != recipients_count(other) || recipients_domains(one) != recipients_domains(other))
        return g_strdup_printf("%u and %u recipients, %u and %u domains", recipients_count(one),
                               recipients_count(other), recipients_domains(one), recipients_domains(other));
    for (unsigned i = 0; i < recipients_count(one); i++) {
        const struct recipient *a = recipients_get(one, i), *b = recipients_get(other, i);
        if (strcmp(a->address, b->address) != 0 || a->fields != b->fields || a->domain != b->domain)
            return g_strdup_printf("number %u is `%s` (%u, %u) and `%s` (%u, %u)", i, a->address, a->fields, a->domain,
                                   b->address, b->fields, b->domain);
    }
    return NULL;
}

/* The same of the authors. */
static inline char *authors_differ(const struct message *message)
{
    bool whole, other_whole;
    g_autoptr(GPtrArray) one = recipients_authors(message, &whole);
    g_autoptr(GPtrArray) other = recipients_authors_long(message, &other_whole);

    if (one->len != other->len || whole != other_whole)
        return g_strdup_printf("%u and %u authors, whole %d and %d", one->len, other->len, whole, other_whole);
    for (unsigned i = 0; i < one->len; i++)
        if (strcmp(g_ptr_array_index(one, i), g_ptr_array_index(other, i)) != 0)
            return g_strdup_printf("author %u is `%s` and `%s`", i, (char *)g_ptr_array_index(one, i),
                                   (char *)g_ptr_array_index(other, i));
    return NULL;
}

#endif
