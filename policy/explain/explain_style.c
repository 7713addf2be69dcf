/* explain_style - see explain_style.h */

#include "policy/explain/explain_style.h"

unsigned explain_styled(GString *out, const struct explain_look *look, enum terminal_style style, const char *text)
{
    bool colours = look->colours && style != STYLE_PLAIN;

    g_string_append(out, terminal_begin(colours, style));
    unsigned columns = terminal_append_plain(out, text);
    g_string_append(out, terminal_end(colours));
    return columns;
}
