/* html_text - see html_text.h */

#include "milter/content/html_text.h"

#include "policy/base/unicode.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>

/* Lists within lists that have their own numbers, and quotes within quotes that are marked. */
#define NESTED_LIMIT 10u

/* Characters that nobody sees and that are shown one by one; more of them in a row are counted. */
#define INVISIBLE_SHOWN 3u

/* What an element does to the lines. */
enum layout { LAYOUT_INLINE, LAYOUT_HIDDEN, LAYOUT_BREAK, LAYOUT_LINE, LAYOUT_PARAGRAPH, LAYOUT_CELL };

static const struct {
    const char *name;
    enum layout layout;
} elements[] = {
    {"script", LAYOUT_HIDDEN},
    {"style", LAYOUT_HIDDEN},
    {"title", LAYOUT_HIDDEN},
    {"template", LAYOUT_HIDDEN},
    {"br", LAYOUT_BREAK},
    {"p", LAYOUT_PARAGRAPH},
    {"h1", LAYOUT_PARAGRAPH},
    {"h2", LAYOUT_PARAGRAPH},
    {"h3", LAYOUT_PARAGRAPH},
    {"h4", LAYOUT_PARAGRAPH},
    {"h5", LAYOUT_PARAGRAPH},
    {"h6", LAYOUT_PARAGRAPH},
    {"ul", LAYOUT_PARAGRAPH},
    {"ol", LAYOUT_PARAGRAPH},
    {"dl", LAYOUT_PARAGRAPH},
    {"table", LAYOUT_PARAGRAPH},
    {"blockquote", LAYOUT_PARAGRAPH},
    {"pre", LAYOUT_PARAGRAPH},
    {"div", LAYOUT_LINE},
    {"tr", LAYOUT_LINE},
    {"li", LAYOUT_LINE},
    {"dt", LAYOUT_LINE},
    {"dd", LAYOUT_LINE},
    {"hr", LAYOUT_LINE},
    {"section", LAYOUT_LINE},
    {"article", LAYOUT_LINE},
    {"header", LAYOUT_LINE},
    {"footer", LAYOUT_LINE},
    {"main", LAYOUT_LINE},
    {"nav", LAYOUT_LINE},
    {"aside", LAYOUT_LINE},
    {"figure", LAYOUT_LINE},
    {"figcaption", LAYOUT_LINE},
    {"address", LAYOUT_LINE},
    {"center", LAYOUT_LINE},
    {"caption", LAYOUT_LINE},
    {"form", LAYOUT_LINE},
    {"fieldset", LAYOUT_LINE},
    {"option", LAYOUT_LINE},
    {"body", LAYOUT_LINE},
    {"td", LAYOUT_CELL},
    {"th", LAYOUT_CELL},
};

/* The text so far. */
struct html_lines {
    GString *out;
    size_t start;    /* of the page in it */
    size_t limit;    /* of `out` */
    size_t line;     /* where the last line begins, after what marks quotes and lists */
    unsigned breaks; /* line ends that come before the next character */
    bool blank;      /* a blank does */
    bool cell;       /* another cell of the row does */
    unsigned pre;    /* nested elements that keep their lines */
    unsigned quotes;
    unsigned lists;
    unsigned numbers[NESTED_LIMIT]; /* of the next item; 0 in a list without numbers */
    const char *marker;             /* of the item that begins, or NULL */
    char number[16];
    size_t link; /* where the text of the link begins */
};

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && g_ascii_strcasecmp((const char *)node->name, name) == 0;
}

static enum layout layout_of(const xmlNode *node)
{
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
        if (is_element(node, elements[i].name))
            return elements[i].layout;
    }
    return LAYOUT_INLINE;
}

/* ---- characters */

static void ask_breaks(struct html_lines *page, unsigned breaks)
{
    page->breaks = MAX(page->breaks, breaks);
    page->blank = page->cell = false;
}

static void begin_line(struct html_lines *page)
{
    for (unsigned i = 0; i < MIN(page->quotes, NESTED_LIMIT); i++)
        g_string_append(page->out, "> ");
    for (unsigned i = page->marker == NULL ? 0 : 1; i < MIN(page->lists, NESTED_LIMIT); i++)
        g_string_append(page->out, "  ");
    if (page->marker != NULL)
        g_string_append(page->out, page->marker);
    page->marker = NULL;
    page->line = page->out->len;
}

/* All that has to come before the next character. */
static void make_room(struct html_lines *page)
{
    if (page->breaks > 0 || page->out->len == page->start) {
        while (page->out->len > page->line && page->out->str[page->out->len - 1] == ' ')
            g_string_truncate(page->out, page->out->len - 1);
        for (unsigned i = page->out->len == page->start ? page->breaks : 0; i < page->breaks; i++)
            g_string_append_c(page->out, '\n');
        begin_line(page);
    } else if (page->cell && page->out->len > page->line) {
        g_string_append(page->out, " | ");
    } else if (page->blank && page->out->len > page->line) {
        g_string_append_c(page->out, ' ');
    }
    page->breaks = 0;
    page->blank = page->cell = false;
}

static bool is_blank(gunichar c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void append_text(struct html_lines *page, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (page->pre > 0 && c == '\n') {
            make_room(page);
            page->breaks = 1;
        } else if (page->pre == 0 && is_blank(c)) {
            page->blank = true;
        } else {
            make_room(page);
            g_string_append_unichar(page->out, c == 0xA0 ? ' ' : c);
        }
    }
}

/* ---- links and pictures */

static char *attribute(xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    char *copy = value == NULL ? NULL : g_utf8_make_valid((const char *)value, -1);
    xmlFree(value);
    return copy == NULL ? NULL : g_strstrip(copy);
}

/* An address without what a text does not repeat. */
static const char *bare_link(const char *link)
{
    static const char *const schemes[] = {"https://", "http://", "mailto:", "tel:"};
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_ascii_strncasecmp(link, schemes[i], strlen(schemes[i])) == 0)
            return link + strlen(schemes[i]);
    }
    return link;
}

static bool is_same_link(const char *text, const char *link)
{
    g_autofree char *a = g_strdup(bare_link(text)), *b = g_strdup(bare_link(link));
    for (char *each = a; each != NULL; each = each == a ? b : NULL) {
        size_t length = strlen(each);
        if (length > 0 && each[length - 1] == '/')
            each[length - 1] = '\0';
    }
    return strcmp(a, b) == 0;
}

static void append_link(struct html_lines *page, xmlNode *node)
{
    g_autofree char *link = attribute(node, "href");
    size_t begin = MIN(page->link, page->out->len);
    if (link == NULL || link[0] == '\0' || link[0] == '#')
        return;
    g_autofree char *text = g_strdup(page->out->str + begin);
    if (is_same_link(g_strstrip(text), link))
        return;
    size_t length = strlen(link);
    if (length > HTML_LINK_LIMIT)
        *g_utf8_find_prev_char(link, link + HTML_LINK_LIMIT) = '\0';
    g_autofree char *shown =
        g_strdup_printf("%s<%s%s>", text[0] == '\0' ? "" : " ", link, length > HTML_LINK_LIMIT ? "..." : "");
    append_text(page, shown);
}

static void append_picture(struct html_lines *page, xmlNode *node)
{
    g_autofree char *words = attribute(node, "alt");
    if (words == NULL || words[0] == '\0')
        return;
    g_autofree char *shown = g_strdup_printf("[%s]", words);
    append_text(page, shown);
}

/* ---- the tree */

static void enter_list(struct html_lines *page, bool numbered)
{
    if (page->lists < NESTED_LIMIT)
        page->numbers[page->lists] = numbered ? 1 : 0;
    page->lists++;
}

static void enter_item(struct html_lines *page)
{
    unsigned *number = page->lists > 0 && page->lists <= NESTED_LIMIT ? &page->numbers[page->lists - 1] : NULL;
    page->marker = "- ";
    if (number == NULL || *number == 0)
        return;
    g_snprintf(page->number, sizeof page->number, "%u. ", (*number)++);
    page->marker = page->number;
}

/* The breaks before and after an element: a list within a list is no paragraph. */
static void ask_block_breaks(struct html_lines *page, xmlNode *node, bool list)
{
    if (layout_of(node) == LAYOUT_LINE)
        ask_breaks(page, 1);
    else if (layout_of(node) == LAYOUT_PARAGRAPH)
        ask_breaks(page, list && page->lists > 0 ? 1 : 2);
}

static void enter_element(struct html_lines *page, xmlNode *node)
{
    bool list = is_element(node, "ul") || is_element(node, "ol");
    if (layout_of(node) == LAYOUT_BREAK)
        ask_breaks(page, MIN(page->breaks + 1, 2));
    ask_block_breaks(page, node, list);
    if (list)
        enter_list(page, is_element(node, "ol"));
    page->quotes += is_element(node, "blockquote");
    page->pre += is_element(node, "pre");
    if (is_element(node, "li"))
        enter_item(page);
    else if (is_element(node, "a"))
        page->link = page->out->len;
    else if (is_element(node, "img"))
        append_picture(page, node);
    else if (is_element(node, "hr"))
        append_text(page, "----");
}

static void leave_element(struct html_lines *page, xmlNode *node)
{
    bool list = is_element(node, "ul") || is_element(node, "ol");
    page->lists -= list;
    page->quotes -= is_element(node, "blockquote");
    page->pre -= is_element(node, "pre");
    if (is_element(node, "li"))
        page->marker = NULL;
    if (is_element(node, "a"))
        append_link(page, node);
    if (layout_of(node) == LAYOUT_CELL)
        page->cell = page->breaks == 0;
    ask_block_breaks(page, node, list);
}

static bool has_room(const struct html_lines *page)
{
    return page->out->len < page->limit;
}

/* One after the other, not by recursion: strangers choose how deep it is. */
static void walk(struct html_lines *page, xmlNode *root)
{
    xmlNode *node = root;
    while (node != NULL && has_room(page)) {
        bool hidden = node->type == XML_ELEMENT_NODE && layout_of(node) == LAYOUT_HIDDEN;
        bool text = node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
        if (text && node->content != NULL)
            append_text(page, (const char *)node->content);
        else if (node->type == XML_ELEMENT_NODE && !hidden)
            enter_element(page, node);
        if (node->type == XML_ELEMENT_NODE && !hidden && node->children != NULL) {
            node = node->children;
            continue;
        }
        if (node->type == XML_ELEMENT_NODE && !hidden)
            leave_element(page, node);
        while (node != NULL && node->next == NULL) {
            node = node == root ? NULL : node->parent;
            if (node != NULL && node->type == XML_ELEMENT_NODE)
                leave_element(page, node);
            else if (node != NULL && node->type != XML_ELEMENT_NODE)
                node = NULL; /* the document */
        }
        node = node == NULL ? NULL : node->next;
    }
}

/* ---- what nobody sees, which newsletters put after their first words by the hundred */

static void append_invisible(GString *out, const char *run, const char *end, unsigned count)
{
    if (count <= INVISIBLE_SHOWN)
        g_string_append_len(out, run, end - run);
    else
        g_string_append_printf(out, "%s[%u invisible characters]%s", out->len > 0 ? " " : "", count,
                               *end == '\0' || *end == '\n' ? "" : " ");
}

static bool is_unseen(gunichar c)
{
    return letter_is_invisible(c) || c == 0xAD || c == 0x34F;
}

static void count_invisible(GString *out, size_t start)
{
    g_autofree char *text = g_strdup(out->str + start);
    g_string_truncate(out, start);
    for (const char *p = text; *p != '\0';) {
        const char *run = p;
        unsigned count = 0;
        for (; *p != '\0' && (*p == ' ' || is_unseen(g_utf8_get_char(p)) || g_utf8_get_char(p) == 0x2007);
             p = g_utf8_next_char(p))
            count += *p != ' ';
        append_invisible(out, run, p, count);
        if (*p == '\0')
            break;
        g_string_append_len(out, p, g_utf8_next_char(p) - p);
        p = g_utf8_next_char(p);
    }
}

bool html_text_append(GString *out, const char *html, size_t length, const char *charset, size_t limit)
{
    const int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    size_t start = out->len;
    struct html_lines page = {.out = out, .start = start, .limit = start + limit, .line = start, .link = start};
    if (length == 0)
        return true;
    /* Without memory the process ends, as everywhere; by itself the library leaves out the rest of the page silently.
     */
    xmlMemSetup(g_free, g_malloc, g_realloc, g_strdup);
    htmlDocPtr document = htmlReadMemory(html, (int)MIN(length, G_MAXINT), NULL, charset, options);
    if (document == NULL)
        return false;
    xmlNode *root = xmlDocGetRootElement(document);
    if (root != NULL)
        walk(&page, root);
    bool whole = has_room(&page);
    xmlFreeDoc(document);
    count_invisible(out, start);
    return whole;
}

/* The library has it as "20914" or "20914-GITv2.9.14". */
char *html_text_library_version(void)
{
    unsigned long number = strtoul(xmlParserVersion, NULL, 10);
    return g_strdup_printf("%lu.%lu.%lu", number / 10000, number / 100 % 100, number % 100);
}
