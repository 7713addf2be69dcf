/* contacts_part - see contacts_part.h */

#include <config.h>

#include "policy/parts/contacts_part.h"

#include "policy/parts/part_kind.h"
#include "policy/parts/transfer_decode.h"

#include <string.h>

/* Bytes of a line's head that are looked at: its name and parameters. */
#define HEAD_LIMIT 1000u

static bool has_word(const char *head, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++)
        if (g_ascii_strncasecmp(head + i, word, size) == 0)
            return true;
    return false;
}

/* Whether the name of a property, after a group ("item1."), is that of what holds no address of a person. */
static bool is_skipped(const char *head, size_t length)
{
    static const char *const names[] = {"UID",
                                        "PHOTO",
                                        "LOGO",
                                        "SOUND",
                                        "KEY",
                                        "PRODID",
                                        "jpegPhoto",
                                        "userCertificate",
                                        "usercertificate;binary",
                                        "thumbnailPhoto"};
    size_t name = 0;

    while (name < length && head[name] != ';' && head[name] != ':')
        name++;
    const char *dot = memchr(head, '.', name);
    if (dot != NULL) {
        name -= (size_t)(dot + 1 - head);
        head = dot + 1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i]) == name && g_ascii_strncasecmp(head, names[i], name) == 0)
            return true;
    return false;
}

/* What a line is written in; `*value` is where its value begins. */
static int form_of(const char *line, size_t length, size_t *value)
{
    const char *colon = memchr(line, ':', MIN(length, HEAD_LIMIT));
    size_t head = colon == NULL ? 0 : (size_t)(colon - line);

    *value = 0;
    if (colon == NULL)
        return CONTACTS_PLAIN;
    if (is_skipped(line, head))
        return CONTACTS_SKIPPED;
    if (head + 1 < length && colon[1] == ':') { /* "mail:: " of LDIF */
        *value = head + 2;
        return CONTACTS_BASE64;
    }
    if (memchr(line, ';', head) == NULL)
        return CONTACTS_PLAIN;
    if (has_word(line, head, "QUOTED-PRINTABLE"))
        return CONTACTS_QUOTED;
    if (has_word(line, head, "ENCODING=B") || has_word(line, head, ";BASE64")) {
        *value = head + 1;
        return CONTACTS_BASE64;
    }
    return CONTACTS_PLAIN;
}

/* "\n", "\," and "\;" end an address, and the name of an attribute begins none: "cn=Ann,mail=ann@x.example". */
static void scan_escaped(struct part_scan *scan, const char *text, size_t length)
{
    if (memchr(text, '\\', length) == NULL && memchr(text, '=', length) == NULL) {
        part_scan_text(scan, text, length, PART_CONTACTS, false);
        return;
    }
    g_autofree char *plain = g_malloc(length + 1);
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        bool escaped = text[i] == '\\' && i + 1 < length;
        i += escaped;
        plain[to++] = escaped && strchr("nN,;", text[i]) != NULL ? ' ' : text[i];
        if (text[i] == '=' && i >= 4 && g_ascii_strncasecmp(text + i - 4, "mail", 4) == 0 &&
            (i == 4 || strchr(" ,+:", text[i - 5]) != NULL))
            plain[to - 1] = ' ';
    }
    part_scan_text(scan, plain, to, PART_CONTACTS, false);
}

static void scan_decoded(struct part_scan *scan, const char *text, size_t length, enum transfer_encoding encoding)
{
    struct transfer_decode decode;
    g_autoptr(GString) out = g_string_new(NULL);

    transfer_start(&decode, encoding);
    transfer_take(&decode, text, length, true, out);
    scan_escaped(scan, out->str, out->len);
}

void contacts_part_line(void *data, const char *line, size_t length, bool goes_on)
{
    struct contacts_part *contacts = data;
    size_t value = 0;

    if (part_scan_is_over(contacts->scan))
        return;
    if (!goes_on)
        contacts->form = form_of(line, length, &value);
    switch (contacts->form) {
    case CONTACTS_SKIPPED:
        return;
    case CONTACTS_BASE64:
        scan_decoded(contacts->scan, line + value, length - value, TRANSFER_BASE64);
        return;
    case CONTACTS_QUOTED:
        scan_decoded(contacts->scan, line, length, TRANSFER_QUOTED);
        return;
    default:
        scan_escaped(contacts->scan, line, length);
    }
}
