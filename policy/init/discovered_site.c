/* discovered_site - see discovered_site.h */

#include "policy/init/discovered_site.h"

#include "policy/address/address.h"
#include "policy/base/escape.h"

#include <gio/gio.h>
#include <stdarg.h>
#include <string.h>

/* A note is one line of a comment. */
#define NOTE_LIMIT 300

static void domain_free(gpointer data)
{
    struct site_domain *domain = data;

    g_free(domain->name);
    g_string_free(domain->origins, TRUE);
    g_free(domain);
}

struct site *site_new(void)
{
    struct site *site = g_new0(struct site, 1);

    site->domains = g_ptr_array_new_with_free_func(domain_free);
    site->networks = g_ptr_array_new_with_free_func(g_free);
    site->local = g_ptr_array_new_with_free_func(g_free);
    site->notes = g_ptr_array_new_with_free_func(g_free);
    site->reinjected = g_ptr_array_new_with_free_func(g_free);
    site->known = g_hash_table_new(g_str_hash, g_str_equal);
    site->suffixes = suffixes_open();
    return site;
}

void site_free(struct site *site)
{
    if (site == NULL)
        return;
    g_hash_table_unref(site->known);
    g_ptr_array_unref(site->domains);
    g_ptr_array_unref(site->networks);
    g_ptr_array_unref(site->local);
    g_ptr_array_unref(site->notes);
    g_ptr_array_unref(site->reinjected);
    g_free(site->origin);
    suffixes_free(site->suffixes);
    g_free(site);
}

void site_note(struct site *site, const char *format, ...)
{
    GString *line = g_string_new(NULL);
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("<>,=\"", *p) != NULL) /* harmless in a comment, and names of maps hold them */
            g_string_append_c(line, *p);
        else
            text_append_escaped(line, p, 1, NOTE_LIMIT, true);
    }
    if (line->len > NOTE_LIMIT)
        g_string_overwrite(g_string_truncate(line, NOTE_LIMIT), NOTE_LIMIT - 3, "...");
    g_ptr_array_add(site->notes, g_string_free(line, FALSE));
}

/* ---- domains */

/* What is below a suffix of the Public Suffix List is an organisation of its own, so the suffix belongs to all. */
static bool is_public_suffix(const struct site *site, const char *name)
{
    g_autofree char *below = g_strdup_printf("x.%s", name);

    return strcmp(suffixes_organisation(site->suffixes, below), below) == 0;
}

/* Names of this machine for itself: no mail from elsewhere has them. */
static bool is_local_name(const char *name)
{
    return strchr(name, '.') == NULL || g_str_has_prefix(name, "localhost.") || g_str_has_suffix(name, ".localhost") ||
           g_str_has_suffix(name, ".localdomain");
}

static void leave_out(struct site *site, const char *name)
{
    if (!g_ptr_array_find_with_equal_func(site->local, name, g_str_equal, NULL))
        g_ptr_array_add(site->local, g_strdup(name));
}

static void keep_domain(struct site *site, const char *name, bool below, const char *origin)
{
    struct site_domain *domain = g_hash_table_lookup(site->known, name);

    if (domain == NULL) {
        domain = g_new0(struct site_domain, 1);
        domain->name = g_strdup(name);
        domain->origins = g_string_new(origin);
        g_ptr_array_add(site->domains, domain);
        g_hash_table_insert(site->known, domain->name, domain);
    } else if (strstr(domain->origins->str, origin) == NULL) {
        g_string_append_printf(domain->origins, ", %s", origin);
    }
    domain->below = domain->below || below;
}

bool site_add_domain(struct site *site, const char *text, bool below, const char *origin)
{
    bool dot = text[0] == '.';
    g_autofree char *valid = g_utf8_make_valid(dot ? text + 1 : text, -1);
    g_autofree char *name = domain_normalise(valid, strlen(valid));

    if (domain_is_literal(name)) {
        leave_out(site, name);
        return false;
    }
    if (!domain_is_name(name)) {
        site_note(site, "%s: `%s` is no domain", origin, text);
        return false;
    }
    if (is_local_name(name)) {
        leave_out(site, name);
        return false;
    }
    if (is_public_suffix(site, name)) {
        site_note(site, "%s: %s is a public suffix, below which everybody can have a domain", origin, name);
        return false;
    }
    keep_domain(site, name, below || dot, origin);
    return true;
}

/* Whether the domain, or with `self` false one above it, is there with all below. */
static bool is_covered(const struct site *site, const char *domain, bool self)
{
    const char *name = self ? domain : strchr(domain, '.');

    while (name != NULL) {
        const struct site_domain *above = g_hash_table_lookup(site->known, name[0] == '.' ? name + 1 : name);
        if (above != NULL && above->below)
            return true;
        name = strchr(name + 1, '.');
    }
    return false;
}

bool site_has(const struct site *site, const char *domain)
{
    return g_hash_table_contains(site->known, domain) || is_covered(site, domain, true);
}

const char *site_main_domain(const struct site *site)
{
    if (site->origin != NULL) {
        const char *organisation = suffixes_organisation(site->suffixes, site->origin);
        if (site_has(site, organisation))
            return organisation;
        if (site_has(site, site->origin))
            return site->origin;
    }
    return site->domains->len == 0 ? NULL : ((const struct site_domain *)g_ptr_array_index(site->domains, 0))->name;
}

void site_finish(struct site *site)
{
    for (unsigned i = 0; i < site->domains->len;) {
        struct site_domain *domain = g_ptr_array_index(site->domains, i);
        if (!is_covered(site, domain->name, false)) {
            i++;
            continue;
        }
        g_hash_table_remove(site->known, domain->name);
        g_ptr_array_remove_index(site->domains, i);
    }
    if (site->notes->len > SITE_NOTES) {
        unsigned more = site->notes->len - SITE_NOTES;
        g_ptr_array_set_size(site->notes, (int)SITE_NOTES);
        site_note(site, "and %u more of that kind", more);
    }
}

/* ---- networks */

/* The address and length of `[address]/length`, both without brackets; NULL if it is nothing like it. */
static GInetAddress *parse_network(const char *text, unsigned *length)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    size_t end = strlen(parts[0]);
    bool brackets = end > 2 && parts[0][0] == '[' && parts[0][end - 1] == ']';
    g_autofree char *bare = brackets ? g_strndup(parts[0] + 1, end - 2) : g_strdup(parts[0]);
    GInetAddress *address = g_inet_address_new_from_string(bare);
    unsigned bits = address == NULL ? 0 : (unsigned)g_inet_address_get_native_size(address) * 8;
    guint64 number = bits;

    if (address == NULL)
        return NULL;
    if (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 0, bits, &number, NULL))
        g_clear_object(&address);
    *length = (unsigned)number;
    return address;
}

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24, as which such a client is known. */
static void unmap(GInetAddress **address, unsigned *length)
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    const guint8 *bytes = g_inet_address_to_bytes(*address);

    if (g_inet_address_get_family(*address) != G_SOCKET_FAMILY_IPV6 || *length < 96 ||
        memcmp(bytes, mapped, sizeof mapped) != 0)
        return;
    GInetAddress *four = g_inet_address_new_from_bytes(bytes + sizeof mapped, G_SOCKET_FAMILY_IPV4);
    g_object_unref(*address);
    *address = four;
    *length -= 96;
}

void site_add_network(struct site *site, const char *text, const char *origin)
{
    unsigned length = 0;
    g_autoptr(GInetAddress) address = parse_network(text, &length);

    if (address == NULL) {
        site_note(site, "%s: `%s` is no network", origin, text);
        return;
    }
    unmap(&address, &length);
    if (length == 0) {
        site_note(site, "%s: %s is everybody; nobody is trusted for that here", origin, text);
        return;
    }
    g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new(address, length, NULL);
    if (mask == NULL) {
        site_note(site, "%s: `%s` has bits set beyond its length", origin, text);
        return;
    }
    if (g_inet_address_get_is_loopback(address))
        return;
    char *written = g_inet_address_mask_to_string(mask);
    if (g_ptr_array_find_with_equal_func(site->networks, written, g_str_equal, NULL))
        g_free(written);
    else
        g_ptr_array_add(site->networks, written);
}
