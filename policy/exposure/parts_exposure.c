/* parts_exposure - see parts_exposure.h */

#include "policy/exposure/parts_exposure.h"

#include "policy/address/address.h"
#include "policy/address/address_set.h"
#include "policy/base/keyed_hash.h"
#include "policy/exposure/classes.h"
#include "policy/message/recipients.h"

#include <string.h>

/* One of the people, and the places of what they belong to. */
struct part_person {
    struct part_exposed shown;
    unsigned domain, party; /* numbers from 0 */
};

struct parts_exposure {
    GArray *people;           /* struct part_person */
    GPtrArray *facts;         /* struct domain_facts *, or NULL, by the number of the domain */
    struct addresses parties; /* by their number; borrowed from the facts and the parts */
    GPtrArray *fields;        /* struct recipients *: who is in them */
    unsigned domains, opaque;
    bool fault;
};

/* What is needed while it is built. */
struct parts_builder {
    struct parts_exposure *exposure;
    struct classes *classes;
    struct pattern_budget *budget;
    struct domain_facts *sender; /* or NULL */
    unsigned looked_up;
    struct addresses seen;      /* in the recipient headers */
    GHashTable *places;         /* address -> its place in `people` + 1; NULL without fields */
    GHashTable *domain_numbers; /* domain -> its number + 1; NULL without fields */
};

static const struct domain_facts *find_part_domain(struct parts_builder *builder, unsigned number, const char *domain)
{
    struct parts_exposure *exposure = builder->exposure;
    struct domain_facts *facts = g_ptr_array_index(exposure->facts, number);

    if (facts != NULL)
        return facts;
    if (builder->looked_up >= PARTS_DOMAINS_LIMIT) {
        exposure->opaque |= OPAQUE_LIMITS;
        facts = classes_unknown(domain);
    } else {
        builder->looked_up++;
        facts = classes_find(builder->classes, domain, builder->budget);
        exposure->fault = exposure->fault || facts->fault;
    }
    exposure->facts->pdata[number] = facts;
    return facts;
}

static void add_person(struct parts_builder *builder, const struct part_address *found)
{
    struct parts_exposure *exposure = builder->exposure;
    const struct domain_facts *facts = find_part_domain(builder, found->domain, address_domain(found->address));
    bool individuals = classes_individuals(builder->classes, (unsigned)facts->class_index), added;
    struct part_person person = {.domain = found->domain};

    person.shown.address = found->address;
    person.shown.kinds = found->kinds;
    person.shown.class_index =
        classes_seen_from(builder->classes, facts, builder->sender != NULL ? builder->sender->organisation : NULL);
    person.shown.class_name = classes_name(builder->classes, person.shown.class_index);
    person.shown.party = individuals ? found->address : facts->organisation;
    person.party =
        (unsigned)addresses_put(&exposure->parties, person.shown.party, strlen(person.shown.party), G_MAXUINT, &added);
    g_array_append_val(exposure->people, person);
}

/* The addresses that the header shows, and one of ours, which counts nowhere. */
static void see_header(const struct exposure *exposure, const struct message *message, struct addresses *seen)
{
    bool added;

    addresses_init(seen);
    seen->borrows = true;
    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const char *address = exposure_get(exposure, i)->address;
        addresses_put(seen, address, strlen(address), G_MAXUINT, &added);
    }
    if (message->answer != NULL)
        addresses_put(seen, message->answer, strlen(message->answer), G_MAXUINT, &added);
}

static void facts_unref(gpointer facts)
{
    if (facts != NULL)
        domain_facts_unref(facts);
}

/* ---- header fields */

static void index_people(struct parts_builder *builder)
{
    const GArray *people = builder->exposure->people;

    builder->places = g_hash_table_new(hash_string, g_str_equal);
    builder->domain_numbers = g_hash_table_new(hash_string, g_str_equal);
    for (unsigned i = 0; i < people->len; i++) {
        const struct part_person *person = &g_array_index(people, struct part_person, i);
        const char *address = person->shown.address;
        g_hash_table_insert(builder->places, (gpointer)address, GUINT_TO_POINTER(i + 1));
        g_hash_table_insert(builder->domain_numbers, (gpointer)address_domain(address),
                            GUINT_TO_POINTER(person->domain + 1));
    }
}

static unsigned number_of_domain(struct parts_builder *builder, const char *domain)
{
    struct parts_exposure *exposure = builder->exposure;
    gpointer number = g_hash_table_lookup(builder->domain_numbers, domain);

    if (number != NULL)
        return GPOINTER_TO_UINT(number) - 1;
    exposure->domains++;
    g_ptr_array_set_size(exposure->facts, (int)exposure->domains);
    g_hash_table_insert(builder->domain_numbers, (gpointer)domain, GUINT_TO_POINTER(exposure->domains));
    return exposure->domains - 1;
}

static void add_of_field(struct parts_builder *builder, const char *address, unsigned kind)
{
    GArray *people = builder->exposure->people;
    unsigned place = GPOINTER_TO_UINT(g_hash_table_lookup(builder->places, address));

    if (addresses_find(&builder->seen, address) >= 0 || address_domain(address) == NULL)
        return;
    if (place == 0) {
        const struct part_address found = {.address = address,
                                           .domain = number_of_domain(builder, address_domain(address))};
        add_person(builder, &found);
        place = people->len;
        g_hash_table_insert(builder->places, (gpointer)address, GUINT_TO_POINTER(place));
    }
    g_array_index(people, struct part_person, place - 1).shown.kinds |= kind;
}

static void add_field(struct parts_builder *builder, const struct recipients *field, unsigned kind)
{
    unsigned defects = recipients_defects(field);

    builder->exposure->opaque |= (defects & (DEFECT_LIMIT | DEFECT_CUT)) != 0 ? OPAQUE_LIMITS : 0;
    builder->exposure->opaque |= (defects & DEFECT_UNPARSED) != 0 ? OPAQUE_BROKEN : 0;
    for (unsigned i = 0; i < recipients_count(field); i++)
        add_of_field(builder, recipients_get(field, i)->address, kind);
}

static void add_fields(struct parts_builder *builder, const GPtrArray *fields)
{
    if (fields->len == 0)
        return;
    index_people(builder);
    for (unsigned i = 0; i < fields->len; i++)
        add_field(builder, g_ptr_array_index(fields, i), 1u << (PART_KINDS + i));
    g_hash_table_unref(builder->places);
    g_hash_table_unref(builder->domain_numbers);
}

/* ---- */

static void add_parts(struct parts_builder *builder, const struct body_parts *parts)
{
    struct parts_exposure *exposure = builder->exposure;

    exposure->domains = body_parts_domains(parts);
    g_ptr_array_set_size(exposure->facts, (int)exposure->domains);
    exposure->opaque = body_parts_opaque(parts);
    for (unsigned i = 0; i < body_parts_addresses(parts); i++) {
        const struct part_address *found = body_parts_get(parts, i);
        if (addresses_find(&builder->seen, found->address) < 0)
            add_person(builder, found);
    }
}

struct parts_exposure *parts_exposure_read(struct classes *classes, const struct message *message,
                                           const struct exposure *exposure, const struct parts_source *source,
                                           struct pattern_budget *budget)
{
    struct parts_exposure *read = g_new0(struct parts_exposure, 1);
    struct parts_builder builder = {.exposure = read, .classes = classes, .budget = budget};
    g_autofree char *sender = address_normalise_envelope(message->sender);

    read->people = g_array_new(FALSE, FALSE, sizeof(struct part_person));
    read->facts = g_ptr_array_new_with_free_func(facts_unref);
    read->fields = source->fields != NULL ? g_ptr_array_ref(source->fields) : g_ptr_array_new();
    addresses_init(&read->parties);
    read->parties.borrows = true;
    if (address_domain(sender) != NULL)
        builder.sender = classes_find(classes, address_domain(sender), budget);
    see_header(exposure, message, &builder.seen);
    if (source->parts != NULL)
        add_parts(&builder, source->parts);
    add_fields(&builder, read->fields);
    addresses_clear(&builder.seen);
    facts_unref(builder.sender);
    return read;
}

void parts_exposure_free(struct parts_exposure *exposure)
{
    if (exposure == NULL)
        return;
    addresses_clear(&exposure->parties);
    g_ptr_array_unref(exposure->facts);
    g_array_unref(exposure->people);
    g_ptr_array_unref(exposure->fields);
    g_free(exposure);
}

unsigned parts_exposure_count(const struct parts_exposure *exposure, enum count count, class_mask mask, unsigned kinds)
{
    unsigned values = count == COUNT_PARTIES ? addresses_count(&exposure->parties) : exposure->domains, total = 0;
    g_autofree bool *counted = count == COUNT_VISIBLE ? NULL : g_new0(bool, values + 1);

    for (unsigned i = 0; i < exposure->people->len; i++) {
        const struct part_person *person = &g_array_index(exposure->people, struct part_person, i);
        unsigned value = count == COUNT_PARTIES ? person->party : person->domain;
        if ((person->shown.kinds & kinds) == 0 || ((class_mask)1 << person->shown.class_index & mask) == 0 ||
            (counted != NULL && counted[value]))
            continue;
        if (counted != NULL)
            counted[value] = true;
        total++;
    }
    return total;
}

unsigned parts_exposure_opaque(const struct parts_exposure *exposure)
{
    return exposure->opaque;
}

bool parts_exposure_fault(const struct parts_exposure *exposure)
{
    return exposure->fault;
}

unsigned parts_exposure_visible(const struct parts_exposure *exposure)
{
    return exposure->people->len;
}

const struct part_exposed *parts_exposure_get(const struct parts_exposure *exposure, unsigned index)
{
    return &g_array_index(exposure->people, struct part_person, index).shown;
}
