/* gmime_address - see gmime_address.h */

#include "policy/message/gmime_address.h"

#include "policy/address/address_scan.h"

#include <glib.h>
#include <string.h>

static unsigned count_brackets(const char *text, size_t length)
{
    unsigned count = 0;

    for (size_t i = 0; i < length; i++)
        count += strchr("<>()[]{}|/\"", text[i]) != NULL;
    return count;
}

bool gmime_runs_together(const char *address, size_t length)
{
    size_t clean_length;
    g_autofree char *owned = NULL;
    size_t ats = 0;

    if (address[0] == '"' || g_str_is_ascii(address))
        return false;
    const char *text = scan_clean(address, length, &clean_length, &owned);
    for (size_t i = 0; i < clean_length; i++)
        ats += text[i] == '@';
    return ats != 1 || strpbrk(text, " ,;\001") != NULL ||
           count_brackets(text, clean_length) > count_brackets(address, length);
}

bool gmime_ends_later(const char *domain, size_t length)
{
    size_t name = 0;

    if (domain[0] == '[')
        return false;
    while (name < length && ((unsigned char)domain[name] >= 0x80 || g_ascii_isalnum(domain[name]) ||
                             strchr("-._", domain[name]) != NULL))
        name++;
    if (name < length)
        return memchr(domain, '.', name) != NULL && memchr(domain + name, '.', length - name) == NULL;
    if (g_str_is_ascii(domain))
        return false;
    g_autofree char *valid = g_utf8_make_valid(domain, (gssize)length);
    return scan_domain_end(valid, 0, strlen(valid)) < strlen(valid);
}
