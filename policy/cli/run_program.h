/*
 * run_program - runs one of the MTA's commands: without a shell, from a fixed list of
 * directories, with a separate environment, for a limited time, and never longer than
 * this process.
 *
 * Whoever runs rcptguardq(8) as root trusts neither the PATH nor the MAIL_CONFIG
 * of the person who called it.  Who runs rcptguard(1) for himself trusts his own.
 *
 * Ownership: errors are texts for g_free.
 */
#ifndef RCPTGUARD_RUN_PROGRAM_H
#define RCPTGUARD_RUN_PROGRAM_H

#include <glib.h>
#include <stdbool.h>

/* Where the MTA's commands are. */
#define PROGRAM_FOLDERS "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"

/* How long a command may take, in seconds; what a person waits for. */
#define PROGRAM_LIMIT 30u

/* Is given what a command writes to standard output, piece by piece. */
typedef void (*program_take)(void *data, const char *piece, size_t length);

struct program {
    const char *const *arguments; /* the name or the absolute path first; ended by NULL */
    const char *name;             /* for errors, if the path does not say it; or NULL */
    const char *input;            /* bytes for standard input, or NULL for none */
    size_t input_length;
    program_take take; /* or NULL: output is kept for the error alone */
    void *data;
    bool merged;      /* standard error belongs to the output */
    bool callers;     /* the caller's PATH is searched first, and environment and directory are inherited */
    unsigned seconds; /* limit; 0 is PROGRAM_LIMIT */
};

/*
 * Runs a command to its end.  0 if it ended with exit code 0.  Else -1 with
 * `error` as one printable line: the command's name, and what it said last.
 */
int program_run(const struct program *program, char **error);

/* The same; gives its standard output, for g_free, or NULL with `error`. */
char *program_output(const struct program *program, char **error);

/* Its path, for g_free, or NULL if it is in none of the directories; with `callers`, nor in PATH. */
char *program_find(const char *name, bool callers);

/* `COMMAND OPTION VALUE WORDS...` for the arguments of a program, without the option if `value` is NULL; both end with
 * NULL.  The words stay the caller's. */
GPtrArray *program_words(const char *command, const char *option, const char *value, const char *const *words);

/* For `take`: appends to the GString that is its data. */
void program_collect(void *string, const char *piece, size_t length);

#endif
