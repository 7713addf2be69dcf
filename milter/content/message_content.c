/* message_content - see message_content.h */

#include "milter/content/message_content.h"

#include "milter/content/html_text.h"
#include "milter/content/plain_text.h"
#include "policy/message/header_text.h"

#include <gmime/gmime.h>
#include <string.h>

/* Where the walk is. */
struct content_walk {
    struct content *content;
    unsigned depth;
    bool said_full;
    bool begun; /* there is a text, so that the next one has to be parted from it */
};

static void walk_object(struct content_walk *walk, GMimeObject *object, enum content_use use);

/* ---- the collection */

static void part_free(gpointer data)
{
    struct content_part *part = data;
    g_free(part->name);
    g_free(part->type);
    g_free(part);
}

static void line_free(gpointer data)
{
    struct content_line *line = data;
    g_free(line->text);
    g_free(line);
}

struct content *content_new(void)
{
    struct content *content = g_new0(struct content, 1);
    content->parts = g_ptr_array_new_with_free_func(part_free);
    content->lines = g_ptr_array_new_with_free_func(line_free);
    return content;
}

void content_free(struct content *content)
{
    if (content == NULL)
        return;
    g_ptr_array_unref(content->parts);
    g_ptr_array_unref(content->lines);
    g_free(content);
}

const char *content_use_name(enum content_use use)
{
    static const char *const names[] = {[CONTENT_SHOWN] = "text",
                                        [CONTENT_ATTACHED] = "attachment",
                                        [CONTENT_EMBEDDED] = "embedded",
                                        [CONTENT_ALTERNATIVE] = "alternative"};
    return names[use];
}

void content_add_part(struct content *content, const struct content_part *part)
{
    struct content_part *copy = g_new(struct content_part, 1);
    *copy = *part;
    copy->name = g_strdup(part->name);
    copy->type = g_strdup(part->type);
    g_ptr_array_add(content->parts, copy);
}

void content_add_line(struct content *content, bool ours, const char *text)
{
    struct content_line *line = g_new(struct content_line, 1);
    *line = (struct content_line){.ours = ours, .text = g_strdup(text)};
    g_ptr_array_add(content->lines, line);
}

static void say(struct content_walk *walk, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(struct content_walk *walk, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    content_add_line(walk->content, true, text);
}

static void say_cut(struct content_walk *walk, const char *words)
{
    walk->content->cut = true;
    say(walk, "---- cut here: %s", words);
}

/* ---- one part */

static char *within_limit(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), (glong)CONTENT_NAME_LIMIT));
}

static gint64 size_of(GMimeObject *object)
{
    GMimeStream *nowhere = g_mime_stream_null_new();
    GMimeDataWrapper *bytes = GMIME_IS_PART(object) ? g_mime_part_get_content(GMIME_PART(object)) : NULL;
    gint64 size = bytes != NULL                   ? g_mime_data_wrapper_write_to_stream(bytes, nowhere)
                  : GMIME_IS_MESSAGE_PART(object) ? g_mime_object_write_to_stream(object, NULL, nowhere)
                                                  : 0;
    g_object_unref(nowhere);
    return MAX(size, 0);
}

/* Of a message its file's name, or else its subject. */
static char *name_of(GMimeObject *object)
{
    const char *name = GMIME_IS_PART(object) ? g_mime_part_get_filename(GMIME_PART(object)) : NULL;
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
    if (name == NULL && disposition != NULL)
        name = g_mime_content_disposition_get_parameter(disposition, "filename");
    GMimeMessage *message =
        GMIME_IS_MESSAGE_PART(object) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) : NULL;
    if (name == NULL && message != NULL)
        name = g_mime_message_get_subject(message);
    return name == NULL || name[0] == '\0' ? NULL : within_limit(name);
}

static void list_part(struct content_walk *walk, GMimeObject *object, enum content_use use)
{
    g_autofree char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    g_autofree char *lower = g_ascii_strdown(type, -1);
    g_autofree char *short_type = within_limit(lower), *name = name_of(object);
    const struct content_part part = {.name = name, .type = short_type, .size = size_of(object), .use = use};
    if (walk->content->parts->len < CONTENT_PARTS_LIMIT)
        content_add_part(walk->content, &part);
    else
        walk->content->more++;
}

static bool is_attached(GMimeObject *object)
{
    const char *disposition = g_mime_object_get_disposition(object);
    return disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0;
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
    return g_mime_content_type_is_type(g_mime_object_get_content_type(object), type, subtype);
}

static bool is_html(GMimeObject *object)
{
    return is_type(object, "text", "html");
}

/* Whether it is a part whose text is shown. */
static bool is_text(GMimeObject *object)
{
    return GMIME_IS_PART(object) && !is_attached(object) && (is_html(object) || is_type(object, "text", "plain"));
}

static bool is_parameter(GMimeObject *object, const char *name, const char *value)
{
    const char *found = g_mime_object_get_content_type_parameter(object, name);
    return found != NULL && g_ascii_strcasecmp(found, value) == 0;
}

/* ---- text */

static GByteArray *bytes_of(GMimeObject *object)
{
    GByteArray *bytes = g_byte_array_new();
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    if (content != NULL)
        g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return bytes;
}

static char *text_of_html(const char *bytes, size_t length, const char *charset, bool *whole)
{
    bool named = charset != NULL || g_utf8_validate(bytes, (gssize)length, NULL);
    g_autofree char *utf8 = named ? plain_text_decode(bytes, length, charset) : NULL;
    GString *text = g_string_new(NULL);
    *whole = html_text_append(text, named ? utf8 : bytes, named ? strlen(utf8) : length, named ? "UTF-8" : NULL,
                              CONTENT_PART_LIMIT) &&
             *whole;
    return g_string_free(text, FALSE);
}

static char *text_of_plain(GMimeObject *object, const char *bytes, size_t length, const char *charset)
{
    char *text = plain_text_decode(bytes, length, charset);
    if (!is_parameter(object, "format", "flowed"))
        return text;
    char *unflowed = plain_text_unflow(text, is_parameter(object, "delsp", "yes"));
    g_free(text);
    return unflowed;
}

/* A tabulator moves to the next eighth column. */
static char *expand(const char *line)
{
    GString *out = g_string_new(NULL);
    unsigned column = 0;
    for (const char *p = line; *p != '\0'; p = g_utf8_next_char(p)) {
        if (*p == '\t') {
            do
                g_string_append_c(out, ' ');
            while (++column % 8 != 0);
        } else {
            g_string_append_len(out, p, g_utf8_next_char(p) - p);
            column++;
        }
    }
    return g_strchomp(g_string_free(out, FALSE));
}

/* Empty lines at the ends are left out, and of several others one is kept. */
static void add_lines(struct content_walk *walk, const char *text, bool *whole)
{
    struct content *content = walk->content;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool empty = false, begun = false;
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *expanded = expand(*line);
        if (expanded[0] == '\0') {
            empty = true;
            continue;
        }
        content->bytes += strlen(expanded) + 1;
        if (content->bytes > CONTENT_TEXT_LIMIT) {
            *whole = false;
            return;
        }
        if (empty && begun)
            content_add_line(content, false, "");
        content_add_line(content, false, expanded);
        begun = true;
        empty = false;
    }
}

/* What parts a text from one before it. */
static void introduce(struct content_walk *walk, GMimeObject *object)
{
    g_autofree char *name = name_of(object);
    if (name != NULL)
        say(walk, "---- %s", name);
    else if (walk->begun)
        say(walk, "----");
    walk->begun = true;
}

static void show_text(struct content_walk *walk, GMimeObject *object)
{
    const char *charset = g_mime_object_get_content_type_parameter(object, "charset");
    GByteArray *bytes = bytes_of(object);
    bool whole = bytes->len <= CONTENT_PART_LIMIT;
    size_t length = MIN(bytes->len, CONTENT_PART_LIMIT);
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    const char *data = (const char *)bytes->data;
    introduce(walk, object);
    g_autofree char *text =
        is_html(object) ? text_of_html(data, length, charset, &whole) : text_of_plain(object, data, length, charset);
    add_lines(walk, text, &whole);
    g_byte_array_unref(bytes);
    if (!whole)
        say_cut(walk, "there is more text than is shown");
}

/* ---- parts within parts */

static bool can_show(GMimeObject *object, unsigned depth)
{
    if (is_text(object))
        return true;
    if (!GMIME_IS_MULTIPART(object) || depth > CONTENT_DEPTH_LIMIT)
        return false;
    int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    bool first_alone = is_type(object, "multipart", "related") || is_type(object, "multipart", "signed");
    for (int i = 0; i < (first_alone ? MIN(count, 1) : count) && i < (int)CONTENT_PARTS_LIMIT; i++) {
        if (can_show(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1))
            return true;
    }
    return false;
}

/* Which of several forms is shown: the last one that can be; -1: none. */
static int choose_form(GMimeMultipart *multipart)
{
    for (int i = g_mime_multipart_get_count(multipart) - 1; i >= 0; i--) {
        if (can_show(g_mime_multipart_get_part(multipart, i), 0))
            return i;
    }
    return -1;
}

static void walk_multipart(struct content_walk *walk, GMimeMultipart *multipart, enum content_use use)
{
    GMimeObject *object = GMIME_OBJECT(multipart);
    int count = g_mime_multipart_get_count(multipart);
    bool alternative = is_type(object, "multipart", "alternative"), related = is_type(object, "multipart", "related");
    int form = alternative ? choose_form(multipart) : -1;
    for (int i = 0; i < count; i++) {
        enum content_use own = use;
        if (use == CONTENT_SHOWN && form != -1 && i != form)
            own = CONTENT_ALTERNATIVE;
        else if (use == CONTENT_SHOWN && related && i > 0)
            own = CONTENT_EMBEDDED;
        walk_object(walk, g_mime_multipart_get_part(multipart, i), own);
    }
}

static void say_header(struct content_walk *walk, GMimeMessage *message, const char *name)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
    GMimeHeader *header = g_mime_header_list_get_header(headers, name);
    const char *raw = header == NULL ? NULL : g_mime_header_get_raw_value(header);
    g_autofree char *value = raw == NULL ? NULL : decode_header(raw, NULL);
    g_autofree char *shown = value == NULL ? NULL : within_limit(value);
    if (shown != NULL)
        say(walk, "%s: %s", name, shown);
}

static void walk_message(struct content_walk *walk, GMimeObject *object, enum content_use use)
{
    static const char *const shown[] = {"From", "Date", "Subject"};
    GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (message == NULL || use != CONTENT_SHOWN) {
        list_part(walk, object, use);
        return;
    }
    list_part(walk, object, CONTENT_SHOWN);
    say(walk, "---- a message in this message");
    for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
        say_header(walk, message, shown[i]);
    content_add_line(walk->content, false, "");
    walk->begun = false;
    if (g_mime_message_get_mime_part(message) != NULL)
        walk_object(walk, g_mime_message_get_mime_part(message), CONTENT_SHOWN);
    say(walk, "---- the end of the message in this message");
    walk->begun = true;
}

/* What is not shown, in a place where text would be, is an attachment whatever it says. */
static enum content_use leaf_use(GMimeObject *object, enum content_use use)
{
    if (use != CONTENT_SHOWN)
        return use;
    const char *disposition = g_mime_object_get_disposition(object);
    bool inlined = disposition != NULL && g_ascii_strcasecmp(disposition, "inline") == 0;
    return inlined && is_type(object, "image", "*") ? CONTENT_EMBEDDED : CONTENT_ATTACHED;
}

static void walk_object(struct content_walk *walk, GMimeObject *object, enum content_use use)
{
    if (walk->depth >= CONTENT_DEPTH_LIMIT) {
        if (!walk->said_full)
            say_cut(walk, "parts are nested too deep");
        walk->said_full = true;
        return;
    }
    walk->depth++;
    if (GMIME_IS_MULTIPART(object)) {
        walk_multipart(walk, GMIME_MULTIPART(object), use);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        walk_message(walk, object, use);
    } else if (use == CONTENT_SHOWN && is_text(object) && walk->content->bytes <= CONTENT_TEXT_LIMIT) {
        list_part(walk, object, CONTENT_SHOWN);
        show_text(walk, object);
    } else {
        list_part(walk, object, leaf_use(object, use));
    }
    walk->depth--;
}

/* ---- the message */

static bool is_field(const char *line, const char *end, const char *name)
{
    size_t length = strlen(name);
    return (size_t)(end - line) > length && g_ascii_strncasecmp(line, name, length) == 0;
}

static const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline == NULL ? end : newline + 1;
}

/* GMime sees of the header what says how to read the body: of all else it would make addresses and dates. */
static const char *append_mime_fields(GString *out, const char *raw, const char *end)
{
    bool keeps = false;
    while (raw < end && raw[0] != '\n' && !(raw[0] == '\r' && raw + 1 < end && raw[1] == '\n')) {
        const char *next = line_end(raw, end);
        if (raw[0] != ' ' && raw[0] != '\t')
            keeps = is_field(raw, end, "Content-") || is_field(raw, end, "MIME-Version");
        if (keeps)
            g_string_append_len(out, raw, next - raw);
        raw = next;
    }
    return raw;
}

/* Where the message is read to: each line with two hyphens may begin a part, which has a price. */
static const char *bounded_end(const char *body, const char *end)
{
    unsigned boundaries = 0;
    for (const char *line = body; line < end; line = line_end(line, end)) {
        if (end - line > 2 && line[0] == '-' && line[1] == '-' && ++boundaries > CONTENT_BOUNDARIES_LIMIT)
            return line;
    }
    return end;
}

struct content *content_read(const char *raw, size_t length)
{
    struct content_walk walk = {.content = content_new()};
    g_autoptr(GString) text = g_string_sized_new(length + 1);
    const char *body = append_mime_fields(text, raw, raw + length), *end = bounded_end(body, raw + length);
    if (body == raw + length)
        g_string_append_c(text, '\n');
    g_string_append_len(text, body, end - body);
    decode_start();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text->str, text->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    GMimeObject *part = message == NULL ? NULL : g_mime_message_get_mime_part(message);
    if (part != NULL)
        walk_object(&walk, part, CONTENT_SHOWN);
    if (end < raw + length)
        say_cut(&walk, "there are more parts than are read");
    g_clear_object(&message);
    g_object_unref(parser);
    g_object_unref(stream);
    return walk.content;
}
