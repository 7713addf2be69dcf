/* html_page - see html_page.h */

#include "policy/replay/html_page.h"

#include "policy/cli/terminal.h"

/* The lines of page.css. */
static const char *const style[] = {
#include "policy/replay/page_css.inc"
};

void page_begin(GString *out, const char *title)
{
    g_string_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta http-equiv=\"Content-Security-Policy\""
                         " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    page_append_text(out, title);
    g_string_append(out, "</title>\n<style>");
    for (unsigned i = 0; i < G_N_ELEMENTS(style); i++)
        g_string_append(out, style[i]);
    g_string_append(out, "\n</style>\n</head>\n<body>\n");
}

void page_end(GString *out)
{
    g_string_append(out, "</body>\n</html>\n");
}

void page_append_text(GString *out, const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    terminal_append_plain(plain, text);
    g_autofree char *escaped = g_markup_escape_text(plain->str, (gssize)plain->len);
    g_string_append(out, escaped);
}

void page_append_isolated(GString *out, const char *text)
{
    g_string_append(out, "<bdi>");
    page_append_text(out, text);
    g_string_append(out, "</bdi>");
}
