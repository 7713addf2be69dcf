/* party_sums - see party_sums.h */

#include "policy/exposure/party_sums.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"

#include <string.h>

static void sum_clear(gpointer data)
{
    struct party_sum *sum = data;

    g_free(sum->name);
}

static int compare_sums(gconstpointer a, gconstpointer b)
{
    const struct party_sum *x = a, *y = b;
    int order = (x->people < y->people) - (x->people > y->people);

    if (order == 0)
        order = strcmp(x->name, y->name);
    return order != 0 ? order : (int)x->individuals - (int)y->individuals;
}

GArray *parties_sum(const struct exposure *exposure, class_mask classes)
{
    /* A name may be of both kinds: free.example of the people there, and of the organisation of mail.free.example. */
    GHashTable *places[2] = {g_hash_table_new(hash_string, g_str_equal), g_hash_table_new(hash_string, g_str_equal)};
    GArray *sums = g_array_new(FALSE, FALSE, sizeof(struct party_sum));

    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        bool individual = exposed->party == exposed->address;
        const char *name = individual ? address_domain(exposed->address) : exposed->party;
        gpointer place;
        if ((classes & ((class_mask)1 << exposed->class_index)) == 0)
            continue;
        if (g_hash_table_lookup_extended(places[individual], name, NULL, &place)) {
            g_array_index(sums, struct party_sum, GPOINTER_TO_UINT(place)).people++;
        } else {
            struct party_sum sum = {.name = g_strdup(name), .individuals = individual, .people = 1};
            g_hash_table_insert(places[individual], (gpointer)name, GUINT_TO_POINTER(sums->len));
            g_array_append_val(sums, sum);
        }
    }
    g_hash_table_unref(places[0]);
    g_hash_table_unref(places[1]);
    g_array_set_clear_func(sums, sum_clear);
    g_array_sort(sums, compare_sums);
    return sums;
}

void parties_cut(GArray *sums, unsigned limit, unsigned *parties, unsigned *people)
{
    *parties = *people = 0;
    for (unsigned i = limit; i < sums->len; i++) {
        ++*parties;
        *people += g_array_index(sums, struct party_sum, i).people;
    }
    if (sums->len > limit)
        g_array_set_size(sums, limit);
}

void parties_append(GString *out, const struct party_sum *sum)
{
    g_autofree char *name = address_display(sum->name);

    g_string_append_printf(out, "%s: %u", name, sum->people);
    if (sum->individuals)
        g_string_append(out, sum->people == 1 ? " individual" : " individuals");
}
