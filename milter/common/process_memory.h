/*
 * process_memory - what memory a process has, and what its control groups let it have (cgroups(7), both versions).
 */
#ifndef RCPTGUARD_PROCESS_MEMORY_H
#define RCPTGUARD_PROCESS_MEMORY_H

#include <glib.h>
#include <sys/types.h>

#define MEBIBYTE (1024u * 1024)

/*
 * The lowest limit of a process's control groups, such as a unit's MemoryMax, in bytes; 0 if there is none or it cannot
 * be read.
 */
guint64 process_memory_limit(pid_t process);

/* What this process has in memory now (its resident set), in bytes; 0 if that cannot be read. */
guint64 process_memory_resident(void);

#endif
