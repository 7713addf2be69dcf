/* command_digest - `rcptguardq digest`: a mail to reviewers of what waits; see rcptguardq(8) */

#include "milter/ledger/ledger_time.h"
#include "milter/notify/answer_text.h"
#include "milter/notify/mail_compose.h"
#include "milter/places/places.h"
#include "milter/queue/queue_holds.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/decision.h"
#include "milter/review/expiry.h"
#include "milter/review/held_summary.h"
#include "milter/review/hold_reasons.h"
#include "milter/review/message_filter.h"
#include "milter/review/self_decided.h"
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
    GPtrArray *items; /* struct view_item *, the oldest first */
    unsigned late;
    unsigned untracked;
    gint64 now;
    struct policy *policy; /* or NULL */
    gint64 steady;         /* since when the agent runs */
    GArray *expiring;      /* gint64: the rows of which it says that they expire */
    struct self_decided self;
    char *trouble;       /* which queues could not be read, or NULL */
    GString *by_senders; /* what they decided in the last day, as text */
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

static void take_row(struct digest *digest, struct ledger_row *row, struct tool *at)
{
    const struct view_item item = {.row = row, .at = at};
    g_ptr_array_add(digest->items, g_memdup2(&item, sizeof item));
    digest->late += digest->now - row->message.judged > LATE;
}

/* Those of the ledger that are on hold; how many are on hold besides. */
static void find_rows(struct digest *digest, const struct onhold *onhold, const GPtrArray *open)
{
    unsigned known = 0;
    for (guint i = 0; i < open->len; i++) {
        struct ledger_row *row = g_ptr_array_index((GPtrArray *)open, i);
        bool there = onhold_has(onhold, row);
        onhold_name(onhold, row);
        if (!there && (row->state != LEDGER_HELD || !onhold_may_have(onhold, row)))
            continue;
        known += there;
        if ((LEDGER_BIT(row->state) & LEDGER_WAITING) != 0)
            take_row(digest, row, NULL);
    }
    digest->untracked = onhold_count(onhold) - MIN(known, onhold_count(onhold));
}

static gint compare_oldest(gconstpointer a, gconstpointer b)
{
    return -view_compare(a, b);
}

/* Those of the other nodes, which `kept` keeps alive. */
static int find_others(struct digest *digest, const struct places *places, GPtrArray *kept)
{
    const struct ledger_filter held = {.states = LEDGER_BIT(LEDGER_HELD)};
    struct database_error error;
    for (guint i = 0; i < places->others->len; i++) {
        struct tool *tool = g_ptr_array_index(places->others, i);
        GPtrArray *rows = ledger_list(tool->ledger, &held, &error);
        if (rows == NULL)
            return tool_ledger_error(&error);
        g_ptr_array_add(kept, rows);
        for (guint j = 0; j < rows->len; j++)
            take_row(digest, g_ptr_array_index(rows, j), tool);
    }
    if (places->others->len > 0)
        g_ptr_array_sort(digest->items, compare_oldest);
    return EXITS_DONE;
}

/* ---- the mail */

static char *subject_of(const struct digest *digest)
{
    if (digest->items->len == 0)
        return g_strdup("No mail waits for review");
    g_autofree char *age = selection_age(digest->now - view_arrival(g_ptr_array_index(digest->items, 0)));
    return g_strdup_printf("%u message%s for review, the oldest for %s", digest->items->len,
                           digest->items->len == 1 ? " waits" : "s wait", age);
}

static void append_cell(GString *out, const char *text, unsigned width)
{
    unsigned columns = terminal_append_within(out, text, width - 2);
    terminal_append_blanks(out, columns, width);
}

/* When it expires, if that is soon: of what is not said here nothing expires. */
static struct held_expiry expiry_soon(const struct tool *tool, const struct digest *digest,
                                      const struct ledger_row *row)
{
    const struct held_expiry expiry = expiry_find(tool->config, digest->policy, row);
    return expiry.when - digest->now <= EXPIRY_HORIZON ? expiry : (struct held_expiry){0};
}

/* What the time decides of it. */
static void append_times(GString *out, const struct tool *tool, const struct digest *digest,
                         const struct ledger_row *row)
{
    const struct held_expiry expiry = expiry_soon(tool, digest, row);
    gint64 due = delay_find(tool->config, digest->policy, row);
    g_autofree char *leaves = tool_time_text(due);
    g_autofree char *expires = tool_time_text(expiry_earliest(&expiry, row, digest->steady, digest->now));
    if (due != 0)
        g_string_append_printf(out, "    on delay: released by itself after %s, unless it is decided before\n", leaves);
    else if (row->stopped != NULL) {
        g_string_append(out, "    on delay no more, because of the rule ");
        terminal_append_within(out, row->stopped, RULE_WIDTH);
        g_string_append_c(out, '\n');
    }
    if (expiry.when != 0)
        g_string_append_printf(out, "    expires: %s after %s, unless it is decided before\n",
                               expiry.action == LEDGER_DELETE ? "deleted" : "returned to its sender", expires);
}

/* Whom it shows beside its recipient headers, and that something was not read. */
static void append_inside(GString *out, const struct inside_counts *counts)
{
    g_autofree char *inside = inside_counts_any(counts) ? hold_inside(counts, "; ") : NULL;
    g_autofree char *opaque = hold_opaque(counts);
    if (inside != NULL)
        g_string_append_printf(out, "    inside: %s\n", inside);
    if (opaque != NULL)
        g_string_append_printf(out, "    not read completely: %s\n", opaque);
}

/* Whole, as a command takes it. */
static void append_id(GString *out, const struct tool *tool, const char *id)
{
    g_autofree char *full = tool_full_id(tool, id);
    if (tool->home == NULL) {
        append_cell(out, full, ID_WIDTH);
        return;
    }
    terminal_append_blanks(out, terminal_append_plain(out, full), ID_WIDTH - 2);
    g_string_append(out, "  ");
}

static void append_item(GString *out, struct tool *home, const struct digest *digest, const struct view_item *item)
{
    const struct tool *tool = tool_at(home, item);
    const struct ledger_row *row = item->row;
    const struct ledger_message *message = &row->message;
    gint64 waits = digest->now - message->judged;
    g_autofree char *age = selection_age(waits);
    unsigned needed = tool_approvals_needed(tool, row);
    g_string_append(out, waits > LATE ? "! " : "  ");
    append_id(out, tool, message->queue_id);
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
    if (message->instance != NULL)
        g_string_append_printf(out, "    instance: %s\n", message->instance);
    append_inside(out, &message->inside);
    if (tool->home == NULL) /* what another node has said that it will do is in its own digest */
        append_times(out, tool, digest, row);
}

static char *body_of(struct tool *tool, const struct digest *digest)
{
    GString *out = g_string_new(NULL);
    guint count = digest->items->len;
    g_autofree char *instance = config_instance_option(tool->config);
    if (count == 0)
        g_string_append(out, "Nothing waits for review.\n");
    else if (digest->late > 0)
        g_string_append_printf(out, "%u of %u, marked with `!`, %s for more than a day.\n\n", digest->late, count,
                               digest->late == 1 ? "waits" : "wait");
    for (guint i = 0; i < count && i < DIGEST_LIMIT; i++)
        append_item(out, tool, digest, g_ptr_array_index(digest->items, i));
    if (count > DIGEST_LIMIT)
        g_string_append_printf(out, "... and %u more\n", count - DIGEST_LIMIT);
    if (digest->trouble != NULL)
        g_string_append_printf(out, "\nWarning: %s; what is held there is listed as it was known.\n", digest->trouble);
    if (digest->untracked > 0)
        g_string_append_printf(out,
                               "\n%u more on hold, not in the ledger:\n    sudo rcptguardq list%s --state untracked\n",
                               digest->untracked, instance);
    if (count > 0)
        g_string_append_printf(out,
                               "\nWhy is one held?      sudo rcptguardq show%s ID\n"
                               "What is in it?        sudo rcptguardq show%s --text ID\n"
                               "One after the other:  sudo rcptguardq review%s\n",
                               instance, instance, instance);
    return g_string_free(out, FALSE);
}

/* ---- by mail */

/* What a reviewer may do with a message: bits 1 << enum ledger_action. */
static unsigned actions_of(const struct tool *tool, const struct reviewer *reviewer, const struct ledger_row *row)
{
    char **const *groups = tool->config->review.groups;
    bool own = decision_is_own(tool, row, reviewer->login);
    unsigned actions = 0;
    if (!own && reviewer_may(reviewer, (const char *const *)groups[REVIEW_RELEASE]))
        actions |= 1u << LEDGER_RELEASE;
    if (!own && row->message.sender[0] != '\0' && reviewer_may(reviewer, (const char *const *)groups[REVIEW_RETURN]))
        actions |= 1u << LEDGER_RETURN;
    if (!own && reviewer_may(reviewer, (const char *const *)groups[REVIEW_DELETE]))
        actions |= 1u << LEDGER_DELETE;
    return actions;
}

/* The addresses by which this recipient decides, if he is one of the identities. */
static char *answers_text(const struct tool *tool, const struct digest *digest, const char *recipient)
{
    const struct review *review = &tool->config->review;
    struct database_error error;
    struct answer_site site = {.review = review};
    GString *out = g_string_new(NULL);
    const char *login = !review->by_mail || review->answers == NULL || tool->identities == NULL
                            ? NULL
                            : identities_login_of_address(tool->identities, recipient);
    auto_free(reviewer) reviewer = login == NULL ? NULL : reviewer_named(login);
    if (reviewer == NULL || answer_key_read(tool->config, tool_daemon_user(tool), site.key, &error) == -1)
        return g_string_free(out, FALSE);
    for (guint i = 0; i < digest->items->len && i < DIGEST_LIMIT; i++) {
        const struct view_item *item = g_ptr_array_index(digest->items, i);
        const struct ledger_row *row = item->row;
        if (item->at != NULL) /* only its own node knows such an address */
            continue;
        g_autofree char *text = answer_text_reviewer(&site, row, reviewer->login, actions_of(tool, reviewer, row));
        if (text[0] == '\0')
            continue;
        if (out->len == 0)
            g_string_append(out,
                            "\nTo decide by mail, write to one of these addresses alone, with your login and your\n"
                            "reason in the subject. They are yours: do not pass them on.\n");
        g_string_append_printf(out, "\n%s\n%s", row->message.queue_id, text);
    }
    return g_string_free(out, FALSE);
}

/* For all, or for one of them. */
static char *compose(struct tool *tool, const struct digest *digest, char **recipients, const char *one)
{
    g_autofree char *to = recipients == NULL ? g_strdup("undisclosed-recipients:;") : g_strjoinv(", ", recipients);
    g_autofree char *subject = subject_of(digest);
    g_autofree char *list = body_of(tool, digest);
    g_autofree char *answers = one == NULL ? g_strdup("") : answers_text(tool, digest, one);
    g_autofree char *body = g_strconcat(list, digest->by_senders->str, answers, NULL);
    const struct letter letter = {.to = to, .subject = subject, .body = body};
    return letter_compose(&letter);
}

/* ---- sending it */

static void say(const struct digest *digest, char **recipients, unsigned sent)
{
    guint count = digest->items->len;
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_number(json, "waiting", count);
        json_number(json, "late", digest->late);
        json_number(json, "expiring", digest->expiring->len);
        json_number(json, "untracked", digest->untracked);
        json_number(json, "released-by-senders", digest->self.released);
        json_number(json, "overridden", digest->self.overridden);
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

/* Those that are listed; only a digest that was sent to all announces anything. */
static void find_expiring(const struct tool *tool, struct digest *digest)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    for (guint i = 0; i < digest->items->len; i++)
        g_ptr_array_add(rows, ((struct view_item *)g_ptr_array_index(digest->items, i))->row);
    digest->policy = expiry_policy(tool->config, rows);
    for (guint i = 0; i < digest->items->len && i < DIGEST_LIMIT; i++) {
        const struct view_item *item = g_ptr_array_index(digest->items, i);
        const struct ledger_row *row = item->row;
        if (item->at == NULL && expiry_soon(tool, digest, row).when != 0)
            g_array_append_val(digest->expiring, row->id);
    }
}

static int announce(struct tool *tool, const struct digest *digest)
{
    struct database_error error;
    if (ledger_announced(tool->ledger, digest->expiring, digest->steady, digest->now, &error) == -1)
        return tool_ledger_error(&error);
    return EXITS_DONE;
}

static int send_all(struct tool *tool, const struct digest *digest, char **recipients)
{
    unsigned sent = 0;
    int status = EXITS_DONE;
    for (char **recipient = recipients; *recipient != NULL; recipient++) {
        g_autofree char *error = NULL;
        g_autofree char *text = compose(tool, digest, recipients, *recipient);
        if (queue_send(tool->queue, "", *recipient, text, strlen(text), &error) == 0)
            sent++;
        else
            status = tool_error(EXITS_PASSING, "to %s: %s", *recipient, error);
    }
    if (status == EXITS_DONE)
        status = announce(tool, digest);
    if (status == EXITS_DONE || tool_json())
        say(digest, recipients, sent);
    return status;
}

static int deliver(struct tool *tool, const struct digest *digest)
{
    char **recipients = to_options != NULL ? to_options : tool->config->review.digest_to;
    if (print_option) {
        g_autofree char *text = compose(tool, digest, recipients, NULL);
        g_autoptr(GString) out = g_string_new(text);
        tool_print(out);
        return EXITS_DONE;
    }
    if (recipients == NULL)
        return tool_error(EXITS_WRONG, "there is no recipient: [review] has no digest-to; use --to, or --print");
    if (digest->items->len > 0 || digest->by_senders->len > 0 || always_option)
        return send_all(tool, digest, recipients);
    say(digest, recipients, 0);
    return EXITS_DONE;
}

/* What waits here. */
static int find_own(struct tool *tool, struct digest *digest, GPtrArray *kept)
{
    const struct ledger_filter filter = {.states = LEDGER_OPEN, .oldest_first = true};
    struct database_error failure;
    struct ledger_agent agent;
    g_autofree char *error = NULL;
    GPtrArray *open = ledger_list(tool->ledger, &filter, &failure);
    if (open == NULL)
        return tool_ledger_error(&failure);
    g_ptr_array_add(kept, open);
    if (ledger_agent_read(tool->ledger, &agent, &failure) == -1)
        return tool_ledger_error(&failure);
    auto_free(onhold) onhold = onhold_look(tool->queue, &error);
    if (onhold == NULL)
        return tool_error(EXITS_PASSING, "%s", error);
    digest->trouble = g_strdup(onhold_trouble(onhold));
    if (digest->trouble != NULL)
        tool_error(EXITS_PASSING, "warning: %s", digest->trouble);
    digest->steady = agent.steady;
    find_rows(digest, onhold, open);
    digest->self = self_decided_find(tool, digest->now - LATE, digest->by_senders);
    return EXITS_DONE;
}

static int make_digest(struct tool *tool, const struct places *places, struct digest *digest)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    bool here = g_ptr_array_find(places->tools, tool, NULL);
    int status = here ? find_own(tool, digest, kept) : EXITS_DONE;
    if (status == EXITS_DONE)
        status = find_others(digest, places, kept);
    if (status != EXITS_DONE)
        return status;
    find_expiring(tool, digest);
    return deliver(tool, digest);
}

/* The timer of each node sends one: that is about the node's own mail, or else each would be about all. */
static int run(struct tool *tool)
{
    const struct places_wish wish = {.own = configured_option, .states = LEDGER_OPEN};
    int status = EXITS_DONE;
    if (configured_option && to_options == NULL && tool->config->review.digest_to == NULL)
        return EXITS_DONE;
    auto_free(places) places = places_open(tool, &wish, &status);
    if (places == NULL)
        return status;
    struct digest digest = {.now = tool_now(),
                            .items = g_ptr_array_new_with_free_func(g_free),
                            .expiring = g_array_new(FALSE, FALSE, sizeof(gint64)),
                            .by_senders = g_string_new(NULL)};
    status = make_digest(tool, places, &digest);
    g_ptr_array_unref(digest.items);
    g_array_unref(digest.expiring);
    g_string_free(digest.by_senders, TRUE);
    g_free(digest.trouble);
    if (digest.policy != NULL)
        policy_unref(digest.policy);
    return status;
}

static const GOptionEntry entries[] = {
    {"to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to_options, "To this address; may be repeated (digest-to)", "ADDR"},
    {"print", 0, 0, G_OPTION_ARG_NONE, &print_option, "Print the mail and send none", NULL},
    {"if-configured", 0, 0, G_OPTION_ARG_NONE, &configured_option, "Do nothing if no address is configured", NULL},
    PLACES_ENTRIES,
    {"always", 0, 0, G_OPTION_ARG_NONE, &always_option, "Send it even if no message waits", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_digest = {
    .command.name = "digest",
    .command.summary = "Mail a list of the waiting messages to reviewers",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .needs = NEED_LEDGER | NEED_QUEUE | NEED_IDENTITIES,
    .command.check = check,
    .command.run = run,
};
