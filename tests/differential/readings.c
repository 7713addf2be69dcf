/*
 * readings - what each reading makes of header values, for crossing.py.
 *
 *     readings <FILE
 *
 * Each line of the file is the value of a To field, in hexadecimal digits.  For each,
 * a line: how many recipients there are, how many of these the third reading alone
 * found, 1 if the header is malformed, and each recipient, in hexadecimal digits.
 */

#include "policy/exposure/exposure.h"
#include "policy/message/message.h"
#include "policy/message/recipients.h"

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

int main(int argc, char **argv)
{
    bool names = argc > 1 && strcmp(argv[1], "--names") == 0;
    char *line = NULL;
    size_t size = 0;

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
