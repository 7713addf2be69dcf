/*
 * database_damage - a file of SQLite that was damaged: how that is found out, and how it is put out of the way.
 *
 * All of these are about files that this process does not have open.
 */
#ifndef RCPTGUARD_DATABASE_DAMAGE_H
#define RCPTGUARD_DATABASE_DAMAGE_H

#include "milter/database/database.h"

/* What is missing. */
enum cut {
    CUT_NOT,
    CUT_LOG,      /* the write-ahead log has lost commits: see wal_check.h */
    CUT_DATABASE, /* the database is shorter than it has to be */
};

/*
 * What of its files is missing.  Quick, for each time before it is opened: SQLite would begin with what is left,
 * without a word.
 */
enum cut database_is_cut(const char *path);
#define DATABASE_CUT " or its -wal is not what was written to it"

/*
 * Looks at everything, which takes a second or more if the file is large: 1 with `error` if it is damaged, 0 if it
 * is sound, -1 with `error` if that cannot be found out now.  `application` is what a file of this kind has.
 */
int database_damage(const char *path, uid_t owner, gint32 application, struct database_error *error);

/* Whether the file is empty or begins as one of this kind does: it is not something else that the configuration names
 * by mistake. */
bool database_is_ours(const char *path, gint32 application);

/* Gives the files another name, `PATH.damaged-TIME`, which is returned, for g_free; NULL with `error`. */
char *database_set_aside(const char *path, gint64 now, struct database_error *error);

/* A disk that damages each new file gets no more than one in this time, in microseconds. */
#define DAMAGE_INTERVAL (60 * G_USEC_PER_SEC)

/* A file that could not be read and was closed. */
struct damaged {
    const char *path;
    gint32 application;
    bool opened;   /* it was one of this kind before */
    bool certain;  /* that it is damaged is known */
    gint64 before; /* monotonic, microseconds: when the last one was set aside; 0: none was */
};

/* What became of it. */
enum recovery {
    RECOVERY_NONE,   /* it cannot be read now, or is something else, or one was set aside a moment ago */
    RECOVERY_SOUND,  /* it is sound once it is opened anew: only the memory that SQLite shares was damaged */
    RECOVERY_ASIDE,  /* it was set aside, and a new one can be begun */
    RECOVERY_FAILED, /* it is damaged, and cannot be set aside */
};

/*
 * Finds out whether it is damaged, and sets it aside then; as the user who owns it.  `error` is why it could not be
 * read; for the last two it is what was found.  `*aside` is the new name, for g_free, or NULL.
 */
enum recovery database_recover(const struct damaged *damaged, struct database_error *error, char **aside);

#endif
