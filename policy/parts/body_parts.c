/* body_parts - see body_parts.h */

#include "policy/parts/body_parts.h"

#include "policy/message/defects.h"
#include "policy/message/recipients.h"
#include "policy/parts/leaf_part.h"
#include "policy/parts/mime_lines.h"
#include "policy/parts/part_fields.h"
#include "policy/parts/transfer_decode.h"

#include <string.h>

/* Bytes of a boundary; RFC 2046 section 5.1.1 allows 70. */
#define BOUNDARY_LIMIT 200u

/* Signs in the From of a message in this one that its author and a repetition of him have. */
#define AUTHOR_SIGNS 2u

struct body_parts {
    struct part_scan scan;
    unsigned opaque;
    GPtrArray *accounts; /* struct part_account * */
};

/* The walk through one message. */
struct body_walk {
    struct body_parts *parts;
    struct leaf_readers readers;
    struct message *forwarded; /* the recipient fields of all messages in it */
    unsigned entities;
    unsigned compared; /* lines that may still be */
    size_t nested;     /* bytes that were decoded for messages and multiparts */
};

/* A part, or a whole body, in a text. */
struct body_entity {
    const struct mime_lines *lines; /* of the text */
    struct part_fields fields;
    const char *path; /* "" of the whole */
    size_t begin, end;
    unsigned depth;
    bool digest; /* a message, if nothing else is said */
};

static void walk_entity(struct body_walk *walk, const struct body_entity *entity);

/* ---- accounts */

static void account_free(gpointer data)
{
    struct part_account *account = data;

    g_free(account->path);
    g_free(account->type);
    g_free(account->name);
    g_free(account);
}

static const char *type_of(const struct body_entity *entity)
{
    if (entity->fields.type != NULL)
        return entity->fields.type;
    return entity->digest ? "message/rfc822" : "text/plain";
}

/* A new one, which counts the addresses from now on. */
static struct part_account *account_begin(struct body_walk *walk, const struct body_entity *entity)
{
    struct part_account *account = g_new0(struct part_account, 1);
    const char *name = entity->fields.file != NULL ? entity->fields.file : entity->fields.name;

    account->path = g_strdup(entity->path[0] != '\0' ? entity->path : "1");
    account->type = g_strdup(type_of(entity));
    account->name = g_strdup(name);
    g_ptr_array_add(walk->parts->accounts, account);
    part_scan_begin(&walk->parts->scan, walk->parts->accounts->len);
    return account;
}

static void account_end(struct body_walk *walk, struct part_account *account, unsigned opaque)
{
    account->opaque |= opaque;
    account->addresses = walk->parts->scan.in_part;
    walk->parts->opaque |= account->opaque;
}

/* ---- text that is no part */

/* Reads something as text whatever it is: what is around the parts, and what is beyond the limits. */
static struct leaf_result read_as_text(struct body_walk *walk, const struct body_entity *entity, size_t begin,
                                       size_t end)
{
    const struct leaf_part part = {
        .plan = {.kinds = PART_TEXT, .text = true}, .bytes = entity->lines->text + begin, .length = end - begin};

    return leaf_part_read(&walk->readers, &part);
}

/* What cannot be read as what it is: a multipart without parts, or one too many. */
static void read_opaque(struct body_walk *walk, const struct body_entity *entity, unsigned opaque)
{
    if (walk->parts->accounts->len > BODY_PARTS_LIMIT) {
        walk->parts->opaque |= opaque;
        read_as_text(walk, entity, entity->begin, entity->end);
        return;
    }
    struct part_account *account = account_begin(walk, entity);
    struct leaf_result result = read_as_text(walk, entity, entity->begin, entity->end);
    account->kinds = result.kinds;
    account->size = result.size;
    account_end(walk, account, opaque);
}

/* ---- messages in the message */

/* A field of a header: recipients are kept for the reader of headers, and counted for this part. */
static void take_recipients(struct body_walk *walk, const struct part_field *field)
{
    static const char *const names[] = {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc", "Apparently-To"};
    struct message *forwarded = walk->forwarded;
    size_t which = 0;

    while (which < G_N_ELEMENTS(names) && (strlen(names[which]) != field->name_length ||
                                           g_ascii_strncasecmp(names[which], field->name, field->name_length) != 0))
        which++;
    if (which == G_N_ELEMENTS(names))
        return;
    part_scan_text(&walk->parts->scan, field->value, field->length, PART_FORWARDED, false);
    if (field->length > BODY_FORWARDED_LIMIT - MIN(forwarded->header_bytes, BODY_FORWARDED_LIMIT) ||
        forwarded->headers->len >= BODY_FORWARDED_FIELDS)
        walk->parts->opaque |= OPAQUE_LIMITS;
    else
        message_add_header_length(forwarded, names[which], strlen(names[which]), field->value, field->length);
}

/* From, if it can show more than its author. */
static void take_author(struct body_walk *walk, const struct part_field *field)
{
    unsigned signs = 0;

    if (field->name_length != 4 || g_ascii_strncasecmp(field->name, "From", 4) != 0)
        return;
    for (size_t i = 0; i < field->length; i++)
        signs += field->value[i] == '@';
    if (signs > AUTHOR_SIGNS)
        part_scan_text(&walk->parts->scan, field->value, field->length, PART_FORWARDED, false);
}

/* Over what may be before a message: empty lines, a mark of order, the line that a mailbox has. */
static const char *over_from_line(const char *at, const char *end)
{
    if (end - at > 3 && memcmp(at, "\357\273\277", 3) == 0)
        at += 3;
    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    bool from = (end - at > 5 && memcmp(at, "From ", 5) == 0) || (end - at > 6 && memcmp(at, ">From ", 6) == 0);
    const char *newline = from ? memchr(at, '\n', (size_t)(end - at)) : NULL;

    return newline == NULL ? at : newline + 1;
}

/* Reads the header of a part, or of a message (`recipients`); `entity` begins after it then. */
static bool read_header(struct body_walk *walk, struct body_entity *entity, bool recipients)
{
    const char *text = entity->lines->text, *at = text + entity->begin, *end = text + entity->end;
    struct part_field field;
    bool broken = false;

    if (recipients)
        at = over_from_line(at, end);
    while (part_field_next(&at, end, &field, &broken)) {
        part_fields_add(&entity->fields, field.name, field.name_length, field.value, field.length);
        if (recipients) {
            take_recipients(walk, &field);
            take_author(walk, &field);
        }
    }
    entity->begin = (size_t)(at - text);
    return !broken;
}

static void walk_message(struct body_walk *walk, const struct body_entity *outer)
{
    struct body_entity inner = {.lines = outer->lines,
                                .path = outer->path,
                                .begin = outer->begin,
                                .end = outer->end,
                                .depth = outer->depth + 1};
    struct part_account *account = account_begin(walk, outer);
    bool sound = read_header(walk, &inner, true);

    account->kinds = PART_FORWARDED;
    account->size = outer->end - outer->begin;
    account_end(walk, account, sound && !outer->fields.doubtful ? 0 : OPAQUE_BROKEN);
    g_autofree char *path = g_strdup_printf("%s%s1", outer->path, outer->path[0] != '\0' ? "." : "");
    inner.path = path;
    walk_entity(walk, &inner);
    part_fields_clear(&inner.fields);
}

/* The header of a message alone, as a report of a failure has it. */
static void walk_message_header(struct body_walk *walk, const struct body_entity *outer)
{
    struct body_entity inner = {.lines = outer->lines, .path = outer->path, .begin = outer->begin, .end = outer->end};
    struct part_account *account = account_begin(walk, outer);

    read_header(walk, &inner, true);
    account->kinds = PART_FORWARDED | PART_TEXT;
    account->size = outer->end - outer->begin;
    read_as_text(walk, outer, outer->begin, outer->end);
    account_end(walk, account, 0);
    part_fields_clear(&inner.fields);
}

/* ---- parts in a part */

/* One part of a multipart, with its header. */
static void walk_child(struct body_walk *walk, const struct body_entity *outer, size_t begin, size_t end,
                       unsigned number)
{
    g_autofree char *path = g_strdup_printf("%s%s%u", outer->path, outer->path[0] != '\0' ? "." : "", number);
    struct body_entity inner = {.lines = outer->lines,
                                .path = path,
                                .begin = begin,
                                .end = end,
                                .depth = outer->depth + 1,
                                .digest = strcmp(type_of(outer), "multipart/digest") == 0};

    if (!read_header(walk, &inner, false))
        walk->parts->opaque |= OPAQUE_BROKEN;
    walk_entity(walk, &inner);
    part_fields_clear(&inner.fields);
}

/* The line end before a boundary is a part of it (RFC 2046 section 5.1.1). */
static size_t before_line(const char *text, size_t begin, size_t end)
{
    if (end > begin && text[end - 1] == '\n')
        end--;
    if (end > begin && text[end - 1] == '\r')
        end--;
    return end;
}

/* False: there is no part in it. */
static bool walk_multipart(struct body_walk *walk, const struct body_entity *entity)
{
    const char *boundary = entity->fields.boundary;
    struct mime_delimiter line, next = {0};
    unsigned number = 0;
    bool near = false, more;

    if (boundary == NULL || boundary[0] == '\0' || strlen(boundary) > BOUNDARY_LIMIT ||
        !mime_lines_next(entity->lines, boundary, entity->begin, entity->end, &walk->compared, &near, &line))
        return false;
    read_as_text(walk, entity, entity->begin, line.line);
    do {
        more = mime_lines_next(entity->lines, boundary, line.after, entity->end, &walk->compared, &near, &next);
        size_t end = more ? before_line(entity->lines->text, line.after, next.line) : entity->end;
        /* What comes after the last one is for programs that know no MIME. */
        if (line.closes) {
            read_as_text(walk, entity, line.after, end);
        } else if (walk->entities >= BODY_PARTS_LIMIT) {
            walk->parts->opaque |= OPAQUE_LIMITS;
            read_as_text(walk, entity, line.after, entity->end);
            break;
        } else {
            walk_child(walk, entity, line.after, end, ++number);
        }
        line = next;
    } while (more);
    if (near || entity->fields.doubtful)
        walk->parts->opaque |= OPAQUE_BROKEN;
    return true;
}

/* ---- encoded messages and multiparts, which RFC 2045 section 6.4 does not allow, and programs read */

static bool is_encoded(const struct body_entity *entity)
{
    enum transfer_encoding encoding = transfer_encoding(entity->fields.encoding);

    return encoding == TRANSFER_BASE64 || encoding == TRANSFER_QUOTED;
}

/* The same entity in a separate text. */
static void walk_decoded(struct body_walk *walk, const struct body_entity *entity,
                         void (*walk_it)(struct body_walk *, const struct body_entity *))
{
    struct transfer_decode decode;
    g_autoptr(GString) text = g_string_new(NULL);
    size_t length = entity->end - entity->begin;

    if (length > BODY_NESTED_LIMIT - walk->nested) {
        read_opaque(walk, entity, OPAQUE_LIMITS);
        return;
    }
    walk->nested += length;
    transfer_start(&decode, transfer_encoding(entity->fields.encoding));
    transfer_take(&decode, entity->lines->text + entity->begin, length, true, text);
    if (decode.broken)
        walk->parts->opaque |= OPAQUE_BROKEN;
    struct mime_lines lines;
    mime_lines_find(&lines, text->str, text->len);
    if (lines.exhausted)
        walk->parts->opaque |= OPAQUE_LIMITS;
    struct body_entity decoded = *entity;
    decoded.lines = &lines;
    decoded.begin = 0;
    decoded.end = text->len;
    walk_it(walk, &decoded);
    mime_lines_clear(&lines);
}

static void walk_parts(struct body_walk *walk, const struct body_entity *entity)
{
    if (!walk_multipart(walk, entity))
        read_opaque(walk, entity, OPAQUE_BROKEN);
}

/* A multipart in which no part is: perhaps it is encoded. */
static void walk_any_parts(struct body_walk *walk, const struct body_entity *entity)
{
    if (walk_multipart(walk, entity))
        return;
    if (is_encoded(entity))
        walk_decoded(walk, entity, walk_parts);
    else
        read_opaque(walk, entity, OPAQUE_BROKEN);
}

/* ---- any part */

static void read_leaf(struct body_walk *walk, const struct body_entity *entity, const struct part_plan *plan)
{
    const struct leaf_part part = {.plan = *plan,
                                   .charset = entity->fields.charset,
                                   .encoding = entity->fields.encoding,
                                   .bytes = entity->lines->text + entity->begin,
                                   .length = entity->end - entity->begin};
    struct part_account *account = account_begin(walk, entity);
    struct leaf_result result = leaf_part_read(&walk->readers, &part);

    account->kinds = result.kinds;
    account->size = result.size;
    account_end(walk, account, result.opaque | (entity->fields.doubtful ? OPAQUE_BROKEN : 0));
}

static void walk_entity(struct body_walk *walk, const struct body_entity *entity)
{
    const char *type = type_of(entity);
    struct part_plan plan = part_plan(type, entity->fields.name, entity->fields.file, entity->fields.smime);

    walk->entities++;
    if (entity->depth > BODY_DEPTH_LIMIT || walk->entities > BODY_PARTS_LIMIT) {
        read_opaque(walk, entity, OPAQUE_LIMITS);
        return;
    }
    if (strcmp(type, "multipart/encrypted") == 0)
        walk->parts->opaque |= OPAQUE_ENCRYPTED;
    if (g_str_has_prefix(type, "multipart/"))
        walk_any_parts(walk, entity);
    else if (plan.message && is_encoded(entity))
        walk_decoded(walk, entity, walk_message);
    else if (plan.message)
        walk_message(walk, entity);
    else if (plan.header && is_encoded(entity))
        walk_decoded(walk, entity, walk_message_header);
    else if (plan.header)
        walk_message_header(walk, entity);
    else
        read_leaf(walk, entity, &plan);
}

/* ---- the whole */

/* The recipients of the messages in the message, read as those of its own header are. */
static void read_forwarded(struct body_walk *walk)
{
    auto_free(recipients) recipients = recipients_read(walk->forwarded);
    unsigned defects = recipients_defects(recipients);

    part_scan_begin(&walk->parts->scan, 0);
    for (unsigned i = 0; i < recipients_count(recipients); i++) {
        const char *address = recipients_get(recipients, i)->address;
        part_scan_put(&walk->parts->scan, address, strlen(address), PART_FORWARDED);
    }
    if ((defects & DEFECT_LIMIT) != 0)
        walk->parts->opaque |= OPAQUE_LIMITS;
    if ((defects & DEFECT_UNPARSED) != 0)
        walk->parts->opaque |= OPAQUE_BROKEN;
}

struct body_parts *body_parts_read(const struct body_source *source)
{
    struct body_parts *parts = g_new0(struct body_parts, 1);
    struct body_walk walk = {.parts = parts, .compared = BODY_COMPARED_LIMIT, .forwarded = message_new()};
    struct mime_lines lines;
    struct body_entity entity = {.lines = &lines, .path = "", .end = source->length};

    parts->accounts = g_ptr_array_new_with_free_func(account_free);
    part_scan_init(&parts->scan);
    leaf_readers_init(&walk.readers, &parts->scan);
    walk.forwarded->mta = source->message->mta;
    mime_lines_find(&lines, source->length > 0 ? source->body : "", source->length);
    for (unsigned i = 0; i < source->message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(source->message->headers, i);
        part_fields_add(&entity.fields, header->name, strlen(header->name), header->value, strlen(header->value));
    }
    walk_entity(&walk, &entity);
    read_forwarded(&walk);
    if (source->cut || source->message->overflow || lines.exhausted || walk.compared == 0 ||
        leaf_readers_exhausted(&walk.readers))
        parts->opaque |= OPAQUE_LIMITS;
    part_fields_clear(&entity.fields);
    mime_lines_clear(&lines);
    leaf_readers_clear(&walk.readers);
    message_free(walk.forwarded);
    return parts;
}

struct body_parts *body_parts_read_raw(const char *raw, size_t length)
{
    auto_free(message) message = message_new();
    const char *begin = length > 0 ? raw : "", *end = begin + length, *at = over_from_line(begin, end);
    struct part_field field;
    bool broken = false;

    while (part_field_next(&at, end, &field, &broken))
        message_add_header_length(message, field.name, field.name_length, field.value, field.length);
    return body_parts_read(&(struct body_source){.message = message, .body = at, .length = (size_t)(end - at)});
}

void body_parts_free(struct body_parts *parts)
{
    if (parts == NULL)
        return;
    g_ptr_array_unref(parts->accounts);
    part_scan_clear(&parts->scan);
    g_free(parts);
}

unsigned body_parts_addresses(const struct body_parts *parts)
{
    return parts->scan.list->len;
}

const struct part_address *body_parts_get(const struct body_parts *parts, unsigned index)
{
    return &g_array_index(parts->scan.list, struct part_address, index);
}

unsigned body_parts_count(const struct body_parts *parts, unsigned kinds)
{
    unsigned count = 0;

    for (unsigned i = 0; i < parts->scan.list->len; i++)
        count += (body_parts_get(parts, i)->kinds & kinds) != 0;
    return count;
}

unsigned body_parts_domains(const struct body_parts *parts)
{
    return addresses_count(&parts->scan.domains);
}

unsigned body_parts_opaque(const struct body_parts *parts)
{
    return parts->opaque;
}

unsigned body_parts_accounts(const struct body_parts *parts)
{
    return parts->accounts->len;
}

const struct part_account *body_parts_account(const struct body_parts *parts, unsigned index)
{
    return g_ptr_array_index(parts->accounts, index);
}
