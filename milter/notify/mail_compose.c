/* mail_compose - see mail_compose.h */

#include "milter/notify/mail_compose.h"

#include <gmime/gmime.h>
#include <string.h>

char *letter_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT ? c : ' ');
    }
    return g_string_free(out, FALSE);
}

/* RFC 5321's atoms with dots, and UTF-8; no quoted string, no address literal. */
bool letter_takes(const char *address)
{
    const char *at = strchr(address, '@');
    if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL || address[0] == '-')
        return false;
    for (const char *p = address; *p != '\0'; p++) {
        if ((guchar)*p < 0x80 && !g_ascii_isalnum(*p) && strchr("@.!#$%&'*+/=?^_{|}~-", *p) == NULL)
            return false;
    }
    return g_utf8_validate(address, -1, NULL);
}

char *letter_compose(const struct letter *letter)
{
    g_autofree char *to = letter_line(letter->to);
    g_autofree char *subject = letter_line(letter->subject);
    g_autofree char *encoded = g_mime_utils_header_encode_text(NULL, subject, "UTF-8");
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "From: Mail review <postmaster>\nTo: %s\nSubject: %s\n", to, encoded);
    if (letter->answers != NULL && letter->answers[0] != '\0') {
        g_autofree char *id = letter_line(letter->answers);
        g_string_append_printf(out, "In-Reply-To: <%s>\nReferences: <%s>\n", id, id);
    }
    g_string_append_printf(out,
                           "Auto-Submitted: %s\nX-Auto-Response-Suppress: All\nPrecedence: bulk\nMIME-Version: 1.0\n"
                           "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n",
                           letter->reply ? "auto-replied" : "auto-generated");
    g_string_append(out, letter->body);
    return g_string_free(out, FALSE);
}
