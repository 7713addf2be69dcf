/* pg_answer - see pg_answer.h */

#include "milter/postgresql/pg_answer.h"

/* Of the pieces in which the values are kept, in bytes. */
#define PIECE 4096

struct pg_answer {
    unsigned rows, columns, changed;
    const char **values; /* in text */
    GStringChunk *text;
};

struct pg_answer *pg_answer_new(unsigned rows, unsigned columns, unsigned changed)
{
    struct pg_answer *answer = g_new0(struct pg_answer, 1);
    *answer = (struct pg_answer){.rows = rows, .columns = columns, .changed = changed};
    answer->values = g_new0(const char *, (gsize)rows *columns);
    answer->text = g_string_chunk_new(PIECE);
    return answer;
}

void pg_answer_set(struct pg_answer *answer, unsigned row, unsigned column, const char *value)
{
    if (value != NULL && row < answer->rows && column < answer->columns)
        answer->values[(gsize)row * answer->columns + column] = g_string_chunk_insert(answer->text, value);
}

unsigned pg_rows(const struct pg_answer *answer)
{
    return answer->rows;
}

unsigned pg_columns(const struct pg_answer *answer)
{
    return answer->columns;
}

unsigned pg_changed(const struct pg_answer *answer)
{
    return answer->changed;
}

const char *pg_value(const struct pg_answer *answer, unsigned row, unsigned column)
{
    return row < answer->rows && column < answer->columns ? answer->values[(gsize)row * answer->columns + column]
                                                          : NULL;
}

gint64 pg_number(const struct pg_answer *answer, unsigned row, unsigned column)
{
    const char *value = pg_value(answer, row, column);
    return value == NULL ? 0 : g_ascii_strtoll(value, NULL, 10);
}

void pg_answer_free(struct pg_answer *answer)
{
    if (answer == NULL)
        return;
    g_string_chunk_free(answer->text);
    g_free(answer->values);
    g_free(answer);
}
