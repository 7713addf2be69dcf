/* explain_body - what a message shows beside its recipient headers: which parts, and how many people; see explain.h */

#include "policy/explain/explain.h"

#include "policy/address/address.h"
#include "policy/exposure/parts_exposure.h"
#include "policy/parts/part_kind.h"

/* Where the columns begin. */
enum { PART_COLUMN = 2, TYPE_COLUMN = 12, SHOWS_COLUMN = 38 };

char *explain_part_names(unsigned kinds)
{
    GString *names = g_string_new(NULL);

    for (unsigned bit = 1; bit <= PART_KIND_LAST; bit <<= 1)
        if (kinds & bit)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", part_kind_name((enum part_kind)bit));
    return g_string_free(names, FALSE);
}

char *explain_opaque_names(unsigned kinds)
{
    GString *names = g_string_new(NULL);

    for (unsigned bit = 1; bit <= OPAQUE_KIND_LAST; bit <<= 1)
        if (kinds & bit)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", opaque_kind_name((enum opaque_kind)bit));
    return g_string_free(names, FALSE);
}

unsigned explain_field_count(const struct explanation *explanation, unsigned place)
{
    return parts_exposure_count(explanation->verdict->body.exposure, COUNT_VISIBLE, CLASS_ALL,
                                1u << (PART_KINDS + place));
}

static bool is_worth_a_line(const struct part_account *account, const struct explain_look *look)
{
    return account->addresses > 0 || account->opaque != 0 || look->all;
}

static void append_line(GString *out, const struct explain_look *look, const char *part, const char *type,
                        const char *shows)
{
    terminal_append_blanks(out, 0, PART_COLUMN);
    unsigned column = PART_COLUMN + terminal_append_plain(out, part);
    terminal_append_blanks(out, column, TYPE_COLUMN);
    column = TYPE_COLUMN + terminal_append_within(out, type, SHOWS_COLUMN - TYPE_COLUMN - 2);
    terminal_append_blanks(out, column, SHOWS_COLUMN);
    terminal_append_wrapped(out, shows, SHOWS_COLUMN, MAX(look->width, SHOWS_COLUMN + 16));
    g_string_append_c(out, '\n');
}

/* "45 addresses as calendar, text; not read: types" */
static void append_account(GString *out, const struct explain_look *look, const struct part_account *account)
{
    g_autofree char *kinds = explain_part_names(account->kinds), *opaque = explain_opaque_names(account->opaque);
    g_autoptr(GString) shows = g_string_new(NULL);

    if (account->kinds != 0)
        g_string_append_printf(shows, "%u address%s as %s", account->addresses, account->addresses == 1 ? "" : "es",
                               kinds);
    if (account->opaque != 0)
        g_string_append_printf(shows, "%snot read%s: %s", shows->len > 0 ? "; " : "",
                               account->kinds != 0 ? " to its end" : "", opaque);
    if (look->all && account->name != NULL)
        g_string_append_printf(shows, "%s%s", shows->len > 0 ? "; " : "", account->name);
    append_line(out, look, account->path, account->type, shows->str);
}

static void append_accounts(GString *out, const struct body_parts *parts, const struct explain_look *look)
{
    unsigned shown = 0, more = 0;

    for (unsigned i = 0; i < body_parts_accounts(parts); i++) {
        const struct part_account *account = body_parts_account(parts, i);
        if (!is_worth_a_line(account, look))
            continue;
        if (look->all || shown < EXPLAIN_RECIPIENTS_SHOWN) {
            append_account(out, look, account);
            shown++;
        } else {
            more++;
        }
    }
    if (more > 0)
        g_string_append_printf(out, "  ... and %u parts more; --all shows each\n", more);
}

static void append_fields(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const GPtrArray *fields = policy_part_fields(explanation->policy);

    for (unsigned i = 0; i < fields->len; i++) {
        unsigned count = explain_field_count(explanation, i);
        if (count == 0 && !look->all)
            continue;
        g_autofree char *shows = g_strdup_printf("%u address%s", count, count == 1 ? "" : "es");
        append_line(out, look, "header", g_ptr_array_index(fields, i), shows);
    }
}

static void append_people(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct parts_exposure *exposure = explanation->verdict->body.exposure;

    for (unsigned i = 0; look->all && i < parts_exposure_visible(exposure); i++) {
        const struct part_exposed *person = parts_exposure_get(exposure, i);
        g_autofree char *address = address_display(person->address), *where = explain_part_names(person->kinds);
        terminal_append_blanks(out, 0, PART_COLUMN);
        terminal_append_blanks(out, PART_COLUMN + explain_styled(out, look, STYLE_CYAN, person->class_name),
                               TYPE_COLUMN);
        terminal_append_plain(out, address);
        g_string_append_printf(out, "%s%s%s\n", where[0] != '\0' ? " (" : "", where, where[0] != '\0' ? ")" : "");
    }
}

static void append_sum(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct parts_exposure *exposure = explanation->verdict->body.exposure;
    unsigned people = parts_exposure_count(exposure, COUNT_VISIBLE, CLASS_EXTERNAL, G_MAXUINT);
    unsigned parties = parts_exposure_count(exposure, COUNT_PARTIES, CLASS_EXTERNAL, G_MAXUINT);
    g_autofree char *opaque = explain_opaque_names(parts_exposure_opaque(exposure));
    g_autoptr(GString) text = g_string_new(NULL);

    if (people == 0)
        g_string_append(text, "nobody whom the recipient headers do not show");
    else
        g_string_append_printf(text, "%u %s of %u %s whom the recipient headers do not show", people,
                               people == 1 ? "person" : "people", parties, parties == 1 ? "party" : "parties");
    if (parts_exposure_opaque(exposure) != 0)
        g_string_append_printf(text, "; opaque: %s", opaque);
    terminal_append_blanks(out, 0, PART_COLUMN);
    terminal_append_blanks(out, PART_COLUMN + explain_styled(out, look, STYLE_FAINT, "outside"), TYPE_COLUMN);
    terminal_append_wrapped(out, text->str, TYPE_COLUMN, look->width);
    g_string_append_c(out, '\n');
}

void explain_body(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct verdict_body *body = &explanation->verdict->body;

    if (body->exposure == NULL && !body->away)
        return;
    g_string_append_c(out, '\n');
    explain_styled(out, look, STYLE_STRONG, "Inside");
    g_string_append_c(out, '\n');
    if (body->away) {
        g_string_append(out, "  the body was not read\n");
        return;
    }
    if (body->parts != NULL)
        append_accounts(out, body->parts, look);
    append_fields(out, explanation, look);
    append_sum(out, explanation, look);
    append_people(out, explanation, look);
}
