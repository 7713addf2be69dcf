/*
 * postfix_queue - see postfix.h
 *
 * What was measured of the commands (Postfix 3.7), and is relied on:
 *
 * postsuper(1) ends with 0 whether it found the message or not: the count that it
 * prints says so.  Each call names the hold queue, so that nothing else is touched.
 * Neither -H nor -r runs milters again.
 *
 * A released message waits for the queue manager's next scan unless postqueue -i
 * names it.  -H keeps the time when the message was created, so that one that was
 * held for long is returned when its first delivery is deferred.  -r gives it a new
 * file, with a new id and a new such time, which pickup(8) makes from maildrop.  There
 * cleanup(8) does once more what it does with new mail: always_bcc and the BCC maps add
 * recipients that are there already, and header_checks can put it on hold again.
 */

#include "milter/postfix/postfix.h"

#include "milter/common/duration.h"
#include "milter/postfix/postfix_commands.h"
#include "milter/postfix/postfix_config.h"
#include "milter/postfix/postfix_trace.h"
#include "policy/init/postconf.h"
#include "policy/mailbox/mailbox_split.h"

#include <errno.h>
#include <string.h>

/* Where postcat -e ends. */
#define CONTENTS "*** MESSAGE CONTENTS "

/* No other MTA has a command of that name. */
static bool is_installed(struct queue *queue)
{
    (void)queue;
    g_autofree char *path = program_find("postqueue", false);
    return path != NULL;
}

static bool is_running(struct queue *queue)
{
    static const char *const words[] = {"postfix", "status", NULL};
    g_autofree char *error = NULL;
    return postfix_run(queue, words, NULL, &error) == 0;
}

static int held(struct queue *queue, GPtrArray *entries, char **error)
{
    return postfix_list(queue, false, entries, error);
}

/* ---- one message */

static enum queue_answer raw(struct queue *queue, const char *id, bool body, program_take take, void *data,
                             char **error)
{
    const char *const words[] = {"postcat", body ? "-qbh" : "-qeh", id, NULL};
    const struct program program = {.take = take, .data = data};
    if (postfix_run(queue, words, &program, error) == 0)
        return QUEUE_DONE;
    if (!g_str_has_suffix(*error, g_strerror(ENOENT)) || strstr(*error, "open queue file") == NULL)
        return QUEUE_FAILED;
    g_clear_pointer(error, g_free);
    return QUEUE_ABSENT;
}

/* `sender: ADDRESS`, `recipient: ADDRESS`: the records before the message. */
static void parse_record(struct message *message, const char *line, size_t length)
{
    static const char sender[] = "sender: ", recipient[] = "recipient: ";
    if (length >= sizeof sender - 1 && memcmp(line, sender, sizeof sender - 1) == 0) {
        g_autofree char *address = g_strndup(line + sizeof sender - 1, length - (sizeof sender - 1));
        message_set_sender(message, address);
    } else if (length >= sizeof recipient - 1 && memcmp(line, recipient, sizeof recipient - 1) == 0) {
        g_autofree char *address = g_strndup(line + sizeof recipient - 1, length - (sizeof recipient - 1));
        message_add_recipient(message, address);
    }
}

/* A record is a line, so the first line of this kind is where the message begins, whatever is in it. */
static const char *find_contents(const char *raw, size_t length, size_t *records)
{
    for (size_t at = 0; at < length;) {
        const char *end = memchr(raw + at, '\n', length - at);
        size_t next = end == NULL ? length : (size_t)(end - raw) + 1;
        if (next - at >= sizeof CONTENTS - 1 && memcmp(raw + at, CONTENTS, sizeof CONTENTS - 1) == 0) {
            *records = at;
            return raw + next;
        }
        at = next;
    }
    *records = length;
    return raw + length;
}

static struct message *parse(const char *raw, size_t length)
{
    size_t records;
    const char *contents = find_contents(raw, length, &records);
    struct message *message = mailcut_message(contents, (size_t)(raw + length - contents));
    message->mta = MTA_POSTFIX;
    message->bcc_visible = true; /* what it drops is gone by now */
    for (size_t at = 0; at < records;) {
        const char *end = memchr(raw + at, '\n', records - at);
        size_t next = end == NULL ? records : (size_t)(end - raw);
        parse_record(message, raw + at, next - at);
        at = next + 1;
    }
    return message;
}

/* ---- what can be done with it */

/* One option of postsuper(1) for one held message.  `count` is the line's beginning that tells how many there were. */
static enum queue_answer act(struct queue *queue, const char *option, const char *id, const char *count, char **error)
{
    const char *const words[] = {"postsuper", option, id, "hold", NULL};
    g_autoptr(GString) said = g_string_new(NULL);
    const struct program program = {.take = program_collect, .data = said, .merged = true};
    if (postfix_run(queue, words, &program, error) == -1)
        return QUEUE_FAILED;
    g_autofree char *pattern = g_strdup_printf("postsuper: %s: ", count);
    const char *found = strstr(said->str, pattern);
    if (found == NULL) {
        *error = g_strdup_printf("postsuper %s did not say how many messages it found", option);
        return QUEUE_FAILED;
    }
    return g_ascii_strtoull(found + strlen(pattern), NULL, 10) > 0 ? QUEUE_DONE : QUEUE_ABSENT;
}

/* Has the queue manager look at once, or says what is wrong. */
static char *wake_manager(struct queue *queue, const char *id)
{
    const char *const words[] = {"postqueue", "-i", id, NULL};
    char *error = NULL;
    postfix_run(queue, words, NULL, &error);
    return error;
}

/* Has pickup(8) look at once, or says what is wrong.  Where one has just ended, the next one hears the second call. */
static char *wake_pickup(struct queue *queue)
{
    static const char *const words[] = {"postkick", "public", "pickup", "W", NULL};
    g_autofree char *first = NULL;
    char *error = NULL;
    if (postfix_run(queue, words, NULL, &first) == -1)
        postfix_run(queue, words, NULL, &error);
    return error;
}

/* The message is on its way in any case: what fails here costs time alone. */
static void deliver_now(struct queue *queue, const char *id, struct queue_outcome *outcome)
{
    g_autofree char *error = wake_manager(queue, id);
    if (error != NULL)
        outcome->detail = g_strdup_printf("it leaves when the queue manager looks next: %s", error);
}

/* Whether it was released in place or requeued is not known. */
static void hurry(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    (void)now; /* one that was old is requeued, which made it new */
    g_free(wake_manager(queue, entry->id));
    g_free(wake_pickup(queue));
}

/*
 * How long after its creation a message is returned.  Half of that is left to
 * the deliveries that follow a release in place.  0: nothing helps it.
 */
static int lifetime(struct queue *queue, const char *sender, gint64 *seconds, char **error)
{
    const char *name = sender[0] == '\0' ? "bounce_queue_lifetime" : "maximal_queue_lifetime";
    const char *value = postfix_parameter(queue, name, error);
    if (value == NULL)
        return -1;
    *seconds = duration_read(value, POSTFIX_TIME_UNITS, 'd');
    if (*seconds >= 0)
        return 0;
    *error = g_strdup_printf("%s of Postfix is no time", name);
    return -1;
}

/* Whether pickup(8) has such addresses added, too: it is asked only where there are some. */
static bool pickup_maps_addresses(struct queue *queue)
{
    static const char *const words[] = {"-P", "-h", "-x", "pickup/unix/receive_override_options", NULL};
    g_autofree char *error = NULL;
    g_autofree char *options = postconf_output(queue->configuration, words, false, &error);
    return options == NULL || strstr(options, "no_address_mappings") == NULL;
}

/* What adds recipients to a message that is queued anew, which has them from the first time; NULL: nothing. */
static char *twice(struct queue *queue)
{
    static const char *const names[] = {"always_bcc", "sender_bcc_maps", "recipient_bcc_maps"};
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *error = NULL;
        const char *value = postfix_parameter(queue, names[i], &error);
        if (value != NULL && value[0] != '\0')
            g_ptr_array_add(found, (gpointer)names[i]);
    }
    if (found->len == 0 || !pickup_maps_addresses(queue))
        return NULL;
    g_ptr_array_add(found, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)found->pdata);
    return g_strdup_printf("queued anew: addresses that %s add may get it twice", list);
}

static enum queue_answer requeue(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                                 char **error)
{
    struct postfix_trace *trace = postfix_trace_begin(queue, entry);
    enum queue_answer answer = act(queue, "-r", entry->id, "Requeued", error);
    if (answer == QUEUE_DONE) {
        g_autofree char *trouble = wake_pickup(queue);
        /* pickup may have heard a call that ended badly, as when it closes the connection first. */
        outcome->requeued = postfix_trace_find(trace);
        if (outcome->requeued == NULL && trouble != NULL)
            outcome->detail = g_strdup_printf("it leaves when pickup looks next: %s", trouble);
        else if (outcome->requeued == NULL)
            outcome->detail = g_strdup_printf("requeued; the mail log has its new id with orig_id=%s", entry->id);
        g_autofree char *copies = twice(queue), *before = g_steal_pointer(&outcome->detail);
        outcome->detail = before == NULL || copies == NULL ? g_strdup(before == NULL ? copies : before)
                                                           : g_strdup_printf("%s; %s", before, copies);
    }
    postfix_trace_end(trace);
    return answer;
}

static enum queue_answer let_go(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                struct queue_outcome *outcome, char **error)
{
    gint64 limit;
    if (lifetime(queue, entry->sender, &limit, error) == -1)
        return QUEUE_FAILED;
    if (limit > 0 && now - entry->arrival > limit / 2)
        return requeue(queue, entry, outcome, error);
    enum queue_answer answer = act(queue, "-H", entry->id, "Released from hold", error);
    if (answer == QUEUE_DONE)
        deliver_now(queue, entry->id, outcome);
    return answer;
}

static enum queue_answer give_back(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                                   char **error)
{
    enum queue_answer answer = act(queue, "-f", entry->id, "Force-expired", error);
    if (answer == QUEUE_DONE)
        deliver_now(queue, entry->id, outcome);
    return answer;
}

static enum queue_answer drop(struct queue *queue, const struct queue_entry *entry, char **error)
{
    return act(queue, "-d", entry->id, "Deleted", error);
}

static int submit(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
                  char **error)
{
    const char *const words[] = {"sendmail", "-i", "-f", sender, "--", recipient, NULL};
    const struct program program = {.input = text, .input_length = length};
    return postfix_run(queue, words, &program, error);
}

const struct queue_driver postfix_queue_driver = {
    .mta = MTA_POSTFIX,
    .name = "Postfix",
    .is_installed = is_installed,
    .is_running = is_running,
    .identify = postfix_identify,
    .instances = postfix_instances,
    .id_is_sound = postfix_id_is_sound,
    .id_is_unique = postfix_id_is_unique,
    .held = held,
    .raw = raw,
    .parse = parse,
    .release = let_go,
    .give_back = give_back,
    .drop = drop,
    .hurry = hurry,
    .send = submit,
};
