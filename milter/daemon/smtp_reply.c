/* smtp_reply - see smtp_reply.h */

#include "milter/daemon/smtp_reply.h"

#include "policy/base/escape.h"

void smtp_reply_append(GString *reply, const char *text)
{
    g_autofree char *wire = text_reply(text);
    size_t start = reply->len;
    for (const char *byte = wire; *byte != '\0'; byte++) {
        size_t length = *byte == '%' ? 2 : 1;
        if (reply->len - start + length > SMTP_REPLY_LIMIT)
            return;
        g_string_append_len(reply, *byte == '%' ? "%%" : byte, (gssize)length);
    }
}

void smtp_reason_append(GString *reason, const char *rule, const char *text)
{
    size_t start = reason->len;
    g_string_append(reason, rule);
    if (text != NULL && text[0] != '\0') {
        g_autofree char *plainer = g_utf8_make_valid(text, -1);
        g_autofree char *ascii = g_str_to_ascii(plainer, "C");
        g_string_append_printf(reason, ": %s", ascii);
    }
    if (reason->len - start > SMTP_REASON_LIMIT)
        g_string_truncate(reason, start + SMTP_REASON_LIMIT);
    for (char *byte = reason->str + start; *byte != '\0'; byte++) {
        if (*byte < ' ' || *byte > '~')
            *byte = '?';
    }
}
