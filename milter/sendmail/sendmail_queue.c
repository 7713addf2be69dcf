/*
 * sendmail_queue - see sendmail.h
 *
 * What was measured of Sendmail 8.17, and is relied on:
 *
 * A quarantined message is hfID and dfID in the queue; released, hfID is qfID.
 * sendmail(8) lists them for people alone, so the files are read.
 *
 * Whatever comes of a -Q or -q, the exit code is 0: the files say it.  -qI takes
 * every id that contains its argument, so only a whole one is ever given to it.
 * `-qQ -qIID -Q` releases; `-Q -qQIID` does nothing.  Neither that nor a queue run
 * calls milters.
 *
 * `-qQ -qIID -OTimeout.queuereturn=now` returns a quarantined message to its sender,
 * in Sendmail's words, without trying to deliver it.  No option deletes one.
 *
 * Each of these commands takes the lock of the control file and passes over one
 * that is locked.
 *
 * Above the load of QueueLA a queue run does nothing with a message of many
 * recipients, or with any; what a person has decided does not wait for that.
 */

#include "milter/sendmail/sendmail.h"

#include "milter/log/log.h"
#include "milter/sendmail/sendmail_config.h"
#include "milter/sendmail/sendmail_control.h"
#include "milter/sendmail/sendmail_spool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND  "sendmail"
#define PID_FILE "/var/run/sendmail.pid"

#define AT_ANY_LOAD "-OQueueLA=1000000"

/* An id is a time and a count in 8 characters, and a process id of 6 digits or more. */
#define ID_CLOCK 8
#define ID_LEAST 14
#define ID_MOST  24

/* Held for less than this, a message's age makes no difference to what Sendmail does with it; in seconds. */
#define YOUNG 3600

/* Bytes that are read of a control file. */
#define CONTROL_LIMIT (32u * 1024 * 1024)

/* How long it is waited for what a command does in the background: to begin, and to end; in microseconds. */
#define PATIENCE         (10 * G_USEC_PER_SEC)
#define PATIENCE_AT_WORK (30 * G_USEC_PER_SEC)
#define LOOK             (10 * 1000)

/* ---- its command and its configuration */

static const char *configuration(const struct queue *queue)
{
    return queue->configuration != NULL ? queue->configuration : SENDMAIL_DEFAULT_CONFIG;
}

static int run(const struct queue *queue, const char *const *words, const char *input, size_t input_length,
               GString *said, char **error)
{
    const char *command = queue->command != NULL ? queue->command : COMMAND;
    g_autoptr(GPtrArray) arguments = program_words(command, "-C", queue->configuration, words);
    const struct program program = {.arguments = (const char *const *)arguments->pdata,
                                    .name = COMMAND,
                                    .input = input,
                                    .input_length = input_length,
                                    .take = said == NULL ? NULL : program_collect,
                                    .data = said,
                                    .merged = said != NULL};
    return program_run(&program, error);
}

/* Both MTAs have a command of that name; the test mode is Sendmail's alone. */
static bool is_installed(struct queue *queue)
{
    static const char *const words[] = {"-d0.1", "-bt", NULL};
    g_autofree char *path = program_find(queue->command != NULL ? queue->command : COMMAND, false), *error = NULL;
    if (path == NULL || !g_file_test(configuration(queue), G_FILE_TEST_EXISTS))
        return false;
    g_autoptr(GString) said = g_string_new(NULL);
    return run(queue, words, "", 0, said, &error) == 0 && strstr(said->str, "Version 8.") != NULL;
}

/* Its daemon writes its process id into the first line of a file. */
static bool is_running(struct queue *queue)
{
    g_autofree char *error = NULL, *text = NULL;
    auto_free(sendmail_config) config = sendmail_config_read(configuration(queue), &error);
    const char *option = config == NULL ? NULL : sendmail_option(config, "PidFile");
    if (!g_file_get_contents(option != NULL ? option : PID_FILE, &text, NULL, NULL))
        return false;
    long process = strtol(text, NULL, 10);
    return process > 1 && (kill((pid_t)process, 0) == 0 || errno == EPERM);
}

/* Where the queue is; read once. */
static const struct spool *spool_of(struct queue *queue, char **error)
{
    if (queue->state == NULL)
        queue->state = spool_read(configuration(queue), error);
    return queue->state;
}

static void forget(gpointer state)
{
    spool_free(state);
}

static bool id_is_sound(const char *id)
{
    size_t length = strlen(id);
    if (length < ID_LEAST || length > ID_MOST)
        return false;
    if (strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx") < ID_CLOCK)
        return false;
    return strspn(id + ID_CLOCK, "0123456789") == length - ID_CLOCK;
}

/* Each has the second, a number and the process in it. */
static bool id_is_unique(const char *id)
{
    return id_is_sound(id);
}

/* ---- what is on hold */

/* The whole of a control file. */
static int read_file(int file, GString *text, char **error)
{
    char piece[16384];
    ssize_t length;
    while ((length = read(file, piece, sizeof piece)) > 0) {
        g_string_append_len(text, piece, length);
        if (text->len > CONTROL_LIMIT) {
            *error = g_strdup_printf("a control file of Sendmail's queue has more than %u bytes", CONTROL_LIMIT);
            return -1;
        }
    }
    if (length == 0)
        return 0;
    *error = g_strdup_printf("a control file of Sendmail's queue: %s", g_strerror(errno));
    return -1;
}

/* The control file of a quarantined message, for close(2); see spool_open. */
static int open_held(struct queue *queue, const char *id, GString *text, char **error)
{
    const struct spool *spool = spool_of(queue, error);
    int file = spool == NULL ? -1 : spool_open(spool, SPOOL_QUARANTINED, id, error);
    if (file == -1 || read_file(file, text, error) == 0)
        return file;
    close(file);
    return -1;
}

static int add_entry(struct queue *queue, const char *id, GPtrArray *entries, char **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int file = open_held(queue, id, text, error);
    if (file == -1)
        return *error == NULL ? 0 : -1; /* it has left meanwhile */
    close(file);
    struct control control;
    control_read(text->str, text->len, &control);
    struct queue_entry *entry = g_new0(struct queue_entry, 1);
    entry->id = g_strdup(id);
    entry->arrival = control.arrival;
    entry->sender = g_steal_pointer(&control.sender);
    entry->recipients = control.recipients;
    entry->size = (gint64)control.header_length + MAX(spool_size(queue->state, SPOOL_BODY, id), 0);
    g_ptr_array_add(entries, entry);
    return 0;
}

static int held(struct queue *queue, GPtrArray *entries, char **error)
{
    const struct spool *spool = spool_of(queue, error);
    g_autoptr(GPtrArray) ids = spool == NULL ? NULL : spool_list(spool, SPOOL_QUARANTINED, id_is_sound, error);
    if (ids == NULL)
        return -1;
    for (guint i = 0; i < ids->len; i++) {
        if (add_entry(queue, g_ptr_array_index(ids, i), entries, error) == -1)
            return -1;
    }
    return 0;
}

/* ---- one message */

static enum queue_answer take_body(struct queue *queue, const char *id, program_take take, void *data, char **error)
{
    int file = spool_open(queue->state, SPOOL_BODY, id, error);
    if (file == -1)
        return *error == NULL ? QUEUE_ABSENT : QUEUE_FAILED;
    char piece[65536];
    ssize_t length;
    while ((length = read(file, piece, sizeof piece)) > 0)
        take(data, piece, (size_t)length);
    if (length == -1)
        *error = g_strdup_printf("the body of %s: %s", id, g_strerror(errno));
    close(file);
    return length == -1 ? QUEUE_FAILED : QUEUE_DONE;
}

static enum queue_answer raw(struct queue *queue, const char *id, bool body, program_take take, void *data,
                             char **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int file = open_held(queue, id, text, error);
    if (file == -1)
        return *error == NULL ? QUEUE_ABSENT : QUEUE_FAILED;
    close(file);
    if (!body) {
        take(data, text->str, text->len);
        return QUEUE_DONE;
    }
    struct control control;
    control_read(text->str, text->len, &control);
    g_autoptr(GString) header = g_string_new(NULL);
    control_append_header(header, text->str, &control);
    control_clear(&control);
    g_string_append_c(header, '\n');
    take(data, header->str, header->len);
    return take_body(queue, id, take, data, error);
}

/* ---- what can be done with it */

/* The control file of this very message, with `control` read, for close(2); -1 as spool_open. */
static int open_entry(struct queue *queue, const struct queue_entry *entry, char **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int file = open_held(queue, entry->id, text, error);
    if (file == -1)
        return -1;
    struct control control;
    control_read(text->str, text->len, &control);
    control_clear(&control);
    if (control.arrival == entry->arrival)
        return file;
    close(file);
    return -1;
}

static bool is_locked(struct queue *queue, const char *id)
{
    g_autofree char *error = NULL;
    int file = spool_open(queue->state, SPOOL_QUARANTINED, id, &error);
    bool locked = file != -1 && !spool_lock(file);
    if (file != -1)
        close(file);
    return locked;
}

/* Waits for the end of what a command began in the background; whether the message is quarantined no longer. */
static bool wait_until_left(struct queue *queue, const char *id)
{
    const gint64 begin = g_get_monotonic_time();
    for (;;) {
        if (!spool_has(queue->state, SPOOL_QUARANTINED, id))
            return true;
        gint64 patience = is_locked(queue, id) ? PATIENCE_AT_WORK : PATIENCE;
        if (g_get_monotonic_time() - begin > patience)
            return false;
        g_usleep(LOOK);
    }
}

/*
 * Nobody else is at the message, and it is this very one.  A Sendmail that was
 * killed leaves the control file that it was writing, and no other would come
 * past that; with the lock ours, nobody is writing it.
 */
static enum queue_answer is_free(struct queue *queue, const struct queue_entry *entry, char **error)
{
    int file = open_entry(queue, entry, error);
    if (file == -1)
        return *error == NULL ? QUEUE_ABSENT : QUEUE_FAILED;
    if (!spool_lock(file))
        *error = g_strdup("another process is at the message");
    else
        spool_remove(queue->state, SPOOL_TEMPORARY, entry->id, error);
    close(file);
    return *error == NULL ? QUEUE_DONE : QUEUE_FAILED;
}

/* One command for one quarantined message, which is quarantined no longer afterwards.  A queue run that passed over
 * the message without a word, though nobody is at it, was seen: so there is a second one. */
static enum queue_answer act(struct queue *queue, const struct queue_entry *entry, const char *option, char **error)
{
    enum queue_answer answer = is_free(queue, entry, error);
    if (answer != QUEUE_DONE)
        return answer;
    g_autofree char *selection = g_strconcat("-qI", entry->id, NULL);
    const char *const words[] = {AT_ANY_LOAD, "-qQ", selection, option, NULL};
    g_autoptr(GString) said = g_string_new(NULL);
    for (unsigned tries = 0; tries == 0 || (tries == 1 && !is_locked(queue, entry->id)); tries++) {
        g_string_truncate(said, 0);
        if (run(queue, words, NULL, 0, said, error) == -1)
            return QUEUE_FAILED;
        if (wait_until_left(queue, entry->id))
            return QUEUE_DONE;
    }
    const char *words_said = g_strstrip(said->str);
    *error = g_strdup_printf("sendmail %s left the message as it was%s%s", option, words_said[0] == '\0' ? "" : ": ",
                             words_said);
    return QUEUE_FAILED;
}

/* Writes the arrival time over the one that is there: it has as many digits. */
static int write_arrival(int file, const struct queue_entry *entry, gint64 now)
{
    g_autofree char *error = NULL, *after = g_strdup_printf("%" G_GINT64_FORMAT, now);
    g_autoptr(GString) text = g_string_new(NULL);
    struct control control;
    if (!spool_lock(file) || read_file(file, text, &error) == -1)
        return -1;
    control_read(text->str, text->len, &control);
    control_clear(&control);
    if (control.arrival != entry->arrival || strspn(text->str + control.arrival_at, "0123456789") != strlen(after))
        return -1;
    return pwrite(file, after, strlen(after), (off_t)control.arrival_at) == (ssize_t)strlen(after) ? 0 : -1;
}

/* A message that waits for delivery counts as one that arrives now: it is not returned for the time that it was held.
 */
static void make_young(struct queue *queue, const struct queue_entry *entry, gint64 now, struct queue_outcome *outcome)
{
    g_autofree char *error = NULL;
    int file = spool_open(queue->state, SPOOL_WAITING, entry->id, &error);
    if (file == -1)
        return; /* a queue run was quicker */
    if (write_arrival(file, entry, now) == -1)
        outcome->detail = g_strdup("with its age as it was: if it cannot be delivered at once it may be returned");
    close(file);
}

/* It is tried at once, in the background; without this, at the next queue run. */
static char *deliver(struct queue *queue, const char *id)
{
    g_autofree char *selection = g_strconcat("-qI", id, NULL);
    const char *const words[] = {AT_ANY_LOAD, selection, NULL};
    char *error = NULL;
    run(queue, words, NULL, 0, NULL, &error);
    return error;
}

static enum queue_answer let_go(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                struct queue_outcome *outcome, char **error)
{
    enum queue_answer answer = act(queue, entry, "-Q", error);
    if (answer != QUEUE_DONE)
        return answer;
    if (now - entry->arrival > YOUNG)
        make_young(queue, entry, now, outcome);
    g_autofree char *trouble = deliver(queue, entry->id);
    if (trouble != NULL && outcome->detail == NULL)
        outcome->detail = g_strdup_printf("it leaves at the next queue run: %s", trouble);
    return QUEUE_DONE;
}

static enum queue_answer give_back(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                                   char **error)
{
    (void)outcome;
    return act(queue, entry, "-OTimeout.queuereturn=now", error);
}

/* The control file first: without it, what is left is not a message any more. */
static enum queue_answer remove_files(const struct spool *spool, const char *id, char **error)
{
    switch (spool_remove(spool, SPOOL_QUARANTINED, id, error)) {
    case 0:
        break;
    case 1:
        return QUEUE_ABSENT;
    default:
        return QUEUE_FAILED;
    }
    static const char *const rest[] = {SPOOL_BODY, SPOOL_TRANSCRIPT, SPOOL_TEMPORARY};
    for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
        g_autofree char *trouble = NULL;
        if (spool_remove(spool, rest[i], id, &trouble) == -1)
            log_line(LOG_WARNING, "%s", trouble);
    }
    return QUEUE_DONE;
}

static enum queue_answer drop(struct queue *queue, const struct queue_entry *entry, char **error)
{
    int file = open_entry(queue, entry, error);
    if (file == -1)
        return *error == NULL ? QUEUE_ABSENT : QUEUE_FAILED;
    enum queue_answer answer = QUEUE_FAILED;
    if (!spool_lock(file))
        *error = g_strdup("another process is at the message");
    else if (!spool_is(queue->state, SPOOL_QUARANTINED, entry->id, file)) /* it went before it was ours alone */
        answer = QUEUE_ABSENT;
    else
        answer = remove_files(queue->state, entry->id, error);
    close(file);
    return answer;
}

/* A release is two steps, -Q and the new age: whoever died between them did the first. */
static void hurry(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    struct queue_outcome ignored = {0};
    if (entry->arrival != 0 && now - entry->arrival > YOUNG && queue->state != NULL)
        make_young(queue, entry, now, &ignored);
    g_free(ignored.detail);
    g_free(deliver(queue, entry->id));
}

/* By the MTA itself, not by the client that hands on over SMTP: no milter sees it, so nothing holds it. */
static int submit(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
                  char **error)
{
    const char *const words[] = {"-Am", "-i", "-f", sender[0] == '\0' ? "<>" : sender, "--", recipient, NULL};
    return run(queue, words, text, length, NULL, error);
}

const struct queue_driver sendmail_queue_driver = {
    .mta = MTA_SENDMAIL,
    .name = "Sendmail",
    .is_installed = is_installed,
    .is_running = is_running,
    .forget = forget,
    .id_is_sound = id_is_sound,
    .id_is_unique = id_is_unique,
    .held = held,
    .raw = raw,
    .parse = control_message,
    .release = let_go,
    .give_back = give_back,
    .drop = drop,
    .hurry = hurry,
    .send = submit,
};
