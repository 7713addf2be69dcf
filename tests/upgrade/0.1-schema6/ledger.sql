PRAGMA application_id = 1382238052;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE agent ( one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, running INTEGER NOT NULL, steady INTEGER NOT NULL, expired INTEGER NOT NULL);
INSERT INTO "agent" VALUES(1,0,0,0,0);
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1796005348578337);
INSERT INTO "approval" VALUES(5,'root',0,1796005349149807);
CREATE TABLE decision ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')), way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')), who TEXT, uid INTEGER NOT NULL DEFAULT 0, reason TEXT, at INTEGER NOT NULL, seal BLOB, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, words TEXT);
INSERT INTO "decision" VALUES(1,2,'release','command','root',0,'agreed with care',1796005348569327,X'165798B33024984F17228F87FA2FE9E7D05C908CB38AB1CE844971E324139066',1796005348569327,5681,1796005348691175,0,'released');
INSERT INTO "decision" VALUES(2,3,'return','command','root',0,'agreed with care',1796005348837603,X'61EF78A6286379A68BC33FC4C46D8C700E421A49FD9E54BE0E3AA9D86AEB3293',1796005348837603,5712,1796005348942897,0,'returned to its sender');
INSERT INTO "decision" VALUES(3,4,'delete','command','root',0,'agreed with care',1796005349013989,X'25AA607F2D2AA1AAE520E1E329D970843E9CE8CCFF7D3223A6FFD642B13E3B65',1796005349013989,5760,1796005349046457,0,'deleted');
INSERT INTO "decision" VALUES(4,5,'release','command','root',0,'the first of two',1796005349143970,X'F15A6A0AF00493ED97EEEDE103ACC7DF19805693D29BA1065110599065A647F1',1796005349143970,5783,1796005349153625,0,'approved, 1 of 2: it stays on hold until another reviewer releases it too');
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT, way TEXT, leaves INTEGER NOT NULL DEFAULT 0, stopped TEXT, sent_by TEXT, expire INTEGER, expire_action TEXT CHECK (expire_action IN ('return', 'delete')), announced INTEGER NOT NULL DEFAULT 0, inside TEXT, opaque INTEGER NOT NULL DEFAULT 0);
INSERT INTO "held" VALUES(1,'4jd78N2Pl2z1dbc5','postfix',1796005348334364,1796005348347995,'test.1.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',30,'wide Cc: 23 addresses, 23 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',23,23,14,0,0,23,0,1,'care@me.example','held',1796005348542500,1796005348000000,NULL,0,0,0,NULL,NULL,864,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(2,'4jd78N3MV0z1dbc6','postfix',1796005348474065,1796005348492135,'test.2.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','released',1796005348665229,1796005348000000,'root',0,1796005348665229,0,'agreed with care',NULL,593,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(3,'4jd78N514Yz1dbc6','postfix',1796005348705532,1796005348708671,'test.3.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','returned',1796005348931668,1796005348000000,'root',0,1796005348931668,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(4,'4jd78N6tSXz1dbZx','postfix',1796005348961401,1796005348981673,'test.4.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','deleted',1796005349045262,1796005348000000,'root',0,1796005349045262,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(5,'4jd78P0RMHz1dbZx','postfix',1796005349062342,1796005349071575,'test.5.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-ei69_eca','two',14,'11 outside parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',11,11,11,0,0,11,0,2,'care@me.example','held',1796005349104989,1796005349000000,NULL,0,0,0,NULL,NULL,608,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(6,'4jd78P18fMz1dbcN','postfix',1796005349163200,1796005349166723,'test.6.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-ei69_eca','fields',10,'3 people in a field','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',2,2,2,0,0,2,0,1,'care@me.example','held',1796005349236855,1796005349000000,NULL,0,0,0,NULL,NULL,458,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'header:3/2',0);
INSERT INTO "held" VALUES(7,'4jd78P1JzYz1dbcP','postfix',1796005349181306,1796005349204682,'test.7.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-ei69_eca','wide-cc',30,'wide Cc: 13 addresses, 13 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',13,13,13,0,0,13,0,1,'care@me.example','left',1796005349373694,1796005349000000,NULL,0,0,0,NULL,NULL,635,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
INSERT INTO "held" VALUES(8,'4jd78P2tMLz1dbcP','postfix',1796005349406147,1796005349409221,'test.8.of.rcptguard-test-ei69_eca@me.example','care@me.example',NULL,'127.0.0.1','test 8 of rcptguard-test-ei69_eca','wide-cc',30,'wide Cc: 10 addresses, 10 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',10,10,10,0,0,10,0,1,'care@me.example','pending',1796005349409221,0,NULL,0,0,0,NULL,NULL,0,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT, way TEXT);
INSERT INTO "history" VALUES(1,2,1796005348665229,'root',0,'release','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(2,3,1796005348931668,'root',0,'return','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(3,4,1796005349045262,'root',0,'delete','agreed with care',NULL,'command');
INSERT INTO "history" VALUES(4,5,1796005349149807,'root',0,'approve','the first of two',NULL,'command');
INSERT INTO "history" VALUES(5,7,1796005349373694,NULL,0,'left',NULL,NULL,NULL);
CREATE TABLE inside_test ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, test TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (held, test));
INSERT INTO "inside_test" VALUES(6,'visible(external) inside header("X-To")',3);
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
INSERT INTO "party" VALUES(6,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust11.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust12.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust13.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(7,'other','cust9.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust1.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust10.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust2.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust3.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust4.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust5.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust6.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust7.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust8.example',0,1,1);
INSERT INTO "party" VALUES(8,'other','cust9.example',0,1,1);
CREATE TABLE policy ( digest TEXT PRIMARY KEY, text TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
INSERT INTO "policy" VALUES('67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c','version 1
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

rule fields {
    when visible(external) inside header("X-To") >= 3
    quarantine "{inside} people in a field"
}

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
',1796005348316071,1796005348316071);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,6854375941595156141,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA693629542038AFB3753A945AAFE7FC313498259A51F247C84D97FCD5F7F26BEB8C5E1D97729BAAF0AB11B377C5A1161CC387A93AF227796B8A9B56ECACB2F40C040EAA9B5C8D1A66FECED0B03DA4D7C41F3CE104542E05AACBDA8B57E18BD11C06E8899EE6F31CF3AAA934894919E08B','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,1295838704370539705,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886DDEA1AB754097F36899CDDF1BF28AD437','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,0,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886DDEA1AB754097F36899CDDF1BF28AD437','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(4,0,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886DDEA1AB754097F36899CDDF1BF28AD437','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(5,0,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886DDEA1AB754097F368','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,0,0,X'703E316880826D4D05824F18E5CBB864','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,-971735496082535952,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886DDEA1AB754097F36899CDDF1BF28AD437C386871DC18D66DA','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(8,0,0,X'703E316880826D4D05824F18E5CBB8644DD6EBB589290502E42E12CB8EBE606543104FCA6DC432B781539B23CD6C6C6746A38982FABDF765A4623A652E5ACAC4A7740F80444D97FA30C32398288A886D','yes',NULL,NULL,NULL);
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
INSERT INTO "sqlite_sequence" VALUES('held',8);
INSERT INTO "sqlite_sequence" VALUES('decision',4);
INSERT INTO "sqlite_sequence" VALUES('history',5);
COMMIT;
