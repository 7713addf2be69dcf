/* fuzz-content - a message made text for a reviewer; the input is the message. */

#include "fuzz.h"

#include "milter/content/message_content.h"
#include "milter/content/plain_text.h"

#include <string.h>

const char fuzz_target[] = "content";

static void check_text(const char *text)
{
    fuzz_check(g_utf8_validate(text, -1, NULL), "what is shown is no UTF-8");
}

static void check_parts(const struct content *content)
{
    fuzz_check(content->parts->len <= CONTENT_PARTS_LIMIT, "%u parts are listed", content->parts->len);
    for (guint i = 0; i < content->parts->len; i++) {
        const struct content_part *part = g_ptr_array_index(content->parts, i);
        check_text(part->type);
        fuzz_check(part->use < CONTENT_USES && content_use_name(part->use) != NULL, "the use is %d", (int)part->use);
        fuzz_check(part->size >= 0, "the size is %" G_GINT64_FORMAT, part->size);
        if (part->name != NULL)
            check_text(part->name);
        fuzz_check(part->name == NULL || g_utf8_strlen(part->name, -1) <= CONTENT_NAME_LIMIT, "the name is long");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free(content) content = content_read((const char *)data, size);
    check_parts(content);
    for (guint i = 0; i < content->lines->len; i++) {
        const struct content_line *line = g_ptr_array_index(content->lines, i);
        check_text(line->text);
        /* One of ours may have a name in it, with whatever stands there: it is escaped where it is printed. */
        fuzz_check(line->ours || strchr(line->text, '\n') == NULL, "a line has two");
    }
    static const char *const charsets[] = {"iso-2022-jp", "utf-16", "utf-7", "big5", "windows-1252", NULL};
    g_autofree char *text =
        plain_text_decode((const char *)data, size, charsets[fuzz_hash(data, size) % G_N_ELEMENTS(charsets)]);
    check_text(text);
    g_autofree char *unflowed = plain_text_unflow(text, true);
    check_text(unflowed);
    return 0;
}
