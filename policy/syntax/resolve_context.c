/* resolve_context - see resolve_context.h */

#include "policy/syntax/resolve_context.h"

#include <string.h>

void resolver_fail(struct resolver *resolver, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    source_diag_list(resolver->policy->source, offset, resolver->diags, DIAG_ERROR, NULL, format, arguments);
    va_end(arguments);
}

/* A file that the policy names; NULL after an error. */
static struct source *read_file(struct resolver *resolver, const struct item *file)
{
    g_autofree char *path = policy_beside(resolver->policy, file->text);
    auto_free(diags) troubles = diags_new();
    struct source *source = source_read(path, "a table with one item a line", TABLE_SIZE_LIMIT, troubles);

    if (source != NULL) {
        g_checksum_update(resolver->policy->tables, (const guchar *)file->text, (gssize)strlen(file->text) + 1);
        g_checksum_update(resolver->policy->tables, (const guchar *)source->text, (gssize)source->length + 1);
    } else if (diags_get(troubles, 0)->line > 0) {
        diags_move(resolver->diags, troubles);
    } else {
        /* Where the file is named is where it is fixed. */
        resolver_fail(resolver, file->offset, "%s %s", path, diags_get(troubles, 0)->message);
    }
    return source;
}

void resolver_read_table(struct resolver *resolver, struct table *table, const struct item *file, unsigned value)
{
    auto_free(source) source = read_file(resolver, file);

    if (source != NULL)
        table_add_source(table, source, value, resolver->diags);
}

/* Phrases of a file that are added. */
struct adding_phrases {
    struct phrases *phrases;
    const struct source *source;
    struct diags *diags;
};

static void add_phrase(void *data, const char *phrase, size_t offset)
{
    const struct adding_phrases *adding = data;
    g_autofree char *wrong = phrases_add(adding->phrases, phrase);

    if (wrong != NULL)
        source_diag(adding->source, offset, adding->diags, DIAG_ERROR, "%s", wrong);
}

struct phrases *resolver_phrases(struct resolver *resolver, const struct item *file, const GPtrArray *strings)
{
    auto_free(source) source = file != NULL ? read_file(resolver, file) : NULL;
    struct adding_phrases adding = {phrases_new(), source != NULL ? source : resolver->policy->source, resolver->diags};

    if (source != NULL)
        table_each_item(source, add_phrase, &adding);
    for (unsigned i = 0; file == NULL && i < strings->len; i++) {
        const struct item *item = g_ptr_array_index(strings, i);
        add_phrase(&adding, item->text, item->offset);
    }
    phrases_finish(adding.phrases);
    return adding.phrases;
}

struct pattern *resolver_compile(struct resolver *resolver, const struct item *item)
{
    g_autofree char *message = NULL;
    size_t offset;
    struct pattern *pattern = pattern_compile(item->text, &offset, &message);

    if (pattern == NULL)
        resolver_fail(resolver, policy_pattern_offset(resolver->policy, item, offset), "in this regular expression: %s",
                      message);
    return pattern;
}

class_mask resolver_class(struct resolver *resolver, const struct item *name, bool counted)
{
    g_autofree char *wrong = NULL;
    class_mask mask = 0;

    if (counted ? class_names_find_counted(&resolver->class_names, name->text, &mask, &wrong)
                : class_names_find(&resolver->class_names, name->text, &mask, &wrong))
        return mask;
    if (wrong != NULL)
        resolver_fail(resolver, name->offset, "%s", wrong);
    return 0;
}
