/*
 * fuzz-onepass - the one pass over ordinary lists finds just what the long way finds.
 *
 * The input is the values of header fields, parted by two newlines: of To, From, Cc, Bcc and To
 * again.  A value may hold any byte, folds included.
 */

#include "fuzz.h"

#include "tests/lib/same_readings.h"

const char fuzz_target[] = "onepass";

static const char *const names[] = {"To", "From", "Cc", "Bcc"};

static struct message *message_of(const uint8_t *data, size_t size)
{
    struct message *message = message_new();
    g_autofree char *text = g_strndup((const char *)data, size); /* as from libmilter: a NUL ends it */
    g_auto(GStrv) values = g_strsplit(text, "\n\n", 0);

    message->mta = size % 2 == 0 ? MTA_SENDMAIL : MTA_POSTFIX;
    for (unsigned i = 0; values[i] != NULL; i++)
        message_add_header(message, names[i % G_N_ELEMENTS(names)], values[i]);
    return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free(message) message = message_of(data, size);
    unsigned at_once;
    g_autofree char *recipients = recipients_differ(message, &at_once);
    g_autofree char *authors = authors_differ(message);

    fuzz_check(recipients == NULL, "recipients: %s", recipients);
    fuzz_check(authors == NULL, "authors: %s", authors);
    return 0;
}
