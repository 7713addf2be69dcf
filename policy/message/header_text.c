/* header_text - see header_text.h */

#include "policy/message/header_text.h"

#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

void decode_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, g_mime_init);
}

static char *decode_word(const char *word)
{
    return g_mime_utils_header_decode_text(NULL, word);
}

bool decode_words(const char *value, unsigned *count, struct words *words)
{
    if (strstr(value, "=?") == NULL)
        return false;
    decode_start();
    return words_read(value, count, decode_word, words);
}

/*
 * Valid UTF-8 of a value in which each item between blanks may be in a character set
 * of its own, which GMime guesses; that counts as a word.
 */
static char *guess_charsets(const char *value, unsigned *words)
{
    GString *text = g_string_sized_new(strlen(value));

    decode_start();
    while (*value != '\0') {
        size_t length = strcspn(value, " ");
        g_autofree char *guessed = NULL;
        if (!g_utf8_validate(value, (gssize)length, NULL) && ++*words <= WORDS_LIMIT)
            guessed = g_mime_utils_decode_8bit(NULL, value, length);
        if (guessed != NULL)
            g_string_append(text, guessed);
        else
            g_string_append_len(text, value, (gssize)length);
        value += length;
        for (; *value == ' '; value++)
            g_string_append_c(text, ' ');
    }
    return g_string_free(text, FALSE);
}

char *decode_header(const char *value, unsigned *words)
{
    GString *unfolded = g_string_sized_new(strlen(value));
    unsigned own = 0, *count = words != NULL ? words : &own;
    struct words read = {0};
    bool costs = false;

    for (const char *p = value; *p != '\0'; p++)
        if (*p != '\r' && *p != '\n')
            g_string_append_c(unfolded, *p == '\t' ? ' ' : *p);
    char *text = g_string_free(unfolded, FALSE);
    if (!g_utf8_validate(text, -1, NULL)) {
        char *guessed = guess_charsets(text, count);
        g_free(text);
        text = guessed;
        costs = true;
    }
    costs = costs || strstr(text, "=?") != NULL;
    if (decode_words(text, count, &read)) {
        g_free(text);
        text = g_steal_pointer(&read.decoded);
        words_clear(&read);
    }
    if (words != NULL && costs && *words > WORDS_LIMIT) {
        g_free(text);
        return NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        char *valid = g_utf8_make_valid(text, -1);
        g_free(text);
        text = valid;
    }
    return g_strstrip(text);
}

gint64 decode_date(const char *value)
{
    decode_start();
    g_autoptr(GDateTime) date = value != NULL ? g_mime_utils_header_decode_date(value) : NULL;

    return date != NULL ? MAX(g_date_time_to_unix(date), 0) : 0;
}
