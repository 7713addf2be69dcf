/*
 * ast - a policy as it was written: what the parser makes, what resolve
 * completes, what evaluate, print and expect read.  Private to the library.
 *
 * Ownership: a policy owns its whole tree; see policy_unref.
 */
#ifndef RCPTGUARD_AST_H
#define RCPTGUARD_AST_H

#include "policy/base/source.h"
#include "policy/exposure/classes.h"
#include "policy/exposure/exposure.h"
#include "policy/message/disposition.h"

struct text;

/* A word or string and its place in the source. */
struct item {
    char *text;
    size_t offset;
};

struct condition_kind;

/* One test of a message.  The struct of its kind begins with this one. */
struct test {
    const struct condition_kind *kind;
    void (*clear)(struct test *test); /* the kind's, or NULL */
    size_t offset;
    char *text; /* canonical */
};

enum expression_kind { EXPRESSION_TEST, EXPRESSION_NOT, EXPRESSION_AND, EXPRESSION_OR };

struct expression {
    enum expression_kind kind;
    size_t offset;
    struct test *test;
    GPtrArray *parts; /* struct expression *: one of `not`, two and more of `and` and `or` */
};

/* How long: as it was written, and in seconds. */
struct duration {
    char *text; /* or NULL */
    size_t offset;
    unsigned seconds;
};

struct action {
    enum disposition disposition;
    struct item *text; /* NULL for accept */
    struct text *template;
    unsigned approvals; /* of a quarantine: 1 or 2; else 0 */
    enum release_way release;
    size_t release_offset;         /* of `release`, if it is said */
    struct duration release_after; /* of RELEASE_AFTER */
    enum expire_way expire;
    struct duration expire_after; /* unless it is as configured */
    struct duration override;     /* its text is NULL if there is none; its offset is the word's */
};

enum class_item_kind { CLASS_DOMAIN, CLASS_MATCH, CLASS_DOMAINS_FROM };

struct class_item {
    enum class_item_kind kind;
    struct item *item;
};

struct class_statement {
    struct item *name;
    GPtrArray *items; /* struct class_item * */
    bool individuals;
    bool separate;
};

struct rule {
    struct item *name;
    gint64 until;     /* the first second at which it is over; G_MAXINT64: never */
    char *until_text; /* or NULL */
    size_t until_offset;
    bool monitor;
    struct expression *when;
    struct action action;
    unsigned line;
};

enum expect_kind { EXPECT_CLASS, EXPECT_OUTBOUND, EXPECT_MESSAGE, EXPECT_FILE };

/* "450 of" an address */
struct people {
    unsigned count;
    struct item *address;
};

/* A header field of a message that is made up. */
struct expect_field {
    struct item *name; /* NULL of `subject` */
    struct item *value;
};

struct expect {
    enum expect_kind kind;
    size_t offset;
    struct item *domain; /* of a class */
    struct item *class_name;
    bool negated; /* of outbound */
    bool local;
    struct item *client, *listener, *user, *sender; /* each may be NULL */
    GPtrArray *to;                                  /* struct people * */
    GPtrArray *bcc;
    GPtrArray *fields;    /* struct expect_field *, or NULL */
    char *at;             /* or NULL */
    bool known;           /* the parties of the message have been in one before */
    unsigned messages;    /* how many there are of a series; 0: one message */
    struct duration time; /* that they take */
    unsigned begins;      /* the first message of a series that gives it, from 1 */
    size_t begins_offset;
    struct item *file;
    enum disposition disposition;
    struct item *rule;   /* or NULL */
    bool overridable;    /* whether the refusal has to be one that can be overridden */
    struct action terms; /* how it has to be released and to expire, where that is said; nothing else of it */
};

/* A warning that a comment allows, and the statement that this comment is in. */
struct allow {
    char *name;
    size_t offset;
    size_t begin, end;
};

/* What is counted within a time, and where that is kept: see state.h. */
struct signature {
    char *text;
    enum count count;
    class_mask mask;
};

struct window {
    unsigned signature; /* index */
    unsigned seconds;
    bool alike;
};

struct policy {
    int references;
    char *path;
    struct source *source;
    char *text;
    char *digest;

    size_t version_offset;
    GPtrArray *allows;           /* struct allow *, in the order of the comments */
    GPtrArray *statements;       /* struct class_statement * */
    struct expression *outbound; /* NULL: the built-in meaning */
    size_t outbound_offset;
    struct item *contact; /* or NULL */
    struct duration remember;
    GPtrArray *expects; /* struct expect * */
    GPtrArray *rules;   /* struct rule * */
    struct action fallback;
    size_t fallback_offset;
    unsigned fallback_line;
    GArray *thresholds;     /* struct threshold, in the order of the rules */
    GArray *windows;        /* struct window, each once */
    GArray *signatures;     /* struct signature: what is counted in them, each once */
    unsigned longest;       /* seconds of the longest window */
    bool asks_known;        /* a rule has `known` */
    bool asks_body;         /* a rule counts inside parts of the body, or has `opaque` */
    GPtrArray *part_fields; /* char *: header fields that rules count inside, each once */

    bool names_lost; /* a mistake may have hidden a class or a rule: a missing one is not reported */

    struct classes *classes;
    GChecksum *tables; /* of the tables' contents */
};

struct item *item_new(const char *text, size_t offset);
void item_free(struct item *item);

struct expression *expression_new(enum expression_kind kind, size_t offset);
void expression_free(struct expression *expression);

/* Visits each test of an expression, or of `outbound` and all rules, in the order in which they are written. */
typedef void (*test_visit)(void *data, const struct test *test);
void expression_each_test(const struct expression *expression, test_visit visit, void *data);
void policy_each_test(const struct policy *policy, test_visit visit, void *data);

/* Each takes its name. */
struct class_statement *class_statement_new(struct item *name);
void class_statement_free(struct class_statement *class);
struct rule *rule_new(struct item *name, unsigned line);
void rule_free(struct rule *rule);

struct expect *expect_new(size_t offset);
void expect_free(struct expect *expect);
void people_free(struct people *people);
void expect_field_free(struct expect_field *field);
void allow_free(struct allow *allow);
void action_clear(struct action *action);
struct action_terms action_terms(const struct action *action);
void signature_clear(gpointer signature);

/* The place of a byte of a pattern in the source: after the slash, and each slash in it has a backslash before it. */
size_t policy_pattern_offset(const struct policy *policy, const struct item *item, size_t index);

/* The path of a file that a policy names: relative to the policy; to be freed with g_free. */
char *policy_beside(const struct policy *policy, const char *file);

#endif
