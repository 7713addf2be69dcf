-- The schema of version 1, as pg_dump of PostgreSQL 15 wrote it, with one node, one message and one decision.


SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA rcptguard;

ALTER SCHEMA rcptguard OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.forget_decisions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN DELETE FROM rcptguard.decision d USING changed c WHERE d.node = c.node AND d.row = c.row AND d.done IS NOT NULL; RETURN NULL; END$$;

ALTER FUNCTION rcptguard.forget_decisions() OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.node_seen() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN NEW.seen := clock_timestamp(); RETURN NEW; END$$;

ALTER FUNCTION rcptguard.node_seen() OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.notice_decision() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN PERFORM pg_notify('rcptguard', 'decision ' || NEW.node); RETURN NULL; END$$;

ALTER FUNCTION rcptguard.notice_decision() OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.notice_done() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN PERFORM pg_notify('rcptguard', 'done ' || NEW.id); RETURN NULL; END$$;

ALTER FUNCTION rcptguard.notice_done() OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.notice_held() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN PERFORM pg_notify('rcptguard', 'held ' || node) FROM (SELECT DISTINCT node FROM changed) nodes; RETURN NULL; END$$;

ALTER FUNCTION rcptguard.notice_held() OWNER TO rcptguard_owner;

CREATE FUNCTION rcptguard.own_node() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT name FROM rcptguard.node WHERE role = session_user$$;

ALTER FUNCTION rcptguard.own_node() OWNER TO rcptguard_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE rcptguard.decision (
    id bigint NOT NULL,
    node text NOT NULL,
    "row" bigint NOT NULL,
    queue_id text,
    action text NOT NULL,
    reason text,
    who name DEFAULT SESSION_USER NOT NULL,
    vouched_for text,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    taken timestamp with time zone,
    done timestamp with time zone,
    code integer,
    words text,
    CONSTRAINT decision_action_check CHECK ((action = ANY (ARRAY['release'::text, 'return'::text, 'delete'::text]))),
    CONSTRAINT decision_vouched_for_check CHECK ((vouched_for <> ''::text))
);

ALTER TABLE rcptguard.decision OWNER TO rcptguard_owner;

ALTER TABLE rcptguard.decision ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rcptguard.decision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rcptguard.fleet (
    one boolean DEFAULT true NOT NULL,
    version integer NOT NULL,
    incarnation uuid DEFAULT gen_random_uuid() NOT NULL,
    vouching boolean DEFAULT true NOT NULL,
    made timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT fleet_one_check CHECK (one)
);

ALTER TABLE rcptguard.fleet OWNER TO rcptguard_owner;

CREATE TABLE rcptguard.held (
    node text NOT NULL,
    "row" bigint NOT NULL,
    queue_id text,
    state text,
    judged bigint,
    changed bigint,
    record jsonb NOT NULL
);

ALTER TABLE rcptguard.held OWNER TO rcptguard_owner;

CREATE TABLE rcptguard.node (
    name text NOT NULL,
    role name DEFAULT SESSION_USER NOT NULL,
    program text,
    fleet_version integer,
    ledger_version integer,
    mta text,
    host text,
    seen timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    published timestamp with time zone,
    skew_ms bigint,
    waiting integer,
    failures bigint,
    CONSTRAINT node_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'::text))
);

ALTER TABLE rcptguard.node OWNER TO rcptguard_owner;

CREATE TABLE rcptguard.policy (
    node text NOT NULL,
    digest text NOT NULL,
    record jsonb NOT NULL
);

ALTER TABLE rcptguard.policy OWNER TO rcptguard_owner;

INSERT INTO rcptguard.decision OVERRIDING SYSTEM VALUE VALUES (1, 'relay1', 1, '4XyZ7d2nKqz1bYdl', 'release', 'a newsletter', 'alice', NULL, '2026-11-30 10:57:31.635997+00', NULL, NULL, NULL, NULL);

INSERT INTO rcptguard.fleet VALUES (true, 1, '7d83ee5d-573e-4a8c-9029-babe89ee8c7b', true, '2026-11-30 10:57:31.380212+00');

INSERT INTO rcptguard.held VALUES ('relay1', 1, '4XyZ7d2nKqz1bYdl', 'held', 1764000000000000, 1764000000000000, '{"held": {"id": 1}}');

INSERT INTO rcptguard.node VALUES ('relay1', 'relay1', '0.1.0', 1, 7, 'postfix', 'relay1.corp.example', '2026-11-30 10:57:31.604667+00', NULL, 12, 0, 0);

INSERT INTO rcptguard.policy VALUES ('relay1', 'abc', '{"digest": "abc"}');

SELECT pg_catalog.setval('rcptguard.decision_id_seq', 1, true);

ALTER TABLE ONLY rcptguard.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rcptguard.fleet
    ADD CONSTRAINT fleet_pkey PRIMARY KEY (one);

ALTER TABLE ONLY rcptguard.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (node, "row");

ALTER TABLE ONLY rcptguard.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (name);

ALTER TABLE ONLY rcptguard.node
    ADD CONSTRAINT node_role_key UNIQUE (role);

ALTER TABLE ONLY rcptguard.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (node, digest);

CREATE INDEX decision_node_idx ON rcptguard.decision USING btree (node) WHERE (done IS NULL);

CREATE INDEX decision_node_row_idx ON rcptguard.decision USING btree (node, "row");

CREATE INDEX held_judged_idx ON rcptguard.held USING btree (judged);

CREATE INDEX held_node_state_idx ON rcptguard.held USING btree (node, state);

CREATE INDEX held_queue_id_idx ON rcptguard.held USING btree (queue_id);

CREATE TRIGGER forget_decisions AFTER DELETE ON rcptguard.held REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.forget_decisions();

CREATE TRIGGER notice_delete AFTER DELETE ON rcptguard.held REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.notice_held();

CREATE TRIGGER notice_done AFTER UPDATE ON rcptguard.decision FOR EACH ROW WHEN (((old.done IS NULL) AND (new.done IS NOT NULL))) EXECUTE FUNCTION rcptguard.notice_done();

CREATE TRIGGER notice_insert AFTER INSERT ON rcptguard.decision FOR EACH ROW EXECUTE FUNCTION rcptguard.notice_decision();

CREATE TRIGGER notice_insert AFTER INSERT ON rcptguard.held REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.notice_held();

CREATE TRIGGER notice_update AFTER UPDATE ON rcptguard.held REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rcptguard.notice_held();

CREATE TRIGGER seen BEFORE INSERT OR UPDATE ON rcptguard.node FOR EACH ROW EXECUTE FUNCTION rcptguard.node_seen();

ALTER TABLE ONLY rcptguard.decision
    ADD CONSTRAINT decision_node_fkey FOREIGN KEY (node) REFERENCES rcptguard.node(name) ON DELETE CASCADE;

ALTER TABLE ONLY rcptguard.held
    ADD CONSTRAINT held_node_fkey FOREIGN KEY (node) REFERENCES rcptguard.node(name) ON DELETE CASCADE;

ALTER TABLE ONLY rcptguard.policy
    ADD CONSTRAINT policy_node_fkey FOREIGN KEY (node) REFERENCES rcptguard.node(name) ON DELETE CASCADE;

ALTER TABLE rcptguard.decision ENABLE ROW LEVEL SECURITY;

CREATE POLICY everybody_reads ON rcptguard.decision FOR SELECT USING (true);

CREATE POLICY everybody_reads ON rcptguard.held FOR SELECT USING (true);

CREATE POLICY everybody_reads ON rcptguard.node FOR SELECT USING (true);

CREATE POLICY everybody_reads ON rcptguard.policy FOR SELECT USING (true);

ALTER TABLE rcptguard.held ENABLE ROW LEVEL SECURITY;

ALTER TABLE rcptguard.node ENABLE ROW LEVEL SECURITY;

CREATE POLICY node_adds_itself ON rcptguard.node FOR INSERT TO rcptguard_node WITH CHECK ((role = SESSION_USER));

CREATE POLICY node_answers ON rcptguard.decision FOR UPDATE TO rcptguard_node USING ((node = ( SELECT rcptguard.own_node() AS own_node)));

CREATE POLICY node_changes_itself ON rcptguard.node FOR UPDATE TO rcptguard_node USING ((role = SESSION_USER));

CREATE POLICY node_vouches ON rcptguard.decision FOR INSERT TO rcptguard_node WITH CHECK (((vouched_for IS NOT NULL) AND (( SELECT rcptguard.own_node() AS own_node) IS NOT NULL) AND ( SELECT fleet.vouching
   FROM rcptguard.fleet)));

CREATE POLICY node_writes_its_own ON rcptguard.held TO rcptguard_node USING ((node = ( SELECT rcptguard.own_node() AS own_node)));

CREATE POLICY node_writes_its_own ON rcptguard.policy TO rcptguard_node USING ((node = ( SELECT rcptguard.own_node() AS own_node)));

ALTER TABLE rcptguard.policy ENABLE ROW LEVEL SECURITY;

CREATE POLICY reviewer_decides ON rcptguard.decision FOR INSERT TO rcptguard_reviewer WITH CHECK ((vouched_for IS NULL));

GRANT USAGE ON SCHEMA rcptguard TO rcptguard_node;
GRANT USAGE ON SCHEMA rcptguard TO rcptguard_reviewer;

REVOKE ALL ON FUNCTION rcptguard.forget_decisions() FROM PUBLIC;

REVOKE ALL ON FUNCTION rcptguard.node_seen() FROM PUBLIC;

REVOKE ALL ON FUNCTION rcptguard.notice_decision() FROM PUBLIC;

REVOKE ALL ON FUNCTION rcptguard.notice_done() FROM PUBLIC;

REVOKE ALL ON FUNCTION rcptguard.notice_held() FROM PUBLIC;

REVOKE ALL ON FUNCTION rcptguard.own_node() FROM PUBLIC;
GRANT ALL ON FUNCTION rcptguard.own_node() TO rcptguard_node;
GRANT ALL ON FUNCTION rcptguard.own_node() TO rcptguard_reviewer;

GRANT SELECT ON TABLE rcptguard.decision TO rcptguard_node;
GRANT SELECT ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT(node) ON TABLE rcptguard.decision TO rcptguard_node;
GRANT INSERT(node) ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT("row") ON TABLE rcptguard.decision TO rcptguard_node;
GRANT INSERT("row") ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT(queue_id) ON TABLE rcptguard.decision TO rcptguard_node;
GRANT INSERT(queue_id) ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT(action) ON TABLE rcptguard.decision TO rcptguard_node;
GRANT INSERT(action) ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT(reason) ON TABLE rcptguard.decision TO rcptguard_node;
GRANT INSERT(reason) ON TABLE rcptguard.decision TO rcptguard_reviewer;

GRANT INSERT(vouched_for) ON TABLE rcptguard.decision TO rcptguard_node;

GRANT UPDATE(taken) ON TABLE rcptguard.decision TO rcptguard_node;

GRANT UPDATE(done) ON TABLE rcptguard.decision TO rcptguard_node;

GRANT UPDATE(code) ON TABLE rcptguard.decision TO rcptguard_node;

GRANT UPDATE(words) ON TABLE rcptguard.decision TO rcptguard_node;

GRANT SELECT ON TABLE rcptguard.fleet TO rcptguard_node;
GRANT SELECT ON TABLE rcptguard.fleet TO rcptguard_reviewer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rcptguard.held TO rcptguard_node;
GRANT SELECT ON TABLE rcptguard.held TO rcptguard_reviewer;

GRANT SELECT ON TABLE rcptguard.node TO rcptguard_node;
GRANT SELECT ON TABLE rcptguard.node TO rcptguard_reviewer;

GRANT INSERT(name) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(program),UPDATE(program) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(fleet_version),UPDATE(fleet_version) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(ledger_version),UPDATE(ledger_version) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(mta),UPDATE(mta) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(host),UPDATE(host) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(published),UPDATE(published) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(skew_ms),UPDATE(skew_ms) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(waiting),UPDATE(waiting) ON TABLE rcptguard.node TO rcptguard_node;

GRANT INSERT(failures),UPDATE(failures) ON TABLE rcptguard.node TO rcptguard_node;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rcptguard.policy TO rcptguard_node;
GRANT SELECT ON TABLE rcptguard.policy TO rcptguard_reviewer;


