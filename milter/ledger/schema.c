/* schema - see schema.h */

#include "milter/ledger/schema.h"

/*
 * Each step brings the tables from its index to the version after it.  A step
 * that was released is never changed: a new one is added.
 *
 * Times are microseconds since 1970; `people` and the like are numbers of visible
 * recipients.  A party of an `individuals` class has its domain as the name.
 */
static const char *const steps[] = {
    "CREATE TABLE policy ("
    " digest TEXT PRIMARY KEY,"
    " text TEXT NOT NULL,"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL);"

    "CREATE TABLE held ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " queue_id TEXT NOT NULL,"
    " mta TEXT NOT NULL,"
    " began INTEGER NOT NULL,"
    " judged INTEGER NOT NULL,"
    " message_id TEXT,"
    " sender TEXT NOT NULL,"
    " user TEXT,"
    " client TEXT,"
    " subject TEXT,"
    " rule TEXT NOT NULL,"
    " line INTEGER NOT NULL,"
    " text TEXT,"
    " policy TEXT NOT NULL REFERENCES policy (digest),"
    " visible INTEGER NOT NULL,"
    " parties INTEGER NOT NULL,"
    " domains INTEGER NOT NULL,"
    " internal INTEGER NOT NULL,"
    " hidden INTEGER NOT NULL,"
    " recipients INTEGER NOT NULL,"
    " defects INTEGER NOT NULL,"
    " approvals INTEGER NOT NULL,"
    " author TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',"
    "  'released', 'returned', 'deleted', 'left', 'not-queued')),"
    " changed INTEGER NOT NULL,"
    " arrival INTEGER NOT NULL DEFAULT 0,"
    " who TEXT,"
    " uid INTEGER NOT NULL DEFAULT 0,"
    " since INTEGER NOT NULL DEFAULT 0,"
    " process INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT,"
    " requeued TEXT);"
    "CREATE INDEX held_queue_id ON held (queue_id);"
    "CREATE INDEX held_requeued ON held (requeued) WHERE requeued IS NOT NULL;"
    "CREATE INDEX held_judged ON held (judged);"
    "CREATE INDEX held_state ON held (state, judged);"
    "CREATE INDEX held_policy ON held (policy);"

    "CREATE TABLE party ("
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " class TEXT NOT NULL,"
    " name TEXT,"
    " individuals INTEGER NOT NULL,"
    " people INTEGER NOT NULL,"
    " parties INTEGER NOT NULL);"
    "CREATE INDEX party_held ON party (held);"

    "CREATE TABLE approval ("
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " login TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (held, login));"

    "CREATE TABLE history ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " at INTEGER NOT NULL,"
    " who TEXT,"
    " uid INTEGER NOT NULL DEFAULT 0,"
    " action TEXT NOT NULL,"
    " reason TEXT,"
    " detail TEXT);"
    "CREATE INDEX history_held ON history (held);"
    "CREATE INDEX history_at ON history (at);"

    "CREATE TABLE notice ("
    " held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE,"
    " author TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('wanted', 'sent', 'skipped')),"
    " at INTEGER NOT NULL,"
    " reason TEXT);"
    "CREATE INDEX notice_state ON notice (state, author, at);",

    "ALTER TABLE notice ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;",

    /* That a message never was in the queue is more than anybody knew: it may have left before it was looked for. */
    "ALTER TABLE held ADD COLUMN size INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE held ADD COLUMN former TEXT;"
    "CREATE INDEX held_former ON held (former) WHERE former IS NOT NULL;"
    "CREATE INDEX held_arrival ON held (arrival, judged);"
    "UPDATE held SET state = 'left' WHERE state = 'not-queued';"
    "UPDATE history SET action = 'left', detail = 'it was never seen on hold' WHERE action = 'not-queued';",

    /*
     * What a message has to do with the file of [state]; a message that has nothing to do with it has no row.  `record`
     * and `scope` are hashes (0: none), `parties` those that a release can teach, 8 bytes each in the machine's order
     * (NULL: nothing).  `known` is NULL if it was not asked.  `counted` names the count of the rule's window (NULL: the
     * rule has none), and `within` its value: -1 is more than can be counted, NULL that the state gave no answer.
     * `due` is what the state is to be sent once the row's decision is carried out.
     */
    "CREATE TABLE remembered ("
    " held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE,"
    " record INTEGER NOT NULL,"
    " scope INTEGER NOT NULL,"
    " parties BLOB,"
    " known TEXT CHECK (known IN ('no', 'yes')),"
    " counted TEXT,"
    " within INTEGER,"
    " due TEXT CHECK (due IN ('learn', 'withdraw')));"
    "CREATE INDEX remembered_due ON remembered (held) WHERE due IS NOT NULL;",

    /*
     * What was decided, and what came of it.  `way` is who can have written it: what a command of root's wrote has a
     * seal that the daemon's user cannot make (milter/review/decision_record.h).  `since` and `process` are of who
     * carries it out; `done` is when that was over, with an exit code of rcptguardq(8) and its words.
     */
    "CREATE TABLE decision ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')),"
    " way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')),"
    " who TEXT,"
    " uid INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT,"
    " at INTEGER NOT NULL,"
    " seal BLOB,"
    " since INTEGER NOT NULL DEFAULT 0,"
    " process INTEGER NOT NULL DEFAULT 0,"
    " done INTEGER NOT NULL DEFAULT 0,"
    " code INTEGER NOT NULL DEFAULT 0,"
    " words TEXT);"
    "CREATE INDEX decision_held ON decision (held);"
    "CREATE INDEX decision_open ON decision (id) WHERE done = 0;"
    "ALTER TABLE held ADD COLUMN way TEXT;"
    "ALTER TABLE history ADD COLUMN way TEXT;"

    /*
     * What the time decides.  `leaves` is when a message is released unless somebody stops it (0: not), `stopped` the
     * rule that ended such a delay, `sent_by` who counts as its author then.  `expire`, in seconds, and `expire_action`
     * are of the rule; NULL is as configured.  `announced` is when a digest said that it will expire.
     */
    "ALTER TABLE held ADD COLUMN leaves INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE held ADD COLUMN stopped TEXT;"
    "ALTER TABLE held ADD COLUMN sent_by TEXT;"
    "ALTER TABLE held ADD COLUMN expire INTEGER;"
    "ALTER TABLE held ADD COLUMN expire_action TEXT CHECK (expire_action IN ('return', 'delete'));"
    "ALTER TABLE held ADD COLUMN announced INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX held_leaves ON held (leaves) WHERE leaves > 0;"

    /* Of rcptguardq agent: its last run; since when it runs without a gap; and without one of a day; its last expiry.
     */
    "CREATE TABLE agent ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " last INTEGER NOT NULL,"
    " running INTEGER NOT NULL,"
    " steady INTEGER NOT NULL,"
    " expired INTEGER NOT NULL);"
    "INSERT INTO agent VALUES (1, 0, 0, 0, 0);",

    /*
     * What a message shows beside its recipient headers, as counts: nobody's address.  `inside` has the people outside
     * and their parties by kind of part, as the log does ("calendar:45/43,text:45/43"), 'none' or 'away'; NULL if no
     * rule asked.  `opaque` is bits of why something was not read.  The table has a row for each count inside of the
     * rule that holds it.
     */
    "ALTER TABLE held ADD COLUMN inside TEXT;"
    "ALTER TABLE held ADD COLUMN opaque INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE inside_test ("
    " held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE,"
    " test TEXT NOT NULL,"
    " value INTEGER NOT NULL,"
    " PRIMARY KEY (held, test));",

    /*
     * Of a fleet (rcptguard-fleet(7)).  `unpublished` has the rows whose record the database lacks, each with a mark
     * that every change makes anew: who publishes removes only the mark that he has read.  `fleet` has the database to
     * which the ledger was published, and when that was, in its own words: NULL is never.
     *
     * A decision that comes from there has its id, and `origin`, which is that id with the database and the time: it is
     * taken once.  `node` is the other node that vouches for the person (of `held`: for the one who claimed it); NULL
     * is none.
     */
    "CREATE TABLE unpublished ("
    " held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE,"
    " mark INTEGER NOT NULL);"
    "CREATE TABLE fleet ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " incarnation TEXT,"
    " published TEXT);"
    "INSERT INTO fleet VALUES (1, NULL, NULL);"
    "ALTER TABLE decision ADD COLUMN fleet INTEGER;"
    "ALTER TABLE decision ADD COLUMN origin TEXT;"
    "ALTER TABLE decision ADD COLUMN node TEXT;"
    "CREATE UNIQUE INDEX decision_origin ON decision (origin) WHERE origin IS NOT NULL;"
    "ALTER TABLE held ADD COLUMN node TEXT;"
    "ALTER TABLE history ADD COLUMN node TEXT;"

    /* Of several instances of the MTA behind one daemon, the one that the message is of; NULL: it is not known. */
    "ALTER TABLE held ADD COLUMN instance TEXT;",
};
G_STATIC_ASSERT(G_N_ELEMENTS(steps) == SCHEMA_VERSION);

int schema_update(struct database *database, struct database_error *error)
{
    static const struct schema schema = {SCHEMA_APPLICATION, "ledger", steps, SCHEMA_VERSION};
    return schema_bring(database, &schema, error);
}
