/*
 * simple_list - address lists so simple that there is one way to read them.
 */
#ifndef RCPTGUARD_SIMPLE_LIST_H
#define RCPTGUARD_SIMPLE_LIST_H

#include <stdbool.h>

/*
 * Whether a header value is nothing but addresses of letters, digits and `._+-`,
 * bare or in angle brackets after a name without `@`, separated by commas: a
 * small part of RFC 5322 section 3.4, in which the grammar and the scanner cannot
 * differ.  Any other value is not plain.
 */
bool plain_list(const char *value);

#endif
