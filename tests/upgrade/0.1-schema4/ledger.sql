PRAGMA application_id = 1382238052;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE approval ( held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, login TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (held, login));
INSERT INTO "approval" VALUES(2,'root',0,1795989982449238);
INSERT INTO "approval" VALUES(5,'root',0,1795989982777455);
CREATE TABLE held ( id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, mta TEXT NOT NULL, began INTEGER NOT NULL, judged INTEGER NOT NULL, message_id TEXT, sender TEXT NOT NULL, user TEXT, client TEXT, subject TEXT, rule TEXT NOT NULL, line INTEGER NOT NULL, text TEXT, policy TEXT NOT NULL REFERENCES policy (digest), visible INTEGER NOT NULL, parties INTEGER NOT NULL, domains INTEGER NOT NULL, internal INTEGER NOT NULL, hidden INTEGER NOT NULL, recipients INTEGER NOT NULL, defects INTEGER NOT NULL, approvals INTEGER NOT NULL, author TEXT, state TEXT NOT NULL CHECK (state IN ('pending', 'held', 'releasing', 'returning', 'deleting',  'released', 'returned', 'deleted', 'left', 'not-queued')), changed INTEGER NOT NULL, arrival INTEGER NOT NULL DEFAULT 0, who TEXT, uid INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0, process INTEGER NOT NULL DEFAULT 0, reason TEXT, requeued TEXT, size INTEGER NOT NULL DEFAULT 0, former TEXT);
INSERT INTO "held" VALUES(1,'4jd1St2grwz1d0tq','postfix',1795989982345551,1795989982395089,'test.1.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','Your complaint of 3 May','wide-cc',26,'wide Cc: 23 addresses, 23 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',23,23,14,0,0,23,0,1,'care@me.example','held',1795989982443496,1795989982000000,NULL,0,0,0,NULL,NULL,864,NULL);
INSERT INTO "held" VALUES(2,'4jd1St2vdVz1d0pZ','postfix',1795989982408871,1795989982418014,'test.2.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','To be release','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','released',1795989982482384,1795989982000000,'root',0,1795989982482384,0,'agreed with care',NULL,593,NULL);
INSERT INTO "held" VALUES(3,'4jd1St3W8Bz1d0vS','postfix',1795989982493124,1795989982497792,'test.3.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','To be return','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','returned',1795989982607648,1795989982000000,'root',0,1795989982607648,0,'agreed with care',NULL,592,NULL);
INSERT INTO "held" VALUES(4,'4jd1St4VNlz1d0bG','postfix',1795989982628364,1795989982637122,'test.4.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','To be delete','wide-cc',26,'wide Cc: 12 addresses, 12 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',12,12,12,0,0,12,0,1,'care@me.example','deleted',1795989982701176,1795989982000000,'root',0,1795989982701176,0,'agreed with care',NULL,592,NULL);
INSERT INTO "held" VALUES(5,'4jd1St53xmz1d0bG','postfix',1795989982711975,1795989982741960,'test.5.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','test 5 of rcptguard-test-y2qpgiub','two',10,'11 outside parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',11,11,11,0,0,11,0,2,'care@me.example','held',1795989982756138,1795989982000000,NULL,0,0,0,NULL,NULL,608,NULL);
INSERT INTO "held" VALUES(6,'4jd1St60c9z1d0pd','postfix',1795989982844624,1795989982848188,'test.6.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','test 6 of rcptguard-test-y2qpgiub','wide-cc',26,'wide Cc: 13 addresses, 13 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',13,13,13,0,0,13,0,1,'care@me.example','left',1795989982918374,1795989982000000,NULL,0,0,0,NULL,NULL,635,NULL);
INSERT INTO "held" VALUES(7,'4jd1St6nrLz1d0pd','postfix',1795989982955928,1795989982959562,'test.7.of.rcptguard-test-y2qpgiub@me.example','care@me.example',NULL,'127.0.0.1','test 7 of rcptguard-test-y2qpgiub','wide-cc',26,'wide Cc: 10 addresses, 10 parties','69cefa2b62df2888934f7dcf41b5dfe896539185ccbc7118926b259666383117',10,10,10,0,0,10,0,1,'care@me.example','pending',1795989982959562,0,NULL,0,0,0,NULL,NULL,0,NULL);
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, held INTEGER NOT NULL REFERENCES held (id) ON DELETE CASCADE, at INTEGER NOT NULL, who TEXT, uid INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL, reason TEXT, detail TEXT);
INSERT INTO "history" VALUES(1,2,1795989982482384,'root',0,'release','agreed with care',NULL);
INSERT INTO "history" VALUES(2,3,1795989982607648,'root',0,'return','agreed with care',NULL);
INSERT INTO "history" VALUES(3,4,1795989982701176,'root',0,'delete','agreed with care',NULL);
INSERT INTO "history" VALUES(4,5,1795989982777455,'root',0,'approve','the first of two',NULL);
INSERT INTO "history" VALUES(5,6,1795989982918374,NULL,0,'left',NULL,NULL);
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
',1795989982315865,1795989982315865);
CREATE TABLE remembered ( held INTEGER PRIMARY KEY REFERENCES held (id) ON DELETE CASCADE, record INTEGER NOT NULL, scope INTEGER NOT NULL, parties BLOB, known TEXT CHECK (known IN ('no', 'yes')), counted TEXT, within INTEGER, due TEXT CHECK (due IN ('learn', 'withdraw')));
INSERT INTO "remembered" VALUES(1,1196118522652068487,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF5D6605D1F5B76B3A9B506128617466DA715E7D7E6F057E091F2B38BFE224BFC03464BC5103226CBC8709A1E7009B456090705945E29736332521C428DCB65B8DF2A67B8CC32E289980DE6D9EDFF0B99F6AE6E4C91FBBF74C4BB0E1BFB9A519872F6CCF1AB1E0EB891D594632E3E5266E','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(2,6250025314761221653,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D814E5AF0EF38D2934C3CD5F489CA417B6D','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(3,6318750201726010875,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D814E5AF0EF38D2934C3CD5F489CA417B6D','no',NULL,NULL,'withdraw');
INSERT INTO "remembered" VALUES(4,-6328714793646159711,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D814E5AF0EF38D2934C3CD5F489CA417B6D','no',NULL,NULL,'withdraw');
INSERT INTO "remembered" VALUES(5,-5613127681922721145,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D814E5AF0EF38D2934C','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(6,-3573233211363037547,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D814E5AF0EF38D2934C3CD5F489CA417B6D4ECAB7A090D9222E','no',NULL,NULL,NULL);
INSERT INTO "remembered" VALUES(7,5292467678688842439,0,X'1E9949B40426BB5FA6045C9CEDD8D963E8459D58634D942371B9A14D79BA7D52B60AB00FBEB08590E3B2510D1B3CBCEFA8DF418E5969A30341DF8A2AF1EDC8FE7CB4D0DB919AD6AF95349B0BDF8E8D81','no',NULL,NULL,NULL);
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('held',7);
INSERT INTO "sqlite_sequence" VALUES('history',5);
COMMIT;
