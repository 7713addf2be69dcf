/*
 * transfer_decode - Content-Transfer-Encoding (RFC 2045 section 6), piece by piece.
 *
 * Tolerant: what is not of the alphabet is passed over, and a padding in the middle ends a group and not the part.
 * What a strict reader would not read so is reported as broken.
 */
#ifndef RCPTGUARD_TRANSFER_DECODE_H
#define RCPTGUARD_TRANSFER_DECODE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum transfer_encoding {
    TRANSFER_PLAIN, /* 7bit, 8bit, binary */
    TRANSFER_BASE64,
    TRANSFER_QUOTED,
    TRANSFER_UNKNOWN, /* any other word: it is not decoded */
};

/* Of the field's value; NULL is 7bit. */
enum transfer_encoding transfer_encoding(const char *value);

struct transfer_decode {
    enum transfer_encoding encoding;
    bool broken;
    unsigned bits, held; /* of base64: bits that are held, and how many */
    /* Of quoted-printable: what was read of an escape or a soft line end, */
    enum { QUOTED_PLAIN, QUOTED_SIGN, QUOTED_DIGIT, QUOTED_BLANKS, QUOTED_RETURN } state;
    char digit;
    unsigned blanks; /* and blanks after which a line may end */
};

void transfer_start(struct transfer_decode *decode, enum transfer_encoding encoding);

/* Appends what the bytes mean to `out`; `last`: no more come. */
void transfer_take(struct transfer_decode *decode, const char *bytes, size_t length, bool last, GString *out);

#endif
