/*
 * parse_action - what a rule does: its disposition, its text, and what may follow that.  Private to the library.
 */
#ifndef RCPTGUARD_PARSE_ACTION_H
#define RCPTGUARD_PARSE_ACTION_H

#include "policy/syntax/parser_tokens.h"

/* Each reports what is wrong, and gives false then. */
bool parser_action(struct parser *parser, struct action *action);
bool parser_disposition(struct parser *parser, enum disposition *disposition);

/* What is said in `gives` of how a message is released and expires, or whether its refusal can be overridden. */
bool parser_expected_terms(struct parser *parser, struct expect *expect);

/* "expected LEAD`accept`, `tag`, ... or `tempfail`, not Y", with the nearest of `words`; false. */
bool parser_fail_action(struct parser *parser, const char *lead, const char *const *words);

/* Two words and those of all dispositions, ended by NULL; the array is freed with g_free. */
const char **words_with_dispositions(const char *first, const char *second);

/* What may still come after an action, ended by NULL; or NULL. */
const char *const *parser_action_words(const struct action *action);

#endif
