/* arrival - see arrival.h */

#include "milter/arrival/arrival.h"

#include "milter/arrival/body_file.h"
#include "milter/common/process_memory.h"
#include "milter/log/log.h"

#include <stdatomic.h>
#include <string.h>

/*
 * An evaluation needs about twice the length of a body: it is mapped, and a message in it may be encoded, where it
 * needs MEMORY_EVALUATION times that of a header field.
 */
#define BODY_EVALUATION 2u

/* Between two lines about a disk that takes no bodies, in microseconds. */
#define COMPLAINT_INTERVAL (60 * G_USEC_PER_SEC)

static void give_back(const struct arrival_room *room, struct arrival *arrival)
{
    memory_give_back(room->memory, &arrival->kept);
    memory_give_back(room->memory, &arrival->body);
    memory_give_back(room->files, &arrival->file);
}

void arrival_end(const struct arrival_room *room, struct arrival *arrival)
{
    g_clear_pointer(&arrival->message, message_free);
    give_back(room, arrival);
    *arrival = (struct arrival){0};
}

void arrival_refuse(const struct arrival_room *room, struct arrival *arrival, enum memory_answer answer)
{
    if (arrival->no_memory != MEMORY_GIVEN)
        return;
    arrival->no_memory = answer;
    message_empty(arrival->message);
    give_back(room, arrival);
    memory_trim(room->memory);
}

char *arrival_refusal(const struct arrival_room *room, const struct arrival *arrival)
{
    bool one = arrival->no_memory == MEMORY_ONE_OWNER, files = arrival->lacked == room->files;
    const char *what = files ? "bodies in files" : "messages";
    guint64 limit = memory_limit(files ? room->files : room->memory) / (one ? MEMORY_PARTS : 1) / MEBIBYTE;

    if (one)
        return g_strdup_printf("memory: the %s of this login or client would need more than their quarter "
                               "(%" G_GUINT64_FORMAT "M)",
                               what, limit);
    return g_strdup_printf("memory: all %s together would need more than %" G_GUINT64_FORMAT "M; see [milter] memory",
                           what, limit);
}

static bool take(const struct arrival_room *room, struct arrival *arrival, struct memory_budget *budget,
                 struct memory_share *share, size_t length)
{
    const struct memory_sender sender = {arrival->message->user, arrival->message->client};

    if (arrival->no_memory != MEMORY_GIVEN)
        return false;
    enum memory_answer answer = memory_take(budget, share, &sender, length);
    if (answer == MEMORY_GIVEN)
        return true;
    arrival->lacked = budget;
    arrival_refuse(room, arrival, answer);
    return false;
}

bool arrival_take(const struct arrival_room *room, struct arrival *arrival, size_t length)
{
    return take(room, arrival, room->memory, &arrival->kept, length);
}

void arrival_recipient(const struct arrival_room *room, struct arrival *arrival, const char *recipient)
{
    const size_t length = strlen(recipient);

    if (!arrival_take(room, arrival, length))
        return;
    unsigned before = arrival->message->recipients->len;
    message_add_recipient(arrival->message, recipient);
    if (arrival->message->recipients->len == before) /* too many: it was not kept */
        memory_return(&arrival->kept, length);
}

void arrival_header(const struct arrival_room *room, struct arrival *arrival, const char *name, const char *value)
{
    const size_t length = strlen(name) + strlen(value);

    if (!arrival_take(room, arrival, length))
        return;
    arrival->longest = MAX(arrival->longest, length);
    unsigned before = arrival->message->headers->len;
    message_add_header(arrival->message, name, value);
    if (arrival->message->headers->len == before)
        memory_return(&arrival->kept, length);
}

/* ---- the body */

void arrival_expect_body(const struct arrival_room *room, struct arrival *arrival, size_t limit)
{
    message_set_body(arrival->message, message_body_new(limit, body_file_open, room->directory));
}

bool arrival_body(const struct arrival_room *room, struct arrival *arrival, const void *bytes, size_t length)
{
    struct message_body *body = arrival->message == NULL ? NULL : arrival->message->body;

    if (body == NULL)
        return false;
    const struct message_body_need need = message_body_need(body, length);
    if (need.memory > 0 && !take(room, arrival, room->memory, &arrival->body, need.memory))
        return false;
    if (need.file > 0 && !take(room, arrival, room->files, &arrival->file, need.file))
        return false;
    bool more = message_body_append(body, bytes, length);
    if (need.file > 0) /* it is not in memory any more */
        memory_give_back(room->memory, &arrival->body);
    return more;
}

static void complain(const struct arrival_room *room, int problem)
{
    static _Atomic(gint64) said = G_MININT64 / 2;
    gint64 now = g_get_monotonic_time(), before = atomic_load(&said);

    if (now - before >= COMPLAINT_INTERVAL && atomic_compare_exchange_strong(&said, &before, now))
        log_line(LOG_ERR,
                 "body: no file can be written in %s, and on-error decides of messages whose body is needed: %s",
                 room->directory, g_strerror(problem));
}

void arrival_complete(const struct arrival_room *room, struct arrival *arrival)
{
    const struct message_body *body = arrival->message->body;
    int problem = body == NULL ? 0 : message_body_error(body);

    if (problem == 0)
        return;
    complain(room, problem);
    message_set_body(arrival->message, NULL);
    memory_give_back(room->memory, &arrival->body);
    memory_give_back(room->files, &arrival->file);
}

size_t arrival_longest(const struct arrival *arrival)
{
    const struct message_body *body = arrival->message->body;

    return arrival->longest + (body == NULL ? 0 : message_body_length(body) / (MEMORY_EVALUATION / BODY_EVALUATION));
}
