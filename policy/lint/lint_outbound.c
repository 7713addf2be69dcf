/*
 * lint_outbound - whether mail that comes back to this machine is evaluated again:
 * from a content filter, a list or a forwarding, with a sender from elsewhere.
 *
 * Such messages are made up and asked about; what their listener is called is
 * not known, so it may be any that the policy names, or another.
 */

#include "policy/conditions/condition_subject.h"
#include "policy/engine/policy.h"
#include "policy/lint/lint.h"

#include <string.h>

/* At most this many names of listeners are tried. */
#define LISTENERS_LIMIT 16u

/* Nobody has an address there (RFC 2606). */
#define STRANGER "stranger@elsewhere.invalid"

static void gather_listeners(void *data, const struct test *any)
{
    GPtrArray *names = data;
    const struct subject_test *test = subject_test_of(any);

    if (test == NULL || test->subject != SUBJECT_LISTENER)
        return;
    if (test->comparison.relation == RELATION_EQUALS && names->len < LISTENERS_LIMIT)
        g_ptr_array_add(names, test->comparison.operand->text);
    for (unsigned i = 0; test->items != NULL && i < test->items->len && names->len < LISTENERS_LIMIT; i++)
        g_ptr_array_add(names, ((const struct item *)g_ptr_array_index(test->items, i))->text);
}

/* Whether such a message is outbound by this part, whatever its listener is called. */
static bool is_evaluated(const struct lint *lint, const struct expression *part, const char *client)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    /* The same policy with that part alone. */
    struct policy view = *lint->policy;
    bool evaluated = true;

    view.outbound = (struct expression *)part;
    g_ptr_array_add(names, NULL);
    expression_each_test(lint->policy->outbound, gather_listeners, names);
    for (unsigned i = 0; evaluated && i < names->len; i++) {
        auto_free(message) message = message_new();
        message_set_sender(message, STRANGER);
        message_set_client(message, client);
        message_set_listener(message, g_ptr_array_index(names, i));
        message->local = client == NULL;
        evaluated = policy_outbound(&view, message) == OUTBOUND_YES;
    }
    return evaluated;
}

static void lint_part(const struct lint *lint, const struct expression *part)
{
    static const struct {
        const char *client; /* NULL: handed in by sendmail(1) */
        const char *from;
    } ways[] = {{"127.0.0.1", "comes back over the loopback"},
                {"::1", "comes back over the loopback"},
                {NULL, "is handed in by sendmail(1)"}};

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (!is_evaluated(lint, part, ways[i].client))
            continue;
        lint_warn(lint, LINT_REINJECTED_MAIL, part->offset,
                  "mail from outside that %s, as from a filter or a list, is evaluated here; test `sender` as well",
                  ways[i].from);
        return;
    }
}

void lint_outbound(const struct lint *lint)
{
    const struct expression *outbound = lint->policy->outbound;

    if (outbound == NULL)
        return;
    if (outbound->kind != EXPRESSION_OR) {
        lint_part(lint, outbound);
        return;
    }
    for (unsigned i = 0; i < outbound->parts->len; i++)
        lint_part(lint, g_ptr_array_index(outbound->parts, i));
}
