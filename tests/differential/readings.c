/*
 * readings - what each reading makes of header values, for crossing.py and one_pass.py.
 *
 *     readings [--names] <FILE
 *     readings --compare <FILE
 *
 * Each line of the file is the value of a To field, in hexadecimal digits.  For each,
 * a line: how many recipients there are, how many of these the third reading alone
 * found, 1 if the header is malformed, and each recipient, in hexadecimal digits.
 *
 * With --compare a line is a message: `P` or `S` for Postfix or Sendmail, then its fields, each a blank,
 * the name, a colon and the value in hexadecimal digits.  Those that the one pass over ordinary
 * lists reads otherwise than the long way are written out; then how many recipient headers there
 * were, how many of them were read in one pass, and how many messages differ.
 */

#include "policy/exposure/exposure.h"
#include "policy/message/message.h"
#include "policy/message/recipients.h"
#include "tests/lib/same_readings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_hex(const char *text)
{
    putchar(' ');
    for (; *text != '\0'; text++)
        printf("%02x", (unsigned char)*text);
}

static char *from_hex(const char *line)
{
    GString *value = g_string_new(NULL);

    for (; g_ascii_isxdigit(line[0]) && g_ascii_isxdigit(line[1]); line += 2)
        g_string_append_c(value, (char)(g_ascii_xdigit_value(line[0]) << 4 | g_ascii_xdigit_value(line[1])));
    return g_string_free(value, FALSE);
}

static struct message *message_of(const char *line)
{
    struct message *message = message_new();
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);

    message->mta = line[0] == 'S' ? MTA_SENDMAIL : MTA_POSTFIX;
    for (unsigned i = 1; fields[i] != NULL; i++) {
        char *colon = strchr(fields[i], ':');
        g_autofree char *value = from_hex(colon + 1);
        *colon = '\0';
        message_add_header(message, fields[i], value);
    }
    return message;
}

/* Compares each line; false if some differ. */
static bool compare(void)
{
    unsigned headers = 0, at_once = 0, different = 0;
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        auto_free(message) message = message_of(line);
        unsigned once;
        g_autofree char *difference = recipients_differ(message, &once);
        if (difference == NULL)
            difference = authors_differ(message);
        for (unsigned i = 0; i < message->headers->len; i++) {
            const struct header *header = g_ptr_array_index(message->headers, i);
            headers += strcmp(header->name, "From") != 0;
            if (difference != NULL)
                printf("%s: %s\n", header->name, header->value);
        }
        at_once += once;
        if (difference != NULL)
            printf("differs: %s\n", difference);
        different += difference != NULL;
    }
    free(line);
    printf("%u headers, %u in one pass, %u messages read otherwise\n", headers, at_once, different);
    return different == 0;
}

int main(int argc, char **argv)
{
    bool names = argc > 1 && strcmp(argv[1], "--names") == 0;
    char *line = NULL;
    size_t size = 0;

    if (argc > 1 && strcmp(argv[1], "--compare") == 0)
        return compare() ? EXIT_SUCCESS : EXIT_FAILURE;
    while (getline(&line, &size, stdin) > 0) {
        auto_free(message) message = message_new();
        auto_free(recipients) recipients = NULL;
        g_autofree char *value = from_hex(line);
        unsigned malformed;
        message->mta = MTA_SENDMAIL;
        message_add_header(message, "To", value);
        recipients = recipients_read(message);
        malformed = recipients_defects(recipients) & (DEFECT_LIMIT | DEFECT_UNPARSED);
        printf("%u %u %d", recipients_count(recipients), recipients_longer(recipients), malformed != 0);
        for (unsigned i = 0; names && i < recipients_count(recipients); i++)
            print_hex(recipients_get(recipients, i)->address);
        putchar('\n');
    }
    free(line);
    return EXIT_SUCCESS;
}
