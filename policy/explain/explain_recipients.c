/* explain_recipients - who is visible, of which class and party, in which fields; summed when they are many; see
 * explain.h */

#include "policy/explain/explain.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"
#include "policy/exposure/exposure.h"
#include "policy/message/recipients.h"

#include <string.h>

/* One line: a recipient, or what the recipients of one party have together. */
struct row {
    const char *class_name;
    char *name;
    char *detail;
    unsigned fields; /* bits of enum recipient_field */
    unsigned people;
    bool individual; /* each of them is a party */
};

static void clear_row(gpointer data)
{
    struct row *row = data;

    g_free(row->name);
    g_free(row->detail);
}

static GArray *rows_new(void)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct row));

    g_array_set_clear_func(rows, clear_row);
    return rows;
}

/* ---- a table of three columns and the fields */

/* Where the columns begin. */
struct columns {
    unsigned name, detail, fields;
};

/* What is too long for its column is broken; the next column is beside its last line. */
static unsigned append_cell(GString *out, const char *text, unsigned column, unsigned begin, unsigned end)
{
    terminal_append_blanks(out, column, begin);
    return terminal_append_wrapped(out, text, begin, end);
}

static void append_row(GString *out, const struct explain_look *look, const struct columns *columns,
                       const struct row *row)
{
    g_autofree char *fields = recipient_field_names(row->fields);
    unsigned column = 2;

    g_string_append(out, "  ");
    column +=
        explain_styled(out, look, strcmp(row->class_name, "internal") == 0 ? STYLE_FAINT : STYLE_CYAN, row->class_name);
    column = append_cell(out, row->name, column, columns->name, columns->detail - 2);
    column = append_cell(out, row->detail, column, columns->detail, columns->fields - 2);
    append_cell(out, fields, column, columns->fields, MAX(look->width, columns->fields + 16));
    g_string_append_c(out, '\n');
}

/* Each column as wide as what is in it, as far as the line goes. */
static struct columns lay_out(const GArray *rows, const struct explain_look *look, const char *name_title,
                              const char *detail_title)
{
    unsigned class_name = 8, name = terminal_columns(name_title), detail = terminal_columns(detail_title), fields = 6;
    struct columns columns;

    for (unsigned i = 0; i < rows->len; i++) {
        const struct row *row = &g_array_index(rows, struct row, i);
        g_autofree char *names = recipient_field_names(row->fields);
        class_name = MAX(class_name, terminal_columns(row->class_name));
        name = MAX(name, terminal_columns(row->name));
        detail = MAX(detail, terminal_columns(row->detail));
        fields = MAX(fields, terminal_columns(names));
    }
    columns.name = 2 + class_name + 2;
    fields = MIN(fields, look->width / 5);
    if (columns.name + name + 2 + detail + 2 + fields > look->width) {
        unsigned room = look->width - MIN(look->width, columns.name + 2 + 2 + fields);
        room = MAX(room, 32);
        detail = MIN(detail, MAX(room / 3, room - MIN(room, name)));
        name = room - detail;
    }
    columns.detail = columns.name + name + 2;
    columns.fields = columns.detail + detail + 2;
    return columns;
}

static void append_table(GString *out, const GArray *rows, const struct explain_look *look, const char *name,
                         const char *detail)
{
    struct columns columns = lay_out(rows, look, name, detail);

    g_string_append_c(out, '\n');
    terminal_append_blanks(out, explain_styled(out, look, STYLE_STRONG, "Class"), columns.name);
    terminal_append_blanks(out, columns.name + explain_styled(out, look, STYLE_STRONG, name), columns.detail);
    terminal_append_blanks(out, columns.detail + explain_styled(out, look, STYLE_STRONG, detail), columns.fields);
    explain_styled(out, look, STYLE_STRONG, "Fields");
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < rows->len; i++)
        append_row(out, look, &columns, &g_array_index(rows, struct row, i));
}

/* ---- each recipient */

static void append_each(GString *out, const struct exposure *exposure, const struct explain_look *look)
{
    g_autoptr(GArray) rows = rows_new();

    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        struct row row = {.class_name = exposed->class_name, .fields = exposed->fields};
        row.name = address_display(exposed->address);
        row.detail =
            strcmp(exposed->party, exposed->address) == 0 ? g_strdup("itself") : address_display(exposed->party);
        g_array_append_val(rows, row);
    }
    append_table(out, rows, look, "Visible recipient", "Party");
}

/* ---- summed by party */

static int compare_rows(gconstpointer a, gconstpointer b)
{
    const struct row *x = a, *y = b;
    int order = (x->people < y->people) - (x->people > y->people);

    return order != 0 ? order : strcmp(x->name, y->name);
}

/* Single mailboxes of a domain, each a party, are summed too: a list of them is what nobody reads. */
static GArray *sum_by_party(const struct exposure *exposure)
{
    g_autoptr(GHashTable) places = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    GArray *rows = rows_new();

    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        bool individual = strcmp(exposed->party, exposed->address) == 0;
        const char *party = individual ? address_domain(exposed->address) : exposed->party;
        g_autofree char *key = g_strdup_printf("%s %d %s", exposed->class_name, individual, party);
        gpointer place = g_hash_table_lookup(places, key);
        if (place == NULL) {
            struct row row = {.class_name = exposed->class_name, .individual = individual};
            row.name = address_display(party);
            g_array_append_val(rows, row);
            place = GUINT_TO_POINTER(rows->len);
            g_hash_table_insert(places, g_steal_pointer(&key), place);
        }
        struct row *sum = &g_array_index(rows, struct row, GPOINTER_TO_UINT(place) - 1);
        sum->people++;
        sum->fields |= exposed->fields;
    }
    g_array_sort(rows, compare_rows);
    return rows;
}

/* What is beyond the lines that are shown: its parties and its people. */
static void append_rest(GString *out, const GArray *rows, const struct explain_look *look)
{
    g_autoptr(GHashTable) organisations = g_hash_table_new(hash_string, g_str_equal);
    unsigned people = 0, individuals = 0;

    for (unsigned i = EXPLAIN_RECIPIENTS_SHOWN; i < rows->len; i++) {
        const struct row *row = &g_array_index(rows, struct row, i);
        people += row->people;
        if (row->individual)
            individuals += row->people;
        else
            g_hash_table_add(organisations, row->name);
    }
    if (people == 0)
        return;
    g_autofree char *text = g_strdup_printf("... and %u parties more with %u recipients; --all shows each recipient",
                                            individuals + g_hash_table_size(organisations), people);
    g_string_append(out, "  ");
    explain_styled(out, look, STYLE_FAINT, text);
    g_string_append_c(out, '\n');
}

static void append_summed(GString *out, const struct exposure *exposure, const struct explain_look *look)
{
    g_autoptr(GArray) rows = sum_by_party(exposure);
    g_autoptr(GArray) shown = g_array_new(FALSE, FALSE, sizeof(struct row)); /* what is in it belongs to `rows` */

    for (unsigned i = 0; i < rows->len; i++) {
        struct row *row = &g_array_index(rows, struct row, i);
        row->detail = g_strdup_printf("%u %s", row->people,
                                      row->individual    ? row->people == 1 ? "individual" : "individuals"
                                      : row->people == 1 ? "recipient"
                                                         : "recipients");
    }
    g_array_append_vals(shown, rows->data, MIN(rows->len, EXPLAIN_RECIPIENTS_SHOWN));
    append_table(out, shown, look, "Party", "Visible");
    append_rest(out, rows, look);
}

void explain_recipients(GString *out, const struct exposure *exposure, const struct explain_look *look)
{
    if (exposure_visible(exposure) == 0)
        return;
    if (look->all || exposure_visible(exposure) <= EXPLAIN_RECIPIENTS_SHOWN)
        append_each(out, exposure, look);
    else
        append_summed(out, exposure, look);
}
