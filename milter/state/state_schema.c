/* state_schema - see state_schema.h */

#include "milter/state/state_schema.h"

#include "policy/state/state.h"

#define TEXT_OF(number)  #number
#define NUMBER(constant) TEXT_OF(constant)

/* What state.h has as an expression or with a suffix, as SQL needs it. */
#define READ_LIMIT   100000
#define WINDOW_LIMIT 10000
#define SETS_LIMIT   200
#define KNOWN_DAY    86400
#define PERMITS      20
G_STATIC_ASSERT(READ_LIMIT == STATE_READ_LIMIT && WINDOW_LIMIT == STATE_WINDOW_LIMIT);
G_STATIC_ASSERT(SETS_LIMIT == STATE_SETS_READ_LIMIT && KNOWN_DAY == STATE_PERMIT_KNOWN);
G_STATIC_ASSERT(PERMITS == STATE_PERMITS_LIMIT);

/* Numbers that the functions return. */
G_STATIC_ASSERT(STATE_OK == 0 && STATE_BOUND == 2);
G_STATIC_ASSERT(CLAIM_UNKNOWN == 0 && CLAIM_AUTHOR == 1 && CLAIM_LATE == 2 && CLAIM_USED == 3 && CLAIM_LARGER == 4 &&
                CLAIM_TAKEN == 5);

/* Fewer sets of one party are looked at, and none of a rarer one is looked for. */
#define FEW_SETS 64

/* Seconds in which a set that is learned again and again keeps its id, as in state_file.c. */
#define PLACE_TIME 86400

/* A node that was not seen for so long, in seconds, needs nothing any more. */
#define NEED_TIME 604800

/* Advisory locks, which are of the whole database: the first number is ours, "RcS" and which; the second is the author.
 */
#define LOCK_WINDOW "1382241025"
#define LOCK_LEARN  "1382241026"
#define LOCK_EXPIRE "1382241027"
#define LOCK_PERMIT "1382241028"
#define LOCK_FORGET "1382241029"
#define OF(author)  "(" author " % 2147483647)::int"

/*
 * How much the database's clock is ahead of the caller's, in seconds: `p_now` is the caller's time in microseconds, and
 * NULL where the times that are handed in are kept as they are.
 */
#define SHIFT "coalesce(round(extract(epoch FROM clock_timestamp()) - p_now::numeric / 1000000), 0)::bigint"

#define BODY " LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$ "
#define END  " $body$"

/* A permit is used once, and who is forgotten is so, whatever happens: it is on the disk. */
#define DURABLE " PERFORM set_config('synchronous_commit', 'on', true);"

/* Times are seconds since 1970 by the database's clock; a hash is its 64 bits as a number with a sign. */
#define RECORDS                                                                                                        \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_record ("                                                              \
    " author bigint NOT NULL, signature bigint NOT NULL, at bigint NOT NULL, id bigint NOT NULL,"                      \
    " subject bigint NOT NULL, hashes bigint[] NOT NULL,"                                                              \
    " PRIMARY KEY (author, signature, at, id))"

/* `placed` is when the set got its id: of the sets of a party those learned last are looked at first. */
#define CIRCLES                                                                                                        \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_circle ("                                                              \
    " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope bigint NOT NULL,"                                      \
    " parties bigint[] NOT NULL," /* in the order of their numbers */                                                  \
    " at bigint NOT NULL, placed bigint NOT NULL,"                                                                     \
    " UNIQUE (scope, parties))"

#define PARTIES_OF                                                                                                     \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_party ("                                                               \
    " hash bigint NOT NULL, circle bigint NOT NULL, PRIMARY KEY (hash, circle))"

/* `taken` is the message that has taken the permit, or 0. */
#define PERMITS_OF                                                                                                     \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_permit ("                                                              \
    " code bigint PRIMARY KEY, rule bigint NOT NULL, author bigint NOT NULL, at bigint NOT NULL,"                      \
    " until bigint NOT NULL, taken bigint NOT NULL DEFAULT 0, visible bigint[] NOT NULL)"

/* A hash of the nodes' key, by which one with another key is recognised. */
#define KEY                                                                                                            \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_key ("                                                                 \
    " one boolean PRIMARY KEY DEFAULT true CHECK (one), digest bigint NOT NULL,"                                       \
    " made_by name NOT NULL DEFAULT session_user, made timestamptz NOT NULL DEFAULT clock_timestamp())"

/* How far back each node's policy looks, in seconds. */
#define NEEDS                                                                                                          \
    "CREATE TABLE IF NOT EXISTS rcptguard.state_need ("                                                                \
    " node text PRIMARY KEY, records bigint NOT NULL, sets bigint NOT NULL, at bigint NOT NULL)"

/* The first who comes gives the database its key; whether it is this one, and whose it is. */
#define HELLO                                                                                                          \
    "CREATE OR REPLACE FUNCTION rcptguard.state_hello(p_digest bigint, OUT same boolean, OUT made_by text,"            \
    " OUT made text)" BODY "BEGIN"                                                                                     \
    " IF NOT EXISTS (SELECT 1 FROM rcptguard.state_key) THEN"                                                          \
    "  INSERT INTO rcptguard.state_key (digest) VALUES (p_digest) ON CONFLICT DO NOTHING;"                             \
    " END IF;"                                                                                                         \
    " SELECT k.digest = p_digest, k.made_by, to_char(k.made AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"                 \
    "  INTO same, made_by, made FROM rcptguard.state_key k; "                                                          \
    "END" END

/* The party that is in the fewest sets, and of its sets those learned last: see state_file.c. */
#define KNOWN_AT                                                                                                       \
    "CREATE OR REPLACE FUNCTION rcptguard.state_known_at(p_scope bigint, p_parties bigint[], p_since bigint,"          \
    " OUT outcome int, OUT at bigint)" BODY "DECLARE"                                                                  \
    " party bigint; rare bigint; sets int; least int := " NUMBER(                                                      \
        SETS_LIMIT) " + 1; "                                                                                           \
                    "BEGIN"                                                                                            \
                    " FOREACH party IN ARRAY p_parties LOOP"                                                           \
                    "  SELECT count(*) INTO sets FROM"                                                                 \
                    "   (SELECT 1 FROM rcptguard.state_party p WHERE p.hash = party LIMIT " NUMBER(                    \
                        FEW_SETS) ") few;"                                                                             \
                                  "  IF sets < " NUMBER(                                                               \
                                      FEW_SETS) " THEN rare := party; least := sets; EXIT; END IF;"                    \
                                                " END LOOP;"                                                           \
                                                " IF rare IS NULL THEN"                                                \
                                                "  rare := p_parties[1];"                                              \
                                                "  FOREACH party IN ARRAY p_parties LOOP"                              \
                                                "   SELECT count(*) INTO sets FROM"                                    \
                                                "    (SELECT 1 FROM rcptguard.state_party p WHERE p.hash = party "     \
                                                "LIMIT least) few;"                                                    \
                                                "   IF sets < least THEN rare := party; least := sets; END IF;"        \
                                                "  END LOOP;"                                                          \
                                                " END IF;"                                                             \
                                                " at := 0;"                                                            \
                                                " IF least > 0 THEN"                                                   \
                                                "  SELECT coalesce(max(c.at), 0) INTO at FROM"                         \
                                                "   (SELECT p.circle FROM rcptguard.state_party p WHERE p.hash = rare" \
                                                "    ORDER BY p.circle DESC LIMIT " NUMBER(                            \
                                                    SETS_LIMIT) ") few"                                                \
                                                                "   JOIN rcptguard.state_circle c ON c.id = "          \
                                                                "few.circle"                                           \
                                                                "   WHERE c.scope = p_scope AND c.at >= p_since AND "  \
                                                                "c.parties @> p_parties;"                              \
                                                                " END IF;"                                             \
                                                                " outcome := CASE WHEN at <> 0 OR least <= " NUMBER(   \
                                                                    SETS_LIMIT) " THEN 0 ELSE 2 END; "                 \
                                                                                "END" END

/* `known`; 0 for the time if it is not. */
#define KNOWN                                                                                                          \
    "CREATE OR REPLACE FUNCTION rcptguard.state_known(p_now bigint, p_scope bigint, p_parties bigint[],"               \
    " p_since bigint, OUT outcome int, OUT at bigint)" BODY "DECLARE"                                                  \
    " shift bigint := " SHIFT "; "                                                                                     \
    "BEGIN"                                                                                                            \
    " SELECT k.outcome, k.at INTO outcome, at FROM rcptguard.state_known_at(p_scope, p_parties, p_since + shift) k;"   \
    " IF at <> 0 THEN at := at - shift; END IF; "                                                                      \
    "END" END

/*
 * `window`, or with parties `known_else_window`.  The hashes of all signatures come one after the other.  The lock of
 * the author is held until the commit, and each statement after it has a snapshot of its own: of messages that are
 * evaluated at once the last one sees all, if the isolation level is READ COMMITTED.  A value of -1: many.
 */
#define WINDOW                                                                                                         \
    "CREATE OR REPLACE FUNCTION rcptguard.state_window(p_now bigint, p_id bigint, p_author bigint,"                    \
    " p_subject bigint, p_time bigint, p_signatures bigint[], p_counts int[], p_hashes bigint[], p_keep boolean,"      \
    " p_values int[], p_seconds bigint[], p_alike boolean[], p_scope bigint, p_parties bigint[], p_since bigint,"      \
    " OUT outcome int, OUT at bigint, OUT answers bigint[])" BODY "DECLARE"                                            \
    " shift bigint := " SHIFT ";"                                                                                      \
    " p_at bigint := p_time + shift;"                                                                                  \
    " start int := 1; starts int[] := '{}'; own bigint[]; seen bigint; different bigint; "                             \
    "BEGIN"                                                                                                            \
    " outcome := 0; at := 0; answers := '{}';"                                                                         \
    " IF p_parties IS NOT NULL THEN"                                                                                   \
    "  SELECT k.outcome, k.at INTO outcome, at"                                                                        \
    "   FROM rcptguard.state_known_at(p_scope, p_parties, p_since + shift) k;"                                         \
    "  IF at <> 0 THEN at := at - shift; RETURN; END IF;"                                                              \
    " END IF;"                                                                                                         \
    " FOR i IN 1 .. cardinality(p_signatures) LOOP"                                                                    \
    "  starts := starts || start; start := start + p_counts[i];"                                                       \
    " END LOOP;"                                                                                                       \
    " IF p_keep THEN"                                                                                                  \
    "  PERFORM pg_advisory_xact_lock(" LOCK_WINDOW                                                                     \
    ", " OF("p_author") ");"                                                                                           \
                        "  DELETE FROM rcptguard.state_record r WHERE r.id = p_id;"                                    \
                        "  FOR i IN 1 .. cardinality(p_signatures) LOOP"                                               \
                        "   INSERT INTO rcptguard.state_record (author, signature, at, id, subject, hashes) VALUES"    \
                        "    (p_author, p_signatures[i], p_at, p_id, p_subject,"                                       \
                        "     p_hashes[starts[i] : starts[i] + p_counts[i] - 1]);"                                     \
                        "  END LOOP;"                                                                                  \
                        " END IF;"                                                                                     \
                        " FOR i IN 1 .. cardinality(p_values) LOOP"                                                    \
                        "  own := p_hashes[starts[p_values[i]] : starts[p_values[i]] + p_counts[p_values[i]] - 1];"    \
                        "  SELECT count(*), count(DISTINCT w.hash) INTO seen, different FROM ("                        \
                        "   SELECT unnest(own) AS hash UNION ALL"                                                      \
                        "   (SELECT unnest(r.hashes) FROM rcptguard.state_record r"                                    \
                        "    WHERE r.author = p_author AND r.signature = p_signatures[p_values[i]]"                    \
                        "     AND r.at >= p_at - p_seconds[i] AND r.id <> p_id"                                        \
                        "     AND (NOT p_alike[i] OR p_subject = 0 OR r.subject IN (0, p_subject))"                    \
                        "    ORDER BY r.at DESC)"                                                                      \
                        "   LIMIT " NUMBER(                                                                            \
                            READ_LIMIT) " + 1) w;"                                                                     \
                                        "  answers := answers || CASE WHEN seen > " NUMBER(                            \
                                            READ_LIMIT) " OR different > " NUMBER(WINDOW_LIMIT) "   THEN -1 ELSE "     \
                                                                                                "different END;"       \
                                                                                                " END LOOP; "          \
                                                                                                "END" END

#define WITHDRAW                                                                                                       \
    "CREATE OR REPLACE FUNCTION rcptguard.state_withdraw(p_id bigint) RETURNS void" BODY "BEGIN"                       \
    " DELETE FROM rcptguard.state_record r WHERE r.id = p_id; "                                                        \
    "END" END

/* Deletes one set, within a transaction that has the lock. */
#define DROP_CIRCLE                                                                                                    \
    "CREATE OR REPLACE FUNCTION rcptguard.state_drop_circle(p_id bigint, p_parties bigint[]) RETURNS void" BODY        \
    "BEGIN"                                                                                                            \
    " DELETE FROM rcptguard.state_party p WHERE p.hash = ANY (p_parties) AND p.circle = p_id;"                         \
    " DELETE FROM rcptguard.state_circle c WHERE c.id = p_id; "                                                        \
    "END" END

/* Takes the place of the same set, if that is older; the parties are in order. */
#define PUT_CIRCLE                                                                                                     \
    "CREATE OR REPLACE FUNCTION rcptguard.state_put_circle(p_scope bigint, p_parties bigint[], p_at bigint)"           \
    " RETURNS void" BODY "DECLARE"                                                                                     \
    " old record; new_id bigint; "                                                                                     \
    "BEGIN"                                                                                                            \
    " SELECT c.id, c.at, c.placed INTO old FROM rcptguard.state_circle c"                                              \
    "  WHERE c.scope = p_scope AND c.parties = p_parties;"                                                             \
    " IF FOUND AND p_at - old.at < " NUMBER(                                                                           \
        STATE_SET_FRESH) " THEN RETURN; END IF;"                                                                       \
                         " IF FOUND AND p_at - old.placed < " NUMBER(                                                  \
                             PLACE_TIME) " THEN"                                                                       \
                                         "  UPDATE rcptguard.state_circle c SET at = p_at WHERE c.id = old.id; "       \
                                         "RETURN;"                                                                     \
                                         " END IF;"                                                                    \
                                         " IF FOUND THEN PERFORM rcptguard.state_drop_circle(old.id, p_parties); END " \
                                         "IF;"                                                                         \
                                         " INSERT INTO rcptguard.state_circle (scope, parties, at, placed) VALUES "    \
                                         "(p_scope, p_parties, p_at, p_at)"                                            \
                                         "  RETURNING id INTO new_id;"                                                 \
                                         " INSERT INTO rcptguard.state_party (hash, circle) SELECT "                   \
                                         "unnest(p_parties), new_id; "                                                 \
                                         "END" END

/* `learn` of several sets, whose parties come one after the other. */
#define LEARN                                                                                                          \
    "CREATE OR REPLACE FUNCTION rcptguard.state_learn(p_now bigint, p_scopes bigint[], p_counts int[],"                \
    " p_times bigint[], p_parties bigint[]) RETURNS void" BODY "DECLARE"                                               \
    " shift bigint := " SHIFT "; start int := 1; "                                                                     \
    "BEGIN"                                                                                                            \
    " PERFORM pg_advisory_xact_lock(" LOCK_LEARN ", 0);"                                                               \
    " FOR i IN 1 .. cardinality(p_scopes) LOOP"                                                                        \
    "  PERFORM rcptguard.state_put_circle(p_scopes[i],"                                                                \
    "   ARRAY(SELECT DISTINCT unnest(p_parties[start : start + p_counts[i] - 1]) ORDER BY 1), p_times[i] + shift);"    \
    "  start := start + p_counts[i];"                                                                                  \
    " END LOOP; "                                                                                                      \
    "END" END

/*
 * How many records, sets and permits were changed or deleted.  No index has the hashes of records, so these are read as
 * a whole, for all hashes at once, and before the lock for which every node's state_learn waits.
 */
#define FORGET                                                                                                         \
    "CREATE OR REPLACE FUNCTION rcptguard.state_forget(p_hashes bigint[], OUT gone bigint)" BODY "DECLARE"             \
    " n bigint; c record; rest bigint[]; "                                                                             \
    "BEGIN" DURABLE " PERFORM pg_advisory_xact_lock(" LOCK_FORGET ", 0);"                                              \
    " DELETE FROM rcptguard.state_record r WHERE r.author = ANY (p_hashes);"                                           \
    " GET DIAGNOSTICS n = ROW_COUNT; gone := n;"                                                                       \
    " DELETE FROM rcptguard.state_record r WHERE r.hashes && p_hashes AND r.hashes <@ p_hashes;"                       \
    " GET DIAGNOSTICS n = ROW_COUNT; gone := gone + n;"                                                                \
    " UPDATE rcptguard.state_record r"                                                                                 \
    "  SET hashes = ARRAY(SELECT h FROM unnest(r.hashes) h WHERE h <> ALL (p_hashes)) WHERE r.hashes && p_hashes;"     \
    " GET DIAGNOSTICS n = ROW_COUNT; gone := gone + n;"                                                                \
    " DELETE FROM rcptguard.state_permit p WHERE p.author = ANY (p_hashes) OR p.visible && p_hashes;"                  \
    " GET DIAGNOSTICS n = ROW_COUNT; gone := gone + n;"                                                                \
    " PERFORM pg_advisory_xact_lock(" LOCK_LEARN ", 0);"                                                               \
    " FOR c IN SELECT s.id, s.scope, s.parties, s.at FROM rcptguard.state_circle s WHERE s.id IN"                      \
    "  (SELECT p.circle FROM rcptguard.state_party p WHERE p.hash = ANY (p_hashes)"                                    \
    "   UNION ALL SELECT o.id FROM rcptguard.state_circle o WHERE o.scope = ANY (p_hashes)) LOOP"                      \
    "  PERFORM rcptguard.state_drop_circle(c.id, c.parties);"                                                          \
    "  rest := ARRAY(SELECT h FROM unnest(c.parties) h WHERE h <> ALL (p_hashes) ORDER BY 1);"                         \
    "  IF c.scope <> ALL (p_hashes) AND cardinality(rest) >= 2 THEN"                                                   \
    "   PERFORM rcptguard.state_put_circle(c.scope, rest, c.at);"                                                      \
    "  END IF;"                                                                                                        \
    "  gone := gone + 1;"                                                                                              \
    " END LOOP; "                                                                                                      \
    "END" END

/* Says how far back a node looks. */
#define NEED                                                                                                           \
    "CREATE OR REPLACE FUNCTION rcptguard.state_needs(p_node text, p_records bigint, p_sets bigint, p_at bigint)"      \
    " RETURNS void" BODY "BEGIN"                                                                                       \
    " INSERT INTO rcptguard.state_need AS n (node, records, sets, at) VALUES (p_node, p_records, p_sets, p_at)"        \
    "  ON CONFLICT (node) DO UPDATE SET records = p_records, sets = p_sets, at = p_at"                                 \
    "  WHERE n.records <> p_records OR n.sets <> p_sets OR n.at < p_at - 3600; "                                       \
    "END" END

/*
 * A step of `expire`, for one node at a time: whether there may be more.  What the policy of another node needs stays:
 * `p_records` and `p_sets` say how far back this one looks.  With `p_now` NULL they are taken as they are.
 */
#define EXPIRE                                                                                                         \
    "CREATE OR REPLACE FUNCTION rcptguard.state_expire(p_now bigint, p_node text, p_records bigint, p_sets bigint,"    \
    " p_step int, OUT more boolean)" BODY "DECLARE"                                                                    \
    " here bigint := floor(extract(epoch FROM clock_timestamp()));"                                                    \
    " records bigint := p_records; sets bigint := p_sets; n bigint; "                                                  \
    "BEGIN"                                                                                                            \
    " more := false;"                                                                                                  \
    " IF p_now IS NOT NULL THEN"                                                                                       \
    "  PERFORM rcptguard.state_needs(p_node, p_now / 1000000 - p_records, p_now / 1000000 - p_sets, here);"            \
    "  SELECT here - max(n.records), here - max(n.sets) INTO records, sets"                                            \
    "   FROM rcptguard.state_need n WHERE n.at >= here - " NUMBER(                                                     \
        NEED_TIME) ";"                                                                                                 \
                   " END IF;"                                                                                          \
                   " IF NOT pg_try_advisory_xact_lock(" LOCK_EXPIRE ", 0) THEN RETURN; END IF;"                        \
                   " DELETE FROM rcptguard.state_record d USING"                                                       \
                   "  (SELECT r.author, r.signature, r.at, r.id FROM rcptguard.state_record r WHERE r.at < records"    \
                   "   ORDER BY r.at LIMIT p_step FOR UPDATE SKIP LOCKED) old"                                         \
                   "  WHERE d.author = old.author AND d.signature = old.signature AND d.at = old.at AND d.id = "       \
                   "old.id;"                                                                                           \
                   " GET DIAGNOSTICS n = ROW_COUNT; more := n >= p_step;"                                              \
                   " IF NOT EXISTS (SELECT 1 FROM rcptguard.state_circle c WHERE c.at < sets) THEN RETURN; END IF;"    \
                   " PERFORM pg_advisory_xact_lock(" LOCK_LEARN ", 0);"                                                \
                   " WITH old AS (DELETE FROM rcptguard.state_circle WHERE id IN"                                      \
                   "   (SELECT c.id FROM rcptguard.state_circle c WHERE c.at < sets ORDER BY c.at LIMIT p_step)"       \
                   "   RETURNING id, parties)"                                                                         \
                   "  DELETE FROM rcptguard.state_party p USING"                                                       \
                   "   (SELECT old.id, unnest(old.parties) AS hash FROM old) o WHERE p.hash = o.hash AND p.circle = "  \
                   "o.id;"                                                                                             \
                   " GET DIAGNOSTICS n = ROW_COUNT; more := more OR n >= p_step; "                                     \
                   "END" END

#define PERMIT                                                                                                         \
    "CREATE OR REPLACE FUNCTION rcptguard.state_add_permit(p_now bigint, p_code bigint, p_rule bigint,"                \
    " p_author bigint, p_time bigint, p_until bigint, p_visible bigint[]) RETURNS void" BODY "DECLARE"                 \
    " shift bigint := " SHIFT "; p_at bigint := p_time + shift; latest bigint; "                                       \
    "BEGIN" DURABLE " PERFORM pg_advisory_xact_lock(" LOCK_PERMIT                                                      \
    ", " OF("p_author") ");"                                                                                           \
                        " DELETE FROM rcptguard.state_permit p WHERE p.until < p_at - " NUMBER(                        \
                            KNOWN_DAY) ";"                                                                             \
                                       " DELETE FROM rcptguard.state_permit d WHERE d.code IN"                         \
                                       "  (SELECT p.code FROM rcptguard.state_permit p WHERE p.author = p_author"      \
                                       "   ORDER BY p.at DESC, p.code OFFSET " NUMBER(                                 \
                                           PERMITS) " - 1);" /* No two of an author at one time: which is the oldest,  \
                                                                is known then. */                                      \
                                                    " SELECT coalesce(max(p.at), 0) INTO latest FROM "                 \
                                                    "rcptguard.state_permit p WHERE p.author = p_author;"              \
                                                    " DELETE FROM rcptguard.state_permit p WHERE p.code = p_code;"     \
                                                    " INSERT INTO rcptguard.state_permit (code, rule, author, at, "    \
                                                    "until, visible) VALUES"                                           \
                                                    "  (p_code, p_rule, p_author, greatest(p_at, latest + 1), "        \
                                                    "p_until + shift, p_visible); "                                    \
                                                    "END" END

#define CLAIM                                                                                                          \
    "CREATE OR REPLACE FUNCTION rcptguard.state_claim(p_now bigint, p_code bigint, p_author bigint,"                   \
    " p_message bigint, p_time bigint, p_visible bigint[], OUT claimed int, OUT rule bigint)" BODY "DECLARE"           \
    " p record; shift bigint := " SHIFT "; "                                                                           \
    "BEGIN" DURABLE " rule := 0;"                                                                                      \
    " SELECT * INTO p FROM rcptguard.state_permit s WHERE s.code = p_code FOR UPDATE;"                                 \
    " IF NOT FOUND THEN claimed := 0;"                                                                                 \
    " ELSIF p.author <> p_author THEN claimed := 1;"                                                                   \
    " ELSIF p_time + shift > p.until THEN claimed := 2;"                                                               \
    " ELSIF p.taken NOT IN (0, p_message) THEN claimed := 3;"                                                          \
    " ELSIF EXISTS (SELECT unnest(p_visible) EXCEPT SELECT unnest(p.visible)) THEN claimed := 4;"                      \
    " ELSE"                                                                                                            \
    "  claimed := 5; rule := p.rule;"                                                                                  \
    "  UPDATE rcptguard.state_permit s SET taken = p_message WHERE s.code = p_code AND s.taken <> p_message;"          \
    " END IF; "                                                                                                        \
    "END" END

#define UNCLAIM                                                                                                        \
    "CREATE OR REPLACE FUNCTION rcptguard.state_unclaim(p_code bigint, p_message bigint) RETURNS void" BODY            \
    "BEGIN" DURABLE " UPDATE rcptguard.state_permit p SET taken = 0 WHERE p.code = p_code AND p.taken = p_message; "   \
    "END" END

/* The rules of the permits that were taken, of those since a time. */
#define OVERRIDDEN                                                                                                     \
    "CREATE OR REPLACE FUNCTION rcptguard.state_overridden(p_now bigint, p_since bigint) RETURNS SETOF bigint" BODY    \
    "DECLARE"                                                                                                          \
    " shift bigint := " SHIFT "; "                                                                                     \
    "BEGIN"                                                                                                            \
    " RETURN QUERY SELECT p.rule FROM rcptguard.state_permit p WHERE p.taken <> 0 AND p.at >= p_since + shift; "       \
    "END" END

/* Which of these rows of records are not there, as numbers from 1. */
#define MISSING                                                                                                        \
    "CREATE OR REPLACE FUNCTION rcptguard.state_missing(p_ids bigint[], p_signatures bigint[])"                        \
    " RETURNS SETOF bigint" BODY "BEGIN"                                                                               \
    " RETURN QUERY SELECT a.number FROM unnest(p_ids, p_signatures) WITH ORDINALITY a (id, signature, number)"         \
    "  WHERE NOT EXISTS (SELECT 1 FROM rcptguard.state_record r WHERE r.id = a.id AND r.signature = a.signature); "    \
    "END" END

/* Keeps rows of records that a node has kept by itself; the hashes of all come one after the other. */
#define ADD                                                                                                            \
    "CREATE OR REPLACE FUNCTION rcptguard.state_add(p_now bigint, p_ids bigint[], p_authors bigint[],"                 \
    " p_subjects bigint[], p_times bigint[], p_signatures bigint[], p_counts int[], p_hashes bigint[])"                \
    " RETURNS void" BODY "DECLARE"                                                                                     \
    " shift bigint := " SHIFT "; start int := 1; "                                                                     \
    "BEGIN"                                                                                                            \
    " FOR i IN 1 .. cardinality(p_ids) LOOP"                                                                           \
    "  INSERT INTO rcptguard.state_record (author, signature, at, id, subject, hashes) VALUES"                         \
    "   (p_authors[i], p_signatures[i], p_times[i] + shift, p_ids[i], p_subjects[i],"                                  \
    "    p_hashes[start : start + p_counts[i] - 1]) ON CONFLICT DO NOTHING;"                                           \
    "  start := start + p_counts[i];"                                                                                  \
    " END LOOP; "                                                                                                      \
    "END" END

/* Tables for nodes alone, functions for nodes alone. */
#define RIGHTS                                                                                                         \
    "DO $body$ "                                                                                                       \
    "DECLARE"                                                                                                          \
    " f regprocedure; "                                                                                                \
    "BEGIN"                                                                                                            \
    " GRANT USAGE ON SCHEMA rcptguard TO rcptguard_node;"                                                              \
    " GRANT SELECT, INSERT, UPDATE, DELETE ON rcptguard.state_record, rcptguard.state_circle,"                         \
    "  rcptguard.state_party, rcptguard.state_permit, rcptguard.state_need TO rcptguard_node;"                         \
    " GRANT SELECT, INSERT (digest) ON rcptguard.state_key TO rcptguard_node;"                                         \
    " FOR f IN SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p"                                                   \
    "  WHERE p.pronamespace = 'rcptguard'::regnamespace AND p.proname LIKE 'state\\_%' LOOP"                           \
    "  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);"                                                    \
    "  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO rcptguard_node', f);"                                           \
    " END LOOP; "                                                                                                      \
    "END $body$"

#define FUNCTIONS                                                                                                      \
    HELLO, KNOWN_AT, KNOWN, WINDOW, WITHDRAW, DROP_CIRCLE, PUT_CIRCLE, LEARN, FORGET, NEED, EXPIRE, PERMIT, CLAIM,     \
        UNCLAIM, OVERRIDDEN, MISSING, ADD, RIGHTS

const char *const state_schema[] = {
    RECORDS,
    "CREATE INDEX IF NOT EXISTS state_record_id ON rcptguard.state_record (id)",
    "CREATE INDEX IF NOT EXISTS state_record_at ON rcptguard.state_record (at)",
    CIRCLES,
    "CREATE INDEX IF NOT EXISTS state_circle_at ON rcptguard.state_circle (at)",
    PARTIES_OF,
    PERMITS_OF,
    "CREATE INDEX IF NOT EXISTS state_permit_author ON rcptguard.state_permit (author, at)",
    "CREATE INDEX IF NOT EXISTS state_permit_until ON rcptguard.state_permit (until)",
    KEY,
    NEEDS,
    FUNCTIONS,
    NULL,
};

const char *const state_schema_functions[] = {FUNCTIONS, NULL};
