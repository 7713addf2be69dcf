/* database_damage - see database_damage.h */

#include "milter/database/database_damage.h"

#include "milter/database/wal_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The header of an SQLite database: its first bytes, its length, and where in it is what: sqlite.org/fileformat2.html.
 */
#define MAGIC          "SQLite format 3"
#define HEAD           100
#define PAGE_SIZE_AT   16
#define CHANGES_AT     24
#define PAGES_AT       28 /* valid if the number there is the one of changes */
#define APPLICATION_AT 68
#define PAGES_VALID_AT 92

static gint64 number_at(const unsigned char *head, unsigned offset)
{
    guint32 number;
    memcpy(&number, head + offset, sizeof number);
    return GUINT32_FROM_BE(number);
}

static int read_descriptor(void *log, void *bytes, size_t length, gint64 offset)
{
    return pread(*(const int *)log, bytes, length, (off_t)offset) == (ssize_t)length ? 0 : -1;
}

/* An open file with its size; -1: there is none. */
struct piece {
    int descriptor;
    gint64 size;
};

static struct piece piece_open(const char *path, const char *suffix)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);
    struct stat status;
    struct piece piece = {.descriptor = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), .size = -1};
    if (piece.descriptor != -1 && fstat(piece.descriptor, &status) == 0)
        piece.size = status.st_size;
    return piece;
}

static void piece_close(const struct piece *piece)
{
    if (piece->descriptor != -1)
        close(piece->descriptor);
}

/* Without a log to continue it, it has as many pages as its header says. */
static bool is_cut(struct piece *database)
{
    unsigned char head[HEAD];
    if (read_descriptor(&database->descriptor, head, sizeof head, 0) == -1 || memcmp(head, MAGIC, sizeof MAGIC) != 0)
        return false;
    gint64 page = head[PAGE_SIZE_AT] << 8 | head[PAGE_SIZE_AT + 1], pages = number_at(head, PAGES_AT);
    return database->size < pages * (page == 1 ? 65536 : page) &&
           number_at(head, CHANGES_AT) == number_at(head, PAGES_VALID_AT);
}

enum cut database_is_cut(const char *path)
{
    struct piece database = piece_open(path, ""), log = piece_open(path, "-wal");
    enum cut cut = CUT_NOT;
    if (log.size > 0 && database.size == 0)
        cut = CUT_DATABASE;
    else if (log.size > 0)
        cut = wal_lost_commits(read_descriptor, &log.descriptor, log.size) ? CUT_LOG : CUT_NOT;
    else if (database.size > 0)
        cut = is_cut(&database) ? CUT_DATABASE : CUT_NOT;
    piece_close(&database);
    piece_close(&log);
    return cut;
}

static int corrupt(struct database_error *error, const char *path, const char *what)
{
    database_error_set(error, DATABASE_CORRUPT, "%s%s", path, what);
    return 1;
}

int database_damage(const char *path, uid_t owner, gint32 application, struct database_error *error)
{
    gint64 found = 0;
    if (database_is_cut(path) != CUT_NOT)
        return corrupt(error, path, DATABASE_CUT);
    auto_free(database) database = database_open(path, owner, DATABASE_EXISTING, 0, error);
    if (database != NULL)
        database_keep_log(database);
    if (database == NULL || database_number(database, "PRAGMA application_id", &found, error) == -1)
        return error->failure == DATABASE_CORRUPT ? 1 : -1;
    if (found != application)
        return corrupt(error, path, ": its first page is lost");
    if (database_check_integrity(database, error) == -1)
        return error->failure == DATABASE_CORRUPT ? 1 : -1;
    return 0;
}

bool database_is_ours(const char *path, gint32 application)
{
    unsigned char head[HEAD];
    struct piece database = piece_open(path, "");
    bool there = database.size > 0 && read_descriptor(&database.descriptor, head, sizeof head, 0) == 0;
    piece_close(&database);
    return database.size == 0 ||
           (there && memcmp(head, MAGIC, sizeof MAGIC) == 0 && number_at(head, APPLICATION_AT) == application);
}

char *database_set_aside(const char *path, gint64 now, struct database_error *error)
{
    /* The database last: as long as it has its name, nobody begins another one. */
    static const char *const suffixes[] = {"-shm", "-wal", ""};
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
    g_autofree char *word = g_date_time_format(time, "%Y%m%dT%H%M%SZ");
    g_autofree char *aside = g_strdup_printf("%s.damaged-%s", path, word);
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *from = g_strconcat(path, suffixes[i], NULL);
        g_autofree char *to = g_strconcat(aside, suffixes[i], NULL);
        if (rename(from, to) == -1 && errno != ENOENT) {
            database_error_set(error, DATABASE_OTHER, "%s cannot be renamed: %s", from, g_strerror(errno));
            return NULL;
        }
    }
    return g_steal_pointer(&aside);
}

/* It was cut to nothing: SQLite would wait for who still has it open. */
static bool is_empty(const char *path)
{
    struct piece database = piece_open(path, "");
    piece_close(&database);
    return database.size == 0;
}

enum recovery database_recover(const struct damaged *damaged, struct database_error *error, char **aside)
{
    struct database_error found = *error;
    bool certain = damaged->certain || (damaged->opened && is_empty(damaged->path));
    int damage = certain ? 1 : database_damage(damaged->path, geteuid(), damaged->application, &found);
    *aside = NULL;
    if (damage != 1)
        return damage == 0 ? RECOVERY_SOUND : RECOVERY_NONE;
    if ((!damaged->opened && !database_is_ours(damaged->path, damaged->application)) ||
        (damaged->before != 0 && g_get_monotonic_time() - damaged->before < DAMAGE_INTERVAL))
        return RECOVERY_NONE;
    *error = found;
    *aside = database_set_aside(damaged->path, g_get_real_time(), &found);
    if (*aside != NULL)
        return RECOVERY_ASIDE;
    g_autofree char *damage_text = g_strdup(error->text);
    database_error_set(error, found.failure, "%s; it is damaged: %s", found.text, damage_text);
    return RECOVERY_FAILED;
}
