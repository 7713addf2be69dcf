/* log_entry - see log_entry.h */

#include "milter/log/log_entry.h"

#include "policy/base/escape.h"

#include <stdbool.h>
#include <string.h>
#include <syslog.h>

#define QUEUE_ID_LIMIT 32

/* What means the rest of a value or a list that was cut. */
#define CUT        "..."
#define CUT_LENGTH (sizeof CUT - 1)

/* The names of JSON take room: a value that is cut in the text beyond this is cut at four fifths of that in JSON. */
#define LONG_LIMIT 100

/* Of a line that would be longer than any may be, each value. */
#define SHORTENED_LIMIT ((size_t)60)

/* ---- kinds */

/* An id is for ever: who looks for it must find the lines of every version. */
static const struct {
    const char *name, *id;
} kinds[ENTRY_KINDS] = {
    [ENTRY_OTHER] = {"other", "1a383f9831df45db96c732bf85ff580a"},
    [ENTRY_VERDICT] = {"verdict", "44173e360f904f1892f1b7d56e8c21cd"},
    [ENTRY_FAULT] = {"fault", "dbd1e35cb9054f62babcbee16673cb40"},
    [ENTRY_ERROR] = {"error", "914c05b60b2344968da3dbedc92f10be"},
    [ENTRY_DECISION] = {"decision", "9d54076131f4435abed278c646662713"},
    [ENTRY_STARTED] = {"started", "0d2dbdb30efe4f1fa9a4bc7d8acf7e84"},
    [ENTRY_STOPPED] = {"stopped", "56a1d12bc61c42ce9b7f1aca484faba6"},
    [ENTRY_SUMMARY] = {"summary", "f0a3163aed3f452fb8b65aa742172dbb"},
    [ENTRY_RELOAD_DONE] = {"reload-done", "520822fc7ca24b098dff6e0f33f8bc04"},
    [ENTRY_RELOAD_FAILED] = {"reload-failed", "29b42051f9664d73959308271ab91a84"},
    [ENTRY_DIAGNOSTIC] = {"diagnostic", "e84a5df4cc3b4e3f802e19ae9b005e07"},
};

const char *entry_kind_name(enum entry_kind kind)
{
    return kinds[kind].name;
}

const char *entry_kind_id(enum entry_kind kind)
{
    return kinds[kind].id;
}

static const char *level_name(int priority)
{
    switch (priority) {
    case LOG_ERR:
        return "error";
    case LOG_WARNING:
        return "warning";
    case LOG_NOTICE:
        return "notice";
    default:
        return "info";
    }
}

/* ---- facts */

static struct fact *add(struct entry *entry, const char *name, enum fact_form form)
{
    g_assert(entry->count < ENTRY_FACTS);
    struct fact *fact = &entry->facts[entry->count++];
    *fact = (struct fact){.name = name, .form = form};
    return fact;
}

void entry_plain(struct entry *entry, const char *name, const char *value, size_t length)
{
    struct fact *fact = add(entry, name, FACT_PLAIN);
    fact->value = value;
    fact->length = length;
}

void entry_value(struct entry *entry, const char *name, const char *value, size_t length, size_t limit)
{
    struct fact *fact = add(entry, name, FACT_VALUE);
    fact->value = value == NULL ? "" : value;
    fact->length = value == NULL ? 0 : length;
    fact->limit = limit;
}

void entry_text(struct entry *entry, const char *name, const char *value)
{
    struct fact *fact = add(entry, name, FACT_TEXT);
    fact->value = value == NULL ? "" : value;
    fact->length = strlen(fact->value);
    fact->limit = ENTRY_LINE_LIMIT;
}

void entry_number(struct entry *entry, const char *name, guint64 number)
{
    add(entry, name, FACT_NUMBER)->number = number;
}

void entry_list(struct entry *entry, const char *name, const char *const *items, unsigned count, size_t limit,
                const char *none)
{
    struct fact *fact = add(entry, name, FACT_LIST);
    fact->items = items;
    fact->count = count;
    fact->limit = limit;
    fact->none = none;
}

/* ---- as text */

static void append_number(GString *line, guint64 value)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    g_string_append_len(line, digits + at, (gssize)(sizeof digits - at));
}

/* A list with commas; an item that does not fit is left out, with all after it. */
static void append_list(GString *line, const struct fact *fact)
{
    size_t start = line->len;
    if (fact->count == 0)
        g_string_append(line, fact->none);
    for (unsigned i = 0; i < fact->count; i++) {
        size_t before = line->len;
        const char *item = fact->items[i];
        if (i > 0)
            g_string_append_c(line, ',');
        text_append_escaped(line, item, strlen(item), fact->limit, false);
        size_t room = fact->limit - (i + 1 < fact->count ? CUT_LENGTH + 1 : 0);
        if (line->len - start > room) {
            g_string_truncate(line, before);
            g_string_append(line, before > start ? "," CUT : CUT);
            return;
        }
    }
}

void entry_append_value(GString *out, const struct fact *fact, unsigned item)
{
    switch (fact->form) {
    case FACT_PLAIN:
        g_string_append_len(out, fact->value, (gssize)fact->length);
        break;
    case FACT_VALUE:
    case FACT_TEXT:
        text_append_value(out, fact->value, fact->length, fact->limit, fact->form == FACT_TEXT);
        break;
    case FACT_NUMBER:
        append_number(out, fact->number);
        break;
    case FACT_LIST:
        if (fact->count == 0)
            g_string_append(out, fact->none);
        else
            text_append_escaped(out, fact->items[item], strlen(fact->items[item]), fact->limit, false);
        break;
    }
}

static const char *shown_queue_id(const struct entry *entry)
{
    return entry->queue_id[0] == '\0' ? "NOQUEUE" : entry->queue_id;
}

void entry_append_queue_id(GString *out, const struct entry *entry)
{
    const char *queue_id = shown_queue_id(entry);
    text_append_escaped(out, queue_id, strlen(queue_id), QUEUE_ID_LIMIT, false);
}

/* ` NAME=VALUE`; `room` is how many bytes FACT_TEXT may have between its quotes. */
static void append_line_fact(GString *line, const struct fact *fact, size_t room)
{
    g_string_append_c(line, ' ');
    g_string_append(line, fact->name);
    g_string_append_c(line, '=');
    if (fact->form == FACT_LIST) {
        append_list(line, fact);
    } else if (fact->form == FACT_TEXT) {
        g_string_append_c(line, '"');
        text_append_value(line, fact->value, fact->length, room, true);
        g_string_append_c(line, '"');
    } else {
        entry_append_value(line, fact, 0);
    }
}

/*
 * Bytes that a fact may have between its quotes if the line is to stay within
 * ENTRY_LINE_LIMIT: `used` is what comes before and around it, and `append` writes the
 * facts that come after it.
 */
static size_t room_for(const struct entry *entry, unsigned index, size_t used,
                       void (*append)(GString *line, const struct fact *fact, size_t room))
{
    if (entry->facts[index].form == FACT_TEXT && index + 1 < entry->count) {
        g_autoptr(GString) after = g_string_new(NULL);
        for (unsigned i = index + 1; i < entry->count; i++)
            append(after, &entry->facts[i], 0);
        used += after->len + 1; /* the comma of JSON before the first of them */
    }
    return MAX(used, ENTRY_LINE_LIMIT) - used;
}

/* The same with its longest values shorter: for a line that would be too long even without its text. */
static struct entry entry_shortened(const struct entry *entry)
{
    struct entry shortened = *entry;
    for (unsigned i = 0; i < shortened.count; i++) {
        struct fact *fact = &shortened.facts[i];
        if (fact->form == FACT_VALUE || fact->form == FACT_LIST)
            fact->limit = MIN(fact->limit, SHORTENED_LIMIT);
    }
    return shortened;
}

/* Writes the line, and if it is too long again, with shorter values. */
static void write_bounded(GString *line, const struct entry *entry,
                          void (*write)(GString *line, const struct entry *entry))
{
    size_t start = line->len;
    write(line, entry);
    if (line->len - start <= ENTRY_LINE_LIMIT)
        return;
    const struct entry shortened = entry_shortened(entry);
    g_string_truncate(line, start);
    write(line, &shortened);
}

static void write_text(GString *line, const struct entry *entry)
{
    size_t start = line->len;
    entry_append_queue_id(line, entry);
    g_string_append_c(line, ':');
    for (unsigned i = 0; i < entry->count; i++) {
        size_t around = strlen(entry->facts[i].name) + strlen(" =\"\"");
        append_line_fact(line, &entry->facts[i], room_for(entry, i, line->len - start + around, append_line_fact));
    }
}

void entry_line(GString *line, const struct entry *entry)
{
    write_bounded(line, entry, write_text);
}

/* ---- as JSON: json-glib bounds nothing, so the strings are written here, where a cut cannot break them */

/* RFC 8259, section 7.  Beyond the basic plane it is a pair; a byte that is no UTF-8 is U+FFFD. */
static size_t format_character(char *escape, size_t size, gunichar c)
{
    /* Besides what JSON demands: what would look like a fact to a program that searches for name=value. */
    if (c >= 0x20 && c < 0x7f && strchr("\"\\<>=", (int)c) == NULL) {
        escape[0] = (char)c;
        return 1;
    }
    if (c == '"' || c == '\\')
        return (size_t)g_snprintf(escape, size, "\\%c", (int)c);
    if (c < 0x10000)
        return (size_t)g_snprintf(escape, size, "\\u%04x", c);
    return (size_t)g_snprintf(escape, size, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                              0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* A string in its quotes; between them at most `limit` bytes. */
static void append_string(GString *line, const char *value, size_t length, size_t limit)
{
    const char *end = value + length;
    g_string_append_c(line, '"');
    size_t start = line->len, fits = start; /* the line's length up to which the mark of a cut would still fit */
    while (value < end) {
        char escape[16];
        gunichar c = g_utf8_get_char_validated(value, end - value);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        g_string_append_len(line, escape,
                            (gssize)format_character(escape, sizeof escape, valid ? c : (gunichar)0xfffd));
        value = valid ? g_utf8_next_char(value) : value + 1;
        size_t used = line->len - start;
        if (used > limit) {
            g_string_truncate(line, fits);
            g_string_append_len(line, CUT, limit < CUT_LENGTH ? 0 : CUT_LENGTH);
            break;
        }
        if (used + CUT_LENGTH <= limit)
            fits = line->len;
    }
    g_string_append_c(line, '"');
}

static void append_name(GString *line, const char *name)
{
    if (line->len > 0 && line->str[line->len - 1] != '{')
        g_string_append_c(line, ',');
    g_string_append_c(line, '"');
    for (; *name != '\0'; name++)
        g_string_append_c(line, *name == '-' ? '_' : *name);
    g_string_append(line, "\":");
}

static void append_member(GString *line, const char *name, const char *value, size_t limit)
{
    append_name(line, name);
    append_string(line, value, strlen(value), limit);
}

/* An item that does not fit is left out, with all after it, and "..." means them. */
static void append_array(GString *line, const struct fact *fact, size_t limit)
{
    static const char rest[] = "\"" CUT "\"";
    g_string_append_c(line, '[');
    size_t start = line->len;
    for (unsigned i = 0; i < fact->count; i++) {
        size_t before = line->len;
        if (i > 0)
            g_string_append_c(line, ',');
        append_string(line, fact->items[i], strlen(fact->items[i]), limit);
        size_t room = limit - (i + 1 < fact->count ? sizeof rest : 0);
        if (line->len - start > room) {
            g_string_truncate(line, before);
            g_string_append_printf(line, "%s%s", before > start ? "," : "", rest);
            break;
        }
    }
    g_string_append_c(line, ']');
}

static size_t json_limit(const struct fact *fact)
{
    return fact->limit > LONG_LIMIT ? fact->limit / 5 * 4 : fact->limit;
}

/* `,"NAME":VALUE`; `room` is how many bytes FACT_TEXT may have between its quotes. */
static void append_fact(GString *line, const struct fact *fact, size_t room)
{
    append_name(line, fact->name);
    switch (fact->form) {
    case FACT_NUMBER:
        append_number(line, fact->number);
        break;
    case FACT_LIST:
        append_array(line, fact, json_limit(fact));
        break;
    case FACT_PLAIN:
        append_string(line, fact->value, fact->length, ENTRY_LINE_LIMIT);
        break;
    case FACT_VALUE:
        append_string(line, fact->value, fact->length, json_limit(fact));
        break;
    case FACT_TEXT:
        append_string(line, fact->value, fact->length, room);
        break;
    }
}

/* Bytes beside the name and value of a string, and the last brace. */
static size_t json_around(const char *name)
{
    return strlen(name) + strlen(",\"\":\"\"}");
}

static void write_json(GString *line, const struct entry *entry)
{
    size_t start = line->len;
    g_string_append_c(line, '{');
    if (entry->queue_id != NULL) {
        append_member(line, "queue_id", shown_queue_id(entry), QUEUE_ID_LIMIT);
    } else {
        append_member(line, "event", entry_kind_name(entry->kind), ENTRY_LINE_LIMIT);
        append_member(line, "level", level_name(entry->priority), ENTRY_LINE_LIMIT);
    }
    for (unsigned i = 0; i < entry->count; i++)
        append_fact(line, &entry->facts[i],
                    room_for(entry, i, line->len - start + json_around(entry->facts[i].name), append_fact));
    if (entry->message != NULL) {
        const struct fact message = {
            .name = "message", .form = FACT_TEXT, .value = entry->message, .length = strlen(entry->message)};
        size_t used = line->len - start + json_around(message.name);
        append_fact(line, &message, MAX(used, ENTRY_LINE_LIMIT) - used);
    }
    g_string_append_c(line, '}');
}

void entry_json(GString *line, const struct entry *entry)
{
    write_bounded(line, entry, write_json);
}
