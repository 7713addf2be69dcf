PRAGMA application_id = 1382238052;
PRAGMA user_version = 7;
BEGIN TRANSACTION;
CREATE TABLE agent ( one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, running INTEGER NOT NULL, steady INTEGER NOT NULL, expired INTEGER NOT NULL);
INSERT INTO "agent" VALUES(1,0,0,0,0);
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1796037690571571);
INSERT INTO "approval" VALUES(5,'root',0,1796037691428678);
CREATE TABLE decision ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')), way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')), who TEXT, uid INTEGER NOT NULL DEFAULT 0, reason TEXT, at INTEGER NOT NULL, seal BLOB, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, words TEXT, fleet INTEGER, origin TEXT, node TEXT);
INSERT INTO "decision" VALUES(1,2,'release','command','root',0,'agreed with care',1796037690539365,X'276A49A00E32F48B92F4420E70E0E4EFFED60FBDF60EE1F74EDF3082271CE6DC',1796037690539365,8803,1796037690719217,0,'released',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(2,3,'return','command','root',0,'agreed with care',1796037690927267,X'DA3FC5998BBE68C53A31E252C286F0BF4375AE759AF059183659B8170971E07B',1796037690927267,8856,1796037691018639,0,'returned to its sender',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(3,4,'delete','command','root',0,'agreed with care',1796037691231632,X'2D5A12B2FCB7070C781D657BCA7F5568816DEA090C040CBBAB8B0E4216AB0659',1796037691231632,8929,1796037691285407,0,'deleted',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(4,5,'release','command','root',0,'the first of two',1796037691425998,X'35161796C3B26435966F6D374553597A39A0C93E866CA2C7A47C59238B0AD2A5',1796037691425998,8970,1796037691446528,0,'approved, 1 of 2: it stays on hold until another reviewer releases it too',NULL,NULL,NULL);
CREATE TABLE fleet ( one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT, published TEXT);
INSERT INTO "fleet" VALUES(1,NULL,NULL);
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT, way TEXT, leaves INTEGER NOT NULL DEFAULT 0, stopped TEXT, sent_by TEXT, expire INTEGER, expire_action TEXT CHECK (expire_action IN ('return', 'delete')), announced INTEGER NOT NULL DEFAULT 0, inside TEXT, opaque INTEGER NOT NULL DEFAULT 0, node TEXT, instance TEXT);
INSERT INTO "held" VALUES(1,'4jdM6L2PWgz1ddVH','postfix',1796037690332948,1796037690346645,'test.1.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',30,'wide Cc: 23 addresses, 23 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',23,23,14,0,0,23,0,1,'care@me.example','held',1796037690491824,1796037690000000,NULL,0,0,0,NULL,NULL,864,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(2,'4jdM6L2lylz1ddlv','postfix',1796037690387974,1796037690403200,'test.2.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','released',1796037690710436,1796037690000000,'root',0,1796037690710436,0,'agreed with care',NULL,593,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(3,'4jdM6L5DkKz1ddT2','postfix',1796037690735832,1796037690744471,'test.3.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','returned',1796037691014185,1796037690000000,'root',0,1796037691014185,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(4,'4jdM6M0KdYz1dbWr','postfix',1796037691047163,1796037691070620,'test.4.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','deleted',1796037691281331,1796037691000000,'root',0,1796037691281331,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(5,'4jdM6M2CB1z1dcrj','postfix',1796037691310477,1796037691313256,'test.5.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-sd72jpf4','two',14,'11 outside parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',11,11,11,0,0,11,0,2,'care@me.example','held',1796037691361980,1796037691000000,NULL,0,0,0,NULL,NULL,608,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(6,'4jdM6M3NFVz1dcR3','postfix',1796037691475753,1796037691480444,'test.6.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-sd72jpf4','fields',10,'3 people in a field','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',2,2,2,0,0,2,0,1,'care@me.example','held',1796037691622607,1796037691000000,NULL,0,0,0,NULL,NULL,458,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'header:3/2',0,NULL,NULL);
INSERT INTO "held" VALUES(7,'4jdM6M3jcDz1ddlL','postfix',1796037691518354,1796037691533914,'test.7.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-sd72jpf4','wide-cc',30,'wide Cc: 13 addresses, 13 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',13,13,13,0,0,13,0,1,'care@me.example','left',1796037691760389,1796037691000000,NULL,0,0,0,NULL,NULL,635,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
INSERT INTO "held" VALUES(8,'4jdM6M5ffkz1dcRD','postfix',1796037691793522,1796037691805817,'test.8.of.rcptguard-test-sd72jpf4@me.example','care@me.example',NULL,'127.0.0.1','test 8 of rcptguard-test-sd72jpf4','wide-cc',30,'wide Cc: 10 addresses, 10 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',10,10,10,0,0,10,0,1,'care@me.example','pending',1796037691805817,0,NULL,0,0,0,NULL,NULL,0,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL,NULL);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT, way TEXT, node TEXT);
INSERT INTO "history" VALUES(1,2,1796037690710436,'root',0,'release','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(2,3,1796037691014185,'root',0,'return','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(3,4,1796037691281331,'root',0,'delete','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(4,5,1796037691428678,'root',0,'approve','the first of two',NULL,'command',NULL);
INSERT INTO "history" VALUES(5,7,1796037691760389,NULL,0,'left',NULL,NULL,NULL,NULL);
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
',1796037690257004,1796037690257004);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,-5447971503632966152,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE581FA44088F64805FD0A5C10B927DE5E8189A3FF5E36A5250F26EF6B45AD0847DCF97480A77DF050FBC4F8C134351736B3A9B57D2D0695F0378B2104680EA51BDB0CF95B16769BD84C6789EFB8E80877F982FBA628104BE92FFA94184CFB16B7DEFF1C9588E134E9202AFC2AE025D29D9','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,6699402327926186215,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BEF49A208CB1EE09E5468692FB094B0F25','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,0,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BEF49A208CB1EE09E5468692FB094B0F25','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(4,0,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BEF49A208CB1EE09E5468692FB094B0F25','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(5,0,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BEF49A208CB1EE09E5','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,0,0,X'E90DB8C110B2A9C708319D6C0F874F55','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,-5904175188120442744,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BEF49A208CB1EE09E5468692FB094B0F2589BC8E662C6B922A','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(8,0,0,X'E90DB8C110B2A9C708319D6C0F874F55680546265A4AA0B9FEB3722FD69E814166CB984F82EF36E6B7CD3EA02416646FF66D390087900C2705AE3C5064EC2D72EDE926B59F1C8BE5AA0DF193F595E7BE','yes',NULL,NULL,NULL);
CREATE TABLE unpublished ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, mark INTEGER NOT NULL);
INSERT INTO "unpublished" VALUES(1,221607512155199304);
INSERT INTO "unpublished" VALUES(2,-4327407743670999004);
INSERT INTO "unpublished" VALUES(3,-3706534308555602179);
INSERT INTO "unpublished" VALUES(4,6320453114174514818);
INSERT INTO "unpublished" VALUES(5,3654442891637056346);
INSERT INTO "unpublished" VALUES(6,-1799570813259667036);
INSERT INTO "unpublished" VALUES(7,6990960205669542193);
INSERT INTO "unpublished" VALUES(8,-2634815364349687189);
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
