/*
 * part_kind - what a part of a body is, by its type, its name and its first bytes: which readers it gets, and why
 * something was not read.
 */
#ifndef RCPTGUARD_PART_KIND_H
#define RCPTGUARD_PART_KIND_H

#include <stdbool.h>
#include <stddef.h>

/* Where an address is. */
enum part_kind {
    PART_CALENDAR = 1,  /* invitations (RFC 5545) */
    PART_FORWARDED = 2, /* recipients of a message in this one */
    PART_CONTACTS = 4,  /* vCard (RFC 6350), LDIF (RFC 2849) */
    PART_TABLE = 8,     /* csv (RFC 4180), tsv */
    PART_TEXT = 16,     /* any other text */
};
#define PART_KINDS     5
#define PART_KIND_LAST PART_TEXT

/* "calendar", ... of one bit; NULL for others. */
const char *part_kind_name(enum part_kind kind);

/* The bit of a name, or 0. */
unsigned part_kind_find(const char *name);

/* Why something that may hold addresses was not read. */
enum opaque_kind {
    OPAQUE_ENCRYPTED = 1, /* S/MIME, PGP, a password */
    OPAQUE_LIMITS = 2,    /* too deep, too many, too large */
    OPAQUE_BROKEN = 4,    /* character set, encoding or structure */
    OPAQUE_TYPES = 8,     /* a kind of file that is not read: PDF, archives, office files */
};
#define OPAQUE_KINDS     4
#define OPAQUE_KIND_LAST OPAQUE_TYPES

/* "encrypted", ... of one bit; NULL for others. */
const char *opaque_kind_name(enum opaque_kind kind);

/* The bit of a name, or 0. */
unsigned opaque_kind_find(const char *name);

/* How a part is read, by what its header says. */
struct part_plan {
    unsigned kinds;  /* bits of enum part_kind */
    unsigned opaque; /* bits of enum opaque_kind that it has whatever is in it */
    bool html;       /* tags and entities are taken out */
    bool text;       /* the header says that it is text; otherwise the first bytes decide */
    bool harmless;   /* a picture, sound, a signature: as a file it holds no addresses that a program can read */
    bool message;    /* a whole message */
    bool header;     /* the header of one */
};

/* `type` is in lower case, "text/plain"; the names of the file and `smime` (smime-type) may be NULL. */
struct part_plan part_plan(const char *type, const char *name, const char *file, const char *smime);

/* What the first bytes say. */
enum part_magic {
    MAGIC_NONE,   /* text, as far as one sees */
    MAGIC_BINARY, /* no text, and nothing that is known */
    MAGIC_ZIP,    /* also office files since 2007 */
    MAGIC_OLE,    /* office files before, Outlook's messages */
    MAGIC_PDF,
    MAGIC_ARCHIVE,  /* compressed in another way */
    MAGIC_PGP,      /* encrypted, in ASCII armour */
    MAGIC_CALENDAR, /* text, and this kind of it */
    MAGIC_CONTACTS,
};
enum part_magic part_magic(const char *bytes, size_t length);

/* The bit of enum part_kind that goes with it, or 0. */
unsigned part_magic_kind(enum part_magic magic);

/* Whether a file of this kind cannot be read here. */
bool part_magic_is_opaque(enum part_magic magic);

/* Whether a piece of such a file says that it needs a password. */
bool part_magic_needs_password(enum part_magic magic, const char *bytes, size_t length);

#endif
