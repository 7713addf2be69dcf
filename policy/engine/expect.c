/* expect - the assertions of a policy; see policy.h and ast.h */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/engine/expect_reasons.h"
#include "policy/engine/policy.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/state/state_memory.h"
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

/* `index`, from 0: of a series; {n} goes on where the message before it ended. */
static void add_people(struct message *message, const GPtrArray *people, unsigned index, GString *to)
{
    for (unsigned i = 0; people != NULL && i < people->len; i++) {
        const struct people *some = g_ptr_array_index(people, i);
        g_auto(GStrv) pieces = g_strsplit(some->address->text, "{n}", -1);
        for (unsigned n = 1; n <= some->count; n++) {
            g_autofree char *number = g_strdup_printf("%u", index * some->count + n);
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
 * A message of `expect`, without a body: From and envelope sender are the same unless it has its own From, To holds
 * `to`, the envelope `to` and `bcc`.
 */
static struct message *build_message(const struct expect *expect, unsigned index)
{
    struct message *message = message_new();
    g_autoptr(GString) to = g_string_new(NULL);

    message_set_body(message, message_body_of("", 0, false));
    message_set_user(message, text_of(expect->user));
    message_set_sender(message, expect->sender->text);
    if (!has_field(expect->fields, "From"))
        message_add_header(message, "From", expect->sender->text);
    add_people(message, expect->to, index, to);
    message_add_header(message, "To", to->str);
    add_fields(message, expect->fields);
    add_people(message, expect->bcc, index, NULL);
    return message;
}

static struct evaluate_options options_of(const struct expect *expect, const struct state_scratch *scratch)
{
    return (struct evaluate_options){
        /* A test must not start to fail because a day has passed. */
        .now = expect->at != NULL ? language_date(expect->at) : G_MININT64,
        .on_fault = DISPOSITION_QUARANTINE,
        .outbound = OUTBOUND_YES,
        .state = &scratch->state,
    };
}

static struct wanted wanted_of(const struct expect *expect)
{
    return (struct wanted){expect->disposition, text_of(expect->rule), action_terms(&expect->terms),
                           expect->overridable};
}

static bool has_terms(const struct verdict *verdict, const struct wanted *wanted)
{
    const struct action_terms *given = &verdict->terms, *asked = &wanted->terms;

    if (asked->release != RELEASE_BY_REVIEWER &&
        (given->release != asked->release || given->release_after != asked->release_after))
        return false;
    if (asked->expire != EXPIRE_AS_CONFIGURED &&
        (given->expire != asked->expire || given->expire_after != asked->expire_after))
        return false;
    return !wanted->overridable || given->override > 0;
}

static bool is_wanted(const struct verdict *verdict, const struct wanted *wanted)
{
    bool same_rule = wanted->rule == NULL || strcmp(verdict->rule, wanted->rule) == 0;

    return verdict->disposition == wanted->disposition && same_rule && !verdict->fault && !verdict->error &&
           has_terms(verdict, wanted);
}

/* `which`: "it", or "message 3 of 20". */
static void fail_verdict(struct policy *policy, const struct expect *expect, const char *which,
                         const struct verdict *verdict, const struct wanted *wanted, struct diags *diags)
{
    g_autofree char *asked = action_terms_text(&wanted->terms);
    const bool told = asked[0] != '\0' || wanted->overridable;
    g_autofree char *given = told ? action_terms_text(&verdict->terms) : g_strdup("");

    fail(policy, expect, diags, "%s gives %s by %s%s%s, not %s%s%s%s%s%s", which,
         disposition_name(verdict->disposition), verdict->rule, given[0] != '\0' ? " " : "", given,
         disposition_name(wanted->disposition), wanted->rule != NULL ? " by " : "",
         wanted->rule != NULL ? wanted->rule : "", asked[0] != '\0' ? " " : "", asked,
         wanted->overridable ? " override" : "");
}

/* Has the state learn that the parties of the message were together; false if they cannot be known. */
static bool teach(struct policy *policy, const struct message *message, const struct evaluate_options *options)
{
    struct evaluate_options look = *options;
    look.look_only = true;
    auto_free(verdict) verdict = policy_evaluate(policy, message, &look);

    if (verdict->state.parties == NULL)
        return false;
    verdict->state.teaches = true;
    return verdict_settle(verdict, options->state, VERDICT_PASSED, options->now) == STATE_OK;
}

static void assert_verdict(struct policy *policy, const struct expect *expect, const struct message *message,
                           struct diags *diags)
{
    struct state_scratch scratch;
    state_scratch_open(&scratch);
    const struct evaluate_options options = options_of(expect, &scratch);
    const struct wanted wanted = wanted_of(expect);

    if (expect->known && !teach(policy, message, &options)) {
        fail(policy, expect, diags, "its parties cannot be known: expected from 2 to %u of them outside",
             STATE_SET_LIMIT);
        state_scratch_close(&scratch);
        return;
    }
    struct verdict *verdict = policy_evaluate(policy, message, &options);
    if (!is_wanted(verdict, &wanted)) {
        fail_verdict(policy, expect, "it", verdict, &wanted, diags);
        reasons_of_verdict(policy, message, &options, verdict, &wanted, diags);
    }
    verdict_free(verdict);
    state_scratch_close(&scratch);
}

/* One message of a series; whether the next one is to be tried. */
static bool assert_one(struct policy *policy, const struct expect *expect, unsigned index,
                       const struct evaluate_options *options, struct diags *diags)
{
    auto_free(message) message = build_message(expect, index);
    auto_free(verdict) verdict = policy_evaluate(policy, message, options);
    const struct wanted wanted = wanted_of(expect);
    const bool given = is_wanted(verdict, &wanted), due = index + 1 >= expect->begins;
    g_autofree char *which = g_strdup_printf("message %u of %u", index + 1, expect->messages);

    verdict_settle(verdict, options->state, verdict_end_of(verdict->disposition), options->now);
    if (due && !given) {
        fail_verdict(policy, expect, which, verdict, &wanted, diags);
        reasons_of_verdict(policy, message, options, verdict, &wanted, diags);
    } else if (given && !due) {
        fail(policy, expect, diags, "%s gives %s by %s already, not only from %u", which,
             disposition_name(verdict->disposition), verdict->rule, expect->begins);
        reasons_of_verdict(policy, message, options, verdict, &wanted, diags);
    }
    return given == due;
}

/* The messages are spread evenly over the time. */
static void assert_series(struct policy *policy, const struct expect *expect, struct diags *diags)
{
    struct state_scratch scratch;
    state_scratch_open(&scratch);
    struct evaluate_options options = options_of(expect, &scratch);
    const gint64 start = expect->at != NULL ? options.now : 1;

    for (unsigned i = 0; i < expect->messages; i++) {
        options.now = start + (gint64)expect->time.seconds * i / expect->messages;
        if (!assert_one(policy, expect, i, &options, diags))
            break;
    }
    state_scratch_close(&scratch);
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

    mailfile_read_extent(path, policy->asks_body ? MAILFILE_BODIES : MAILFILE_HEADERS, take_first, NULL, &message,
                         diags);
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
            if (expect->messages > 0) {
                assert_series(policy, expect, diags);
                break;
            }
            auto_free(message) message = build_message(expect, 0);
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
