/*
 * flush - in a build with --enable-coverage, a process that ends by _exit writes what it has executed.
 *
 * Included before every source there, see m4/rcptguard.m4.  What reads held mail is confined by then and
 * may write nothing, so what it executes is not counted.
 */
#ifndef RCPTGUARD_FLUSH_H
#define RCPTGUARD_FLUSH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* as config.h does, which comes after this */
#endif

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

void __gcov_dump(void);

static inline void __attribute__((noreturn, unused)) exit_with_coverage(int code)
{
    /* Whoever is confined may not even ask; in the chroot of a probe there is no place to write to. */
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && access(COVERAGE_FOLDER, X_OK) == 0)
        __gcov_dump();
    _Exit(code);
}

#define _exit(code) exit_with_coverage(code)

#endif
