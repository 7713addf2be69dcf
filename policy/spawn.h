/*
 * spawn - runs one of the MTA's programs: without a shell, for a limited time.
 *
 * Ownership: what is given, errors too, is to be freed with g_free.
 */
#ifndef RCPTGUARD_SPAWN_H
#define RCPTGUARD_SPAWN_H

/* Where programs of the system are that are in few people's PATH. */
#define SPAWN_FOLDERS "/usr/sbin:/usr/local/sbin:/sbin"

/* The path of a program in PATH or in SPAWN_FOLDERS; NULL if it is in neither. */
char *spawn_find(const char *name);

/*
 * Runs the program at an absolute path with these arguments, the path first and
 * NULL last, and `input` (or NULL) as its standard input.  Gives its standard
 * output.  NULL if it ended otherwise than with exit code 0, or was stopped after
 * `seconds`; `*error` says so in one printable line then.
 */
char *spawn_run(const char *const *arguments, const char *input, unsigned seconds, char **error);

#endif
