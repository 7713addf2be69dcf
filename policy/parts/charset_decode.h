/*
 * charset_decode - the text of a part as UTF-8, piece by piece.
 *
 * Only character sets that mail is written in are converted (iconv(3)); any other, and a text that
 * is not in the one that it names, is reported as broken, and its bytes are read as they are.
 */
#ifndef RCPTGUARD_CHARSET_DECODE_H
#define RCPTGUARD_CHARSET_DECODE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes that are no characters of the set, after which a text is not converted any further. */
#define CHARSET_INVALID_LIMIT 2000u

struct charset_decode {
    GIConv converter; /* (GIConv)-1: bytes stay as they are */
    size_t bytes, invalid;
    unsigned unit; /* bytes that are left out where there is no character */
    char kept[16]; /* of a character that goes on in the next piece */
    unsigned kept_length;
    bool unknown; /* the name is of no set that is known here */
};

/* `charset` may be NULL; the first bytes may say more (a mark of order, zeros), and win. */
void charset_start(struct charset_decode *decode, const char *charset, const char *bytes, size_t length);
void charset_take(struct charset_decode *decode, const char *bytes, size_t length, GString *out);

/* Frees what it holds; whether the text was not in its character set, or in none that is known. */
bool charset_end(struct charset_decode *decode);

#endif
