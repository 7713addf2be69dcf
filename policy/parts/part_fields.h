/*
 * part_fields - what the header of a part says about it (RFC 2045, 2183, 2231), tolerant: type, file name, encoding.
 *
 * Ownership: part_fields_clear frees what part_fields_add has kept.
 */
#ifndef RCPTGUARD_PART_FIELDS_H
#define RCPTGUARD_PART_FIELDS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of one of these fields that are read. */
#define PART_FIELD_LIMIT 4096u

/* Zeroed at first. */
struct part_fields {
    char *type;     /* "text/plain", in lower case; NULL: the default */
    char *charset;  /* or NULL, like all that follow */
    char *boundary; /* of a multipart */
    char *smime;    /* smime-type */
    char *name;     /* of a file, decoded, */
    char *file;     /* and the one of Content-Disposition: programs differ in which they show */
    char *encoding; /* Content-Transfer-Encoding, as written */
    bool doubtful;  /* two fields say different things, or one cannot be read */
};

/* Takes a field in, if it is one of these: name and raw value, folded as it came. */
void part_fields_add(struct part_fields *fields, const char *name, size_t name_length, const char *value,
                     size_t length);
void part_fields_clear(struct part_fields *fields);

/*
 * Cuts the next field off a header: moves `*at`, and gives where its name and its value are (the fold is still in
 * it).  False at the end of the header: `*at` is where the body begins then.  `*broken` is set
 * if that is a line that is no field, and not an empty one.
 */
struct part_field {
    const char *name, *value;
    size_t name_length, length;
};
bool part_field_next(const char **at, const char *end, struct part_field *field, bool *broken);

#endif
