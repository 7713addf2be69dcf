/*
 * libmilter_calls - the system calls that libmilter makes, as this program wants them: read, poll, accept, close and
 * syslog are defined here, so that the dynamic linker gives these to libmilter.
 *
 * Why: libmilter asks the kernel four times a packet, and a message has dozens of packets; most of what a milter costs
 * is that.  It has no other way to say how it should read.  And a packet of macros with an odd number of strings makes
 * it read beyond a list, which ends the process.
 *
 * Which calls: `accept`, which libmilter alone calls in this program, begins a connection to an MTA, `close` ends it.
 * Where there is no descriptor left for one, `accept` waits a moment, which libmilter does not.
 * `read` of a connection takes what is there, beyond what it was asked for, and gives that first the next time; `poll`
 * of such a connection alone says at once that there is something to read.  Every other descriptor, and a `poll` of
 * several, goes to the C library as it came, by dlsym(RTLD_NEXT), so that sanitizers see all of it.
 *
 * Why it is sound: a thread of libmilter's pool keeps a connection until a `poll` of that one socket was silent, so
 * nothing is kept when the pool takes it back; the pool's own `poll` is of its pipe, and of sockets beside it.  Nothing
 * is kept of a connection that was not polled alone, as by a libmilter that waits with select(2).  One
 * thread at a time has a connection, and libmilter's lock is between them.  What is kept belongs to the connection,
 * has memory only while there is something, and is freed before the descriptor is closed and can be another's.  After
 * an error nothing more is read of a connection.
 */
#ifndef RCPTGUARD_LIBMILTER_CALLS_H
#define RCPTGUARD_LIBMILTER_CALLS_H

#include <stdbool.h>

/* Whether more is read than is asked for, of connections from now on; until this is called it is not. */
void libmilter_read_ahead(bool yes);

/* How many connections there are of which something is kept now: for tests. */
unsigned libmilter_kept(void);

#endif
