/*
 * fuzz-table - tables with one item a line.
 *
 * The first byte is the kind: d(omains), m(ailboxes), n(etworks), w(ords); the
 * rest is the table.
 */

#include "fuzz.h"

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/exposure/table.h"

#include <string.h>

const char fuzz_target[] = "table";

static enum table_kind kind_of(uint8_t byte)
{
    switch (byte) {
    case 'm':
        return TABLE_MAILBOXES;
    case 'n':
        return TABLE_NETWORKS;
    case 'w':
        return TABLE_WORDS;
    default:
        return TABLE_DOMAINS;
    }
}

/* An item that is taken alone is found in the whole, by itself and by what it stands for. */
static void check_item(const struct table *table, enum table_kind kind, const char *item)
{
    auto_free(table) alone = table_new(kind);
    g_autofree char *wrong = table_add(alone, item, 1);
    const char *domain = item[0] == '.' ? item + 1 : item;
    g_autofree char *name = NULL;

    if (wrong != NULL) {
        fuzz_check(wrong[0] != '\0' && table_size(alone) == 0, "refused, and taken all the same: `%s`", item);
        return;
    }
    fuzz_check(table_size(alone) == 1, "one item, and %u in the table: `%s`", table_size(alone), item);
    switch (kind) {
    case TABLE_WORDS:
        fuzz_check(table_has_word(table, item), "the word `%s` is not found", item);
        break;
    case TABLE_NETWORKS:
        break;
    case TABLE_MAILBOXES:
    case TABLE_ADDRESSES:
        if (strchr(item, '@') != NULL) {
            g_autofree char *address = address_normalise_text(item);
            fuzz_check(table_has_mailbox(table, address), "the address `%s` is not found as `%s`", item, address);
            break;
        }
        /* fall through */
    case TABLE_DOMAINS:
        name = domain_normalise(domain, strlen(domain));
        fuzz_check(table_find_domain(table, name) >= 0, "the domain `%s` is not found as `%s`", item, name);
        if (item[0] == '.') {
            g_autofree char *below = g_strconcat("a.b.", name, NULL);
            g_autofree char *beside = g_strconcat("a", name, NULL);
            fuzz_check(table_find_domain(table, below) >= 0, "`%s` does not hold `%s`", item, below);
            fuzz_check(table_find_domain(alone, beside) < 0, "`%s` holds `%s`", item, beside);
        }
        break;
    }
}

/* The look-ups take what strangers wrote. */
static void look_up(const struct table *table, enum table_kind kind, const char *text)
{
    g_autofree char *address = address_normalise_text(text);
    g_autofree char *domain = domain_normalise(text, strlen(text));

    if (kind == TABLE_DOMAINS || kind == TABLE_MAILBOXES) {
        table_find_domain(table, domain);
        table_has_mailbox(table, address);
        fuzz_check(table_find_domain(table, "not.in.any.table.example") < 0 || strstr(text, "example") != NULL ||
                       table_size(table) > 0,
                   "an empty table holds something");
    }
    if (kind == TABLE_WORDS)
        table_has_word(table, text);
    fuzz_check(!table_has_network(table, text) || kind == TABLE_NETWORKS, "a network in a table of another kind");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum table_kind kind = size > 0 ? kind_of(data[0]) : TABLE_DOMAINS;
    auto_free(diags) diags = diags_new();
    auto_free(source) source = NULL;
    auto_free(table) table = table_new(kind);
    g_auto(GStrv) lines = NULL;
    unsigned items = 0;

    source = size > 0 ? source_from_memory("table", (const char *)data + 1, size - 1, diags) : NULL;
    if (source == NULL) {
        fuzz_check(size == 0 || diags_errors(diags) == 1, "no source, and %u errors", diags_errors(diags));
        fuzz_check_diags(diags);
        return 0;
    }
    table_add_source(table, source, 1, diags);
    fuzz_check_diags(diags);
    lines = g_strsplit(source->text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        char *hash = strchr(lines[i], '#');
        g_strstrip(lines[i]);
        if (lines[i][0] == '\0' || lines[i][0] == '#')
            continue;
        items++;
        look_up(table, kind, lines[i]);
        /* Where a comment stands behind an item is for the table to know. */
        if (hash == NULL)
            check_item(table, kind, lines[i]);
    }
    fuzz_check(diags_errors(diags) <= items, "%u errors in %u items", diags_errors(diags), items);
    fuzz_check(table_size(table) <= items - diags_errors(diags), "%u of %u items with %u errors", table_size(table),
               items, diags_errors(diags));
    return 0;
}
