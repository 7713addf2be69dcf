/* database_error - see database_error.h */

#include "milter/database/database_error.h"

#include <errno.h>
#include <stdarg.h>

const char *database_failure_name(enum database_failure failure)
{
    static const char *const names[] = {"none",    "busy",     "full",    "read-only", "corrupt",
                                        "missing", "insecure", "foreign", "replaced",  "other"};
    return names[failure];
}

int database_error_set(struct database_error *error, enum database_failure failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->failure = failure;
    g_vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}

enum database_failure database_failure_of(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return DATABASE_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return DATABASE_READ_ONLY;
    case ENOENT:
    case ENOTDIR:
        return DATABASE_MISSING;
    default:
        return DATABASE_OTHER;
    }
}
