/*
 * lint_spelling - names in tests that are probably meant otherwise: a header field
 * that no mail has, a class in quotes.
 */

#include "policy/lint/lint.h"

#include "policy/base/suggest.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_inside.h"
#include "policy/conditions/condition_subject.h"
#include "policy/syntax/class_names.h"

#include <string.h>

/* Fields that mail has: those of the IANA's registry that are in use, and what mail programs and filters add. */
static const char *const field_names[] = {
    "Accept-Language",
    "Apparently-To",
    "ARC-Authentication-Results",
    "ARC-Message-Signature",
    "ARC-Seal",
    "Authentication-Results",
    "Auto-Submitted",
    "Bcc",
    "Cc",
    "Comments",
    "Content-Class",
    "Content-Description",
    "Content-Disposition",
    "Content-ID",
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "Deferred-Delivery",
    "Delivered-To",
    "Disposition-Notification-To",
    "DKIM-Signature",
    "Envelope-To",
    "Errors-To",
    "Expires",
    "Feedback-ID",
    "From",
    "Importance",
    "In-Reply-To",
    "Keywords",
    "List-Archive",
    "List-Help",
    "List-Id",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Message-ID",
    "MIME-Version",
    "Organization",
    "Original-Recipient",
    "Precedence",
    "Priority",
    "Received",
    "Received-SPF",
    "References",
    "Reply-To",
    "Resent-Bcc",
    "Resent-Cc",
    "Resent-Date",
    "Resent-From",
    "Resent-Message-ID",
    "Resent-Sender",
    "Resent-To",
    "Return-Path",
    "Return-Receipt-To",
    "Sender",
    "Sensitivity",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "To",
    "User-Agent",
    "X-Auto-Response-Suppress",
    "X-Loop",
    "X-Mailer",
    "X-Mailing-List",
    "X-MSMail-Priority",
    "X-Original-To",
    "X-Originating-IP",
    "X-Priority",
    "X-Spam",
    "X-Spam-Flag",
    "X-Spam-Level",
    "X-Spam-Score",
    "X-Spam-Status",
};

static void lint_field(const struct lint *lint, const struct item *field)
{
    g_autofree char *word = g_ascii_strdown(field->text, -1);
    const char *near = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(field_names); i++) {
        g_autofree char *known = g_ascii_strdown(field_names[i], -1);
        if (strcmp(known, word) == 0)
            return;
        if (near == NULL && diag_distance(word, known) == 1)
            near = field_names[i];
    }
    if (near != NULL)
        lint_warn(lint, LINT_HEADER_MISSPELT, field->offset, "mail has no field `%s`; did you mean `%s`?", field->text,
                  near);
}

static bool is_class(const struct lint *lint, const char *word)
{
    class_mask mask;

    return class_names_mask(lint->policy->classes, word, &mask);
}

/* A login name may well be that of a class of the policy; that of a built-in one is not. */
static void lint_set(const struct lint *lint, const struct subject_test *test)
{
    bool user = test->subject == SUBJECT_USER;

    for (unsigned i = 0; i < test->items->len; i++) {
        const struct item *item = g_ptr_array_index(test->items, i);
        g_autofree char *word = g_ascii_strdown(item->text, -1);
        bool meant = user ? strcmp(word, "internal") == 0 || strcmp(word, "external") == 0 : is_class(lint, word);
        if (meant)
            lint_warn(lint, LINT_CLASS_IN_QUOTES, item->offset,
                      "\"%s\" in quotes is a %s; the class is written without them: `%s in %s`", item->text,
                      user ? "login name" : "domain",
                      user                              ? "user"
                      : test->subject == SUBJECT_SENDER ? "sender"
                                                        : "from",
                      word);
    }
}

static void lint_inside_fields(const struct lint *lint, const struct inside_test *inside)
{
    for (unsigned i = 0; i < inside->parts->len; i++) {
        const struct inside_part *part = &g_array_index(inside->parts, struct inside_part, i);
        if (part->field != NULL)
            lint_field(lint, part->field);
    }
}

static void look(void *data, const struct test *test)
{
    const struct header_test *header = header_test_of(test);
    const struct subject_test *subject = subject_test_of(test);

    if (header != NULL)
        lint_field(data, header->name);
    else if (inside_test_of(test) != NULL)
        lint_inside_fields(data, inside_test_of(test));
    else if (subject != NULL && subject->items != NULL && subject->subject != SUBJECT_CLIENT &&
             subject->subject != SUBJECT_LISTENER)
        lint_set(data, subject);
}

void lint_spelling(const struct lint *lint)
{
    policy_each_test(lint->policy, look, (void *)lint);
}
