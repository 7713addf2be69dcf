/* message_body - see message_body.h */

#include <config.h>

#include "policy/message/message_body.h"

#include <errno.h>
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

struct message_body {
    size_t limit, length;
    message_body_open open;
    void *data;
    GByteArray *memory; /* all of it, until there is a file */
    int file;           /* or -1 */
    void *mapped;       /* or NULL */
    bool cut;
    int error; /* errno of the file, or 0 */
};

struct message_body *message_body_new(size_t limit, message_body_open open, void *data)
{
    struct message_body *body = g_new0(struct message_body, 1);

    body->limit = limit;
    body->open = open;
    body->data = data;
    body->file = -1;
    body->memory = g_byte_array_new();
    return body;
}

struct message_body *message_body_of(const char *bytes, size_t length, bool cut)
{
    struct message_body *body = message_body_new(length, NULL, NULL);

    message_body_append(body, bytes, length);
    body->cut = cut;
    return body;
}

static void unmap(struct message_body *body)
{
    if (body->mapped != NULL)
        munmap(body->mapped, body->length);
    body->mapped = NULL;
}

void message_body_free(struct message_body *body)
{
    if (body == NULL)
        return;
    unmap(body);
    g_byte_array_unref(body->memory);
    if (body->file != -1)
        close(body->file);
    g_free(body);
}

static bool write_all(int file, const guint8 *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* Nothing more is kept; some of what was written last may be in the file, after what is read. */
static bool fail(struct message_body *body)
{
    body->error = errno != 0 ? errno : EIO;
    body->cut = true;
    return false;
}

/* Moves what is in memory into a file. */
static bool begin_file(struct message_body *body)
{
    errno = 0;
    int file = body->open(body->data);

    if (file == -1)
        return fail(body);
    if (!write_all(file, body->memory->data, body->memory->len)) {
        fail(body);
        close(file);
        return false;
    }
    body->file = file;
    g_byte_array_unref(body->memory);
    body->memory = g_byte_array_new();
    return true;
}

/* Whether it is in a file once these bytes are kept, too. */
static bool goes_to_file(const struct message_body *body, size_t kept)
{
    return body->file != -1 || (body->open != NULL && body->length + kept > MESSAGE_BODY_MEMORY);
}

/* Bytes that GByteArray has for a length: it doubles. */
static size_t memory_of(size_t length)
{
    size_t size = length > 0 ? 16 : 0;

    while (size < length)
        size *= 2;
    return size;
}

struct message_body_need message_body_need(const struct message_body *body, size_t length)
{
    size_t kept = body->cut ? 0 : MIN(length, body->limit - body->length);

    if (kept == 0)
        return (struct message_body_need){0, 0};
    if (goes_to_file(body, kept))
        return (struct message_body_need){.file = body->memory->len + kept};
    return (struct message_body_need){.memory = memory_of(body->memory->len + kept) - memory_of(body->memory->len)};
}

bool message_body_append(struct message_body *body, const char *bytes, size_t length)
{
    size_t kept = MIN(length, body->limit - body->length);

    if (body->cut || length == 0)
        return !body->cut;
    body->cut = kept < length;
    unmap(body);
    if (body->file == -1 && goes_to_file(body, kept) && !begin_file(body))
        return false;
    if (body->file == -1)
        g_byte_array_append(body->memory, (const guint8 *)bytes, (guint)kept);
    else if (!write_all(body->file, (const guint8 *)bytes, kept))
        return fail(body);
    body->length += kept;
    return !body->cut;
}

const char *message_body_text(struct message_body *body, size_t *length)
{
    *length = body->length;
    if (body->file == -1)
        return body->memory->len > 0 ? (const char *)body->memory->data : "";
    if (body->mapped == NULL) {
        void *mapped = mmap(NULL, body->length, PROT_READ, MAP_PRIVATE, body->file, 0);
        if (mapped == MAP_FAILED)
            return NULL;
        body->mapped = mapped;
    }
    return body->mapped;
}

bool message_body_is_cut(const struct message_body *body)
{
    return body->cut;
}

int message_body_error(const struct message_body *body)
{
    return body->error;
}

size_t message_body_length(const struct message_body *body)
{
    return body->length;
}

size_t message_body_memory(const struct message_body *body)
{
    return body->memory->len;
}
