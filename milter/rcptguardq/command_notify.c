/*
 * command_notify - `rcptguardq notify`: tells the authors of held mail of it; see rcptguardq(8)
 *
 * A notice is `sent` only after the MTA's sendmail command has taken it.  Before
 * that the ledger counts the try.  So one that is interrupted in between is tried
 * once more, and may come twice, but never three times.
 */

#include "milter/notify/mail_compose.h"
#include "milter/notify/notice_template.h"
#include "milter/queue/queue_holds.h"
#include "milter/rcptguardq/commands.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"
#include "policy/engine/policy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Mails that one author gets in an hour at most. */
#define MAILS_AN_HOUR 3u

/* Whoever has not heard for so long that a message was released knows it from its recipients. */
#define RELEASED_LIMIT G_TIME_SPAN_DAY

static gboolean print_option = FALSE;
static gboolean configured_option = FALSE;

/* What a run has to work with. */
struct notify {
    struct tool *tool;
    struct onhold *onhold;
    char *template;
};

/* One author's messages, the oldest first. */
struct notified {
    const char *author;
    GPtrArray *rows; /* const struct ledger_row * */
};

static int check(void)
{
    if (print_option && tool_json())
        return tool_usage_error("--print and --json do not go together");
    return EXITS_DONE;
}

/* ---- what is said of each message */

static void say(const struct ledger_row *row, const char *word, const char *text)
{
    const char *id = row->message.queue_id;
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_string(json, "id", id);
        json_string(json, "notice", word);
        json_string(json, "text", text);
        json_builder_end_object(json);
        tool_print_json(json);
    } else if (!print_option) {
        g_autoptr(GString) line = g_string_new(NULL);
        g_autofree char *plain = g_strdup_printf("%s: %s: %s", id, word, text);
        terminal_append_plain(line, plain);
        g_string_append_c(line, '\n');
        tool_print(line);
    }
}

/* ---- which */

/* Why nobody is told of a row any more, for g_free; NULL if somebody is, now or later. */
static char *find_obstacle(const struct notify *notify, const struct ledger_row *row)
{
    const struct ledger_message *message = &row->message;
    if ((LEDGER_BIT(row->state) & LEDGER_CLOSED) != 0)
        return g_strdup_printf("it is %s already", ledger_state_name(row->state));
    if (row->state == LEDGER_HELD && !onhold_has(notify->onhold, row))
        return g_strdup("it is on hold no longer under this id");
    if (message->author == NULL || !letter_takes(message->author))
        return g_strdup("its author's address is not one that can be handed to sendmail");
    return NULL;
}

static int skip(const struct notify *notify, const struct ledger_row *row, const char *why)
{
    struct database_error error;
    if (!print_option && ledger_notice_skip(notify->tool->ledger, row->id, why, tool_now(), &error) == -1)
        return tool_ledger_error(&error);
    say(row, "skipped", why);
    return EXITS_DONE;
}

static struct notified *find_told(GPtrArray *authors, const char *author)
{
    for (guint i = 0; i < authors->len; i++) {
        struct notified *told = g_ptr_array_index(authors, i);
        if (g_ascii_strcasecmp(told->author, author) == 0)
            return told;
    }
    struct notified *told = g_new(struct notified, 1);
    told->author = author;
    told->rows = g_ptr_array_new();
    g_ptr_array_add(authors, told);
    return told;
}

static void told_free(gpointer data)
{
    struct notified *told = data;
    g_ptr_array_unref(told->rows);
    g_free(told);
}

/* Each row that is on hold to its author; one that a reviewer is at, or that is not yet in the queue, waits. */
static int sort_rows(const struct notify *notify, const GPtrArray *rows, GPtrArray *authors)
{
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, i);
        g_autofree char *why = find_obstacle(notify, row);
        int status = why == NULL ? EXITS_DONE : skip(notify, row, why);
        if (status != EXITS_DONE)
            return status;
        if (why != NULL)
            continue;
        if ((LEDGER_BIT(row->state) & LEDGER_WAITING) != 0 && onhold_has(notify->onhold, row))
            g_ptr_array_add(find_told(authors, row->message.author)->rows, (gpointer)row);
        else
            say(row, "waiting", row->state == LEDGER_PENDING ? "it is not in the queue" : "a reviewer is at it");
    }
    return EXITS_DONE;
}

/* ---- one mail */

/* Whom the policy that held the message names, for g_free; NULL if that is not known. */
static char *find_contact(struct ledger *ledger, const char *digest)
{
    struct database_error error;
    g_autofree char *text = ledger_policy_text(ledger, digest, &error);
    auto_free(policy) policy = policy_read_kept(text != NULL ? text : "");
    return g_strdup(policy_contact(policy));
}

static char *compose(const struct notify *notify, const char *template, const struct notified *told)
{
    const struct ledger_row *oldest = g_ptr_array_index(told->rows, 0);
    g_autofree char *contact = find_contact(notify->tool->ledger, oldest->message.policy);
    const struct notice_facts facts = {.message = &oldest->message, .contact = contact, .rows = told->rows};
    return notice_compose(template, &facts, told->author);
}

static bool is_among(const GArray *ids, gint64 id)
{
    for (guint i = 0; i < ids->len; i++) {
        if (g_array_index(ids, gint64, i) == id)
            return true;
    }
    return false;
}

/* Counts the tries; what may not be tried again is no longer among the rows. */
static int begin(const struct notify *notify, struct notified *told, GArray *ids)
{
    struct database_error error;
    for (guint i = 0; i < told->rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(told->rows, i);
        g_array_append_val(ids, row->id);
    }
    if (ledger_notices_begin(notify->tool->ledger, ids, tool_now(), &error) == -1)
        return tool_ledger_error(&error);
    for (guint i = told->rows->len; i > 0; i--) {
        const struct ledger_row *row = g_ptr_array_index(told->rows, i - 1);
        if (is_among(ids, row->id))
            continue;
        say(row, "skipped", "it was interrupted too often, and may have been sent");
        g_ptr_array_remove_index(told->rows, i - 1);
    }
    return EXITS_DONE;
}

static void say_all(const struct notified *told, const char *word, const char *text)
{
    for (guint i = 0; i < told->rows->len; i++)
        say(g_ptr_array_index(told->rows, i), word, text);
}

static int send_mail(const struct notify *notify, struct notified *told)
{
    struct database_error failure;
    g_autofree char *error = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    int status = begin(notify, told, ids);
    if (status != EXITS_DONE || ids->len == 0)
        return status;
    g_autofree char *text = compose(notify, notify->template, told);
    bool sent = queue_send(notify->tool->queue, "", told->author, text, strlen(text), &error) == 0;
    say_all(told, sent ? "sent" : "failed", sent ? told->author : error);
    if (ledger_notices_end(notify->tool->ledger, ids, sent, tool_now(), &failure) == -1)
        return tool_ledger_error(&failure);
    return sent ? EXITS_DONE : tool_error(EXITS_PASSING, "%s", error);
}

/* What would be sent, and nothing is recorded. */
static void print_mail(const struct notify *notify, const char *template, const struct notified *told)
{
    g_autofree char *text = compose(notify, template, told);
    g_autoptr(GString) out = g_string_new(text);
    g_string_append(out, "\n");
    tool_print(out);
}

/* Whoever had that many mails in the last hour waits; then one mail is about all that came meanwhile. */
static int tell(const struct notify *notify, struct notified *told)
{
    unsigned count = 0;
    struct database_error error;
    if (print_option) {
        print_mail(notify, notify->template, told);
        return EXITS_DONE;
    }
    if (ledger_notices_sent(notify->tool->ledger, told->author, tool_now() - G_TIME_SPAN_HOUR, &count, &error) == -1)
        return tool_ledger_error(&error);
    if (count < MAILS_AN_HOUR)
        return send_mail(notify, told);
    say_all(told, "waiting", "its author had enough notices in the last hour");
    return EXITS_DONE;
}

/* ---- those that were released */

static int mark_released(const struct notify *notify, const struct notified *told, bool yes)
{
    struct database_error error;
    for (guint i = 0; i < told->rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(told->rows, i);
        if (ledger_notice_released(notify->tool->ledger, row->id, yes, &error) == -1)
            return tool_ledger_error(&error);
    }
    return EXITS_DONE;
}

/* It is written down first: this mail may be missed, but does not come twice. */
static int send_released(const struct notify *notify, const struct notified *told)
{
    g_autofree char *error = NULL;
    if (print_option) {
        print_mail(notify, notice_released, told);
        return EXITS_DONE;
    }
    int status = mark_released(notify, told, true);
    if (status != EXITS_DONE)
        return status;
    g_autofree char *text = compose(notify, notice_released, told);
    if (queue_send(notify->tool->queue, "", told->author, text, strlen(text), &error) == 0) {
        say_all(told, "released", told->author);
        return EXITS_DONE;
    }
    say_all(told, "failed", error);
    status = mark_released(notify, told, false);
    return status == EXITS_DONE ? tool_error(EXITS_PASSING, "%s", error) : status;
}

static int tell_released(const struct notify *notify)
{
    struct database_error error;
    int result = EXITS_DONE;
    g_autoptr(GPtrArray) rows = ledger_notices_released(notify->tool->ledger, tool_now() - RELEASED_LIMIT, &error);
    g_autoptr(GPtrArray) authors = g_ptr_array_new_with_free_func(told_free);
    if (rows == NULL)
        return tool_ledger_error(&error);
    for (guint i = 0; i < rows->len; i++) {
        struct ledger_row *row = g_ptr_array_index(rows, i);
        if (row->message.author != NULL && letter_takes(row->message.author))
            g_ptr_array_add(find_told(authors, row->message.author)->rows, row);
    }
    for (guint i = 0; i < authors->len && result != EXITS_WRONG; i++) {
        int status = send_released(notify, g_ptr_array_index(authors, i));
        result = result == EXITS_DONE ? status : result;
    }
    return result;
}

/* ---- the whole */

static int tell_all(const struct notify *notify)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_notices(notify->tool->ledger, &error);
    g_autoptr(GPtrArray) authors = g_ptr_array_new_with_free_func(told_free);
    if (rows == NULL)
        return tool_ledger_error(&error);
    int result = sort_rows(notify, rows, authors);
    for (guint i = 0; i < authors->len && result != EXITS_WRONG; i++) {
        int status = tell(notify, g_ptr_array_index(authors, i));
        result = result == EXITS_DONE ? status : result;
    }
    return result;
}

/* One at a time, so that no two send the same: a lock on the ledger's directory, which ends with the process.  -1: it
 * is taken. */
static int lock(const struct tool *tool)
{
    g_autofree char *folder = g_path_get_dirname(tool->config->ledger);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor != -1 && flock(descriptor, LOCK_EX | LOCK_NB) == -1) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static int run(struct tool *tool)
{
    const char *path = tool->config->review.notice;
    if (path == NULL) {
        g_autoptr(GString) text = g_string_new("[review] has no notice: no one is informed.\n");
        if (!tool_json() && !configured_option)
            tool_print(text);
        return EXITS_DONE;
    }
    auto_free(diags) diags = diags_new();
    g_autofree char *template = notice_load(path, diags);
    tool_diags(diags);
    if (template == NULL)
        return EXITS_WRONG;
    int descriptor = lock(tool);
    if (descriptor == -1)
        return tool_error(EXITS_PASSING, "another notify is at it");
    g_autofree char *error = NULL;
    auto_free(onhold) onhold = onhold_look(tool->queue, &error);
    const struct notify notify = {.tool = tool, .onhold = onhold, .template = template};
    int status = onhold == NULL ? tool_error(EXITS_PASSING, "%s", error) : tell_all(&notify);
    if (onhold != NULL && status != EXITS_WRONG) {
        int released = tell_released(&notify);
        status = status == EXITS_DONE ? released : status;
    }
    close(descriptor);
    return status;
}

static const GOptionEntry entries[] = {
    {"print", 0, 0, G_OPTION_ARG_NONE, &print_option, "Print the mails and send none", NULL},
    {"if-configured", 0, 0, G_OPTION_ARG_NONE, &configured_option, "Print nothing if no notice is configured", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_notify = {
    .command.name = "notify",
    .command.summary = "Inform the authors of held mail",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .command.check = check,
    .command.run = run,
};
