/* mailbox_batch - see mailbox_batch.h */

#include "policy/mailbox/mailbox_batch.h"

#include "policy/mailbox/postcat.h"

#include <string.h>

/* Bytes from which on a batch is full. */
#define BATCH_SIZE (1024u * 1024)

struct mailbatch *mailbatch_new(void)
{
    struct mailbatch *batch = g_new0(struct mailbatch, 1);

    batch->bytes = g_byte_array_sized_new(16u * 1024); /* and never NULL, though a message may have no header */
    batch->heads = g_array_new(FALSE, FALSE, sizeof(struct mailhead));
    return batch;
}

void mailbatch_free(struct mailbatch *batch)
{
    if (batch == NULL)
        return;
    g_byte_array_unref(batch->bytes);
    g_array_unref(batch->heads);
    g_free(batch);
}

bool mailbatch_is_full(const struct mailbatch *batch)
{
    return batch->heads->len >= MAILBATCH_MESSAGES || batch->bytes->len >= BATCH_SIZE;
}

/* One field with all of its lines. */
static void add_field(struct message *message, char *field, size_t length)
{
    char *colon = memchr(field, ':', length);

    if (colon == NULL)
        return;
    char *value = colon + 1;
    while (length > 0 && (field[length - 1] == '\n' || field[length - 1] == '\r'))
        length--;
    length -= (size_t)(value - field);
    if (length > 0 && *value == ' ') {
        value++;
        length--;
    }
    /* A NUL would end the value early, and hide what is after it. */
    for (char *p = value; (p = memchr(p, '\0', length - (size_t)(p - value))) != NULL;)
        *p = ' ';
    message_add_header_length(message, field, (size_t)(colon - field), value, length);
}

struct message *mailbatch_message(const struct mailbatch *batch, unsigned index)
{
    const struct mailhead *head = &g_array_index(batch->heads, struct mailhead, index);
    char *field = (char *)batch->bytes->data + head->begin;
    char *end = (char *)batch->bytes->data + head->end;
    struct message *message = message_new();

    while (field < end) {
        char *next = field;
        do {
            char *newline = memchr(next, '\n', (size_t)(end - next));
            next = newline == NULL ? end : newline + 1;
        } while (next < end && (*next == ' ' || *next == '\t'));
        add_field(message, field, (size_t)(next - field));
        field = next;
    }
    message->overflow = message->overflow || head->overflow;
    if (head->envelope > 0)
        postcat_apply(end + head->body, head->envelope, message);
    if (batch->bodies)
        message_set_body(message, message_body_of(end, head->body, head->body_cut));
    return message;
}
