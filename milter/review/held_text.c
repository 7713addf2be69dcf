/* held_text - see held_text.h */

#include "milter/review/held_text.h"

#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

/* Columns before each line of the message. */
enum { TEXT_INDENT = 2 };

/* Columns before what a line of ours has too much: a name or a subject in it begins no line. */
enum { OURS_INDENT = 6 };

enum queue_answer held_text_fetch(const struct held_details *shown, struct content **content, char **error)
{
    if (shown->item->entry == NULL)
        return QUEUE_ABSENT;
    *error = tool_elsewhere(shown->tool, shown->item->entry->id, "--text");
    if (*error != NULL)
        return QUEUE_FAILED;
    return reader_read_content(&shown->tool->reader, shown->tool->queue, shown->item->entry, content, error);
}

/* "833 bytes", "48 kB", "2.1 MB": rounded up, so that nothing has none. */
static char *size_text(gint64 size)
{
    if (size < 1000)
        return g_strdup_printf("%" G_GINT64_FORMAT " byte%s", size, size == 1 ? "" : "s");
    if (size < 1000 * 1000)
        return g_strdup_printf("%" G_GINT64_FORMAT " kB", (size + 999) / 1000);
    gint64 tenths = (size + 99999) / 100000;
    return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " MB", tenths / 10, tenths % 10);
}

static void append_part(GString *out, const struct content_part *part, const char *label)
{
    static const char *const remarks[CONTENT_USES] = {[CONTENT_SHOWN] = " (shown below)",
                                                      [CONTENT_EMBEDDED] = " (in the text)",
                                                      [CONTENT_ALTERNATIVE] = " (another form of the text)"};
    g_autofree char *size = size_text(part->size);
    const char *remark = remarks[part->use] == NULL ? "" : remarks[part->use];
    g_autofree char *text = g_strdup_printf("%s%s%s, %s%s", part->name == NULL ? "" : part->name,
                                            part->name == NULL ? "" : ", ", part->type, size, remark);
    held_details_append_fact(out, label, text);
}

static void append_parts(GString *out, const struct content *content)
{
    const char *label = "Attachments";
    for (guint i = 0; i < content->parts->len; i++) {
        const struct content_part *part = g_ptr_array_index(content->parts, i);
        if (part->use == CONTENT_SHOWN && part->name == NULL)
            continue;
        append_part(out, part, label);
        label = "";
    }
    if (content->more == 0)
        return;
    g_autofree char *more = g_strdup_printf("... and %u more", content->more);
    held_details_append_fact(out, "", more);
}

static void append_line(GString *out, const struct content_line *line, unsigned width)
{
    unsigned indent = line->ours ? OURS_INDENT : TEXT_INDENT;
    if (line->text[0] != '\0') {
        terminal_append_blanks(out, 0, line->ours ? 0 : indent);
        terminal_append_wrapped(out, line->text, indent, width);
    }
    g_string_append_c(out, '\n');
}

void held_text_append(GString *out, const struct held_details *shown, const struct content *content)
{
    held_details_append_heading(out, shown);
    if ((shown->parts & SHOWN_RECIPIENTS) != 0)
        held_details_append_recipients(out, shown);
    append_parts(out, content);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < content->lines->len; i++) {
        const struct content_line *line = g_ptr_array_index(content->lines, i);
        bool parts = line->ours && g_str_has_prefix(line->text, "--");
        if (parts && i > 0)
            g_string_append_c(out, '\n');
        append_line(out, line, terminal_width(stdout));
    }
    if (content->lines->len == 0)
        g_string_append(out, "There is no text in it.\n");
}

void held_text_json(JsonBuilder *json, const struct content *content)
{
    g_autoptr(GString) text = g_string_new(NULL);
    json_builder_set_member_name(json, "parts");
    json_builder_begin_array(json);
    for (guint i = 0; i < content->parts->len; i++) {
        const struct content_part *part = g_ptr_array_index(content->parts, i);
        json_builder_begin_object(json);
        json_string(json, "name", part->name);
        json_string(json, "type", part->type);
        json_number(json, "size", part->size);
        json_string(json, "use", content_use_name(part->use));
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    for (guint i = 0; i < content->lines->len; i++) {
        const struct content_line *line = g_ptr_array_index(content->lines, i);
        g_string_append_printf(text, "%s%s\n", line->ours || line->text[0] == '\0' ? "" : "  ", line->text);
    }
    json_string(json, "text_of_message", text->str);
    json_boolean(json, "text_cut", content->cut || content->more > 0);
}
