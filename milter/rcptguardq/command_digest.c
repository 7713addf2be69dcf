/* command_digest - `rcptguardq digest`: a mail to reviewers of what waits; see rcptguardq(8) */

#include "milter/notify/mail_compose.h"
#include "milter/queue/queue_holds.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <string.h>

/* What waits for longer is marked. */
#define LATE ((gint64)G_TIME_SPAN_DAY)

/* Messages that are listed; the others are counted. */
#define DIGEST_LIMIT 200u

/* Columns of the mail. */
enum { ID_WIDTH = 18, RULE_WIDTH = 18, SENDER_WIDTH = 28, LINE_WIDTH = 76 };

static char **to_options = NULL;
static gboolean print_option = FALSE;
static gboolean configured_option = FALSE;
static gboolean always_option = FALSE;

/* What waits. */
struct digest {
    GPtrArray *rows; /* struct ledger_row *, the oldest first */
    unsigned late;
    unsigned untracked;
    gint64 now;
};

static int check(void)
{
    for (char **address = to_options; address != NULL && *address != NULL; address++) {
        if (!letter_takes(*address))
            return tool_usage_error("--to: expected an address such as security@corp.example, not `%s`", *address);
    }
    if (print_option && tool_json())
        return tool_usage_error("--print and --json do not go together");
    return EXITS_DONE;
}

/* ---- what waits */

/* Those of the ledger that are on hold; how many are on hold besides. */
static GPtrArray *find_rows(struct digest *digest, const struct onhold *onhold, const GPtrArray *open)
{
    GPtrArray *rows = g_ptr_array_new();
    unsigned known = 0;
    for (guint i = 0; i < open->len; i++) {
        struct ledger_row *row = g_ptr_array_index((GPtrArray *)open, i);
        if (!onhold_has(onhold, row))
            continue;
        known++;
        if ((LEDGER_BIT(row->state) & LEDGER_WAITING) == 0)
            continue;
        g_ptr_array_add(rows, row);
        digest->late += digest->now - row->message.judged > LATE;
    }
    digest->untracked = onhold_count(onhold) - MIN(known, onhold_count(onhold));
    return rows;
}

/* ---- the mail */

static char *subject_of(const struct digest *digest)
{
    if (digest->rows->len == 0)
        return g_strdup("No mail waits for review");
    const struct ledger_row *oldest = g_ptr_array_index(digest->rows, 0);
    g_autofree char *age = selection_age(digest->now - oldest->message.judged);
    return g_strdup_printf("%u message%s for review, the oldest for %s", digest->rows->len,
                           digest->rows->len == 1 ? " waits" : "s wait", age);
}

static void append_cell(GString *out, const char *text, unsigned width)
{
    unsigned columns = terminal_append_within(out, text, width - 2);
    terminal_append_blanks(out, columns, width);
}

static void append_row(GString *out, const struct tool *tool, const struct digest *digest, const struct ledger_row *row)
{
    const struct ledger_message *message = &row->message;
    gint64 waits = digest->now - message->judged;
    g_autofree char *age = selection_age(waits);
    unsigned needed = tool_approvals_needed(tool, row);
    g_string_append(out, waits > LATE ? "! " : "  ");
    append_cell(out, message->queue_id, ID_WIDTH);
    g_string_append_printf(out, "%6s  ", age);
    append_cell(out, message->rule, RULE_WIDTH);
    g_autofree char *addresses = facts_count(message->counts.visible, "address", "addresses");
    g_autofree char *parties = facts_count(message->counts.parties, "party", "parties");
    g_string_append_printf(out, "%s, %s", addresses, parties);
    if (needed > 1)
        g_string_append_printf(out, ", %u of %u approvals", row->granted, needed);
    g_string_append(out, "\n    ");
    append_cell(out, message->sender[0] == '\0' ? "<>" : message->sender, SENDER_WIDTH);
    terminal_append_within(out, message->subject == NULL ? "" : message->subject, LINE_WIDTH - 4 - SENDER_WIDTH);
    g_string_append_c(out, '\n');
}

static char *body_of(const struct tool *tool, const struct digest *digest)
{
    GString *out = g_string_new(NULL);
    guint count = digest->rows->len;
    if (count == 0)
        g_string_append(out, "Nothing waits for review.\n");
    else if (digest->late > 0)
        g_string_append_printf(out, "%u of %u, marked with `!`, %s for more than a day.\n\n", digest->late, count,
                               digest->late == 1 ? "waits" : "wait");
    for (guint i = 0; i < count && i < DIGEST_LIMIT; i++)
        append_row(out, tool, digest, g_ptr_array_index(digest->rows, i));
    if (count > DIGEST_LIMIT)
        g_string_append_printf(out, "... and %u more\n", count - DIGEST_LIMIT);
    if (digest->untracked > 0)
        g_string_append_printf(out,
                               "\n%u more on hold, not in the ledger:\n    sudo rcptguardq list --state untracked\n",
                               digest->untracked);
    if (count > 0)
        g_string_append(
            out,
            "\nWhy is one held?      sudo rcptguardq show ID\nWhat is in it?        sudo rcptguardq show --text ID\n"
            "One after the other:  sudo rcptguardq review\n");
    return g_string_free(out, FALSE);
}

static char *compose(const struct tool *tool, const struct digest *digest, char **recipients)
{
    g_autofree char *to = recipients == NULL ? g_strdup("undisclosed-recipients:;") : g_strjoinv(", ", recipients);
    g_autofree char *subject = subject_of(digest);
    g_autofree char *body = body_of(tool, digest);
    const struct letter letter = {.to = to, .subject = subject, .body = body};
    return letter_compose(&letter);
}

/* ---- sending it */

static void say(const struct digest *digest, char **recipients, unsigned sent)
{
    guint count = digest->rows->len;
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_number(json, "waiting", count);
        json_number(json, "late", digest->late);
        json_number(json, "untracked", digest->untracked);
        json_number(json, "sent", sent);
        json_builder_end_object(json);
        tool_print_json(json);
        return;
    }
    g_autofree char *subject = subject_of(digest);
    g_autofree char *to = sent == 0 ? NULL : g_strjoinv(", ", recipients);
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%s; %s%s\n", subject, sent == 0 ? "no mail was sent" : "sent to ",
                           sent == 0 ? "" : to);
    tool_print(line);
}

static int send_all(struct tool *tool, const struct digest *digest, char **recipients)
{
    g_autofree char *text = compose(tool, digest, recipients);
    unsigned sent = 0;
    int status = EXITS_DONE;
    for (char **recipient = recipients; *recipient != NULL; recipient++) {
        g_autofree char *error = NULL;
        if (queue_send(tool->queue, "", *recipient, text, strlen(text), &error) == 0)
            sent++;
        else
            status = tool_error(EXITS_PASSING, "to %s: %s", *recipient, error);
    }
    if (status == EXITS_DONE || tool_json())
        say(digest, recipients, sent);
    return status;
}

static int deliver(struct tool *tool, const struct digest *digest)
{
    char **recipients = to_options != NULL ? to_options : tool->config->review.digest_to;
    if (print_option) {
        g_autofree char *text = compose(tool, digest, recipients);
        g_autoptr(GString) out = g_string_new(text);
        tool_print(out);
        return EXITS_DONE;
    }
    if (recipients == NULL)
        return tool_error(EXITS_WRONG, "there is no recipient: [review] has no digest-to; use --to, or --print");
    if (digest->rows->len > 0 || always_option)
        return send_all(tool, digest, recipients);
    say(digest, recipients, 0);
    return EXITS_DONE;
}

static int run(struct tool *tool)
{
    const struct ledger_filter filter = {.states = LEDGER_OPEN, .oldest_first = true};
    struct database_error failure;
    g_autofree char *error = NULL;
    if (configured_option && to_options == NULL && tool->config->review.digest_to == NULL)
        return EXITS_DONE;
    g_autoptr(GPtrArray) open = ledger_list(tool->ledger, &filter, &failure);
    if (open == NULL)
        return tool_ledger_error(&failure);
    auto_free(onhold) onhold = onhold_look(tool->queue, &error);
    if (onhold == NULL)
        return tool_error(EXITS_PASSING, "%s", error);
    struct digest digest = {.now = tool_now()};
    digest.rows = find_rows(&digest, onhold, open);
    int status = deliver(tool, &digest);
    g_ptr_array_unref(digest.rows);
    return status;
}

static const GOptionEntry entries[] = {
    {"to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to_options, "To this address; may be repeated (digest-to)", "ADDR"},
    {"print", 0, 0, G_OPTION_ARG_NONE, &print_option, "Print the mail and send none", NULL},
    {"if-configured", 0, 0, G_OPTION_ARG_NONE, &configured_option, "Do nothing if no address is configured", NULL},
    {"always", 0, 0, G_OPTION_ARG_NONE, &always_option, "Send it even if no message waits", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_digest = {
    .command.name = "digest",
    .command.summary = "Mail a list of the waiting messages to reviewers",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .command.check = check,
    .command.run = run,
};
