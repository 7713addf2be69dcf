/* findings - see findings.h */

#include "milter/setup/findings.h"

#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#define NAME_COLUMN 9
#define TEXT_COLUMN 28

static const char *const severity_names[] = {"ok", "note", "warning", "error"};
static const enum terminal_style severity_styles[] = {STYLE_GREEN, STYLE_CYAN, STYLE_YELLOW, STYLE_RED};

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

static void mend_free(struct mend *mend)
{
    g_free(mend->line);
    g_free(mend);
}

static void finding_free(struct finding *finding)
{
    g_free(finding->what);
    g_ptr_array_unref(finding->mends);
    g_free(finding);
}

struct findings *findings_new(void)
{
    struct findings *findings = g_new0(struct findings, 1);
    findings->all = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    return findings;
}

void findings_free(struct findings *findings)
{
    if (findings == NULL)
        return;
    g_ptr_array_unref(findings->all);
    g_free(findings);
}

static struct finding *add(struct findings *findings, enum severity severity, const char *why, char *what)
{
    struct finding *finding = g_new0(struct finding, 1);
    finding->severity = severity;
    finding->check = findings->check;
    finding->about = findings->about;
    if (findings->about != NULL) {
        char *text = g_strdup_printf("%s: %s", findings->about, what);
        g_free(what);
        what = text;
    }
    finding->what = g_strdelimit(what, "\n", ' '); /* it is one line, whoever said it */
    finding->why = why;
    finding->mends = g_ptr_array_new_with_free_func((GDestroyNotify)mend_free);
    g_ptr_array_add(findings->all, finding);
    return finding;
}

struct finding *findings_add(struct findings *findings, enum severity severity, const char *why, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return add(findings, severity, why, what);
}

void findings_ok(struct findings *findings, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    add(findings, SEVERITY_OK, NULL, what);
}

void finding_mend(struct finding *finding, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct mend *mend = g_new0(struct mend, 1);
    mend->place = place;
    mend->line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(finding->mends, mend);
}

static const struct finding *at(const struct findings *findings, guint index)
{
    return g_ptr_array_index(findings->all, index);
}

bool findings_silent(const struct findings *findings)
{
    for (guint i = 0; i < findings->all->len; i++) {
        if (g_strcmp0(at(findings, i)->check, findings->check) == 0 && at(findings, i)->about == findings->about)
            return false;
    }
    return true;
}

unsigned findings_count(const struct findings *findings, enum severity severity)
{
    unsigned count = 0;
    for (guint i = 0; i < findings->all->len; i++)
        count += at(findings, i)->severity == severity;
    return count;
}

/* ---- for people */

struct page {
    GString *out;
    bool colours;
    unsigned width;
};

static void append_lead(const struct page *page, const struct finding *finding)
{
    g_string_append(page->out, terminal_begin(page->colours, severity_styles[finding->severity]));
    g_string_append(page->out, severity_name(finding->severity));
    g_string_append(page->out, terminal_end(page->colours));
    terminal_append_blanks(page->out, (unsigned)strlen(severity_name(finding->severity)), NAME_COLUMN);
    g_string_append(page->out, finding->check);
    terminal_append_blanks(page->out, NAME_COLUMN + (unsigned)strlen(finding->check), TEXT_COLUMN - 1);
    g_string_append_c(page->out, ' ');
}

static void append_wrapped(const struct page *page, const char *text)
{
    terminal_append_wrapped(page->out, text, TEXT_COLUMN, page->width);
    g_string_append_c(page->out, '\n');
}

/* A line that fixes is copied by people: it is never broken. */
static void append_mend(const struct page *page, const struct mend *mend)
{
    terminal_append_blanks(page->out, 0, NAME_COLUMN);
    g_string_append(page->out, terminal_begin(page->colours, STYLE_STRONG));
    g_string_append(page->out, mend->place);
    g_string_append(page->out, terminal_end(page->colours));
    g_string_append(page->out, ": ");
    terminal_append_plain(page->out, mend->line);
    g_string_append_c(page->out, '\n');
}

static void append_finding(const struct page *page, const struct finding *finding)
{
    append_lead(page, finding);
    append_wrapped(page, finding->what);
    if (finding->why != NULL) {
        terminal_append_blanks(page->out, 0, TEXT_COLUMN);
        append_wrapped(page, finding->why);
    }
    for (guint i = 0; i < finding->mends->len; i++)
        append_mend(page, g_ptr_array_index(finding->mends, i));
}

static void append_ok(const struct findings *findings, const struct page *page, bool verbose)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const char *last = NULL;
    for (guint i = 0; i < findings->all->len; i++) {
        const struct finding *finding = at(findings, i);
        if (finding->severity != SEVERITY_OK)
            continue;
        if (verbose)
            append_finding(page, finding);
        else if (finding->check != last)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", finding->check);
        last = finding->check;
    }
    if (names->len == 0)
        return;
    g_string_append(page->out, terminal_begin(page->colours, STYLE_GREEN));
    g_string_append(page->out, "ok");
    g_string_append(page->out, terminal_end(page->colours));
    terminal_append_blanks(page->out, 2, NAME_COLUMN);
    terminal_append_wrapped(page->out, names->str, NAME_COLUMN, page->width);
    g_string_append_c(page->out, '\n');
}

static void append_count(const struct findings *findings, GString *out, enum severity severity)
{
    unsigned count = findings_count(findings, severity);
    g_string_append_printf(out, "%u %s%s", count, severity_name(severity), count == 1 ? "" : "s");
}

void findings_append_text(const struct findings *findings, bool verbose, bool colours, unsigned width, GString *out)
{
    const struct page page = {.out = out, .colours = colours, .width = width};
    for (int severity = SEVERITY_ERROR; severity > SEVERITY_OK; severity--) {
        for (guint i = 0; i < findings->all->len; i++) {
            if (at(findings, i)->severity == (enum severity)severity)
                append_finding(&page, at(findings, i));
        }
    }
    append_ok(findings, &page, verbose);
    append_count(findings, out, SEVERITY_ERROR);
    g_string_append(out, ", ");
    append_count(findings, out, SEVERITY_WARNING);
    g_string_append(out, ", ");
    append_count(findings, out, SEVERITY_NOTE);
    g_string_append_c(out, '\n');
}

/* ---- for programs */

static void append_object(const struct finding *finding, GString *out)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_string(json, "check", finding->check);
    json_string(json, "severity", severity_name(finding->severity));
    json_string(json, "text", finding->what);
    json_string(json, "why", finding->why);
    json_builder_set_member_name(json, "mend");
    json_builder_begin_array(json);
    for (guint i = 0; i < finding->mends->len; i++) {
        const struct mend *mend = g_ptr_array_index(finding->mends, i);
        json_builder_begin_object(json);
        json_string(json, "place", mend->place);
        json_string(json, "line", mend->line);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    json_append_line(out, json);
}

void findings_append_json(const struct findings *findings, GString *out)
{
    for (guint i = 0; i < findings->all->len; i++)
        append_object(at(findings, i), out);
}
