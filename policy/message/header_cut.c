/* header_cut - see header_cut.h */

#include "policy/message/header_cut.h"

#include <string.h>

/* From here on Postfix or Sendmail may have cut a header (about 60,000 bytes). */
#define CUT_BYTES 59000u

enum byte_class {
    WORD, /* of an atom */
    BLANK,
    SPECIAL,
    QUOTE,
    END,
};

static unsigned char classes[256];

static void __attribute__((constructor)) classes_fill(void)
{
    for (const char *p = "()<>@,;:\\[]."; *p != '\0'; p++)
        classes[(unsigned char)*p] = SPECIAL;
    for (const char *p = " \t\n\r"; *p != '\0'; p++)
        classes[(unsigned char)*p] = BLANK;
    classes['"'] = QUOTE;
    classes['\0'] = END;
}

/* Atoms, quoted strings and specials, as Postfix counts them (header_address_token_limit). */
static unsigned token_count(const char *value)
{
    const unsigned char *p = (const unsigned char *)value;
    unsigned tokens = 0;

    for (;;) {
        while (classes[*p] == BLANK || *p == '\f')
            p++;
        if (*p == '\0')
            return tokens;
        tokens++;
        switch (classes[*p]) {
        case SPECIAL:
            p++;
            break;
        case QUOTE:
            for (p++; *p != '\0' && *p != '"'; p++)
                if (*p == '\\' && p[1] != '\0')
                    p++;
            p += *p == '"';
            break;
        default:
            while (classes[*p] == WORD)
                p++;
        }
    }
}

bool header_was_cut(const struct message *message, const char *value)
{
    size_t length = strlen(value);
    unsigned tokens = mta_facts(message->mta)->header_tokens;

    return length >= CUT_BYTES || (tokens > 0 && length >= tokens && token_count(value) >= tokens);
}
