/* quoted_headers - see quoted_headers.h */

#include "policy/parts/quoted_headers.h"

#include "policy/parts/part_kind.h"
#include "policy/parts/quoted_labels.h"

#include <string.h>

void quoted_headers_begin(struct quoted_headers *quoted)
{
    quoted->recipients = false;
}

/* Whether nothing but marks of quoting and blanks is in a line. */
static bool is_empty(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\n' && line[i] != '\r' && line[i] != '>' && line[i] != '\t' && line[i] != '|')
            return false;
    return true;
}

/* Bytes of a line in which more than one word of a header may be, and those of such a word. */
#define JOINED_LIMIT 1000u
#define WORD_LIMIT   24u

/* Whether a line that begins with "From:" goes on with "To:", as where line ends were lost. */
static bool joins_recipients(struct quoted_headers *quoted, const char *line, size_t length, size_t after)
{
    const char *end = line + MIN(length, JOINED_LIMIT), *colon = line + MIN(after, JOINED_LIMIT);
    size_t ignored;

    while ((colon = memchr(colon, ':', (size_t)(end - colon))) != NULL) {
        const char *word = colon++;
        while (word > line + after && colon - word < (gssize)WORD_LIMIT && word[-1] != ' ' && word[-1] != '\t')
            word--;
        if (++quoted->words > QUOTED_WORDS_LIMIT) {
            quoted->exhausted = true;
            return false;
        }
        if (quoted_label(word, (size_t)(colon - word), &ignored) == LABEL_RECIPIENTS)
            return true;
    }
    return false;
}

/* Whether a line shows recipients. */
static bool shows_recipients(struct quoted_headers *quoted, const char *line, size_t length)
{
    size_t after;
    enum quoted_label label = quoted_label(line, length, &after);

    if (label == LABEL_OTHER)
        return joins_recipients(quoted, line, length, after);
    if (label == LABEL_RECIPIENTS)
        return true;
    return quoted->recipients && !is_empty(line, length);
}

static void scan_run(struct part_scan *scan, const char *text, size_t length, unsigned kinds, bool recipients)
{
    if (length > 0)
        part_scan_text(scan, text, length, kinds | (recipients ? (unsigned)PART_FORWARDED : 0), true);
}

void quoted_headers_take(struct quoted_headers *quoted, struct part_scan *scan, const char *text, size_t length,
                         bool within, unsigned kinds)
{
    const char *end = text + length, *run = text, *line = text;
    bool recipients = quoted->recipients;

    for (const char *next; line < end; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline == NULL ? end : newline + 1;
        if (line == text && within)
            continue;
        if (++quoted->lines > QUOTED_LINES_LIMIT) {
            quoted->exhausted = true;
            break;
        }
        quoted->recipients = shows_recipients(quoted, line, (size_t)(next - line));
        if (quoted->recipients == recipients)
            continue;
        scan_run(scan, run, (size_t)(line - run), kinds, recipients);
        run = line;
        recipients = quoted->recipients;
    }
    scan_run(scan, run, (size_t)(end - run), kinds, recipients);
}
