/* table - see table.h */

#include "policy/exposure/table.h"

#include "policy/address/address.h"
#include "policy/base/source.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

struct table {
    enum table_kind kind;
    GStringChunk *strings;
    GHashTable *names;    /* char * -> value: whole domains, addresses, words */
    GHashTable *suffixes; /* char * -> value, without their leading dot */
    GHashTable *networks; /* struct network *: the masked addresses */
    unsigned labels;      /* of the longest suffix */
    bool lengths[2][129]; /* prefix lengths that occur, of IPv4 and IPv6 */
};

/* A network as a key: its first bits, the rest of them zero. */
struct network {
    bool six;
    guint8 length;
    guint8 bytes[16];
};

static guint network_hash(gconstpointer key)
{
    const struct network *network = key;
    guint hash = network->length;

    for (unsigned i = 0; i < sizeof network->bytes; i++)
        hash = hash * 31 + network->bytes[i];
    return hash;
}

static gboolean network_equal(gconstpointer a, gconstpointer b)
{
    const struct network *x = a, *y = b;

    return x->six == y->six && x->length == y->length && memcmp(x->bytes, y->bytes, sizeof x->bytes) == 0;
}

/* Makes what is after its first bits zero. */
static void network_cut(struct network *network)
{
    for (unsigned i = 0; i < sizeof network->bytes; i++) {
        unsigned kept = network->length > i * 8 ? MIN(network->length - i * 8, 8) : 0;
        network->bytes[i] &= (guint8)(0xff00 >> kept);
    }
}

/* The network of that length around an address. */
static struct network network_of(GInetAddress *address, unsigned length)
{
    struct network network = {.six = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6,
                              .length = (guint8)length};

    memcpy(network.bytes, g_inet_address_to_bytes(address), g_inet_address_get_native_size(address));
    network_cut(&network);
    return network;
}

/* The same of one address as text; without an object of GLib, since each message asks.  False if it is none. */
static bool network_of_host(struct network *network, const char *address)
{
    char text[INET6_ADDRSTRLEN];
    size_t length = strcspn(address, "%"); /* after it an interface of this host */

    *network = (struct network){.length = 32};
    if (inet_pton(AF_INET, address, network->bytes) == 1)
        return true;
    if (length >= sizeof text)
        return false;
    memcpy(text, address, length);
    text[length] = '\0';
    *network = (struct network){.six = true, .length = 128};
    return inet_pton(AF_INET6, text, network->bytes) == 1;
}

struct table *table_new(enum table_kind kind)
{
    struct table *table = g_new0(struct table, 1);

    table->kind = kind;
    table->strings = g_string_chunk_new(4096);
    table->names = g_hash_table_new(g_str_hash, g_str_equal);
    table->suffixes = g_hash_table_new(g_str_hash, g_str_equal);
    table->networks = g_hash_table_new_full(network_hash, network_equal, g_free, NULL);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    g_hash_table_unref(table->names);
    g_hash_table_unref(table->suffixes);
    g_hash_table_unref(table->networks);
    g_string_chunk_free(table->strings);
    g_free(table);
}

static void put(struct table *table, GHashTable *where, const char *key, unsigned value)
{
    if (!g_hash_table_contains(where, key))
        g_hash_table_insert(where, g_string_chunk_insert(table->strings, key), GUINT_TO_POINTER(value));
}

static unsigned count_labels(const char *domain)
{
    unsigned labels = 1;

    for (; (domain = strchr(domain, '.')) != NULL; domain++)
        labels++;
    return labels;
}

/* As much of an item as a message may hold; to be freed with g_free. */
static char *shown(const char *item)
{
    if (g_utf8_strlen(item, -1) <= 80)
        return g_strdup(item);
    g_autofree char *piece = g_utf8_substring(item, 0, 77);
    return g_strconcat(piece, "...", NULL);
}

static char *add_domain(struct table *table, const char *item, unsigned value)
{
    g_autofree char *piece = shown(item);
    bool below = item[0] == '.';
    const char *name = item + below;
    g_autofree char *domain = domain_normalise(name, strlen(name));

    if (strchr(name, '@') != NULL)
        return g_strdup_printf("expected a domain, not the address `%s`", piece);
    if (strchr(name, '*') != NULL)
        return g_strdup_printf("expected a domain, not `%s`; a leading dot means the domain and all below", piece);
    if (strpbrk(name, " \t") != NULL || (!domain_is_name(domain) && (below || !domain_is_literal(domain))))
        return g_strdup_printf("expected a domain, such as \"corp.example\" or \".corp.example\", not `%s`", piece);
    put(table, below ? table->suffixes : table->names, domain, value);
    if (below)
        table->labels = MAX(table->labels, count_labels(domain));
    return NULL;
}

static char *add_mailbox(struct table *table, const char *item, unsigned value)
{
    g_autofree char *piece = shown(item);
    const char *at = strrchr(item, '@');

    /* The null sender. */
    if (item[0] == '\0') {
        put(table, table->names, item, value);
        return NULL;
    }
    if (at == NULL)
        return add_domain(table, item, value);
    g_autofree char *address = address_normalise(item, (size_t)(at - item), at + 1, strlen(at + 1), NULL);
    if (address == NULL || strpbrk(item, " \t<>,;*") != NULL ||
        (!domain_is_name(address_domain(address)) && !domain_is_literal(address_domain(address))))
        return g_strdup_printf("expected an address, such as \"ann@corp.example\", not `%s`", piece);
    put(table, table->names, address, value);
    return NULL;
}

static char *add_network(struct table *table, const char *item)
{
    g_autofree char *piece = shown(item);
    const char *slash = strchr(item, '/');
    g_autoptr(GInetAddressMask) mask = NULL;

    /* GLib writes a warning for lengths that no address has. */
    if (slash == NULL ||
        (strlen(slash) <= 4 && g_ascii_isdigit(slash[1]) && g_ascii_strtoull(slash + 1, NULL, 10) <= 128))
        mask = g_inet_address_mask_new_from_string(item, NULL);
    if (mask == NULL)
        return g_strdup_printf("expected an IP address or a network such as \"10.0.0.0/8\" or \"2001:db8::/32\" "
                               "(without bits beyond its length), not `%s`",
                               piece);
    unsigned length = g_inet_address_mask_get_length(mask);
    struct network network = network_of(g_inet_address_mask_get_address(mask), length);
    table->lengths[network.six][length] = true;
    g_hash_table_add(table->networks, g_memdup2(&network, sizeof network));
    return NULL;
}

char *table_add(struct table *table, const char *item, unsigned value)
{
    switch (table->kind) {
    case TABLE_DOMAINS:
        return add_domain(table, item, value);
    case TABLE_MAILBOXES:
    case TABLE_ADDRESSES:
        return add_mailbox(table, item, value);
    case TABLE_NETWORKS:
        return add_network(table, item);
    case TABLE_WORDS: {
        g_autofree char *word = g_utf8_strdown(item, -1);
        put(table, table->names, word, value);
        return NULL;
    }
    }
    return NULL;
}

/* Where the item of a line ends: at a `#` that begins the line or follows a blank, without blanks before it. */
static size_t item_end(const char *text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        if (text[i] == '#' && (i == start || g_ascii_isspace(text[i - 1]))) {
            end = i;
            break;
        }
    }
    while (end > start && g_ascii_isspace(text[end - 1]))
        end--;
    return end;
}

void table_each_item(const struct source *source, table_item take, void *data)
{
    const char *text = source->text;

    for (unsigned i = 0; i < source->lines->len; i++) {
        size_t start = g_array_index(source->lines, size_t, i);
        size_t end = i + 1 < source->lines->len ? g_array_index(source->lines, size_t, i + 1) : source->length;
        while (start < end && g_ascii_isspace(text[start]))
            start++;
        end = item_end(text, start, end);
        if (start == end)
            continue;
        g_autofree char *item = g_strndup(text + start, end - start);
        take(data, item, start);
    }
}

/* A file that is added. */
struct adding {
    struct table *table;
    const struct source *source;
    unsigned value;
    struct diags *diags;
};

static void add_item(void *data, const char *item, size_t offset)
{
    const struct adding *adding = data;
    g_autofree char *wrong = table_add(adding->table, item, adding->value);

    if (wrong != NULL)
        source_diag(adding->source, offset, adding->diags, DIAG_ERROR, "%s", wrong);
}

void table_add_source(struct table *table, const struct source *source, unsigned value, struct diags *diags)
{
    struct adding adding = {.table = table, .source = source, .value = value, .diags = diags};

    table_each_item(source, add_item, &adding);
}

static int find(GHashTable *where, const char *key)
{
    gpointer value;

    return g_hash_table_lookup_extended(where, key, NULL, &value) ? (int)GPOINTER_TO_UINT(value) : -1;
}

int table_find_item(const struct table *table, const char *domain, bool below)
{
    return find(below ? table->suffixes : table->names, domain);
}

int table_find_around(const struct table *table, const char *domain)
{
    int value = -1;

    while (value < 0 && (domain = strchr(domain, '.')) != NULL)
        value = find(table->suffixes, ++domain);
    return value;
}

int table_find_domain(const struct table *table, const char *domain)
{
    int value = find(table->names, domain);

    if (value >= 0 || table->labels == 0)
        return value;
    /* From as many labels as there are in a suffix to the last: the first that is there is the longest. */
    for (domain = domain_tail(domain, table->labels); (value = find(table->suffixes, domain)) < 0; domain++) {
        domain = strchr(domain, '.');
        if (domain == NULL)
            break;
    }
    return value;
}

/*
 * Where the extension of a normalised address begins, or NULL.  One of a quoted local part is not looked for:
 * MTAs do not agree on it.
 */
static const char *extension_of(const char *address, const char *domain)
{
    size_t length = (size_t)(domain - address) - 1;

    if (length == 0 || address[0] == '+' || address[0] == '"')
        return NULL;
    return memchr(address, '+', length);
}

/* Whether an address with an extension is there without it. */
static bool has_extended(const struct table *table, const char *address, const char *domain)
{
    const char *extension = table->kind == TABLE_MAILBOXES ? extension_of(address, domain) : NULL;

    if (extension == NULL)
        return false;
    g_autofree char *plain = g_strdup_printf("%.*s@%s", (int)(extension - address), address, domain);
    return find(table->names, plain) >= 0;
}

bool table_has_mailbox(const struct table *table, const char *address)
{
    const char *domain = address_domain(address);

    /* A bare local part is no item: items without an `@` are domains. */
    if (domain == NULL)
        return address[0] == '\0' && find(table->names, address) >= 0;
    return find(table->names, address) >= 0 || has_extended(table, address, domain) ||
           table_find_domain(table, domain) >= 0;
}

/* One look for each length that occurs, however many networks there are. */
static bool has_around(const struct table *table, const struct network *inner)
{
    for (unsigned length = 0; length <= inner->length; length++) {
        struct network network = *inner;
        if (!table->lengths[inner->six][length])
            continue;
        network.length = (guint8)length;
        network_cut(&network);
        if (g_hash_table_contains(table->networks, &network))
            return true;
    }
    return false;
}

bool table_has_network(const struct table *table, const char *address)
{
    struct network network;

    return network_of_host(&network, address) && has_around(table, &network);
}

bool table_has_word(const struct table *table, const char *word)
{
    g_autofree char *valid = g_utf8_make_valid(word, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);

    return find(table->names, lower) >= 0;
}

/* ---- one table and another */

/* Whether a domain with all below it lies within one such. */
static bool has_suffix(const struct table *table, const char *domain)
{
    while (domain != NULL && find(table->suffixes, domain) < 0) {
        domain = strchr(domain, '.');
        domain = domain == NULL ? NULL : domain + 1;
    }
    return domain != NULL;
}

/* Whether an item means more addresses than itself. */
static bool is_extensible(const struct table *table, const char *name)
{
    const char *at = strrchr(name, '@');

    return table->kind == TABLE_MAILBOXES && at != NULL && name[0] != '"' &&
           memchr(name, '+', (size_t)(at - name)) == NULL;
}

static bool has_name(const struct table *table, const char *name)
{
    bool mailboxes = table->kind == TABLE_MAILBOXES || table->kind == TABLE_ADDRESSES;

    if (mailboxes && (strchr(name, '@') != NULL || name[0] == '\0'))
        return table_has_mailbox(table, name);
    if (mailboxes || table->kind == TABLE_DOMAINS)
        return table_find_domain(table, name) >= 0;
    return find(table->names, name) >= 0;
}

unsigned table_within(const struct table *inner, const struct table *outer)
{
    GHashTableIter iterator;
    gpointer key;
    unsigned within = 0;

    g_hash_table_iter_init(&iterator, inner->names);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        within += has_name(outer, key) && !(outer->kind == TABLE_ADDRESSES && is_extensible(inner, key));
    g_hash_table_iter_init(&iterator, inner->suffixes);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        within += has_suffix(outer, key);
    g_hash_table_iter_init(&iterator, inner->networks);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        within += has_around(outer, key);
    return within;
}

unsigned table_size(const struct table *table)
{
    return g_hash_table_size(table->names) + g_hash_table_size(table->suffixes) + g_hash_table_size(table->networks);
}

void table_each_name(const struct table *table, table_name take, void *data)
{
    GHashTableIter iterator;
    gpointer key;

    g_hash_table_iter_init(&iterator, table->names);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        take(data, key);
}
