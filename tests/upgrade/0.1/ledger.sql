PRAGMA application_id = 1382238052;
PRAGMA user_version = 7;
BEGIN TRANSACTION;
CREATE TABLE agent ( one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, running INTEGER NOT NULL, steady INTEGER NOT NULL, expired INTEGER NOT NULL);
INSERT INTO "agent" VALUES(1,0,0,0,0);
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1796034515542762);
INSERT INTO "approval" VALUES(5,'root',0,1796034515809777);
CREATE TABLE decision ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, action TEXT NOT NULL CHECK (action IN ('release', 'return', 'delete')), way TEXT NOT NULL CHECK (way IN ('command', 'author', 'reviewer', 'expiry', 'delay')), who TEXT, uid INTEGER NOT NULL DEFAULT 0, reason TEXT, at INTEGER NOT NULL, seal BLOB, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, words TEXT, fleet INTEGER, origin TEXT, node TEXT);
INSERT INTO "decision" VALUES(1,2,'release','command','root',0,'agreed with care',1796034515531540,X'56445DC1D9611EB0FB70DBC5E8D812D8BEDD26519DEE34964B2FBD479F8D9089',1796034515531540,7393,1796034515598311,0,'released',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(2,3,'return','command','root',0,'agreed with care',1796034515623754,X'3A99FED1357E7858315A0FE8446DD960B94DA71E7701791CBFB019B320A77C87',1796034515623754,7427,1796034515676485,0,'returned to its sender',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(3,4,'delete','command','root',0,'agreed with care',1796034515761076,X'C2D8E3885979E665EBA3E96942C90B47E34833A999BD00C3B08FBB109BC3224B',1796034515761076,7450,1796034515771011,0,'deleted',NULL,NULL,NULL);
INSERT INTO "decision" VALUES(4,5,'release','command','root',0,'the first of two',1796034515798963,X'41DA1CCB3142A4817E0EB02B30275BB3EDA1B2FF8FF11CFB8C6A05760577F781',1796034515798963,7462,1796034515818531,0,'approved, 1 of 2: it stays on hold until another reviewer releases it too',NULL,NULL,NULL);
CREATE TABLE fleet ( one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT, published TEXT);
INSERT INTO "fleet" VALUES(1,NULL,NULL);
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT, way TEXT, leaves INTEGER NOT NULL DEFAULT 0, stopped TEXT, sent_by TEXT, expire INTEGER, expire_action TEXT CHECK (expire_action IN ('return', 'delete')), announced INTEGER NOT NULL DEFAULT 0, inside TEXT, opaque INTEGER NOT NULL DEFAULT 0, node TEXT);
INSERT INTO "held" VALUES(1,'4jdKxH3Bxpz1d9JM','postfix',1796034515446903,1796034515457682,'test.1.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',30,'wide Cc: 23 addresses, 23 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',23,23,14,0,0,23,0,1,'care@me.example','held',1796034515486176,1796034515000000,NULL,0,0,0,NULL,NULL,864,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(2,'4jdKxH3LVXz1d9JN','postfix',1796034515471557,1796034515474573,'test.2.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','released',1796034515593201,1796034515000000,'root',0,1796034515593201,0,'agreed with care',NULL,593,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(3,'4jdKxH4HBWz1d9JT','postfix',1796034515603213,1796034515605630,'test.3.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','returned',1796034515675753,1796034515000000,'root',0,1796034515675753,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(4,'4jdKxH4vQRz1d9Jc','postfix',1796034515686275,1796034515692757,'test.4.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',30,'wide Cc: 12 addresses, 12 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',12,12,12,0,0,12,0,1,'care@me.example','deleted',1796034515770148,1796034515000000,'root',0,1796034515770148,0,'agreed with care',NULL,592,NULL,'command',0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(5,'4jdKxH5VJSz1d9JT','postfix',1796034515773909,1796034515776168,'test.5.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-ggkzpola','two',14,'11 outside parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',11,11,11,0,0,11,0,2,'care@me.example','held',1796034515789260,1796034515000000,NULL,0,0,0,NULL,NULL,608,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(6,'4jdKxH5sfFz1d9Jb','postfix',1796034515825946,1796034515830627,'test.6.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-ggkzpola','fields',10,'3 people in a field','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',2,2,2,0,0,2,0,1,'care@me.example','held',1796034515851922,1796034515000000,NULL,0,0,0,NULL,NULL,458,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'header:3/2',0,NULL);
INSERT INTO "held" VALUES(7,'4jdKxH5xlvz1d9Jc','postfix',1796034515837368,1796034515839930,'test.7.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-ggkzpola','wide-cc',30,'wide Cc: 13 addresses, 13 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',13,13,13,0,0,13,0,1,'care@me.example','left',1796034515896501,1796034515000000,NULL,0,0,0,NULL,NULL,635,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
INSERT INTO "held" VALUES(8,'4jdKxH6WsGz1d9Jc','postfix',1796034515918636,1796034515921191,'test.8.of.rcptguard-test-ggkzpola@me.example','care@me.example',NULL,'127.0.0.1','test 8 of rcptguard-test-ggkzpola','wide-cc',30,'wide Cc: 10 addresses, 10 parties','67f453d5e2d581311a034cf42c65139bf1574defc34825236efde38b851c4d3c',10,10,10,0,0,10,0,1,'care@me.example','pending',1796034515921191,0,NULL,0,0,0,NULL,NULL,0,NULL,NULL,0,NULL,'sender:care@me.example',NULL,NULL,0,'none',0,NULL);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT, way TEXT, node TEXT);
INSERT INTO "history" VALUES(1,2,1796034515593201,'root',0,'release','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(2,3,1796034515675753,'root',0,'return','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(3,4,1796034515770148,'root',0,'delete','agreed with care',NULL,'command',NULL);
INSERT INTO "history" VALUES(4,5,1796034515809777,'root',0,'approve','the first of two',NULL,'command',NULL);
INSERT INTO "history" VALUES(5,7,1796034515896501,NULL,0,'left',NULL,NULL,NULL,NULL);
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
',1796034515426131,1796034515426131);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,-3002093645889305897,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595E34CE0C7CAE7811CFB0F8FED541C071EC234F87FB7FB593BC594E9DDCE3166AB00F4A53E6401893C07DE12883A9512280EFC54486DC5F0C2EED4D4915B4DB295EE3D2E643A096F2487E85BB205E14925B527E2A35A6C3864450F8E7AB0076BAA255336949ADF4AF6EB5D231A8B73E7239','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,-8727146784654832180,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F91BF07731908A1C86B3CB8A27E7DD476E','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,0,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F91BF07731908A1C86B3CB8A27E7DD476E','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(4,0,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F91BF07731908A1C86B3CB8A27E7DD476E','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(5,0,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F91BF07731908A1C86','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,0,0,X'24A6B6622193399F16911DC9BDD33561','yes',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,1368294394135178349,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F91BF07731908A1C86B3CB8A27E7DD476E4203C853790FC8CF','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(8,0,0,X'24A6B6622193399F16911DC9BDD33561C08E01D40136D3778A78FA63B61FB29A691A235D6DEE8BF16327E27402EEE5020F285FAEF3F8DEA161566CB2200D31A88D39FC808571595ECC4FD5557D6550F9','yes',NULL,NULL,NULL);
CREATE TABLE unpublished ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, mark INTEGER NOT NULL);
INSERT INTO "unpublished" VALUES(1,-7363472681415701590);
INSERT INTO "unpublished" VALUES(2,-3466201432463185733);
INSERT INTO "unpublished" VALUES(3,-5104564926733426380);
INSERT INTO "unpublished" VALUES(4,4741306486880833540);
INSERT INTO "unpublished" VALUES(5,2014682578463255366);
INSERT INTO "unpublished" VALUES(6,1324955236761924069);
INSERT INTO "unpublished" VALUES(7,-4952493329709244818);
INSERT INTO "unpublished" VALUES(8,-8726831442618903198);
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
