/*
 * body_parts - what the body of a message shows: the addresses in each kind of its parts, and what was not read.
 *
 * The bounds are bytes, parts, lines and addresses and never time, so that two programs that read one message say
 * the same.  What lies beyond a bound is reported as OPAQUE_LIMITS, and what can be is still read as text.
 *
 * Ownership: body_parts_free frees all that is handed out.
 */
#ifndef RCPTGUARD_BODY_PARTS_H
#define RCPTGUARD_BODY_PARTS_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"
#include "policy/parts/part_kind.h"
#include "policy/parts/part_scan.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Parts of one message that are read as parts, and how deep they may lie in each other. */
#define BODY_PARTS_LIMIT 1000u
#define BODY_DEPTH_LIMIT 30u

/* Bytes of messages and multiparts that are encoded themselves, decoded, over all levels. */
#define BODY_NESTED_LIMIT (12u * 1024 * 1024)

/* Recipient fields of the messages in a message that are read as those of its own header, and their bytes. */
#define BODY_FORWARDED_LIMIT  (256u * 1024)
#define BODY_FORWARDED_FIELDS 5000u

/* Lines of which a boundary is looked for, over all parts. */
#define BODY_COMPARED_LIMIT 1000000u

struct body_source {
    const struct message *message; /* its header says what the body is */
    const char *body;              /* in memory, or mapped; need not end with a NUL */
    size_t length;
    bool cut; /* there was more */
};

struct body_parts;

/* Reads the body of a message.  Never NULL. */
struct body_parts *body_parts_read(const struct body_source *source);

/* The same of a whole message, from its first header field on. */
struct body_parts *body_parts_read_raw(const char *raw, size_t length);
void body_parts_free(struct body_parts *parts);
AUTO_FREE_DEFINE(body_parts, body_parts_free)

/* Distinct addresses, in the order in which they were found, each with its kinds and the number of its domain. */
unsigned body_parts_addresses(const struct body_parts *parts);
const struct part_address *body_parts_get(const struct body_parts *parts, unsigned index);

/* How many of them are in any of some kinds. */
unsigned body_parts_count(const struct body_parts *parts, unsigned kinds);

/* How many domains they have. */
unsigned body_parts_domains(const struct body_parts *parts);

/* Bits of enum opaque_kind. */
unsigned body_parts_opaque(const struct body_parts *parts);

/* What was made of one part. */
struct part_account {
    char *path;         /* "1.2": its number in the part that it is in (RFC 9051 section 6.4.5) */
    char *type;         /* "text/plain" */
    char *name;         /* of its file, or NULL */
    unsigned kinds;     /* how it was read */
    unsigned opaque;    /* why not, or not all of it */
    unsigned addresses; /* distinct ones that it shows */
    guint64 size;       /* bytes, decoded, that were looked at */
};

/* The parts in their order, and the messages in it, at most BODY_PARTS_LIMIT; a multipart only if it is opaque. */
unsigned body_parts_accounts(const struct body_parts *parts);
const struct part_account *body_parts_account(const struct body_parts *parts, unsigned index);

#endif
