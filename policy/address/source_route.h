/*
 * source_route - addresses that say a way: `<@relay.example:ann@x.example>`, `ann%x.example`,
 * `x.example!ann`.
 *
 * MTAs still take them.  A source route is left out (RFC 5321 section 4.1.1.3), and
 * without an `@`, the other two are ann@x.example: Sendmail and Postfix
 * (allow_percent_hack, swap_bangpath) deliver so, and write them so into headers.
 */
#ifndef RCPTGUARD_SOURCE_ROUTE_H
#define RCPTGUARD_SOURCE_ROUTE_H

#include <stddef.h>

/*
 * The address that an MTA makes of an argument of MAIL or RCPT without its angle
 * brackets: no source route, no comments, no blanks out of quotes (RFC 5322 section
 * 4.4).  For g_free.
 */
char *route_address(const char *argument);

/*
 * Calls `take` for each item of a raw list that is `ann%x.example` or `x.example!ann`,
 * with its local part and its domain, which has a dot; they belong to the callee no
 * longer than the call.
 */
typedef void (*route_take)(void *data, const char *local, const char *domain);
void route_list(const char *list, route_take take, void *data);

#endif
