/*
 * command_notify - `rcptguardq notify`: tells the authors of held mail of it; see rcptguardq(8)
 *
 * A notice is `sent` only after the MTA's sendmail command has taken it.  Before
 * that the ledger counts the try.  So one that is interrupted in between is tried
 * once more, and may come twice, but never three times.
 */

#include "milter/notify/answer_text.h"
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

/* Of messages that leave by themselves, each author gets one in this time at most, in microseconds. */
#define DELAYED_PAUSE G_TIME_SPAN_MINUTE

/* How often it is looked whether a message that was just held is in the queue, and how long in between; and until when
 * it was just held. */
#define DELAYED_TRIES 5u
#define DELAYED_WAIT  G_USEC_PER_SEC
#define COMING_LIMIT  (10 * G_TIME_SPAN_SECOND)

/* What a notice is of. */
enum kind {
    KIND_REVIEWED, /* waits for a reviewer */
    KIND_DELAYED,  /* leaves by itself */
    KIND_STOPPED,  /* was to leave by itself, and does not: its author has to know that */
};

/* What a run has to work with. */
struct notify {
    enum kind kind; /* it is about these messages, and no others */
    struct tool *tool;
    struct onhold *onhold;
    char *template;
    const struct answer_site *site; /* NULL: nobody answers by mail */
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

static enum kind kind_of(const struct ledger_row *row)
{
    if (row->leaves > 0)
        return KIND_DELAYED;
    return row->stopped != NULL ? KIND_STOPPED : KIND_REVIEWED;
}

static void say(const struct ledger_row *row, const char *word, const char *text)
{
    const char *id = row->message.queue_id;
    if (kind_of(row) != KIND_REVIEWED) /* the agent reports decisions */
        return;
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
    if (row->state == LEDGER_HELD && !onhold_has(notify->onhold, row) && !onhold_may_have(notify->onhold, row))
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
        struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, i);
        if (kind_of(row) != notify->kind)
            continue;
        onhold_name(notify->onhold, row);
        g_autofree char *why = find_obstacle(notify, row);
        int status = why == NULL ? EXITS_DONE : skip(notify, row, why);
        if (status != EXITS_DONE)
            return status;
        if (why != NULL)
            continue;
        if ((LEDGER_BIT(row->state) & LEDGER_WAITING) != 0 && onhold_has(notify->onhold, row))
            g_ptr_array_add(find_told(authors, row->message.author)->rows, row);
        else if (onhold_may_have(notify->onhold, row))
            say(row, "waiting", "the queue that it is in cannot be read");
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

/* `site` is NULL where there is nothing to answer. */
static char *compose(const struct notify *notify, const char *template, const struct notified *told,
                     const struct answer_site *site)
{
    const struct ledger_row *oldest = g_ptr_array_index(told->rows, 0);
    g_autofree char *contact = find_contact(notify->tool->ledger, oldest->message.policy);
    g_autofree char *answers = site == NULL ? NULL : answer_text_sender(site, told->rows);
    const struct notice_facts facts = {.message = &oldest->message,
                                       .leaves = oldest->leaves,
                                       .contact = contact,
                                       .answers = answers,
                                       .rows = told->rows};
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

/* Where several instances are, the mail takes the way of the first message that it is about. */
static struct queue *queue_for(const struct notify *notify, const struct notified *told)
{
    const struct ledger_row *first = g_ptr_array_index(told->rows, 0);
    return queue_of(notify->tool->queue, first->message.instance);
}

static int send_mail(const struct notify *notify, struct notified *told)
{
    struct database_error failure;
    g_autofree char *error = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    int status = begin(notify, told, ids);
    if (status != EXITS_DONE || ids->len == 0)
        return status;
    g_autofree char *text = compose(notify, notify->template, told, notify->site);
    bool sent = queue_send(queue_for(notify, told), "", told->author, text, strlen(text), &error) == 0;
    say_all(told, sent ? "sent" : "failed", sent ? told->author : error);
    if (ledger_notices_end(notify->tool->ledger, ids, sent, tool_now(), &failure) == -1)
        return tool_ledger_error(&failure);
    return sent ? EXITS_DONE : tool_error(EXITS_PASSING, "%s", error);
}

/* What would be sent, and nothing is recorded. */
static void print_mail(const struct notify *notify, const char *template, const struct notified *told,
                       const struct answer_site *site)
{
    g_autofree char *text = compose(notify, template, told, site);
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
        print_mail(notify, notify->template, told, notify->site);
        return EXITS_DONE;
    }
    bool reviewed = notify->kind == KIND_REVIEWED;
    gint64 since = tool_now() - (reviewed ? G_TIME_SPAN_HOUR : DELAYED_PAUSE);
    if (ledger_notices_sent(notify->tool->ledger, told->author, since, &count, &error) == -1)
        return tool_ledger_error(&error);
    if (count < (reviewed ? MAILS_AN_HOUR : 1))
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
        print_mail(notify, notice_released, told, NULL);
        return EXITS_DONE;
    }
    int status = mark_released(notify, told, true);
    if (status != EXITS_DONE)
        return status;
    g_autofree char *text = compose(notify, notice_released, told, NULL);
    if (queue_send(queue_for(notify, told), "", told->author, text, strlen(text), &error) == 0) {
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

/* What the addresses are made of.  0; 1 if nobody answers by mail; or -1 with what is wrong reported. */
static int make_site(struct tool *tool, struct answer_site *site, struct policy **policy)
{
    struct database_error error;
    auto_free(diags) diags = diags_new();
    if (tool->config->review.answers == NULL)
        return 1;
    *policy = policy_load(tool->config->policy, diags);
    if (*policy == NULL) {
        tool_diags(diags);
        return -1;
    }
    site->review = &tool->config->review;
    site->policy = *policy;
    if (answer_key_read(tool->config, tool_daemon_user(tool), site->key, &error) == 0)
        return 0;
    tool_ledger_error(&error);
    return -1;
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

/* ---- of messages that leave by themselves */

/* Whether there is one whose author has to be told, or one that does not any more, and whether one of them is not in
 * the queue yet. */
static int look_for_delayed(const struct tool *tool, bool *any, bool *coming)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_notices(tool->ledger, &error);
    *any = *coming = false;
    if (rows == NULL)
        return tool_ledger_error(&error);
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        *any = *any || kind_of(row) != KIND_REVIEWED;
        *coming = *coming || (row->leaves > 0 && row->state == LEDGER_PENDING);
    }
    return EXITS_DONE;
}

/* What is not sent by itself comes first: that is one mail, and what its author sends next is rarely delayed. */
static int tell_with(struct tool *tool, const struct answer_site *site)
{
    g_autofree char *error = NULL;
    auto_free(onhold) onhold = onhold_look(tool->queue, &error);
    const struct notify stopped = {
        .tool = tool, .onhold = onhold, .template = (char *)notice_stopped, .kind = KIND_STOPPED, .site = site};
    const struct notify delayed = {
        .tool = tool, .onhold = onhold, .template = (char *)notice_delayed, .kind = KIND_DELAYED, .site = site};
    if (onhold == NULL)
        return tool_error(EXITS_PASSING, "%s", error);
    int first = tell_all(&stopped);
    int second = first == EXITS_WRONG ? first : tell_all(&delayed);
    return first == EXITS_DONE ? second : first;
}

/* Without the addresses to answer to, its author gets a mail all the same: there is little time. */
static int tell_delayed(struct tool *tool)
{
    struct answer_site site;
    struct policy *policy = NULL;
    int descriptor = lock(tool);
    if (descriptor == -1)
        return EXITS_PASSING;
    int status = tell_with(tool, make_site(tool, &site, &policy) == 0 ? &site : NULL);
    if (policy != NULL)
        policy_unref(policy);
    close(descriptor);
    return status;
}

int notify_delayed(struct tool *tool)
{
    bool any, coming;
    int status = EXITS_DONE;
    for (unsigned i = 0; i < DELAYED_TRIES; i++) {
        if (i > 0)
            g_usleep(DELAYED_WAIT);
        status = look_for_delayed(tool, &any, &coming);
        if (status != EXITS_DONE || !any)
            return status;
        status = tell_delayed(tool);
        if (!coming && status != EXITS_PASSING)
            return status;
    }
    return status;
}

/* Whether the MTA has yet to write a message that it was just told to hold: whoever wakes us does so before. */
static bool is_coming(const struct tool *tool, const struct onhold *onhold)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_notices(tool->ledger, &error);
    for (guint i = 0; rows != NULL && i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        if (row->leaves == 0 && row->state == LEDGER_PENDING && !onhold_has(onhold, row) &&
            ABS(tool_now() - row->message.judged) < COMING_LIMIT)
            return true;
    }
    return false;
}

/* What is on hold, with what comes. */
static struct onhold *look_at_queue(const struct tool *tool, char **error)
{
    struct onhold *onhold = onhold_look(tool->queue, error);
    for (unsigned i = 1; i < DELAYED_TRIES && onhold != NULL && !print_option && is_coming(tool, onhold); i++) {
        g_usleep(DELAYED_WAIT);
        onhold_free(onhold);
        onhold = onhold_look(tool->queue, error);
    }
    if (onhold != NULL && onhold_trouble(onhold) != NULL)
        tool_error(EXITS_PASSING, "warning: %s", onhold_trouble(onhold));
    return onhold;
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
    auto_free(policy) policy = NULL;
    struct answer_site site;
    int result = make_site(tool, &site, &policy);
    if (result == -1) {
        close(descriptor);
        return EXITS_WRONG;
    }
    auto_free(onhold) onhold = look_at_queue(tool, &error);
    const struct notify notify = {
        .tool = tool, .onhold = onhold, .template = template, .site = result == 0 ? &site : NULL};
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
