/* exposure - see exposure.h */

#include "policy/exposure/exposure.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"
#include "policy/exposure/classes.h"
#include "policy/message/recipients.h"

#include <string.h>

/* How many values belong to just these classes: a party may have domains in several. */
struct class_sum {
    class_mask mask;
    unsigned count;
};

struct exposure {
    GArray *visible; /* struct exposed; its strings belong to those below */
    struct recipients *recipients;
    GHashTable *domains; /* char * -> struct domain_facts *: all that the message names */
    GArray *sums[COUNT_KINDS];
    unsigned defects;
    bool fault;
};

/* What is needed while it is built, and not later. */
struct builder {
    struct exposure *exposure;
    struct classes *classes;
    struct pattern_budget *budget;
    const char *sender_organisation; /* NULL for the null sender */
    unsigned looked_up;              /* domains in headers */
};

const char *const count_words[] = {"visible", "parties", "domains", "recipients", "hidden", NULL};

const char *count_name(enum count count)
{
    return count_words[count];
}

static void add_to_sum(struct exposure *exposure, enum count count, class_mask mask)
{
    GArray *sums = exposure->sums[count];
    struct class_sum sum = {.mask = mask, .count = 1};

    for (unsigned i = 0; i < sums->len; i++) {
        if (g_array_index(sums, struct class_sum, i).mask == mask) {
            g_array_index(sums, struct class_sum, i).count++;
            return;
        }
    }
    g_array_append_val(sums, sum);
}

static const struct domain_facts *find_domain(struct builder *builder, const char *domain)
{
    struct domain_facts *facts = g_hash_table_lookup(builder->exposure->domains, domain);

    if (facts == NULL) {
        facts = classes_find(builder->classes, domain, builder->budget);
        g_hash_table_insert(builder->exposure->domains, facts->domain, facts);
        builder->exposure->fault = builder->exposure->fault || facts->fault;
    }
    return facts;
}

/* The same of a domain that is in a header, as far as the bound allows. */
static const struct domain_facts *find_header_domain(struct builder *builder, const char *domain)
{
    struct domain_facts *facts = g_hash_table_lookup(builder->exposure->domains, domain);

    if (facts != NULL)
        return facts;
    if (builder->looked_up < DOMAINS_LIMIT) {
        builder->looked_up++;
        return find_domain(builder, domain);
    }
    builder->exposure->defects |= DEFECT_LIMIT;
    facts = classes_unknown(domain);
    g_hash_table_insert(builder->exposure->domains, facts->domain, facts);
    return facts;
}

/* The class of a recipient in this message: tenants of a `separate` class are not each other's colleagues. */
static unsigned class_of(const struct builder *builder, const struct domain_facts *facts)
{
    if (!classes_separate(builder->classes, (unsigned)facts->class_index))
        return (unsigned)facts->class_index;
    if (builder->sender_organisation != NULL && strcmp(builder->sender_organisation, facts->organisation) == 0)
        return CLASS_INTERNAL;
    return CLASS_OTHER;
}

static unsigned class_of_address(struct builder *builder, const char *address)
{
    const char *domain = address_domain(address);

    return domain == NULL ? CLASS_INTERNAL : class_of(builder, find_domain(builder, domain));
}

/* Adds each value's mask to the counts. */
static void add_masks(struct exposure *exposure, enum count count, GHashTable *masks)
{
    GHashTableIter iterator;
    gpointer mask;

    g_hash_table_iter_init(&iterator, masks);
    while (g_hash_table_iter_next(&iterator, NULL, &mask))
        add_to_sum(exposure, count, *(class_mask *)mask);
}

static void mark(GHashTable *masks, const char *value, unsigned class_index)
{
    class_mask *mask = g_hash_table_lookup(masks, value);

    if (mask == NULL) {
        mask = g_new0(class_mask, 1);
        g_hash_table_insert(masks, (gpointer)value, mask);
    }
    *mask |= (class_mask)1 << class_index;
}

static void count_visible(struct builder *builder, bool bcc_visible)
{
    struct exposure *exposure = builder->exposure;
    g_autoptr(GHashTable) parties = g_hash_table_new_full(hash_string, g_str_equal, NULL, g_free);
    g_autoptr(GHashTable) domains = g_hash_table_new_full(hash_string, g_str_equal, NULL, g_free);

    for (unsigned i = 0; i < recipients_count(exposure->recipients); i++) {
        const struct recipient *recipient = recipients_get(exposure->recipients, i);
        struct exposed exposed = {.address = recipient->address};
        exposed.fields = bcc_visible ? recipient->fields : recipient->fields & ~(unsigned)FIELDS_BCC;
        if (exposed.fields == 0)
            continue;
        const struct domain_facts *facts = find_header_domain(builder, address_domain(recipient->address));
        exposed.class_index = class_of(builder, facts);
        exposed.class_name = classes_name(builder->classes, exposed.class_index);
        exposed.party = classes_individuals(builder->classes, (unsigned)facts->class_index) ? recipient->address
                                                                                            : facts->organisation;
        g_array_append_val(exposure->visible, exposed);
        add_to_sum(exposure, COUNT_VISIBLE, (class_mask)1 << exposed.class_index);
        mark(parties, exposed.party, exposed.class_index);
        mark(domains, facts->domain, exposed.class_index);
    }
    add_masks(exposure, COUNT_PARTIES, parties);
    add_masks(exposure, COUNT_DOMAINS, domains);
}

/* One distinct envelope recipient, and whether a reader of the message can see it. */
static void count_recipient(struct builder *builder, const char *address, bool is_shown)
{
    class_mask mask = (class_mask)1 << class_of_address(builder, address);

    add_to_sum(builder->exposure, COUNT_RECIPIENTS, mask);
    if (!is_shown)
        add_to_sum(builder->exposure, COUNT_HIDDEN, mask);
}

static void count_envelope(struct builder *builder, const struct message *message)
{
    const struct recipients *read = builder->exposure->recipients;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    unsigned shown = message->bcc_visible ? ~0u : ~(unsigned)FIELDS_BCC;

    for (unsigned i = 0; message->envelope_unknown && i < recipients_count(read); i++) {
        const struct recipient *recipient = recipients_get(read, i);
        find_header_domain(builder, address_domain(recipient->address));
        count_recipient(builder, recipient->address, (recipient->fields & shown) != 0);
    }
    for (unsigned i = 0; i < message->recipients->len; i++) {
        char *address = address_normalise_envelope(g_ptr_array_index(message->recipients, i));
        if (g_hash_table_add(seen, address))
            count_recipient(builder, address, (recipients_find(read, address) & shown) != 0);
    }
}

struct exposure *exposure_read(struct classes *classes, const struct message *message, struct pattern_budget *budget)
{
    struct exposure *exposure = g_new0(struct exposure, 1);
    struct builder builder = {.exposure = exposure, .classes = classes, .budget = budget};
    g_autofree char *sender = address_normalise_envelope(message->sender);

    exposure->visible = g_array_new(FALSE, FALSE, sizeof(struct exposed));
    exposure->domains = g_hash_table_new_full(hash_string, g_str_equal, NULL, (GDestroyNotify)domain_facts_unref);
    for (unsigned i = 0; i < COUNT_KINDS; i++)
        exposure->sums[i] = g_array_new(FALSE, FALSE, sizeof(struct class_sum));
    exposure->recipients = recipients_read(message);
    exposure->defects = recipients_defects(exposure->recipients);
    if (address_domain(sender) != NULL)
        builder.sender_organisation = find_domain(&builder, address_domain(sender))->organisation;
    count_visible(&builder, message->bcc_visible);
    count_envelope(&builder, message);
    return exposure;
}

unsigned exposure_count(const struct exposure *exposure, enum count count, class_mask mask)
{
    const GArray *sums = exposure->sums[count];
    unsigned total = 0;

    for (unsigned i = 0; i < sums->len; i++)
        if ((g_array_index(sums, struct class_sum, i).mask & mask) != 0)
            total += g_array_index(sums, struct class_sum, i).count;
    return total;
}

struct exposure_counts exposure_counts(const struct exposure *exposure)
{
    if (exposure == NULL)
        return (struct exposure_counts){0};
    return (struct exposure_counts){
        .visible = exposure_count(exposure, COUNT_VISIBLE, CLASS_EXTERNAL),
        .parties = exposure_count(exposure, COUNT_PARTIES, CLASS_EXTERNAL),
        .domains = exposure_count(exposure, COUNT_DOMAINS, CLASS_EXTERNAL),
        .internal = exposure_count(exposure, COUNT_VISIBLE, (class_mask)1 << CLASS_INTERNAL),
        .hidden = exposure_count(exposure, COUNT_HIDDEN, CLASS_ALL),
        .recipients = exposure_count(exposure, COUNT_RECIPIENTS, CLASS_ALL),
        .defects = exposure_defects(exposure),
    };
}

unsigned exposure_defects(const struct exposure *exposure)
{
    return exposure->defects;
}

bool exposure_fault(const struct exposure *exposure)
{
    return exposure->fault;
}

unsigned exposure_visible(const struct exposure *exposure)
{
    return exposure->visible->len;
}

const struct exposed *exposure_get(const struct exposure *exposure, unsigned index)
{
    return &g_array_index(exposure->visible, struct exposed, index);
}

void exposure_free(struct exposure *exposure)
{
    if (exposure == NULL)
        return;
    g_array_unref(exposure->visible);
    g_hash_table_unref(exposure->domains);
    for (unsigned i = 0; i < COUNT_KINDS; i++)
        g_array_unref(exposure->sums[i]);
    recipients_free(exposure->recipients);
    g_free(exposure);
}
