/*
 * metrics_replace - writes a file that a monitoring system reads: completely or not at all.
 */
#ifndef RCPTGUARD_METRICS_REPLACE_H
#define RCPTGUARD_METRICS_REPLACE_H

#include <glib.h>

/* Puts the text in the place of the file, which everybody may read: NULL, or what is wrong, for g_free. */
char *metrics_replace(const char *path, const GString *text);

/* Why this process could not write a file of that path, checked without making anything: NULL, or for g_free. */
char *metrics_obstacle(const char *path);

#endif
