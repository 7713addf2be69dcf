/* confirmation - see confirmation.h */

#include "milter/review/confirmation.h"

#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Bytes of an answer. */
#define ANSWER_LIMIT 1024

/* Rows of what is no terminal; those of a page that the question and its end take. */
enum { ROWS_DEFAULT = 24, ROWS_OF_QUESTION = 3 };

/* Columns of a line of the list. */
enum { NUMBER_WIDTH = 6, ID_WIDTH = 18, FULL_ID_WIDTH = 80, AGE_WIDTH = 8 };

/* One message, with the number that it keeps for as long as the question lasts. */
struct choice {
    const struct view_item *item;
    unsigned number;
    unsigned group; /* messages of its rule and subject */
    bool chosen;
};

struct asking {
    GArray *choices; /* struct choice, grouped, the largest group first */
    enum ledger_action action;
    FILE *answers;
};

/* ---- groups */

static const char *subject_of(const struct choice *choice)
{
    const char *subject = choice->item->row->message.subject;
    return subject == NULL || subject[0] == '\0' ? "(no subject)" : subject;
}

static int compare_kind(const struct choice *a, const struct choice *b)
{
    int rules = strcmp(a->item->row->message.rule, b->item->row->message.rule);
    return rules != 0 ? rules : strcmp(subject_of(a), subject_of(b));
}

/* By kind; then the newest first, as in `list`. */
static int compare_by_kind(gconstpointer a, gconstpointer b)
{
    const struct choice *one = a, *other = b;
    int kinds = compare_kind(one, other);
    return kinds != 0 ? kinds : view_compare(&one->item, &other->item);
}

static int compare_by_group(gconstpointer a, gconstpointer b)
{
    const struct choice *one = a, *other = b;
    if (one->group != other->group)
        return one->group > other->group ? -1 : 1;
    return compare_by_kind(a, b);
}

static struct choice *choice_at(const struct asking *asking, guint index)
{
    return &g_array_index(asking->choices, struct choice, index);
}

static void group(struct asking *asking)
{
    GArray *choices = asking->choices;
    g_array_sort(choices, compare_by_kind);
    for (guint first = 0, next; first < choices->len; first = next) {
        for (next = first + 1; next < choices->len; next++) {
            if (compare_kind(choice_at(asking, first), choice_at(asking, next)) != 0)
                break;
        }
        for (guint i = first; i < next; i++)
            choice_at(asking, i)->group = next - first;
    }
    g_array_sort(choices, compare_by_group);
    for (guint i = 0; i < choices->len; i++)
        choice_at(asking, i)->number = i + 1;
}

/* ---- what is shown */

static void append_message(GString *out, const struct choice *choice, unsigned width)
{
    g_autofree char *age = selection_age(tool_now() - view_arrival(choice->item));
    g_string_append_printf(out, "%*u  ", NUMBER_WIDTH - 2, choice->number);
    g_autofree char *id = tool_full_id(choice->item->at, choice->item->row->message.queue_id);
    unsigned columns = terminal_append_within(out, id, choice->item->at == NULL ? ID_WIDTH - 2 : FULL_ID_WIDTH);
    terminal_append_blanks(out, MIN(columns, ID_WIDTH - 2), ID_WIDTH);
    g_string_append_printf(out, "%*s  ", AGE_WIDTH - 2, age);
    terminal_append_within(out, facts_sender(choice->item), width - NUMBER_WIDTH - ID_WIDTH - AGE_WIDTH);
    g_string_append_c(out, '\n');
}

static void append_group(GString *out, const struct choice *first, unsigned count, unsigned width)
{
    g_autoptr(GString) heading = g_string_new(NULL);
    g_string_printf(heading, "%u message%s, rule %s: ", count, count == 1 ? "" : "s", first->item->row->message.rule);
    unsigned used = terminal_append_within(out, heading->str, width);
    terminal_append_within(out, subject_of(first), width - MIN(used, width));
    g_string_append_c(out, '\n');
}

/* Those that are chosen by their groups, with `each` on its own line. */
static GString *list_chosen(const struct asking *asking, bool each)
{
    GString *out = g_string_new(NULL);
    unsigned width = terminal_width(stderr);
    for (guint first = 0, next; first < asking->choices->len; first = next) {
        unsigned chosen = 0;
        for (next = first; next < asking->choices->len; next++) {
            if (compare_kind(choice_at(asking, first), choice_at(asking, next)) != 0)
                break;
            chosen += choice_at(asking, next)->chosen;
        }
        if (chosen > 0)
            append_group(out, choice_at(asking, first), chosen, width);
        for (guint i = first; each && i < next; i++) {
            if (choice_at(asking, i)->chosen)
                append_message(out, choice_at(asking, i), width);
        }
    }
    return out;
}

static unsigned rows(void)
{
    struct winsize size;
    if (!terminal_is(stderr) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return ROWS_DEFAULT;
    return MAX(size.ws_row, ROWS_OF_QUESTION + 2) - ROWS_OF_QUESTION;
}

static unsigned count_lines(const GString *text)
{
    unsigned lines = 0;
    for (gsize i = 0; i < text->len; i++)
        lines += text->str[i] == '\n';
    return lines;
}

/* ---- answers */

/* Without its newline; false at the end, and of a line that is too long. */
static bool read_answer(const struct asking *asking, char answer[ANSWER_LIMIT])
{
    fflush(stderr);
    if (fgets(answer, ANSWER_LIMIT, asking->answers) == NULL || strchr(answer, '\n') == NULL)
        return false;
    g_strstrip(answer);
    return true;
}

/* Page by page, as far as the person wants.  What is no terminal gets all at once. */
static void show_pages(const struct asking *asking, const GString *text)
{
    char answer[ANSWER_LIMIT];
    unsigned page = rows(), lines = count_lines(text), shown = 0;
    for (const char *line = text->str; *line != '\0'; shown++) {
        const char *end = strchr(line, '\n') + 1;
        if (terminal_is(stderr) && shown > 0 && shown % page == 0) {
            fprintf(stderr, "-- %u of %u lines.  Enter: more, q: no more -- ", shown, lines);
            if (!read_answer(asking, answer) || answer[0] == 'q')
                return;
        }
        fwrite(line, 1, (size_t)(end - line), stderr);
        line = end;
    }
}

/* One number of the list or two with a hyphen between them; false if there are no such chosen messages. */
static bool take_range(const struct asking *asking, const char *text, GArray *wanted)
{
    char *end;
    if (!g_ascii_isdigit(text[0]))
        return false;
    guint64 first = g_ascii_strtoull(text, &end, 10), last = first;
    if (*end == '-' && g_ascii_isdigit(end[1]))
        last = g_ascii_strtoull(end + 1, &end, 10);
    if (*end != '\0' || first == 0 || first > last || last > asking->choices->len)
        return false;
    for (guint64 number = first; number <= last; number++) {
        if (!choice_at(asking, (guint)number - 1)->chosen)
            return false;
        g_array_index(wanted, gboolean, number - 1) = TRUE;
    }
    return true;
}

/* Leaves those chosen that the answer names.  False, and nothing is changed, if it is no such answer. */
static bool choose(const struct asking *asking, const char *answer)
{
    g_auto(GStrv) words = g_strsplit_set(answer, ", ", -1);
    g_autoptr(GArray) wanted = g_array_new(FALSE, TRUE, sizeof(gboolean));
    bool any = false;
    g_array_set_size(wanted, asking->choices->len);
    for (char **word = words; *word != NULL; word++) {
        if ((*word)[0] == '\0')
            continue;
        if (!take_range(asking, *word, wanted))
            return false;
        any = true;
    }
    for (guint i = 0; any && i < asking->choices->len; i++)
        choice_at(asking, i)->chosen = g_array_index(wanted, gboolean, i);
    return any;
}

static unsigned count_chosen(const struct asking *asking)
{
    unsigned count = 0;
    for (guint i = 0; i < asking->choices->len; i++)
        count += choice_at(asking, i)->chosen;
    return count;
}

/* All of them if they fit, or else the groups; what is longer even then is paged. */
static void show_chosen(const struct asking *asking)
{
    g_autoptr(GString) all = list_chosen(asking, true);
    g_autoptr(GString) groups = list_chosen(asking, false);
    show_pages(asking, count_lines(all) <= rows() ? all : groups);
}

static void ask_once(const struct asking *asking)
{
    static const char *const verbs[] = {
        [LEDGER_RELEASE] = "Release", [LEDGER_RETURN] = "Return", [LEDGER_DELETE] = "Delete"};
    unsigned count = count_chosen(asking);
    fprintf(stderr, "%s %u message%s? ", verbs[asking->action], count, count == 1 ? "" : "s");
    if (count > 1)
        fputs("Type yes, list to see each, or numbers such as 1,4-6: ", stderr);
    else
        fputs("Type yes: ", stderr);
}

static bool is_agreed(const struct asking *asking)
{
    char answer[ANSWER_LIMIT];
    show_chosen(asking);
    for (;;) {
        ask_once(asking);
        if (!read_answer(asking, answer))
            return false;
        if (strcmp(answer, "yes") == 0)
            return true;
        if (strcmp(answer, "list") == 0) {
            g_autoptr(GString) all = list_chosen(asking, true);
            show_pages(asking, all);
        } else if (choose(asking, answer)) {
            show_chosen(asking);
        } else {
            return false;
        }
    }
}

GPtrArray *confirmation_ask(const GPtrArray *items, enum ledger_action action, FILE *answers)
{
    struct asking asking = {
        .choices = g_array_new(FALSE, FALSE, sizeof(struct choice)), .action = action, .answers = answers};
    for (guint i = 0; i < items->len; i++) {
        const struct choice choice = {.item = g_ptr_array_index((GPtrArray *)items, i), .chosen = true};
        g_array_append_val(asking.choices, choice);
    }
    group(&asking);
    GPtrArray *agreed = is_agreed(&asking) ? g_ptr_array_new() : NULL;
    for (guint i = 0; agreed != NULL && i < asking.choices->len; i++) {
        if (choice_at(&asking, i)->chosen)
            g_ptr_array_add(agreed, (gpointer)choice_at(&asking, i)->item);
    }
    g_array_unref(asking.choices);
    return agreed;
}
