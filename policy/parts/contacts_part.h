/*
 * contacts_part - who is in a list of contacts: any address in a vCard (2.1, 3, 4: RFC 6350) or an LDIF file (RFC
 * 2849), but not what only looks like one, such as a UID, and no pictures and keys.
 */
#ifndef RCPTGUARD_CONTACTS_PART_H
#define RCPTGUARD_CONTACTS_PART_H

#include "policy/parts/part_scan.h"

struct contacts_part {
    struct part_scan *scan;
    enum { CONTACTS_PLAIN, CONTACTS_QUOTED, CONTACTS_BASE64, CONTACTS_SKIPPED } form; /* of the line that goes on */
};

/* Takes a content line; for content_lines.h, with a struct contacts_part. */
void contacts_part_line(void *data, const char *line, size_t length, bool goes_on);

#endif
