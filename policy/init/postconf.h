/*
 * postconf - asks postconf(1), which alone knows what a main.cf and a master.cf mean.
 */
#ifndef RCPTGUARD_POSTCONF_H
#define RCPTGUARD_POSTCONF_H

#include <glib.h>
#include <stdbool.h>

/*
 * The output for `words`, ended by NULL, with the configuration in the directory `folder`, or Postfix's default if
 * that is NULL; for g_free, or NULL with `error`.  With `callers`, as in run_program.h, the time limit is that of
 * discover.h.
 */
char *postconf_output(const char *folder, const char *const *words, bool callers, char **error);

/*
 * The next line `NAME = VALUE` of such an output: true with both, which are cut out of the text that `rest` points
 * to; `rest` then points after the line.
 */
bool postconf_next(char **rest, const char **name, const char **value);

/* Whether a service of master.cf listens on the loopback alone. */
bool postconf_is_loopback(const char *service);

/* What stands between the words of a list. */
#define POSTCONF_BLANKS " \t\r\n,"

/* The words of a list: char *.  What stands in braces is one word. */
GPtrArray *postconf_words(const char *list);

#endif
