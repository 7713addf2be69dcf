/* mail_compose - see mail_compose.h */

#include "milter/notify/mail_compose.h"

#include "milter/notify/mail_header.h"
#include "policy/base/unicode.h"

#include <string.h>

/* Columns of a text of ours. */
#define FILL_WIDTH 78u

static void append_sentence(GString *out, const char *sentence)
{
    if (out->len > 0)
        g_string_append_c(out, ' ');
    g_string_append(out, sentence);
}

/* Breaks a text of ASCII at its blanks. */
static void fill_lines(GString *text)
{
    gsize start = 0, blank = 0;
    for (gsize i = 0; i < text->len; i++) {
        if (text->str[i] == ' ')
            blank = i;
        if (i - start >= FILL_WIDTH && blank > start) {
            text->str[blank] = '\n';
            start = blank + 1;
        }
    }
}

char *letter_shown(const struct exposure_counts *counts, const struct inside_counts *inside)
{
    static const char *const places[INSIDE_PLACES] = {"An invitation in it shows",
                                                      "A forwarded mail in it shows",
                                                      "Contacts in it show",
                                                      "A table in it shows",
                                                      "Its text shows",
                                                      "Other fields of its header show"};
    GString *out = g_string_new(NULL);
    if (counts->visible > 0 || !inside_counts_any(inside)) {
        g_autofree char *header =
            g_strdup_printf("Everybody who gets it would see the others: %u addresses outside, of %u different "
                            "organisations or people.",
                            counts->visible, counts->parties);
        append_sentence(out, header);
    }
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        const struct inside_place *place = &inside->places[i];
        g_autofree char *sentence = g_strdup_printf(
            "%s %u address%s outside, of %u different organisation%s or people.", places[i], place->people,
            place->people == 1 ? "" : "es", place->parties, place->parties == 1 ? "" : "s");
        if (place->people > 0)
            append_sentence(out, sentence);
    }
    if (inside_counts_any(inside))
        append_sentence(out, "Bcc does not hide these.");
    fill_lines(out);
    return g_string_free(out, FALSE);
}

char *letter_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, letter_is_shown(c) ? c : ' ');
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

/* RFC 5322's limit of a line, without its end. */
#define LINE_LIMIT 998

/* Where a line that is too long is broken: after its last blank, or else between two characters. */
static size_t break_of(const char *line)
{
    size_t at = LINE_LIMIT;
    while (at > 0 && line[at - 1] != ' ')
        at--;
    if (at > 0)
        return at;
    for (at = LINE_LIMIT; at > 0 && ((guchar)line[at] & 0xC0) == 0x80;)
        at--;
    return at > 0 ? at : LINE_LIMIT; /* what is no UTF-8 */
}

static void append_body(GString *out, const char *body)
{
    while (*body != '\0') {
        size_t length = strcspn(body, "\n");
        while (length > LINE_LIMIT) {
            size_t part = break_of(body);
            g_string_append_len(out, body, (gssize)part);
            g_string_append_c(out, '\n');
            body += part;
            length -= part;
        }
        length += body[length] == '\n';
        g_string_append_len(out, body, (gssize)length);
        body += length;
    }
}

/* A Message-ID can be neither folded nor encoded: one that is none in a header of ours is left out. */
static bool is_id(const char *id)
{
    size_t length = strlen(id);
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isgraph(id[i]) || id[i] == '<' || id[i] == '>')
            return false;
    }
    return length > 0 && length <= LINE_LIMIT - sizeof "In-Reply-To: <>";
}

char *letter_compose(const struct letter *letter)
{
    g_autofree char *to = letter_line(letter->to);
    g_autofree char *subject = letter_line(letter->subject);
    GString *out = g_string_new("From: Mail review <postmaster>\n");
    mail_header_append(out, "To", to);
    mail_header_append_text(out, "Subject", subject);
    if (letter->answers != NULL && is_id(letter->answers))
        g_string_append_printf(out, "In-Reply-To: <%s>\nReferences: <%s>\n", letter->answers, letter->answers);
    g_string_append_printf(out,
                           "Auto-Submitted: %s\nX-Auto-Response-Suppress: All\nPrecedence: bulk\nMIME-Version: 1.0\n"
                           "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n",
                           letter->reply ? "auto-replied" : "auto-generated");
    append_body(out, letter->body);
    return g_string_free(out, FALSE);
}
