/* suggest - see suggest.h */

#include "policy/base/suggest.h"

#include <glib.h>
#include <string.h>

unsigned diag_distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    g_autofree unsigned *rows = g_new0(unsigned, 3 * (length + 1));
    unsigned *before = rows, *last = rows + length + 1, *row = rows + 2 * (length + 1);

    for (size_t j = 0; j <= length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < length; j++) {
            row[j + 1] = MIN(last[j] + (a[i] != b[j]), MIN(row[j], last[j + 1]) + 1);
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
                row[j + 1] = MIN(row[j + 1], before[j - 1] + 1);
        }
    }
    return row[length];
}

const char *diag_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t length = strlen(word);

    if (length == 0 || length > 64)
        return NULL;
    /* A third of the word may be wrong, at least one letter, at most three; but not all of it. */
    unsigned best = (unsigned)MIN(CLAMP(length / 3, 1, 3) + 1, length);
    for (; *candidates != NULL; candidates++) {
        unsigned d = diag_distance(word, *candidates);
        if (d < best) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

/* At most this many names of a directory are looked at. */
#define FOLDER_LIMIT 10000u

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *diag_nearest_file(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *word = g_path_get_basename(path);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries != NULL && names->len < FOLDER_LIMIT && (name = g_dir_read_name(entries)) != NULL)
        if (strlen(name) <= strlen(word) + 3)
            g_ptr_array_add(names, g_strdup(name));
    if (entries != NULL)
        g_dir_close(entries);
    /* The order of a directory is that of its disk. */
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strdup(diag_nearest(word, (const char *const *)names->pdata));
}
