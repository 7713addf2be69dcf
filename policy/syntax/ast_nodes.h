/* tree - makes and frees the nodes of language.h.  Private to the library. */
#ifndef RCPTGUARD_TREE_H
#define RCPTGUARD_TREE_H

#include "policy/syntax/ast.h"

struct expression *expression_new(enum expression_kind kind, size_t offset);
void expression_free(struct expression *expression);

/* Each takes its name. */
struct class_statement *class_statement_new(struct item *name);
void class_statement_free(struct class_statement *class);
struct rule *rule_new(struct item *name, unsigned line);
void rule_free(struct rule *rule);

struct expect *expect_new(size_t offset);
void expect_free(struct expect *expect);
void people_free(struct people *people);
void action_clear(struct action *action);

#endif
