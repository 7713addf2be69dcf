/*
 * confinement - what the process may still do that parses what strangers wrote: read what it was
 * given, answer, and read the C library's own files, with bounded memory and processor time.
 */
#ifndef RCPTGUARD_CONFINEMENT_H
#define RCPTGUARD_CONFINEMENT_H

#include <stddef.h>

/* What the process says on standard error, with EXITS_PASSING, when it would take more memory. */
#define CONFINEMENT_NO_MEMORY "this message needs more memory than may be used to read it"

/*
 * From here on this process, and what it might start, cannot
 *   write, create, remove or execute a file, or read one outside the directories of libraries (Landlock, landlock(7)),
 *   connect, listen, start a process or reach another one (a filter of system calls, seccomp(2)),
 *   take more than `memory` bytes, or more than `seconds` of processor time,
 * whatever its user may.  Call it after privileges_drop, and with all files open that are needed.
 *
 * A kernel without Landlock: no file at all is opened, so charsets that the C library keeps in files are not decoded.
 * A kernel without seccomp, or a build without libseccomp: Landlock and the limits alone.
 * With sanitizers memory has no limit: they map terabytes.
 *
 * A system call that no library makes by itself, such as execve, ends the process with SIGSYS.  Any other call that is
 * not needed fails with ENOSYS, as on an older kernel, for which libraries have another way.
 *
 * 0, or -1 with `error` set, for g_free.
 */
int confine(size_t memory, unsigned seconds, char **error);

/* libseccomp's version, for g_free; NULL in a build without it. */
char *confinement_library_version(void);

#endif
