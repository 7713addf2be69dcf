/* expect - the assertions of a policy; see policy.h and ast.h */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/engine/expect_reasons.h"
#include "policy/engine/policy.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/class_names.h"
#include "policy/syntax/vocabulary.h"

#include <string.h>

static void G_GNUC_PRINTF(4, 5)
    fail(const struct policy *policy, const struct expect *expect, struct diags *diags, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    source_diag(policy->source, expect->offset, diags, DIAG_ERROR, "this expectation fails: %s", message);
}

static const char *text_of(const struct item *item)
{
    return item == NULL ? NULL : item->text;
}

static void assert_class(struct policy *policy, const struct expect *expect, struct diags *diags)
{
    g_autofree char *domain = domain_normalise(expect->domain->text, strlen(expect->domain->text));
    auto_free(pattern_budget) budget = pattern_budget_new();
    auto_free(domain_facts) facts = classes_find(policy->classes, domain, budget);
    class_mask mask = 0, belongs = (class_mask)1 << facts->class_index;

    /* To a stranger a `separate` class is other. */
    if (classes_separate(policy->classes, (unsigned)facts->class_index))
        belongs |= (class_mask)1 << CLASS_OTHER;
    class_names_mask(policy->classes, expect->class_name->text, &mask);
    if (facts->fault) {
        fail(policy, expect, diags, "a regular expression went beyond its limit for \"%s\"", expect->domain->text);
    } else if ((mask & belongs) == 0) {
        fail(policy, expect, diags, "\"%s\" is %s, not %s", expect->domain->text,
             classes_name(policy->classes, (unsigned)facts->class_index), expect->class_name->text);
        reasons_of_class(policy, domain, (unsigned)facts->class_index, diags);
    }
}

static void assert_outbound(struct policy *policy, const struct expect *expect, struct diags *diags)
{
    auto_free(message) message = message_new();

    message_set_client(message, text_of(expect->client));
    message_set_listener(message, text_of(expect->listener));
    message_set_user(message, text_of(expect->user));
    message_set_sender(message, expect->sender != NULL ? expect->sender->text : "");
    message->local = expect->local;
    enum outbound outbound = policy_outbound(policy, message);
    if (outbound == OUTBOUND_FAULT)
        fail(policy, expect, diags, "a regular expression went beyond its limit");
    else if ((outbound == OUTBOUND_YES) == expect->negated)
        fail(policy, expect, diags, "such mail is %soutbound", outbound == OUTBOUND_YES ? "" : "not ");
    else
        return;
    reasons_of_outbound(policy, message, diags);
}

static void add_people(struct message *message, const GPtrArray *people, GString *to)
{
    for (unsigned i = 0; people != NULL && i < people->len; i++) {
        const struct people *some = g_ptr_array_index(people, i);
        g_auto(GStrv) pieces = g_strsplit(some->address->text, "{n}", -1);
        for (unsigned n = 1; n <= some->count; n++) {
            g_autofree char *number = g_strdup_printf("%u", n);
            g_autofree char *address = g_strjoinv(number, pieces);
            message_add_recipient(message, address);
            if (to != NULL)
                g_string_append_printf(to, "%s%s", to->len > 0 ? ", " : "", address);
        }
    }
}

static void add_fields(struct message *message, const GPtrArray *fields)
{
    for (unsigned i = 0; fields != NULL && i < fields->len; i++) {
        const struct expect_field *field = g_ptr_array_index(fields, i);
        message_add_header(message, field->name != NULL ? field->name->text : "Subject", field->value->text);
    }
}

static bool has_field(const GPtrArray *fields, const char *name)
{
    for (unsigned i = 0; fields != NULL && i < fields->len; i++) {
        const struct expect_field *field = g_ptr_array_index(fields, i);
        if (field->name != NULL && g_ascii_strcasecmp(field->name->text, name) == 0)
            return true;
    }
    return false;
}

/*
 * A message of `expect`: From and envelope sender are the same unless it has its own From, To holds `to`, the
 * envelope `to` and `bcc`.
 */
static struct message *build_message(const struct expect *expect)
{
    struct message *message = message_new();
    g_autoptr(GString) to = g_string_new(NULL);

    message_set_user(message, text_of(expect->user));
    message_set_sender(message, expect->sender->text);
    if (!has_field(expect->fields, "From"))
        message_add_header(message, "From", expect->sender->text);
    add_people(message, expect->to, to);
    message_add_header(message, "To", to->str);
    add_fields(message, expect->fields);
    add_people(message, expect->bcc, NULL);
    return message;
}

static void assert_verdict(struct policy *policy, const struct expect *expect, const struct message *message,
                           struct diags *diags)
{
    const struct judge_options options = {
        /* A test must not start to fail because a day has passed. */
        .now = expect->at != NULL ? language_date(expect->at) : G_MININT64,
        .on_fault = DISPOSITION_QUARANTINE,
        .outbound = OUTBOUND_YES,
    };
    auto_free(verdict) verdict = policy_judge(policy, message, &options);
    const struct wanted wanted = {expect->disposition, text_of(expect->rule)};
    bool same_rule = wanted.rule == NULL || strcmp(verdict->rule, wanted.rule) == 0;

    if (verdict->disposition == wanted.disposition && same_rule && !verdict->fault)
        return;
    fail(policy, expect, diags, "it gives %s by %s, not %s%s%s", disposition_name(verdict->disposition), verdict->rule,
         disposition_name(wanted.disposition), wanted.rule != NULL ? " by " : "",
         wanted.rule != NULL ? wanted.rule : "");
    reasons_of_verdict(policy, message, &options, verdict, &wanted, diags);
}

static bool take_first(void *data, struct message *message, const char *file, unsigned index)
{
    (void)file;
    (void)index;
    *(struct message **)data = message;
    return false;
}

static void assert_file(struct policy *policy, const struct expect *expect, struct diags *diags)
{
    g_autofree char *path = policy_beside(policy, expect->file->text);
    auto_free(message) message = NULL;

    mailfile_read(path, take_first, &message, diags);
    if (message == NULL) {
        g_autofree char *nearest = g_file_test(path, G_FILE_TEST_EXISTS) ? NULL : diag_nearest_file(path);
        if (nearest != NULL)
            fail(policy, expect, diags, "the message \"%s\" is not there; did you mean \"%s\"?", expect->file->text,
                 nearest);
        else
            fail(policy, expect, diags, "the message \"%s\" could not be read", expect->file->text);
        return;
    }
    mailfile_envelope(message, NULL, NULL);
    assert_verdict(policy, expect, message, diags);
}

unsigned policy_assert(struct policy *policy, struct diags *diags)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < policy->expects->len; i++) {
        const struct expect *expect = g_ptr_array_index(policy->expects, i);
        unsigned before = diags_errors(diags);
        switch (expect->kind) {
        case EXPECT_CLASS:
            assert_class(policy, expect, diags);
            break;
        case EXPECT_OUTBOUND:
            assert_outbound(policy, expect, diags);
            break;
        case EXPECT_MESSAGE: {
            auto_free(message) message = build_message(expect);
            assert_verdict(policy, expect, message, diags);
            break;
        }
        case EXPECT_FILE:
            assert_file(policy, expect, diags);
            break;
        }
        failed += diags_errors(diags) > before;
    }
    return failed;
}
