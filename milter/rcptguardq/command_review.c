/* command_review - `rcptguardq review`: what waits, one by one on the whole terminal; see rcptguardq(8) */

#include "milter/places/places.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/decision.h"
#include "milter/review/held_details.h"
#include "milter/review/held_summary.h"
#include "milter/review/held_text.h"
#include "milter/review/screen.h"
#include "policy/cli/terminal.h"

#include <stdio.h>
#include <string.h>

/* A smaller terminal shows no message. */
enum { ROWS_LEAST = 15, COLUMNS_LEAST = 60 };

/* Rows that are not the text: the title, what was said, the keys. */
enum { ROWS_OVER = 1, ROWS_UNDER = 3 };

/* What is shown of the message. */
enum page { PAGE_FACTS, PAGE_MORE, PAGE_ADDRESSES, PAGE_TEXT, PAGE_SOURCE };

struct tour {
    struct tool *tool;
    struct places *places;
    GPtrArray *items; /* const struct view_item *, the oldest first */
    guint at;         /* in these; after the last: the end */
    enum page page;

    struct ledger_row *row; /* of the item, as it is now */
    char **lines;           /* the page; NULL: it is to be made */
    unsigned top;           /* the first line that is seen */
    bool looked;            /* it is recorded that the page is looked at */
    char *said;             /* what came of the last key, or NULL */
    unsigned decided;
};

/* ---- what there is */

static void forget_page(struct tour *tour)
{
    g_clear_pointer(&tour->lines, g_strfreev);
    g_clear_pointer(&tour->row, ledger_row_free);
}

static void tour_clear(struct tour *tour)
{
    forget_page(tour);
    g_clear_pointer(&tour->items, g_ptr_array_unref);
    g_clear_pointer(&tour->places, places_free);
    g_free(tour->said);
}

static void say(struct tour *tour, char *text)
{
    g_free(tour->said);
    tour->said = text;
}

/* Looks at the ledger and the queue.  The ledger's own alone: what it does not know is not to be decided here. */
static int load(struct tour *tour)
{
    int status = EXITS_DONE;
    const struct places_wish wish = {.view = true, .states = LEDGER_OPEN, .parts = FLEET_WHOLE};
    forget_page(tour);
    g_clear_pointer(&tour->items, g_ptr_array_unref);
    g_clear_pointer(&tour->places, places_free);
    tour->items = g_ptr_array_new();
    tour->at = 0;
    tour->places = places_open(tour->tool, &wish, &status);
    const struct view *view = tour->places == NULL ? NULL : tour->places->view;
    if (view != NULL)
        facts_policy(tour->tool, view);
    for (guint i = view == NULL ? 0 : view->items->len; i > 0; i--) {
        struct view_item *item = g_ptr_array_index(view->items, i - 1);
        if (item->row != NULL && item->entry != NULL)
            g_ptr_array_add(tour->items, item);
    }
    return status;
}

static bool at_end(const struct tour *tour)
{
    return tour->at >= tour->items->len;
}

/* The item with its row as it is now: others review too. */
static struct view_item current(const struct tour *tour)
{
    const struct view_item *item = g_ptr_array_index(tour->items, tour->at);
    return (struct view_item){.row = tour->row != NULL ? tour->row : item->row, .entry = item->entry, .at = item->at};
}

static void read_row(struct tour *tour)
{
    struct database_error error;
    const struct view_item *item = g_ptr_array_index(tour->items, tour->at);
    g_clear_pointer(&tour->row, ledger_row_free);
    tour->row = ledger_get(tool_at(tour->tool, item)->ledger, item->row->id, &error);
    if (tour->row == NULL)
        say(tour, g_strdup(error.text));
}

/* ---- pages */

static void append_unread(GString *out, enum queue_answer answer, const char *error)
{
    if (answer == QUEUE_DONE)
        return;
    terminal_append_plain(out, answer == QUEUE_ABSENT ? "The message is on hold no longer." : error);
    g_string_append_c(out, '\n');
}

/* Whether the page may be shown: a look at it is recorded, once until another page is turned to. */
static bool record_look(struct tour *tour, const struct held_details *shown, unsigned look, GString *out)
{
    struct database_error error;
    if (!tour->looked && held_details_look(shown, look, &error) == -1) {
        terminal_append_plain(out, error.text);
        g_string_append_c(out, '\n');
        return false;
    }
    tour->looked = true;
    return true;
}

static void append_source(struct tour *tour, const struct held_details *shown, GString *out)
{
    g_autoptr(GString) message = g_string_new(NULL);
    g_autofree char *error = NULL;
    enum queue_answer answer = held_details_message(shown, message, &error);
    if (answer == QUEUE_DONE && record_look(tour, shown, LEDGER_LOOK_MESSAGE, out))
        held_details_append_message(out, message);
    append_unread(out, answer, error);
}

static void append_text(struct held_details *shown, GString *out)
{
    auto_free(content) content = NULL;
    g_autofree char *error = NULL;
    held_details_read(shown);
    enum queue_answer answer = held_text_fetch(shown, &content, &error);
    if (answer == QUEUE_DONE)
        held_text_append(out, shown, content);
    append_unread(out, answer, error);
}

static void append_addresses(struct tour *tour, struct held_details *shown, GString *out)
{
    held_details_read(shown);
    if (shown->reading == NULL)
        terminal_append_plain(out, shown->unread != NULL ? shown->unread : "The message is on hold no longer.");
    else if (record_look(tour, shown, LEDGER_LOOK_RECIPIENTS, out))
        held_details_append_recipients(out, shown);
}

static void append_facts(struct held_details *shown, GString *out)
{
    struct database_error error;
    if (held_details_fetch(shown, &error) == -1) {
        g_string_append(out, "\n\n");
        terminal_append_plain(out, error.text);
        return;
    }
    held_details_read(shown);
    held_details_append(out, shown);
}

/* Its first line is the title, the second is empty. */
static void append_page(struct tour *tour, struct held_details *shown, GString *out)
{
    shown->parts = tour->page == PAGE_MORE ? SHOWN_PARTIES : SHOWN_BRIEF;
    if (tour->page == PAGE_FACTS || tour->page == PAGE_MORE) {
        append_facts(shown, out);
        return;
    }
    held_details_append_title(out, shown);
    if (tour->page == PAGE_ADDRESSES)
        append_addresses(tour, shown, out);
    else if (tour->page == PAGE_TEXT)
        append_text(shown, out);
    else
        append_source(tour, shown, out);
}

static void append_end(const struct tour *tour, GString *out)
{
    unsigned others = 0;
    const struct view *view = tour->places->view;
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        others += item->row == NULL;
    }
    g_string_append_printf(out, "The end\n\nThat was the last of %u; %u decided.\n", tour->items->len, tour->decided);
    if (others > 0)
        g_string_append_printf(out, "Also on hold, and not in the ledger: %u.\n", others);
}

static void make_page(struct tour *tour)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (at_end(tour)) {
        append_end(tour, out);
    } else {
        read_row(tour);
        const struct view_item item = current(tour);
        struct held_details shown = {.tool = tool_at(tour->tool, &item), .item = &item};
        append_page(tour, &shown, out);
        held_details_clear(&shown);
    }
    tour->lines = g_strsplit(out->str, "\n", -1);
}

/* ---- the picture */

static unsigned text_rows(void)
{
    return screen_rows() - ROWS_OVER - ROWS_UNDER;
}

/* Lines of the page after its title and the empty one. */
static unsigned text_lines(const struct tour *tour)
{
    unsigned count = g_strv_length(tour->lines);
    while (count > 2 && tour->lines[count - 1][0] == '\0')
        count--;
    return count > 2 ? count - 2 : 0;
}

static bool is_small(void)
{
    return screen_rows() < ROWS_LEAST || screen_columns() < COLUMNS_LEAST;
}

static void draw_small(void)
{
    g_autofree char *size = g_strdup_printf("This terminal has %ux%u;", screen_columns(), screen_rows());
    g_autofree char *least = g_strdup_printf("review needs %dx%d.", COLUMNS_LEAST, ROWS_LEAST);
    screen_put(0, size, SCREEN_PLAIN);
    screen_put(1, least, SCREEN_PLAIN);
    screen_put(2, "q quit", SCREEN_BOLD);
}

static void draw_keys(const struct tour *tour)
{
    unsigned row = screen_rows() - 2;
    if (at_end(tour)) {
        screen_put(row, "b back  g again, with what came since  q quit", SCREEN_BOLD);
        return;
    }
    screen_put(row, "r release  t return  d delete  s skip  b back  q quit", SCREEN_BOLD);
    screen_put(row + 1, "m more  a addresses  v message  V source  space, - scroll", SCREEN_BOLD);
}

/* Where the text goes on is said where nothing else is. */
static void draw_said(const struct tour *tour)
{
    unsigned lines = text_lines(tour), rows = text_rows();
    g_autoptr(GString) out = g_string_new(NULL);
    if (tour->said != NULL)
        terminal_append_within(out, tour->said, screen_columns());
    else if (lines > rows)
        g_string_printf(out, "lines %u to %u of %u", tour->top + 1, MIN(tour->top + rows, lines), lines);
    screen_put(screen_rows() - ROWS_UNDER, out->str, tour->said != NULL ? SCREEN_BOLD : SCREEN_PLAIN);
}

static void draw(struct tour *tour)
{
    screen_clear();
    if (is_small()) {
        draw_small();
        screen_show();
        return;
    }
    if (tour->lines == NULL)
        make_page(tour);
    unsigned lines = text_lines(tour), rows = text_rows();
    tour->top = lines > rows ? MIN(tour->top, lines - rows) : 0;
    g_autofree char *place =
        at_end(tour) ? g_strdup(" ") : g_strdup_printf(" %u of %u  ", tour->at + 1, tour->items->len);
    g_autofree char *title = g_strconcat(place, tour->lines[0], NULL);
    screen_put(0, title, SCREEN_REVERSE);
    for (unsigned i = 0; i < rows && tour->top + i < lines; i++)
        screen_put(ROWS_OVER + i, tour->lines[2 + tour->top + i], SCREEN_PLAIN);
    draw_said(tour);
    draw_keys(tour);
    screen_show();
}

/* For a question, in the place of what was said. */
static unsigned draw_again(void *data)
{
    struct tour *tour = data;
    g_clear_pointer(&tour->lines, g_strfreev);
    draw(tour);
    return screen_rows() - MIN(ROWS_UNDER, screen_rows());
}

/* ---- going about */

static void turn_to(struct tour *tour, enum page page)
{
    tour->page = tour->page == page ? PAGE_FACTS : page;
    tour->top = 0;
    tour->looked = false;
    forget_page(tour);
}

static void go_to(struct tour *tour, guint at)
{
    tour->at = MIN(at, tour->items->len);
    tour->page = PAGE_FACTS;
    tour->top = 0;
    tour->looked = false;
    forget_page(tour);
}

static void scroll_by(struct tour *tour, int lines)
{
    tour->top = lines < 0 && tour->top < (unsigned)-lines ? 0 : tour->top + (unsigned)lines;
}

static void load_again(struct tour *tour, int *status)
{
    screen_leave();
    *status = load(tour);
    screen_return();
    go_to(tour, 0);
}

/* ---- deciding: the commands' own code */

static const char *const questions[] = {
    [LEDGER_RELEASE] = "Reason to release it: ",
    [LEDGER_RETURN] = "Reason to return it: ",
    [LEDGER_DELETE] = "Reason to delete it: ",
};

/* Whether it can be done at all, before a reason is asked for; what is in the way is said. */
static bool can_decide(struct tour *tour, enum ledger_action action, char **said)
{
    read_row(tour);
    const struct view_item item = current(tour);
    g_autofree char *sentence = NULL;
    int code = decision_can(tool_at(tour->tool, &item), &item, action, &sentence);
    g_autofree char *id = tool_full_id(tool_at(tour->tool, &item), decision_id(&item));
    *said = g_strdup_printf("%s: %s", id, sentence);
    if (code == EXITS_DONE)
        return true;
    say(tour, g_steal_pointer(said));
    forget_page(tour);
    return false;
}

static bool confirm(struct tour *tour, const char *would)
{
    gint32 key;
    say(tour, g_strdup_printf("%s. y: do it, any other key: not", would));
    do {
        draw(tour);
        key = screen_key();
        if (key == SCREEN_RESIZED)
            g_clear_pointer(&tour->lines, g_strfreev);
    } while (key == SCREEN_RESIZED);
    say(tour, NULL);
    return key == 'y' || key == 'Y';
}

static void decide(struct tour *tour, enum ledger_action action)
{
    g_autofree char *would = NULL;
    if (!can_decide(tour, action, &would))
        return;
    g_autofree char *reason = screen_ask(questions[action], draw_again, tour);
    if (reason == NULL || g_strstrip(reason)[0] == '\0' || !confirm(tour, would)) {
        say(tour, g_strdup("nothing was done"));
        return;
    }
    const struct decision decision = {.action = action, .reason = reason, .learn = true};
    const struct view_item item = current(tour);
    g_autofree char *said = NULL;
    int code = decision_make(tool_at(tour->tool, &item), &item, &decision, &said);
    g_autofree char *id = tool_full_id(tool_at(tour->tool, &item), decision_id(&item));
    g_autofree char *line = g_strdup_printf("%s: %s", id, said);
    tour->decided += code == EXITS_DONE;
    if (code == EXITS_DONE)
        go_to(tour, tour->at + 1);
    else
        forget_page(tour);
    say(tour, g_steal_pointer(&line));
}

/* ---- keys */

/* Those of a message.  false: it is none of them. */
static bool take_message_key(struct tour *tour, gint32 key)
{
    if (at_end(tour))
        return false;
    switch (key) {
    case 'r':
        decide(tour, LEDGER_RELEASE);
        return true;
    case 't':
        decide(tour, LEDGER_RETURN);
        return true;
    case 'd':
        decide(tour, LEDGER_DELETE);
        return true;
    case 's':
    case SCREEN_RIGHT:
        go_to(tour, tour->at + 1);
        return true;
    case 'm':
        turn_to(tour, PAGE_MORE);
        return true;
    case 'a':
        turn_to(tour, PAGE_ADDRESSES);
        return true;
    case 'v':
        turn_to(tour, PAGE_TEXT);
        return true;
    case 'V':
        turn_to(tour, PAGE_SOURCE);
        return true;
    default:
        return false;
    }
}

static void take_key(struct tour *tour, gint32 key, int *status)
{
    if (take_message_key(tour, key))
        return;
    switch (key) {
    case 'b':
    case SCREEN_LEFT:
        go_to(tour, tour->at == 0 ? 0 : tour->at - 1);
        break;
    case 'g':
        load_again(tour, status);
        break;
    case SCREEN_UP:
        scroll_by(tour, -1);
        break;
    case SCREEN_DOWN:
        scroll_by(tour, 1);
        break;
    case '-':
    case SCREEN_PAGE_UP:
        scroll_by(tour, -(int)text_rows());
        break;
    case ' ':
    case SCREEN_PAGE_DOWN:
        scroll_by(tour, (int)text_rows());
        break;
    case SCREEN_RESIZED:
        g_clear_pointer(&tour->lines, g_strfreev);
        break;
    default:
        break;
    }
}

/* What was said stays until the next key. */
static int go_through(struct tour *tour)
{
    int status = EXITS_DONE;
    while (status == EXITS_DONE) {
        draw(tour);
        gint32 key = screen_key();
        if (key == 'q' || key == SCREEN_GONE)
            break;
        if (key != SCREEN_RESIZED)
            say(tour, NULL);
        if (!is_small() || key == SCREEN_RESIZED)
            take_key(tour, key, &status);
    }
    return status;
}

static int begin(struct tour *tour)
{
    g_autofree char *error = NULL;
    if (tour->items->len == 0) {
        puts("Nothing waits.");
        return EXITS_DONE;
    }
    if (screen_open(&error) == -1)
        return tool_error(EXITS_WRONG, "%s", error);
    int status = go_through(tour);
    screen_close();
    printf("%u decided.\n", tour->decided);
    return status;
}

static int run(struct tool *tool)
{
    struct tour tour = {.tool = tool};
    g_autofree char *forbidden = tool_forbidden(tool, REVIEW_LIST, "list");
    if (forbidden != NULL)
        return tool_error(EXITS_FORBIDDEN, "%s", forbidden);
    int status = load(&tour);
    if (status == EXITS_DONE)
        status = begin(&tour);
    tour_clear(&tour);
    return status;
}

static int check(void)
{
    return tool_json() ? tool_usage_error("review prints no JSON: use list and show") : EXITS_DONE;
}

static const GOptionEntry entries[] = {
    PLACES_ENTRIES,
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_review = {
    .command.name = "review",
    .command.summary = "Review the waiting messages one by one",
    .command.entries = entries,
    .right = REVIEW_SHOW,
    .needs = NEED_LEDGER | NEED_QUEUE | NEED_IDENTITIES,
    .command.check = check,
    .command.run = run,
};
