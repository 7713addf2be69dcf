PRAGMA application_id = 1382238052;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE agent ( one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, running INTEGER NOT NULL, steady INTEGER NOT NULL, expired INTEGER NOT NULL);
INSERT INTO "agent" VALUES(1,0,0,0,0);
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1795991768788230);
INSERT INTO "approval" VALUES(5,'root',0,1795991769525198);
CREATE TABLE decision ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')), way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')), who TEXT, uid INTEGER NOT NULL DEFAULT 0, reason TEXT, at INTEGER NOT NULL, seal BLOB, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, words TEXT);
INSERT INTO "decision" VALUES(1,2,'release','command','root',0,'agreed with care',1795991768767303,X'47E88B1598E5B16FF7162DA84F103ADB9E051E1A7828ADCF51DDED2868C31EBA',1795991768767303,15333,1795991768890664,0,'released');
INSERT INTO "decision" VALUES(2,3,'return','command','root',0,'agreed with care',1795991769034586,X'39C2645B8C38D80C69C6906521ABB1B99D1980D3871584B4D272E0AF5484648A',1795991769034586,15355,1795991769253441,0,'returned to its sender');
INSERT INTO "decision" VALUES(3,4,'delete','command','root',0,'agreed with care',1795991769362829,X'9D43CF89188F973C8DB9FB42FC63796EAC50237F6E4ACEF8EB2B0B206D1996C3',1795991769362829,15389,1795991769421929,0,'deleted');
INSERT INTO "decision" VALUES(4,5,'release','command','root',0,'the first of two',1795991769522466,X'524622BBC3F4C986E3F9112A91A375D048E4AC3BCEDE71B92C1451BF5E064952',1795991769522466,15407,1795991769529745,0,'approved, 1 of 2: it stays on hold until another reviewer releases it too');
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT, way TEXT, leaves INTEGER NOT NULL DEFAULT 0, stopped TEXT, sent_by TEXT, expire INTEGER, expire_action TEXT CHECK (expire_action IN ('return', 'delete')), announced INTEGER NOT NULL DEFAULT 0);
INSERT INTO "held" VALUES(1,'4jd27D3wpRz1d0fM','postfix',1795991768547369,1795991768562759,'test.1.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',26,'wide Cc: 23 addresses, 23 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',23,23,14,0,0,23,0,1,'care@me.example','held',1795991768739630,1795991768000000,NULL,0,0,0,NULL,NULL,864,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(2,'4jd27D4kCMz1d0W9','postfix',1795991768664303,1795991768691799,'test.2.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','released',1795991768871367,1795991768000000,'root',0,1795991768871367,0,'agreed with care',NULL,593,NULL,'command',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(3,'4jd27D6YVHz1d0Kn','postfix',1795991768915226,1795991768948163,'test.3.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','returned',1795991769241775,1795991768000000,'root',0,1795991769241775,0,'agreed with care',NULL,592,NULL,'command',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(4,'4jd27F1tXqz1d0VX','postfix',1795991769265854,1795991769271468,'test.4.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','deleted',1795991769417738,1795991769000000,'root',0,1795991769417738,0,'agreed with care',NULL,592,NULL,'command',0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(5,'4jd27F36Vcz1d0VX','postfix',1795991769438595,1795991769442586,'test.5.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-md8x8d52','two',10,'11 outside parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',11,11,11,0,0,11,0,2,'care@me.example','held',1795991769485860,1795991769000000,NULL,0,0,0,NULL,NULL,608,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(6,'4jd27F3sXQz1d0gk','postfix',1795991769544324,1795991769558259,'test.6.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-md8x8d52','wide-cc',26,'wide Cc: 13 addresses, 13 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',13,13,13,0,0,13,0,1,'care@me.example','left',1795991769761955,1795991769000000,NULL,0,0,0,NULL,NULL,635,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
INSERT INTO "held" VALUES(7,'4jd27F64FWz1d0dP','postfix',1795991769853262,1795991769862335,'test.7.of.rcptguard-test-md8x8d52@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-md8x8d52','wide-cc',26,'wide Cc: 10 addresses, 10 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',10,10,10,0,0,10,0,1,'care@me.example','pending',1795991769862335,0,NULL,0,0,0,NULL,NULL,0,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT, way TEXT);
INSERT INTO "history" VALUES(1,2,1795991768871367,'root',0,'release','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(2,3,1795991769241775,'root',0,'return','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(3,4,1795991769417738,'root',0,'delete','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(4,5,1795991769525198,'root',0,'approve','the first of two',NULL,'command');
INSERT INTO "history" VALUES(5,6,1795991769761955,NULL,0,'left',NULL,NULL,NULL);
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
INSERT INTO "policy" VALUES('69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117','version 1
contact "postmaster@me.example"
remember 90d

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

rule split {
    when parties(external) within 10m >= 100
        and not known
    quarantine "{within} outside parties"
}

default accept
',1795991768449095,1795991768449095);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,-5685393174066457242,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CAB54A64981B1FCB2C99E41A9494D374450B946AA7F8A6B7E98EF2D89313D262E4805DC4F72ACBE4FC30B7CEA9B2785130C6252C8BA0AF758A2D48281B81AB361EBC5A4104A1A3C38AD424F63B8282D5214BE1B9BCB19789A31F005B84D32121FD1D654D190955D23DD6DABA3A4C26B3A','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,4445156311785229204,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D15948E91238D92938D0E17202D917527','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,0,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D15948E91238D92938D0E17202D917527','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(4,0,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D15948E91238D92938D0E17202D917527','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(5,0,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D15948E91238D9293','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,5117391887757029103,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D15948E91238D92938D0E17202D917527D83B849E526C23D9','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,0,0,X'826DED84A11AAC07E6CA8FB1BE36B700A3E5B71CCABB17C078D0DCF394E8B069F81B06B1A1565FCC43F8C4156227719FFDEF35509ACBD9B7D4293DE1A707206C363774E5EE2C735CE142114FFF9D630D','yes',NULL,NULL,NULL);
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
CREATE INDEX remembered_due ON remembered (held) WHERE due IS NOT NULL;
CREATE INDEX decision_held ON decision (held);
CREATE INDEX decision_open ON decision (id) WHERE done = 0;
CREATE INDEX held_leaves ON held (leaves) WHERE leaves > 0;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('held',7);
INSERT INTO "sqlite_sequence" VALUES('decision',4);
INSERT INTO "sqlite_sequence" VALUES('history',5);
COMMIT;
