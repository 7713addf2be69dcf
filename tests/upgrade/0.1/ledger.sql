PRAGMA application_id = 1382238052;
PRAGMA user_version = 7;
BEGIN TRANSACTION;
CREATE TABLE agent ( one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, running INTEGER NOT NULL, steady INTEGER NOT NULL, expired INTEGER NOT NULL);
INSERT INTO "agent" VALUES(1,0,0,0,0);
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1796037344650299);
INSERT INTO "approval" VALUES(5,'root',0,1796037345227878);
CREATE TABLE decision ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')), way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')), who TEXT, uid INTEGER NOT NULL DEFAULT 0, reason TEXT, at INTEGER NOT NULL, seal BLOB, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, words TEXT, fleet INTEGER, origin TEXT, node TEXT);
INSERT INTO "decision" VALUES(1,2,'release','command','root',0,'agreed with care',1796037344630507,X'2BA34F5B182D28764424D3B55BDFA8DC4F866B1878EE7AAC2EBBC8072DC57361',1796037344630507,920,1796037344731701,0,'released',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(2,3,'return','command','root',0,'agreed with care',1796037344870630,X'89E6DE87D26C34D9CC5F5BACFF96729D027B5F1EF1513B1732BC47651D9B7A4B',1796037344870630,991,1796037345004536,0,'returned to its sender',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(3,4,'delete','command','root',0,'agreed with care',1796037345068215,X'BBF27679BFE4984826706B5681ADF3D5A6E5F7A0CC5F5BF7DD832E3E86B2CA19',1796037345068215,1051,1796037345137220,0,'deleted',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(4,5,'release','command','root',0,'the first of two',1796037345227546,X'FF4F6A7DB055C86D65C588A56D3B7A036DF9C3C419CDC7CB43F97702734D4312',1796037345227546,1133,1796037345231753,0,'approved, 1 of 2: it stays on hold until another reviewer releases it too',NULL,NULL,NULL);
CREATE TABLE fleet ( one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT, published TEXT);
INSERT INTO "fleet" VALUES(1,NULL,NULL);
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT, way TEXT, leaves INTEGER NOT NULL DEFAULT 0, stopped TEXT, sent_by TEXT, expire INTEGER, expire_action TEXT CHECK (expire_action IN ('return', 'delete')), announced INTEGER NOT NULL DEFAULT 0, inside TEXT, opaque INTEGER NOT NULL DEFAULT 0, node TEXT, instance TEXT);
INSERT INTO "held" VALUES(1,'4jdLzh3KTmz1d9bm','postfix',1796037344464710,1796037344478352,'test.1.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',30,'wide Cc: 23 addresses, 23 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',23,23,14,0,0,23,0,1,'care@me.example','held',1796037344601448,1796037344000000,NULL,0,0,0,NULL,NULL,864,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(2,'4jdLzh3jS2z1d9bp','postfix',1796037344521932,1796037344541112,'test.2.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','released',1796037344729625,1796037344000000,'root',0,1796037344729625,0,'agreed with care',NULL,593,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(3,'4jdLzh5FCwz1d9br','postfix',1796037344738410,1796037344745630,'test.3.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','returned',1796037344992273,1796037344000000,'root',0,1796037344992273,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(4,'4jdLzj0Cntz1d9br','postfix',1796037345030304,1796037345033844,'test.4.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','deleted',1796037345078593,1796037345000000,'root',0,1796037345078593,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(5,'4jdLzj13bWz1d9br','postfix',1796037345145606,1796037345161426,'test.5.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-2q07b5ma','two',14,'11 outside parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',11,11,11,0,0,11,0,2,'care@me.example','held',1796037345197828,1796037345000000,NULL,0,0,0,NULL,NULL,608,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(6,'4jdLzj1hbWz1d9by','postfix',1796037345239020,1796037345240752,'test.6.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-2q07b5ma','fields',10,'3 people in a field','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',2,2,2,0,0,2,0,1,'care@me.example','held',1796037345359451,1796037345000000,NULL,0,0,0,NULL,NULL,458,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'header:3/2',0,NULL,NULL);
INSERT INTO "held" VALUES(7,'4jdLzj1r6qz1d9c0','postfix',1796037345258488,1796037345262750,'test.7.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-2q07b5ma','wide-cc',30,'wide Cc: 13 addresses, 13 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',13,13,13,0,0,13,0,1,'care@me.example','left',1796037345482950,1796037345000000,NULL,0,0,0,NULL,NULL,635,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(8,'4jdLzj3hXgz1d9c0','postfix',1796037345518532,1796037345527728,'test.8.of.rcptguard-test-2q07b5ma@me.example','care@me.example',NULL,'127.0.0.1','test 8 of rcptguard-test-2q07b5ma','wide-cc',30,'wide Cc: 10 addresses, 10 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',10,10,10,0,0,10,0,1,'care@me.example','pending',1796037345527728,0,NULL,0,0,0,NULL,NULL,0,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT, way TEXT, node TEXT);
INSERT INTO "history" VALUES(1,2,1796037344729625,'root',0,'release','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(2,3,1796037344992273,'root',0,'return','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(3,4,1796037345078593,'root',0,'delete','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(4,5,1796037345227878,'root',0,'approve','the first of two',NULL,'command',NULL);
INSERT INTO "history" VALUES(5,7,1796037345482950,NULL,0,'left',NULL,NULL,NULL,NULL);
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
',1796037344434804,1796037344434804);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,-316536634139246121,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A87DEB227F0B6F5293C6FA11A6929DB721792BD7DC1AFA217BDC44FEB5D61D5E8BEB34DC126055CFC94DC67887F63574292C6960B1F7DB08F65C95DE98DB74562B0598F3CEED0E4A5FA8BD8B5D07819A3C5352A249EFE81F42B8F77324A3C2D8518F9C1739421DB9D27F1E701E6A5770848','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,-390899207035144315,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E81F7B7F502C8311E450D0CE0FBAF13E0','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,0,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E81F7B7F502C8311E450D0CE0FBAF13E0','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(4,0,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E81F7B7F502C8311E450D0CE0FBAF13E0','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(5,0,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E81F7B7F502C8311E','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,0,0,X'5F87F622CFAEE15386460FAD9DF04945','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,-2527281544705905856,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E81F7B7F502C8311E450D0CE0FBAF13E053AA66E034E37905','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(8,0,0,X'5F87F622CFAEE15386460FAD9DF0494532782809207BD3A0B1A0B0B4CE43ECB67EB89A99D172428A7FF8E38124830BC718DD1A53F49043ABF354C40A5A16938C7F7CCEA4DBBA5A876276B7E4ED49D01E','yes',NULL,NULL,NULL);
CREATE TABLE unpublished ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, mark INTEGER NOT NULL);
INSERT INTO "unpublished" VALUES(1,4707136231755366170);
INSERT INTO "unpublished" VALUES(2,-5181071153590106454);
INSERT INTO "unpublished" VALUES(3,6653417410750556147);
INSERT INTO "unpublished" VALUES(4,-5225098053736313002);
INSERT INTO "unpublished" VALUES(5,2228327063868115713);
INSERT INTO "unpublished" VALUES(6,8157937840044658409);
INSERT INTO "unpublished" VALUES(7,-5859351801926894180);
INSERT INTO "unpublished" VALUES(8,-5115669067308452957);
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
CREATE UNIQUE INDEX decision_origin ON decision (origin) WHERE origin IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('held',8);
INSERT INTO "sqlite_sequence" VALUES('decision',4);
INSERT INTO "sqlite_sequence" VALUES('history',5);
COMMIT;
