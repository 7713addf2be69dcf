/*
 * file_kind - what a file is, by its first bytes: a message, a mailbox of some
 * kind, what programs put before a message, or no mail at all.
 *
 * Ownership: `problem` is the caller's, to be freed with g_free.
 */
#ifndef RCPTGUARD_FILE_KIND_H
#define RCPTGUARD_FILE_KIND_H

#include <glib.h>
#include <stdbool.h>

/* Bytes that are looked at, at most. */
#define WRAPPING_LOOK (32u * 1024)

enum wrapping {
    WRAPPING_MORE,    /* there is too little to decide */
    WRAPPING_MESSAGE, /* one message, whose header begins after `skip` bytes */
    WRAPPING_MBOX,    /* its first separator is there */
    WRAPPING_MMDF,    /* its first separator is there: four times the character 1 */
    WRAPPING_POSTCAT, /* output of postcat(1) for a queue file */
    WRAPPING_NONE,    /* not readable as mail: see `problem` */
};

/* What is before a message and is no part of it is skipped: a byte order mark, empty lines, the length in an .emlx. */
struct wrapped {
    enum wrapping kind;
    size_t skip;    /* bytes */
    unsigned lines; /* lines in these */
    char *problem;  /* what is wrong with the file, as what it does: "is a tar archive, ..."; or NULL */
    unsigned place; /* its line, from 1; 0: the file as a whole */
    bool mail;      /* it is, or may hold, mail: a problem must be reported */
};

/* `name` is the file's; `whole` says that the file ends where the bytes do. */
struct wrapped wrapping_look(const char *bytes, size_t length, bool whole, const char *name);

/* Whether a packed file is a document by its name, such as "offer.docx": these are zip archives. */
bool wrapping_is_document(const char *name);

#endif
