/*
 * template - the texts of rules: templates with variables.
 *
 * Ownership: free templates with text_free, strings with g_free.
 */
#ifndef RCPTGUARD_TEMPLATE_H
#define RCPTGUARD_TEMPLATE_H

#include "policy/base/source.h"
#include "policy/exposure/class_mask.h"
#include "policy/exposure/exposure.h"
#include "policy/message/message.h"

struct text;
struct class_names;

/* What a template may refer to. */
struct template_scope {
    const struct source *source; /* that contains it */
    const struct class_names *class_names;
    bool has_contact;  /* the policy names one */
    bool has_count;    /* the text is that of a rule that tests a count */
    bool has_window;   /* the same of a count within a time */
    bool has_inside;   /* the same of a count inside parts */
    bool has_override; /* it is that of a refusal that can be overridden */
};

/* `offset` is the place of its string in the source; errors are added to `diags`, and the result is NULL. */
struct text *text_parse(const char *template, const struct template_scope *scope, size_t offset, struct diags *diags);
void text_free(struct text *text);

/* Whether it shows a count of just this one class. */
bool text_names_class(const struct text *text, class_mask class);

/* Whether it shows what was counted within a time. */
bool text_names_window(const struct text *text);

bool text_names_inside(const struct text *text); /* the same of inside parts */

/* Whether it shows where to send a refused message again; whom to ask. */
bool text_names_override(const struct text *text);
bool text_names_contact(const struct text *text);

/* A count that it shows without naming a class, and its place in the source. */
struct text_count {
    enum count count;
    class_mask mask; /* what it shows then */
    size_t offset;
};

/* The one with that index, from 0; false if there is none. */
bool text_plain_count(const struct text *text, unsigned index, struct text_count *found);

struct text_values {
    const struct exposure *exposure;
    const struct message *message;
    const char *rule;
    const char *contact;
    enum count counted; /* what the rule counted, for `{count}` */
    class_mask counted_mask;
    bool has_within; /* what it counted within a time is known, for `{within}` */
    guint32 within;  /* or STATE_WINDOW_MANY */
    bool has_inside; /* the same of what it counted inside parts, for `{inside}` */
    unsigned inside;
    const char *override; /* for `{override}`; NULL: `-` */
};

/*
 * Expands a template: UTF-8, one line.  Values are as they are but for characters that do
 * not print, which are left out; cut at TEXT_VALUE_LIMIT bytes, and never read again.
 * Where the text goes, it is escaped as that place asks for.
 */
char *text_expand(const struct text *text, const struct text_values *values);

#endif
