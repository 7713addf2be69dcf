PRAGMA application_id = 1382238052;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1795952517106211);
INSERT INTO "approval" VALUES(5,'root',0,1795952517272007);
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT);
INSERT INTO "held" VALUES(1,'4jclcP0JKxz1c9jH','postfix',1795952517036427,1795952517055577,'test.1.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',25,'wide Cc: 23 addresses, 23 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',23,23,14,0,0,23,0,1,'care@me.example','held',1795952517097324,1795952517000000,NULL,0,0,0,NULL,NULL,864,NULL);
INSERT INTO "held" VALUES(2,'4jclcP0XSbz1c9hk','postfix',1795952517076630,1795952517080367,'test.2.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',25,'wide Cc: 12 addresses, 12 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',12,12,12,0,0,12,0,1,'care@me.example','released',1795952517140012,1795952517000000,'root',0,1795952517140012,0,'agreed with care',NULL,593,NULL);
INSERT INTO "held" VALUES(3,'4jclcP13CXz1c9jP','postfix',1795952517145757,1795952517154578,'test.3.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',25,'wide Cc: 12 addresses, 12 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',12,12,12,0,0,12,0,1,'care@me.example','returned',1795952517201918,1795952517000000,'root',0,1795952517201918,0,'agreed with care',NULL,592,NULL);
INSERT INTO "held" VALUES(4,'4jclcP1Syqz1c9jV','postfix',1795952517207798,1795952517211544,'test.4.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',25,'wide Cc: 12 addresses, 12 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',12,12,12,0,0,12,0,1,'care@me.example','deleted',1795952517243291,1795952517000000,'root',0,1795952517243291,0,'agreed with care',NULL,592,NULL);
INSERT INTO "held" VALUES(5,'4jclcP1lJgz1c9jK','postfix',1795952517246632,1795952517250144,'test.5.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-svbaawqz','two',9,'11 outside parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',11,11,11,0,0,11,0,2,'care@me.example','held',1795952517265167,1795952517000000,NULL,0,0,0,NULL,NULL,608,NULL);
INSERT INTO "held" VALUES(6,'4jclcP1xvCz1c9jV','postfix',1795952517275156,1795952517278263,'test.6.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-svbaawqz','wide-cc',25,'wide Cc: 13 addresses, 13 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',13,13,13,0,0,13,0,1,'care@me.example','left',1795952517328357,1795952517000000,NULL,0,0,0,NULL,NULL,635,NULL);
INSERT INTO "held" VALUES(7,'4jclcP2PD5z1c9jV','postfix',1795952517338336,1795952517340689,'test.7.of.rcptguard-test-svbaawqz@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-svbaawqz','wide-cc',25,'wide Cc: 10 addresses, 10 parties','78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff',10,10,10,0,0,10,0,1,'care@me.example','pending',1795952517340689,0,NULL,0,0,0,NULL,NULL,0,NULL);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT);
INSERT INTO "history" VALUES(1,2,1795952517140012,'root',0,'release','agreed with care',NULL);
INSERT INTO "history" VALUES(2,3,1795952517201918,'root',0,'return','agreed with care',NULL);
INSERT INTO "history" VALUES(3,4,1795952517243291,'root',0,'delete','agreed with care',NULL);
INSERT INTO "history" VALUES(4,5,1795952517272007,'root',0,'approve','the first of two',NULL);
INSERT INTO "history" VALUES(5,6,1795952517328357,NULL,0,'left',NULL,NULL);
CREATE TABLE notice ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, author TEXT, state TEXT NOT NULL CHECK (state IN ('wanted', 'sent', 'skipped')), at INTEGER NOT NULL, reason TEXT, tries INTEGER NOT NULL DEFAULT 0);
CREATE TABLE party ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, class TEXT NOT NULL, name TEXT, individuals INTEGER NOT NULL, people INTEGER NOT NULL, parties INTEGER NOT NULL);
INSERT INTO "party" VALUES(1,'freemail','free2.test',1,3,3);
INSERT INTO "party" VALUES(1,'freemail','free3.test',1,3,3);
INSERT INTO "party" VALUES(1,'freemail','free4.test',1,3,3);
INSERT INTO "party" VALUES(1,'freemail','free5.test',1,3,3);
INSERT INTO "party" VALUES(1,'freemail','free1.test',1,2,2);
INSERT INTO "party" VALUES(1,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(1,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust12.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(2,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust12.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(3,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust12.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(4,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(5,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust12.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust13.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(6,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust9.example',0,1,1);
CREATE TABLE policy ( digest TEXT PRIMARY KEY, text TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
INSERT INTO "policy" VALUES('78a0ed5838c2a5a2e0d427f99d188eda97dc8dc4948beba561cee7a2aca970ff','version 1
contact "postmaster@me.example"

class internal {
    domain "me.example"
    domain ".me.example"
}

class partner {
    domain "partner.example"
}

class freemail {
    domain "free1.test"
    domain "free2.test"
    domain "free3.test"
    domain "free4.test"
    domain "free5.test"
    individuals
}

expect "mail.me.example" is internal
expect "me.example.evil.test" is other

rule two {
    when header("X-Two")
    quarantine "{parties} outside parties" approvals 2
}

rule developer {
    when user = "developer"
    accept
}

rule sensitive {
    when (sender in "clinic@me.example", "hr@me.example" or from in "clinic@me.example", "hr@me.example")
        and parties(external) >= 2
    quarantine "{parties} outside parties would see each other"
}

rule mass-disclosure {
    when parties(external) >= 50
    reject "{visible} people outside could read each other''s addresses. Nothing was sent. Put them in Bcc, or ask {contact}."
}

rule wide-cc {
    when parties(external) >= 10
        or visible(external) >= 40
    quarantine "wide Cc: {visible} addresses, {parties} parties"
}

rule trial {
    monitor
    when parties(external) >= 5
    quarantine "would hold at five"
}

rule unreadable {
    when (malformed or truncated)
        and (visible(external) >= 1 or recipients(external) >= 1)
    quarantine "recipient headers could not be read whole"
}

default accept
',1795952517055577,1795952517055577);
CREATE INDEX held_queue_id ON held (queue_id);
CREATE INDEX held_requeued ON held (requeued) WHERE requeued IS NOT NULL;
CREATE INDEX held_judged ON held (judged);
CREATE INDEX held_state ON held (state, judged);
CREATE INDEX held_policy ON held (policy);
CREATE INDEX party_held ON party (held);
CREATE INDEX history_held ON history (held);
CREATE INDEX history_at ON history (at);
CREATE INDEX notice_state ON notice (state, author, at);
CREATE INDEX held_former ON held (former) WHERE former IS NOT NULL;
CREATE INDEX held_arrival ON held (arrival, judged);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('held',7);
INSERT INTO "sqlite_sequence" VALUES('history',5);
COMMIT;
