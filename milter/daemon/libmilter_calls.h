/*
 * libmilter_calls - the system calls that libmilter makes, as this program wants them: read, writev, poll, accept,
 * close and syslog are defined here, so that the dynamic linker gives these to libmilter.
 *
 * Why: libmilter asks the kernel four times a packet, and a message has dozens of packets; most of what a milter costs
 * is that.  It has no other way to say how it should read.  And a packet of macros with an odd number of strings makes
 * it read beyond a list, which ends the process.
 *
 * Which calls: `accept`, which libmilter alone calls in this program, begins a connection to an MTA, `close` ends it.
 * Where there is no descriptor left for one, `accept` waits a moment, which libmilter does not.
 * `poll` takes what has come of a packet, and reports a connection only when the whole packet is there, or all that can
 * be kept of it: a thread of libmilter's pool that reads half a packet waits for the rest, and while every thread does,
 * other connections wait for one.  `read` of a connection gives what was taken, and takes more with what it was asked
 * for.  libmilter asks twice before it reads and once before it writes: what a `poll` of one connection has found stays
 * true until the next `read`, so the second one is answered from the first, and `writev` waits where there is no room,
 * as long as the `poll` before it would have.  Every other descriptor goes to the C library as it came, by
 * dlsym(RTLD_NEXT), so that sanitizers see all of it.
 *
 * Why it is sound: one thread at a time has a connection: one of the pool, until a `poll` of that one socket was
 * silent, or else the one that polls for the pool, and libmilter's lock is between them.  What is kept belongs to the
 * connection, has memory only while there is something (of which a thread holds back one small block for the next),
 * and is freed before the descriptor is closed and can be another's.  Nothing is kept of a connection that was not
 * polled, as by a libmilter that waits with select(2).  After an error nothing more is read of a connection.
 */
#ifndef RCPTGUARD_LIBMILTER_CALLS_H
#define RCPTGUARD_LIBMILTER_CALLS_H

#include "milter/arrival/memory_budget.h"

#include <stdbool.h>

/*
 * Whose memory long packets need; before there are connections.  libmilter takes memory for a packet before it has
 * come, up to its limit: a header field that there is no room for is not handed to it, but one of this name with no
 * value. No MTA sends such a name.
 */
#define LIBMILTER_NO_MEMORY "\001no-memory"
void libmilter_memory(struct memory_budget *memory);

/*
 * The socket that libmilter listens on: it waits for a second at most, and not for five, until it looks at the
 * descriptor again, which may be that of another socket by then; see listen_socket_again.
 */
void libmilter_listens(int descriptor);

/* Whether more is read than is asked for, of connections from now on; until this is called it is not. */
void libmilter_read_ahead(bool yes);

/* How many connections there are of which something is kept now: for tests. */
unsigned libmilter_kept(void);

#endif
