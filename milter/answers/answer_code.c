/* answer_code - see answer_code.h */

#include "milter/answers/answer_code.h"

#include <string.h>

/* What a code is of, so that no other HMAC under this key is one. */
static const char purpose[] = "rcptguard answer";

guint64 answer_code(const unsigned char key[ANSWER_KEY_SIZE], const struct answer_subject *subject)
{
    const guint64 numbers[] = {GUINT64_TO_BE((guint64)subject->row), GUINT64_TO_BE((guint64)subject->judged),
                               GUINT64_TO_BE((guint64)subject->kind)};
    unsigned char digest[32];
    gsize size = sizeof digest;
    guint64 code;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, key, ANSWER_KEY_SIZE);
    g_hmac_update(hmac, (const guchar *)purpose, sizeof purpose);
    g_hmac_update(hmac, (const guchar *)numbers, sizeof numbers);
    g_hmac_update(hmac, (const guchar *)subject->login, (gssize)strlen(subject->login) + 1);
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    memcpy(&code, digest, sizeof code);
    code = GUINT64_FROM_BE(code);
    return code == 0 ? 1 : code;
}
