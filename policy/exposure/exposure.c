/* exposure - see exposure.h */

#include "policy/exposure/exposure.h"

#include "policy/address/address.h"
#include "policy/address/address_set.h"
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
    struct addresses domains; /* all that the message names, */
    GPtrArray *facts;         /* struct domain_facts *, what is known of each */
    GArray *sums[COUNT_KINDS];
    unsigned defects;
    bool fault;
    bool shows_answer;
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

static void add_to_sum(struct exposure *exposure, enum count count, class_mask mask, unsigned number)
{
    GArray *sums = exposure->sums[count];
    struct class_sum sum = {.mask = mask, .count = number};

    for (unsigned i = 0; i < sums->len; i++) {
        if (g_array_index(sums, struct class_sum, i).mask == mask) {
            g_array_index(sums, struct class_sum, i).count += number;
            return;
        }
    }
    g_array_append_val(sums, sum);
}

/* What is known of a domain; of one that is in a header, as far as the bound allows. */
static const struct domain_facts *find_facts(struct builder *builder, const char *domain, bool header)
{
    struct exposure *exposure = builder->exposure;
    struct domain_facts *facts;
    bool added;
    int place = addresses_put(&exposure->domains, domain, strlen(domain), G_MAXUINT, &added);

    if (!added)
        return g_ptr_array_index(exposure->facts, (unsigned)place);
    if (header && builder->looked_up >= DOMAINS_LIMIT) {
        exposure->defects |= DEFECT_LIMIT;
        facts = classes_unknown(domain);
    } else {
        builder->looked_up += header;
        facts = classes_find(builder->classes, domain, builder->budget);
        exposure->fault = exposure->fault || facts->fault;
    }
    g_ptr_array_add(exposure->facts, facts);
    return facts;
}

static const struct domain_facts *find_domain(struct builder *builder, const char *domain)
{
    return find_facts(builder, domain, false);
}

static const struct domain_facts *find_header_domain(struct builder *builder, const char *domain)
{
    return find_facts(builder, domain, true);
}

static unsigned class_of(const struct builder *builder, const struct domain_facts *facts)
{
    return classes_seen_from(builder->classes, facts, builder->sender_organisation);
}

static unsigned class_of_address(struct builder *builder, const char *address)
{
    const char *domain = address_domain(address);

    return domain == NULL ? CLASS_INTERNAL : class_of(builder, find_domain(builder, domain));
}

/* A domain of visible recipients: all of them have its class, and its party or one each. */
struct visible_domain {
    const struct domain_facts *facts; /* NULL until one is seen */
    const char *class_name;
    unsigned class_index;
    bool individuals;
    unsigned people;
};

static void see_domain(struct builder *builder, struct visible_domain *domain, const char *name)
{
    domain->facts = find_header_domain(builder, name);
    domain->class_index = class_of(builder, domain->facts);
    domain->class_name = classes_name(builder->classes, domain->class_index);
    domain->individuals = classes_individuals(builder->classes, (unsigned)domain->facts->class_index);
}

/* Counts each domain and those who were seen there; no organisation is named like an address. */
static void count_domains(struct exposure *exposure, const struct visible_domain *domains, unsigned count)
{
    g_autofree class_mask *masks = g_new0(class_mask, count); /* of the organisations */
    struct addresses organisations;
    bool added;

    addresses_init(&organisations);
    organisations.borrows = true;
    for (unsigned i = 0; i < count; i++) {
        const struct visible_domain *domain = &domains[i];
        class_mask mask = (class_mask)1 << domain->class_index;
        if (domain->facts == NULL)
            continue;
        add_to_sum(exposure, COUNT_VISIBLE, mask, domain->people);
        add_to_sum(exposure, COUNT_DOMAINS, mask, 1);
        if (domain->individuals) {
            add_to_sum(exposure, COUNT_PARTIES, mask, domain->people);
            continue;
        }
        const char *name = domain->facts->organisation;
        masks[addresses_put(&organisations, name, strlen(name), G_MAXUINT, &added)] |= mask;
    }
    for (unsigned i = 0; i < addresses_count(&organisations); i++)
        add_to_sum(exposure, COUNT_PARTIES, masks[i], 1);
    addresses_clear(&organisations);
}

static void count_visible(struct builder *builder, const struct message *message)
{
    struct exposure *exposure = builder->exposure;
    unsigned domain_count = recipients_domains(exposure->recipients), visible = 0;
    g_autofree struct visible_domain *domains = g_new0(struct visible_domain, domain_count);

    g_array_set_size(exposure->visible, recipients_count(exposure->recipients));
    for (unsigned i = 0; i < recipients_count(exposure->recipients); i++) {
        const struct recipient *recipient = recipients_get(exposure->recipients, i);
        struct exposed exposed = {.address = recipient->address};
        exposed.fields = message->bcc_visible ? recipient->fields : recipient->fields & ~(unsigned)FIELDS_BCC;
        if (message->answer != NULL && strcmp(recipient->address, message->answer) == 0) {
            exposure->shows_answer = exposure->shows_answer || (recipient->fields & ~(unsigned)FIELDS_BCC) != 0;
            continue;
        }
        if (exposed.fields == 0)
            continue;
        struct visible_domain *domain = &domains[recipient->domain];
        if (domain->facts == NULL)
            see_domain(builder, domain, address_domain(recipient->address));
        domain->people++;
        exposed.class_index = domain->class_index;
        exposed.class_name = domain->class_name;
        exposed.party = domain->individuals ? recipient->address : domain->facts->organisation;
        g_array_index(exposure->visible, struct exposed, visible++) = exposed;
    }
    g_array_set_size(exposure->visible, visible);
    count_domains(exposure, domains, domain_count);
}

/* One distinct envelope recipient, and whether a reader of the message can see it. */
static void count_recipient(struct builder *builder, const char *address, bool is_shown)
{
    class_mask mask = (class_mask)1 << class_of_address(builder, address);

    add_to_sum(builder->exposure, COUNT_RECIPIENTS, mask, 1);
    if (!is_shown)
        add_to_sum(builder->exposure, COUNT_HIDDEN, mask, 1);
}

static void count_envelope(struct builder *builder, const struct message *message)
{
    const struct recipients *read = builder->exposure->recipients;
    struct addresses seen;
    unsigned shown = message->bcc_visible ? ~0u : ~(unsigned)FIELDS_BCC;

    addresses_init(&seen);
    for (unsigned i = 0; message->envelope_unknown && i < recipients_count(read); i++) {
        const struct recipient *recipient = recipients_get(read, i);
        if (recipient->fields == FIELD_FROM)
            continue;
        find_header_domain(builder, address_domain(recipient->address));
        count_recipient(builder, recipient->address, (recipient->fields & shown) != 0);
    }
    for (unsigned i = 0; i < message->recipients->len; i++) {
        g_autofree char *address = address_normalise_envelope(g_ptr_array_index(message->recipients, i));
        bool added;
        addresses_put(&seen, address, strlen(address), G_MAXUINT, &added);
        if (added)
            count_recipient(builder, address, (recipients_find(read, address) & shown) != 0);
    }
    for (unsigned i = 0; i < builder->exposure->visible->len; i++) {
        struct exposed *exposed = &g_array_index(builder->exposure->visible, struct exposed, i);
        exposed->delivered = message->envelope_unknown || addresses_find(&seen, exposed->address) >= 0;
    }
    addresses_clear(&seen);
}

struct exposure *exposure_read(struct classes *classes, const struct message *message, struct pattern_budget *budget)
{
    struct exposure *exposure = g_new0(struct exposure, 1);
    struct builder builder = {.exposure = exposure, .classes = classes, .budget = budget};
    g_autofree char *sender = address_normalise_envelope(message->sender);

    exposure->visible = g_array_new(FALSE, FALSE, sizeof(struct exposed));
    addresses_init(&exposure->domains);
    exposure->facts = g_ptr_array_new_with_free_func((GDestroyNotify)domain_facts_unref);
    for (unsigned i = 0; i < COUNT_KINDS; i++)
        exposure->sums[i] = g_array_new(FALSE, FALSE, sizeof(struct class_sum));
    exposure->recipients = recipients_read(message);
    exposure->defects = recipients_defects(exposure->recipients);
    if (address_domain(sender) != NULL)
        builder.sender_organisation = find_domain(&builder, address_domain(sender))->organisation;
    count_visible(&builder, message);
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

bool exposure_shows_answer(const struct exposure *exposure)
{
    return exposure->shows_answer;
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
    addresses_clear(&exposure->domains);
    g_ptr_array_unref(exposure->facts);
    for (unsigned i = 0; i < COUNT_KINDS; i++)
        g_array_unref(exposure->sums[i]);
    recipients_free(exposure->recipients);
    g_free(exposure);
}
