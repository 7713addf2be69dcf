/* print_policy - see print_policy.h */

#include "policy/language/print_policy.h"

#include "policy/conditions/condition.h"
#include "policy/language/allow_comments.h"
#include "policy/syntax/lexer.h"

/* With `indent`, each part of the outermost `and` or `or` is on its own line. */
static void print_expression(GString *out, const struct expression *expression, const char *indent)
{
    switch (expression->kind) {
    case EXPRESSION_TEST:
        expression->test->kind->print(out, expression->test);
        break;
    case EXPRESSION_NOT:
    case EXPRESSION_AND:
    case EXPRESSION_OR:
        if (expression->kind == EXPRESSION_NOT)
            g_string_append(out, "not ");
        for (unsigned i = 0; i < expression->parts->len; i++) {
            const struct expression *part = g_ptr_array_index(expression->parts, i);
            bool nested = part->kind == EXPRESSION_AND || part->kind == EXPRESSION_OR ||
                          (expression->kind == EXPRESSION_NOT && part->kind == EXPRESSION_NOT);
            if (i > 0) {
                g_string_append(out, indent != NULL ? indent : " ");
                g_string_append(out, expression->kind == EXPRESSION_AND ? "and " : "or ");
            }
            if (nested)
                g_string_append_c(out, '(');
            print_expression(out, part, NULL);
            if (nested)
                g_string_append_c(out, ')');
        }
        break;
    }
}

char *expression_print(const struct expression *expression)
{
    GString *out = g_string_new(NULL);

    print_expression(out, expression, NULL);
    return g_string_free(out, FALSE);
}

char **expression_print_lines(const struct expression *expression)
{
    g_autoptr(GString) out = g_string_new(NULL);

    /* No string and no pattern has a line's end in it. */
    print_expression(out, expression, "\n");
    return g_strsplit(out->str, "\n", -1);
}

/* The end of a statement's first line; `policy` is NULL where comments are not printed. */
static void end_head(GString *out, const struct policy *policy, size_t offset)
{
    if (policy != NULL)
        allow_comments_print(out, policy, offset);
    g_string_append_c(out, '\n');
}

/* How long a held message waits, and for what. */
static void print_held(GString *out, const struct action *action)
{
    static const char *const released[] = {NULL, " release by sender", " release by sender with reason",
                                           " release after "};

    if (action->release != RELEASE_BY_REVIEWER)
        g_string_append(out, released[action->release]);
    if (action->release == RELEASE_AFTER)
        g_string_append(out, action->release_after.text);
    if (action->expire != EXPIRE_AS_CONFIGURED)
        g_string_append_printf(out, " expire %s %s", action->expire_after.text, expire_way_name(action->expire));
}

static void print_action(GString *out, const struct action *action)
{
    g_string_append(out, disposition_name(action->disposition));
    if (action->text != NULL) {
        g_string_append_c(out, ' ');
        lexer_append_string(out, action->text->text);
    }
    if (action->approvals > 1)
        g_string_append_printf(out, " approvals %u", action->approvals);
    print_held(out, action);
    if (action->override.text != NULL)
        g_string_append_printf(out, " override %s", action->override.text);
}

static void print_class(GString *out, const struct policy *allowing, const struct class_statement *class)
{
    g_string_append_printf(out, "\nclass %s {", class->name->text);
    end_head(out, allowing, class->name->offset);
    for (unsigned i = 0; i < class->items->len; i++) {
        const struct class_item *item = g_ptr_array_index(class->items, i);
        static const char *const words[] = {"domain ", "match ", "domains from "};
        g_string_append(out, "    ");
        g_string_append(out, words[item->kind]);
        if (item->kind == CLASS_MATCH)
            lexer_append_regex(out, item->item->text);
        else
            lexer_append_string(out, item->item->text);
        g_string_append_c(out, '\n');
    }
    if (class->individuals)
        g_string_append(out, "    individuals\n");
    if (class->separate)
        g_string_append(out, "    separate\n");
    g_string_append(out, "}\n");
}

static void print_people(GString *out, const char *word, const GPtrArray *people)
{
    for (unsigned i = 0; i < people->len; i++) {
        const struct people *some = g_ptr_array_index(people, i);
        g_string_append(out, i == 0 ? word : ", ");
        if (some->count != 1)
            g_string_append_printf(out, "%u of ", some->count);
        lexer_append_string(out, some->address->text);
    }
}

static void print_fact(GString *out, const char *word, const struct item *item)
{
    if (item == NULL)
        return;
    g_string_append_printf(out, word[0] != '\0' ? " %s " : " ", word);
    lexer_append_string(out, item->text);
}

static void print_expect(GString *out, const struct expect *expect)
{
    g_string_append(out, "expect ");
    switch (expect->kind) {
    case EXPECT_CLASS:
        lexer_append_string(out, expect->domain->text);
        g_string_append_printf(out, " is %s", expect->class_name->text);
        return;
    case EXPECT_OUTBOUND:
        g_string_append(out, expect->negated ? "not outbound" : "outbound");
        print_fact(out, "client", expect->client);
        print_fact(out, "listener", expect->listener);
        print_fact(out, "user", expect->user);
        print_fact(out, "sender", expect->sender);
        g_string_append(out, expect->local ? " local" : "");
        return;
    case EXPECT_MESSAGE:
        if (expect->messages > 0)
            g_string_append_printf(out, "%u messages", expect->messages);
        else
            g_string_append(out, "message");
        print_fact(out, "from", expect->sender);
        print_fact(out, "user", expect->user);
        print_people(out, " to ", expect->to);
        if (expect->bcc != NULL)
            print_people(out, " bcc ", expect->bcc);
        for (unsigned i = 0; expect->fields != NULL && i < expect->fields->len; i++) {
            const struct expect_field *field = g_ptr_array_index(expect->fields, i);
            print_fact(out, "header", field->name);
            print_fact(out, field->name == NULL ? "subject" : "", field->value);
        }
        if (expect->at != NULL)
            g_string_append_printf(out, " at %s", expect->at);
        if (expect->messages > 0)
            g_string_append_printf(out, " in %s", expect->time.text);
        g_string_append(out, expect->known ? " known" : "");
        break;
    case EXPECT_FILE:
        g_string_append(out, "file ");
        lexer_append_string(out, expect->file->text);
        break;
    }
    g_string_append_printf(out, " gives %s", disposition_name(expect->disposition));
    if (expect->rule != NULL)
        g_string_append_printf(out, " by %s", expect->rule->text);
    g_string_append(out, expect->overridable ? " override" : "");
    print_held(out, &expect->terms);
    if (expect->begins > 1)
        g_string_append_printf(out, " from %u", expect->begins);
}

static void print_rule(GString *out, const struct policy *allowing, const struct rule *rule)
{
    g_string_append_printf(out, "\nrule %s", rule->name->text);
    if (rule->until_text != NULL)
        g_string_append_printf(out, " until %s", rule->until_text);
    g_string_append(out, " {");
    end_head(out, allowing, rule->name->offset);
    if (rule->monitor)
        g_string_append(out, "    monitor\n");
    g_string_append(out, "    when ");
    print_expression(out, rule->when, "\n        ");
    g_string_append(out, "\n    ");
    print_action(out, &rule->action);
    g_string_append(out, "\n}\n");
}

/* The first part of `outbound` is on its first line, and the comment after that. */
static void print_outbound(GString *out, const struct policy *policy, const struct policy *allowing)
{
    g_autoptr(GString) condition = g_string_new(NULL);

    g_string_append(out, "\noutbound when ");
    print_expression(condition, policy->outbound, "\n    ");
    size_t length = strcspn(condition->str, "\n");
    g_string_append_len(out, condition->str, (gssize)length);
    end_head(out, allowing, policy->outbound_offset);
    if (condition->str[length] != '\0')
        g_string_append_printf(out, "%s\n", condition->str + length + 1);
}

char *policy_print(const struct policy *policy, bool with_allows)
{
    GString *out = g_string_new("version 1");
    const struct policy *allowing = with_allows ? policy : NULL;

    end_head(out, allowing, policy->version_offset);
    if (policy->contact != NULL) {
        g_string_append(out, "contact ");
        lexer_append_string(out, policy->contact->text);
        end_head(out, allowing, policy->contact->offset);
    }
    if (policy->remember.text != NULL) {
        g_string_append_printf(out, "remember %s", policy->remember.text);
        end_head(out, allowing, policy->remember.offset);
    }
    for (unsigned i = 0; i < policy->statements->len; i++)
        print_class(out, allowing, g_ptr_array_index(policy->statements, i));
    if (policy->outbound != NULL)
        print_outbound(out, policy, allowing);
    if (policy->expects->len > 0)
        g_string_append_c(out, '\n');
    for (unsigned i = 0; i < policy->expects->len; i++) {
        const struct expect *expect = g_ptr_array_index(policy->expects, i);
        print_expect(out, expect);
        end_head(out, allowing, expect->offset);
    }
    for (unsigned i = 0; i < policy->rules->len; i++)
        print_rule(out, allowing, g_ptr_array_index(policy->rules, i));
    g_string_append(out, "\ndefault ");
    print_action(out, &policy->fallback);
    end_head(out, allowing, policy->fallback_offset);
    return g_string_free(out, FALSE);
}
