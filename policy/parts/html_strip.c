/* html_strip - see html_strip.h */

#include "policy/parts/html_strip.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned length;
    gunichar c;
} entities[] = {{"lt", 2, '<'},      {"gt", 2, '>'},     {"amp", 3, '&'},     {"quot", 4, '"'},   {"apos", 4, '\''},
                {"nbsp", 4, ' '},    {"commat", 6, '@'}, {"period", 6, '.'},  {"comma", 5, ','},  {"semi", 4, ';'},
                {"colon", 5, ':'},   {"lowbar", 6, '_'}, {"dash", 4, '-'},    {"hyphen", 6, '-'}, {"plus", 4, '+'},
                {"num", 3, '#'},     {"sol", 3, '/'},    {"equals", 6, '='},  {"percnt", 6, '%'}, {"tab", 3, ' '},
                {"newline", 7, ' '}, {"shy", 3, 0xAD},   {"zwnj", 4, 0x200C}, {"zwj", 3, 0x200D}, {"auml", 4, 0xE4},
                {"ouml", 4, 0xF6},   {"uuml", 4, 0xFC},  {"agrave", 6, 0xE0}, {"eacute", 6, 0xE9}};

/* What is not appended to the text as it is. */
static const bool stops_text[256] = {
    ['<'] = true, ['&'] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true, ['\f'] = true};

/* What parts the words of a tag. */
static const bool ends_run[256] = {
    ['"'] = true, ['\''] = true, ['<'] = true, ['='] = true, [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true};

/* For each first letter, the lengths of the names, a bit each. */
static unsigned entity_lengths[26];

static void __attribute__((constructor)) entities_fill(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++)
        entity_lengths[entities[i].name[0] - 'a'] |= 1u << entities[i].length;
}

/* Before and after these a program begins a line; a cell of a table goes on in it. */
static bool is_line(const char *name, size_t length)
{
    static const char pairs[] = "brtrlih1h2h3h4h5h6dldtddulolhr";
    static const char *const others[] = {"table",  "blockquote", "section", "article", "header",
                                         "footer", "address",    "option",  "body",    "caption"};

    if (length == 1)
        return name[0] == 'p';
    if (length == 3)
        return memcmp(name, "div", 3) == 0 || memcmp(name, "pre", 3) == 0;
    for (size_t i = 0; length == 2 && i < sizeof pairs - 1; i += 2)
        if (name[0] == pairs[i] && name[1] == pairs[i + 1])
            return true;
    for (size_t i = 0; length > 3 && i < G_N_ELEMENTS(others); i++)
        if (strcmp(others[i], name) == 0)
            return true;
    return false;
}

/* The name of a tag is over: what it does to the text. */
static void begin_tag(struct html_strip *html, GString *out)
{
    bool closes = html->word[0] == '/';
    const char *name = html->word + closes;

    html->named = true;
    html->word[MIN(html->length, sizeof html->word - 1)] = '\0';
    for (char *p = html->word; *p != '\0'; p++)
        *p = g_ascii_tolower(*p);
    size_t length = strlen(name);
    if (is_line(name, length))
        g_string_append_c(out, '\n');
    else if (length == 2 && name[0] == 't' && (name[1] == 'd' || name[1] == 'h'))
        g_string_append_c(out, ' ');
    if (length == 3 && strcmp(name, "pre") == 0)
        html->kept = closes ? html->kept - (html->kept > 0) : html->kept + 1;
}

/* False: it is none, and stays as it is. */
static bool append_entity(struct html_strip *html, GString *out)
{
    gunichar c = 0;

    html->word[html->length] = '\0';
    if (html->word[0] == '#') {
        bool hex = (html->word[1] | 0x20) == 'x';
        c = (gunichar)g_ascii_strtoull(html->word + 1 + hex, NULL, hex ? 16 : 10);
        c = c == 0xA0 ? ' ' : c;
    }
    char first = g_ascii_tolower(html->word[0]);
    bool known = first >= 'a' && first <= 'z' && (entity_lengths[first - 'a'] >> html->length & 1) != 0;
    for (size_t i = 0; c == 0 && known && i < G_N_ELEMENTS(entities); i++)
        if (entities[i].length == html->length && entities[i].name[0] == first &&
            g_ascii_strcasecmp(entities[i].name, html->word) == 0)
            c = entities[i].c;
    if (c > 0 && g_unichar_validate(c)) {
        g_string_append_unichar(out, c);
        return true;
    }
    g_string_append_c(out, '&');
    g_string_append_len(out, html->word, html->length);
    return false;
}

/* False: the character is not a part of the entity, and is read as what comes after it. */
static bool take_entity(struct html_strip *html, char c, GString *out)
{
    bool goes_on = g_ascii_isalnum(c) || (c == '#' && html->length == 0);

    if (goes_on && html->length < sizeof html->word - 1) {
        html->word[html->length++] = c;
        return true;
    }
    html->state = html->before;
    return append_entity(html, out) && c == ';';
}

/* What follows is text; the last `before` bytes of the tag are a part of it. */
static void enter_link(struct html_strip *html, unsigned before, GString *out)
{
    html->state = HTML_LINK;
    g_string_append(out, " <");
    g_string_append_len(out, html->run, before);
    html->matched = html->run_length = 0;
}

static void take_tag(struct html_strip *html, char c, GString *out)
{
    static const char link[] = "mailto:";

    if (!html->named) {
        bool letter = g_ascii_isalnum(c) || (c == '/' && html->length == 0);
        if (letter && html->length < sizeof html->word - 1)
            html->word[html->length++] = c;
        else
            begin_tag(html, out);
    }
    /* A sign within quotes ends the tag as well: what is read as text then is only more of it. */
    if (c == '>') {
        html->state = HTML_TEXT;
        return;
    }
    html->matched = g_ascii_tolower(c) == link[html->matched] ? html->matched + 1 : g_ascii_tolower(c) == link[0];
    if (html->matched == sizeof link - 1) {
        enter_link(html, 0, out);
    } else if (c == '@') {
        /* An address in any attribute, or one in angle brackets that somebody took for text. */
        enter_link(html, html->run_length, out);
        g_string_append_c(out, c);
    } else if (ends_run[(unsigned char)c]) {
        html->run_length = 0;
    } else {
        if (html->run_length == sizeof html->run) {
            html->run_length /= 2;
            memmove(html->run, html->run + sizeof html->run - html->run_length, html->run_length);
        }
        html->run[html->run_length++] = c;
    }
}

static void enter_entity(struct html_strip *html)
{
    html->before = (int)html->state;
    html->state = HTML_ENTITY;
    html->length = 0;
}

static void take_link(struct html_strip *html, char c, GString *out)
{
    if (c == '"' || c == '\'' || c == '>' || g_ascii_isspace(c)) {
        g_string_append(out, "> ");
        html->state = c == '>' ? HTML_TEXT : HTML_TAG;
    } else if (c == '&') {
        enter_entity(html);
    } else {
        /* The keys of the URL part addresses. */
        g_string_append_c(out, c == '?' ? ' ' : c);
    }
}

static void take_text(struct html_strip *html, char c, GString *out)
{
    if (c == '<') {
        html->state = HTML_TAG;
        html->named = false;
        html->length = html->matched = html->run_length = 0;
    } else if (c == '&') {
        enter_entity(html);
    } else if (html->kept > 0 || !g_ascii_isspace(c)) {
        g_string_append_c(out, c);
    } else {
        g_string_append_c(out, ' ');
    }
}

void html_strip(struct html_strip *html, const char *text, size_t length, bool last, GString *out)
{
    for (size_t i = 0; i < length; i++) {
        if (html->state == HTML_ENTITY && take_entity(html, text[i], out))
            continue;
        if (html->state == HTML_TEXT) {
            size_t plain = i;
            while (plain < length && !stops_text[(unsigned char)text[plain]])
                plain++;
            g_string_append_len(out, text + i, (gssize)(plain - i));
            if (plain == length)
                break;
            i = plain;
            /* Most of them begin no entity. */
            if (text[i] == '&' && i + 1 < length && text[i + 1] != '#' && !g_ascii_isalnum(text[i + 1]))
                g_string_append_c(out, '&');
            else
                take_text(html, text[i], out);
        } else if (html->state == HTML_TAG) {
            take_tag(html, text[i], out);
        } else {
            take_link(html, text[i], out);
        }
    }
    if (last && html->state == HTML_ENTITY)
        append_entity(html, out);
}
