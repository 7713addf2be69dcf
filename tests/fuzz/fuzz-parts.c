/* fuzz-parts - what the body of a message shows; the input is the message. */

#include "fuzz.h"

#include "policy/address/address.h"
#include "policy/parts/body_parts.h"

#include <string.h>

const char fuzz_target[] = "parts";

static void check_addresses(const struct body_parts *parts)
{
    unsigned all = (PART_KIND_LAST << 1) - 1, domains = body_parts_domains(parts);

    fuzz_check(body_parts_addresses(parts) <= PART_ADDRESSES_LIMIT, "there are %u", body_parts_addresses(parts));
    fuzz_check(body_parts_count(parts, all) == body_parts_addresses(parts), "some are of no kind");
    for (unsigned i = 0; i < body_parts_addresses(parts); i++) {
        const struct part_address *found = body_parts_get(parts, i);
        const char *domain = address_domain(found->address);
        fuzz_check(domain != NULL && domain[0] != '\0' && domain > found->address + 1, "%s is no address",
                   found->address);
        fuzz_check(found->kinds != 0 && found->kinds <= all, "%s is of the kinds %u", found->address, found->kinds);
        fuzz_check(found->domain < domains, "the domain of %s is %u", found->address, found->domain);
    }
}

static void check_accounts(const struct body_parts *parts)
{
    unsigned opaque = 0;

    for (unsigned i = 0; i < body_parts_accounts(parts); i++) {
        const struct part_account *account = body_parts_account(parts, i);
        fuzz_check(account->path[0] != '\0' && account->type[0] != '\0', "part %u has no path or no type", i);
        fuzz_check(account->addresses <= body_parts_addresses(parts), "part %s has too many", account->path);
        fuzz_check(account->name == NULL || g_utf8_validate(account->name, -1, NULL), "a name is no UTF-8");
        opaque |= account->opaque;
    }
    fuzz_check((opaque & ~body_parts_opaque(parts)) == 0, "a part is opaque and the message is not");
}

/* Addresses and kinds, one a line. */
static char *found_text(const struct body_parts *parts)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < body_parts_addresses(parts); i++)
        g_string_append_printf(text, "%s %u\n", body_parts_get(parts, i)->address, body_parts_get(parts, i)->kinds);
    g_string_append_printf(text, "%u", body_parts_opaque(parts));
    return g_string_free(text, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In a block that ends where the message does. */
    g_autofree char *raw = g_memdup2(data, size);
    auto_free(body_parts) parts = body_parts_read_raw(raw, size);
    auto_free(body_parts) again = body_parts_read_raw(raw, size);
    g_autofree char *found = found_text(parts), *found_again = found_text(again);

    check_addresses(parts);
    check_accounts(parts);
    fuzz_check(strcmp(found, found_again) == 0, "read again, it is\n%s\nand was\n%s", found_again, found);
    return 0;
}
