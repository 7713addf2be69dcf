/*
 * table - sets of domains, addresses, networks and words, from a policy or from
 * a file with one item a line.
 *
 * Looking up costs the same with ten items and with a million.
 *
 * Ownership: a table owns its items; free with table_free.  After it is built
 * any thread may use it.
 */
#ifndef RCPTGUARD_TABLE_H
#define RCPTGUARD_TABLE_H

#include "policy/base/source.h"

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

/* What a table may hold. */
enum table_kind {
    TABLE_DOMAINS,   /* domains; with a leading dot the domain and all below */
    TABLE_MAILBOXES, /* domains, and addresses, which also mean themselves with an extension: ann+tag@corp.example */
    TABLE_ADDRESSES, /* addresses, each as it is alone */
    TABLE_NETWORKS,  /* addresses of hosts and networks: 192.0.2.1, 2001:db8::/32 */
    TABLE_WORDS,     /* login names, names of listeners: compared whole, in any case */
};

struct table;

/* A table's size in bytes. */
#define TABLE_SIZE_LIMIT (256u * 1024 * 1024)

struct table *table_new(enum table_kind kind);
void table_free(struct table *table);
AUTO_FREE_DEFINE(table, table_free)

/*
 * Adds an item with a value (from 0); an item that is there already keeps its
 * first value.  NULL, or what is wrong with it, to be freed with g_free.
 */
char *table_add(struct table *table, const char *item, unsigned value);

/* Adds each line of a file; errors go to `diags`, with line and column. */
void table_add_source(struct table *table, const struct source *source, unsigned value, struct diags *diags);

/* Is given each item of a file in turn, with its place. */
typedef void (*table_item)(void *data, const char *item, size_t offset);
void table_each_item(const struct source *source, table_item take, void *data);

/* The value of just this item, a normalised domain with all below it if `below`.  -1 if there is none. */
int table_find_item(const struct table *table, const char *domain, bool below);

/* The value of the longest item with all below it that is around a normalised domain, and not the domain itself. */
int table_find_around(const struct table *table, const char *domain);

/* The value of a normalised domain: an exact name beats the longest suffix.  -1 if there is none. */
int table_find_domain(const struct table *table, const char *domain);

/*
 * Whether a normalised address, or its domain, is in the table; of TABLE_MAILBOXES also one that is there
 * without its extension, which begins at the first `+` after a character (access(5) of Postfix, with
 * recipient_delimiter = +).  An item with a `+` means itself only.
 */
bool table_has_mailbox(const struct table *table, const char *address);

/* Whether an IP address, as text, lies in one of the networks; false for what is no address. */
bool table_has_network(const struct table *table, const char *address);
bool table_has_word(const struct table *table, const char *word);

unsigned table_size(const struct table *table);

/* Is given each domain, address or word of a table, in no order. */
typedef void (*table_name)(void *data, const char *name);
void table_each_name(const struct table *table, table_name take, void *data);

/*
 * How many items of `inner` lie within one item of `outer`, a table of the same
 * kind, or both of addresses.  With all of them, what `inner` has `outer` has too; with none of them
 * either way, no value is in both.
 */
unsigned table_within(const struct table *inner, const struct table *outer);

#endif
