/* message - see message.h */

#include "policy/message/message.h"

#include "policy/address/address.h"

#include <string.h>

struct message *message_new(void)
{
    struct message *message = g_new0(struct message, 1);

    message->sender = g_strdup("");
    message->recipients = g_ptr_array_new_with_free_func(g_free);
    message->headers = g_ptr_array_new_with_free_func(g_free);
    return message;
}

void message_free(struct message *message)
{
    if (message == NULL)
        return;
    g_free(message->client);
    g_free(message->listener);
    g_free(message->instance);
    g_free(message->user);
    g_free(message->sender);
    g_free(message->queue_id);
    g_free(message->answer);
    g_ptr_array_unref(message->recipients);
    g_ptr_array_unref(message->headers);
    message_body_free(message->body);
    g_free(message);
}

static void replace(char **where, const char *text)
{
    char *copy = g_strdup(text);

    g_free(*where);
    *where = copy;
}

void message_set_client(struct message *message, const char *client)
{
    replace(&message->client, client);
}

void message_set_listener(struct message *message, const char *listener)
{
    replace(&message->listener, listener);
}

void message_set_instance(struct message *message, const char *instance)
{
    replace(&message->instance, instance);
}

void message_set_user(struct message *message, const char *user)
{
    replace(&message->user, user);
    message->authenticated = user != NULL;
}

void message_set_queue_id(struct message *message, const char *queue_id)
{
    replace(&message->queue_id, queue_id);
}

/* Without the angle brackets of the SMTP command, if it has them. */
static char *unbracket(const char *address)
{
    size_t length = strlen(address);

    if (length >= 2 && address[0] == '<' && address[length - 1] == '>')
        return g_strndup(address + 1, length - 2);
    return g_strdup(address);
}

void message_set_answer(struct message *message, const char *address)
{
    g_autofree char *bare = address == NULL ? NULL : unbracket(address);

    g_free(message->answer);
    message->answer = bare == NULL ? NULL : address_normalise_envelope(bare);
}

void message_set_sender(struct message *message, const char *sender)
{
    char *copy = unbracket(sender);

    g_free(message->sender);
    message->sender = copy;
}

void message_add_recipient(struct message *message, const char *recipient)
{
    if (message->recipients->len >= MESSAGE_RECIPIENT_LIMIT) {
        message->overflow = true;
        return;
    }
    g_ptr_array_add(message->recipients, unbracket(recipient));
}

void message_add_header(struct message *message, const char *name, const char *value)
{
    message_add_header_length(message, name, strlen(name), value, strlen(value));
}

void message_add_header_length(struct message *message, const char *name, size_t name_length, const char *value,
                               size_t value_length)
{
    if (message->headers->len >= MESSAGE_HEADER_COUNT_LIMIT ||
        name_length + value_length > MESSAGE_HEADER_LIMIT - message->header_bytes) {
        message->overflow = true;
        return;
    }
    message->header_bytes += name_length + value_length;
    /* Blanks between the name and its colon are obsolete syntax (RFC 5322 section 4.5). */
    while (name_length > 0 && g_ascii_isspace(name[name_length - 1]))
        name_length--;
    /* One block for all three: there are many headers, and most are never looked at again. */
    struct header *header = g_malloc(sizeof *header + name_length + value_length + 2);
    header->name = (char *)(header + 1);
    memcpy(header->name, name, name_length);
    header->name[name_length] = '\0';
    header->value = header->name + name_length + 1;
    memcpy(header->value, value, value_length);
    header->value[value_length] = '\0';
    g_ptr_array_add(message->headers, header);
}

void message_set_body(struct message *message, struct message_body *body)
{
    message_body_free(message->body);
    message->body = body;
}

void message_empty(struct message *message)
{
    message_set_body(message, NULL);
    g_ptr_array_unref(message->recipients);
    g_ptr_array_unref(message->headers);
    message->recipients = g_ptr_array_new_with_free_func(g_free);
    message->headers = g_ptr_array_new_with_free_func(g_free);
    message->header_bytes = 0;
    message->overflow = true;
}

struct message *message_copy(const struct message *message)
{
    struct message *copy = message_new();

    message_set_client(copy, message->client);
    message_set_listener(copy, message->listener);
    message_set_instance(copy, message->instance);
    message_set_user(copy, message->user);
    replace(&copy->sender, message->sender);
    message_set_queue_id(copy, message->queue_id);
    replace(&copy->answer, message->answer);
    for (unsigned i = 0; i < message->recipients->len; i++)
        g_ptr_array_add(copy->recipients, g_strdup(g_ptr_array_index(message->recipients, i)));
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        message_add_header(copy, header->name, header->value);
    }
    copy->mta = message->mta;
    copy->authenticated = message->authenticated;
    copy->local = message->local;
    copy->bcc_visible = message->bcc_visible;
    copy->envelope_given = message->envelope_given;
    copy->envelope_unknown = message->envelope_unknown;
    copy->overflow = message->overflow;
    return copy;
}

const struct header *message_find_header(const struct message *message, const char *name)
{
    char first = g_ascii_tolower(name[0]);

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (g_ascii_tolower(header->name[0]) == first && g_ascii_strcasecmp(header->name, name) == 0)
            return header;
    }
    return NULL;
}

bool client_is_loopback(const char *client)
{
    return client != NULL && (g_str_has_prefix(client, "127.") || strcmp(client, "::1") == 0);
}
