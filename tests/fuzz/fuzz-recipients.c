/*
 * fuzz-recipients - header fields as a stranger wrote them: who can be read.
 *
 * The input holds fields, parted by two newlines, each `Name: value`; a value
 * may hold any byte, folds included.  What has no known name stands in To.
 */

#include "fuzz.h"

#include "policy/address/address.h"
#include "policy/exposure/exposure.h"
#include "policy/message/header_text.h"
#include "policy/message/message.h"
#include "policy/message/recipients.h"

#include <string.h>

const char fuzz_target[] = "recipients";

#define ADDED "zz@added.example"

static const char *const names[] = {"To",   "Cc",     "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc", "Apparently-To",
                                    "From", "Subject"};

/* Where the value begins; `*name` is the field's. */
static const char *split_name(const char *field, const char **name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length = strlen(names[i]);
        if (g_ascii_strncasecmp(field, names[i], length) == 0 && field[length] == ':') {
            *name = names[i];
            return field + length + 1 + (field[length + 1] == ' ');
        }
    }
    *name = names[0];
    return field;
}

/* Up to two newlines. */
static size_t field_length(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        if (data[i] == '\n' && data[i + 1] == '\n')
            return i;
    return size;
}

static struct message *message_of(const uint8_t *data, size_t size)
{
    struct message *message = message_new();

    /* By what does not change with a field more. */
    message->mta = size > 0 && data[size - 1] % 2 == 0 ? MTA_SENDMAIL : MTA_POSTFIX;
    while (size > 0) {
        size_t length = field_length(data, size), rest = length + 2 < size ? length + 2 : size;
        /* As from libmilter: a NUL ends the value. */
        g_autofree char *field = g_strndup((const char *)data, length);
        const char *name;
        const char *value = split_name(field, &name);
        message_add_header(message, name, value);
        data += rest;
        size -= rest;
    }
    return message;
}

/* ---- what holds for each address */

/* `exact`: not beyond the limit of IDNA's conversions. */
static void check_address(const char *address, bool exact)
{
    const char *at = strrchr(address, '@');
    g_autofree char *again = address_normalise_text(address);
    g_autofree char *shown = address_display(address);

    fuzz_check(at != NULL && at > address && at[1] != '\0', "not an address: `%s`", address);
    fuzz_check(address_domain(address) == at + 1, "another domain than that behind the last @: `%s`", address);
    fuzz_check(g_utf8_validate(address, -1, NULL), "not UTF-8: `%s`", address);
    fuzz_check(strpbrk(at, " \t\r\n") == NULL, "a blank in the domain of `%s`", address);
    fuzz_check(!exact || strcmp(again, address) == 0, "normalised again, `%s` becomes `%s`", address, again);
    fuzz_check(shown[0] != '\0' && g_utf8_validate(shown, -1, NULL) && strchr(shown, '@') != NULL,
               "`%s` is shown as `%s`", address, shown);
}

static void check_set(const struct recipients *recipients)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    unsigned count = recipients_count(recipients), defects = recipients_defects(recipients);

    fuzz_check(count <= RECIPIENTS_LIMIT, "%u recipients", count);
    fuzz_check((defects & ~(unsigned)(DEFECT_SYNTAX | DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT)) == 0,
               "unknown defects: %u", defects);
    for (unsigned i = 0; i < count; i++) {
        const struct recipient *recipient = recipients_get(recipients, i);
        check_address(recipient->address, (defects & DEFECT_LIMIT) == 0);
        fuzz_check(g_hash_table_add(seen, (gpointer)recipient->address), "twice: `%s`", recipient->address);
        fuzz_check(recipient->fields != 0 && recipient->fields < 2 * FIELD_LAST, "fields %u", recipient->fields);
        fuzz_check(recipients_find(recipients, recipient->address) == recipient->fields, "not found: `%s`",
                   recipient->address);
    }
}

/* ---- nobody is undercounted */

/* The end of a plain `ann@x.example` at `p`, or NULL. */
static const char *plain_end(const char *p)
{
    const char *start = p;
    unsigned labels = 1;

    while (g_ascii_isalnum(*p))
        p++;
    if (p == start || *p != '@')
        return NULL;
    for (p++; g_ascii_isalnum(*p); labels++) {
        while (g_ascii_isalnum(*p))
            p++;
        if (*p != '.')
            break;
        p++;
    }
    return labels > 1 && g_ascii_isalnum(p[-1]) ? p : NULL;
}

/*
 * An address of letters and digits between two commas is a recipient, whatever
 * stands around it.  Only a quoted string may make it a part of something else.
 */
static void check_plain(const struct recipients *recipients, const char *value)
{
    const char *p = value;

    if (strchr(value, '"') != NULL)
        return;
    for (;;) {
        const char *start = p + strspn(p, " ");
        const char *end = plain_end(start);
        if (end != NULL && (*end == ',' || *end == '\0') && strchr(strchr(start, '@'), '.') < end) {
            g_autofree char *address = g_ascii_strdown(start, end - start);
            fuzz_check(recipients_find(recipients, address) != 0, "not counted: `%s`", address);
        }
        p = strchr(p, ',');
        if (p == NULL)
            return;
        p++;
    }
}

static bool is_recipient_field(const char *name)
{
    return strcmp(name, "From") != 0 && strcmp(name, "Subject") != 0;
}

/* ---- headers do not disturb each other */

static void check_added(struct message *message, const struct recipients *before)
{
    auto_free(recipients) after = NULL;
    unsigned count = recipients_count(before), added = recipients_find(before, ADDED) == 0;

    message_add_header(message, "To", ADDED);
    after = recipients_read(message);
    fuzz_check(recipients_find(after, ADDED) != 0 || count >= RECIPIENTS_LIMIT, "a plain address more is not counted");
    fuzz_check(recipients_count(after) == count + added || count >= RECIPIENTS_LIMIT,
               "one plain address more: %u, before %u", recipients_count(after), count);
    /* Whoever is in From comes behind the others. */
    for (unsigned i = 0; i < count && count < RECIPIENTS_LIMIT; i++)
        fuzz_check(recipients_find(after, recipients_get(before, i)->address) != 0,
                   "one plain address more: `%s` is gone", recipients_get(before, i)->address);
    fuzz_check((recipients_defects(before) & ~recipients_defects(after)) == 0, "one plain address more mends a defect");
}

/* Read one by one, the headers hold the same people, unless together they are beyond a limit. */
static void check_each(const struct message *message, const struct recipients *whole)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if ((recipients_defects(whole) & DEFECT_LIMIT) != 0)
        return;
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        auto_free(message) one = message_new();
        auto_free(recipients) some = NULL;
        one->mta = message->mta;
        /* Which of several is the author, and does not count, is seen in all of them. */
        if (strcmp(header->name, "From") == 0)
            continue;
        message_add_header(one, header->name, header->value);
        some = recipients_read(one);
        for (unsigned j = 0; j < recipients_count(some); j++) {
            const char *address = recipients_get(some, j)->address;
            fuzz_check(recipients_find(whole, address) != 0, "alone `%s` is read, with others not", address);
            g_hash_table_add(seen, g_strdup(address));
        }
    }
    /* Together they may be more: two names beside one address (at_signs.h). */
    fuzz_check(g_hash_table_size(seen) <= recipients_count(whole), "%u read one by one, %u together",
               g_hash_table_size(seen), recipients_count(whole));
}

/* An address before and one behind, parted by commas, are read whatever stands between them. */
static void check_framed(const char *name, const char *value)
{
    auto_free(message) message = message_new();
    auto_free(recipients) recipients = NULL;
    g_autofree char *framed = g_strconcat("head@added.example, ", value, ", tail@added.example", NULL);

    message_add_header(message, name, framed);
    recipients = recipients_read(message);
    fuzz_check(recipients_find(recipients, "head@added.example") != 0, "not counted before what follows");
    fuzz_check(recipients_find(recipients, "tail@added.example") != 0, "not counted behind what precedes");
}

/* So is one that is put between two commas anywhere, but within quotes and encoded-words, which make it a part of more.
 */
static void check_inserted(const char *name, const char *value, unsigned hash)
{
    auto_free(message) message = message_new();
    auto_free(recipients) recipients = NULL;
    g_autoptr(GString) longer = g_string_new(value);

    if (strchr(value, '"') != NULL || strstr(value, "\uff02") != NULL || strstr(value, "=?") != NULL)
        return;
    g_string_insert(longer, hash % (unsigned)(longer->len + 1), ", mid@added.example, ");
    message_add_header(message, name, longer->str);
    recipients = recipients_read(message);
    fuzz_check(recipients_find(recipients, "mid@added.example") != 0, "not counted in the middle: `%s`", longer->str);
}

/* Encoded-words hide nobody, wherever one ends and the next begins. */
static void check_encoded(const char *name, const char *value, unsigned hash)
{
    static const char *const blanks[] = {" ", "\n ", "", "\r\n\t"};
    auto_free(message) message = message_new();
    auto_free(recipients) recipients = NULL;
    g_autoptr(GString) encoded = g_string_new(NULL);
    size_t length = strlen(value), piece = 1 + hash % 45;

    for (size_t i = 0; i < length; i += piece) {
        g_autofree char *payload = g_base64_encode((const guchar *)value + i, MIN(piece, length - i));
        g_string_append_printf(encoded, "%s=?%s?b?%s?=", i > 0 ? blanks[hash / 45 % G_N_ELEMENTS(blanks)] : "",
                               hash / 180 % 2  ? "iso-8859-1"
                               : i / piece % 2 ? "ISO-8859-1*en"
                                               : "iso_8859-1",
                               payload);
    }
    message_add_header(message, name, encoded->str);
    recipients = recipients_read(message);
    check_plain(recipients, value);
}

static void check_rewritten(const struct message *message, unsigned hash)
{
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (!is_recipient_field(header->name))
            continue;
        switch (hash % 3) {
        case 0:
            check_framed(header->name, header->value);
            break;
        case 1:
            check_inserted(header->name, header->value, hash / 3);
            break;
        case 2:
            check_encoded(header->name, header->value, hash / 3);
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned hash = fuzz_hash(data, size);
    auto_free(message) message = message_of(data, size);
    auto_free(recipients) recipients = recipients_read(message);
    bool whole;
    g_autoptr(GPtrArray) authors = recipients_authors(message, &whole);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    check_set(recipients);
    for (unsigned i = 0; i < authors->len; i++) {
        check_address(g_ptr_array_index(authors, i), whole);
        fuzz_check(g_hash_table_add(seen, g_ptr_array_index(authors, i)), "an author twice");
    }
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        g_autofree char *decoded = decode_header(header->value, NULL);
        fuzz_check(g_utf8_validate(decoded, -1, NULL), "decoded to what is not UTF-8: `%s`", decoded);
        if (is_recipient_field(header->name) && (recipients_defects(recipients) & DEFECT_LIMIT) == 0)
            check_plain(recipients, header->value);
    }
    /* The dear ones: for some inputs each. */
    switch (hash % 6) {
    case 0:
        check_each(message, recipients);
        break;
    case 1:
        check_added(message, recipients);
        break;
    case 2:
    case 3:
    case 4:
        check_rewritten(message, hash / 6);
        break;
    }
    return 0;
}
