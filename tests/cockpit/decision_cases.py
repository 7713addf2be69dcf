"""What becomes of a message: released, returned, deleted, by one or two reviewers, by several at once, by somebody else meanwhile."""

import chrome
import mailhost
import pagecase

ELLIPSIS = "\u2026"
RELEASE, RETURN, DELETE = "Release" + ELLIPSIS, "Return" + ELLIPSIS, "Delete" + ELLIPSIS


class Decisions(pagecase.PageCase):
    def test_release(self):
        """looked at, and released with a reason: the mail is delivered, and the reason recorded"""
        queue_id = mailhost.hold("Price list 2027")
        row = self.page.row_text(queue_id)
        for words in "wide-cc", "care@corp.example", "Price list 2027", "12":
            self.assertIn(words, row)
        self.page.follow(queue_id)
        self.page.wait_text("#message", queue_id)
        self.page.wait_text("#message-why", "wide Cc: 12 addresses, 12 parties")
        self.assertIn("12", self.page.text("#message-picture"))
        self.assertIn("Price list 2027", self.page.text("#message-headers"))
        self.page.wait_text("#message-text", "The new price list is attached.")
        self.page.shot("message")
        self.assertIn(queue_id, self.page.ask(RELEASE) + self.page.text("#message"))
        self.page.shot("dialog")
        self.page.give_reason("called care: all are on the list")
        self.page.confirm()
        self.assertDelivered("Price list 2027")
        self.assertEqual(mailhost.wait_decided(queue_id), [("alice", "release", "called care: all are on the list", None)])
        self.page.until(lambda: queue_id + ": released" in self.page.text("body") or "released" in self.page.text("#message"), "the page says that it is released")
        self.page.list()
        self.page.wait_rows()

    def test_no_reason(self):
        """without a reason nothing happens, and it is said"""
        queue_id = mailhost.hold("Without a reason")
        self.page.look(queue_id)
        self.page.ask(RELEASE)
        self.page.find("#decide-confirm").click()
        if self.page.script("return document.querySelector('#decide-reason').checkValidity()"):
            self.page.wait_text("#decide-said", "(?i)reason")
        self.assertTrue(self.page.visible("#decide"))
        self.assertIn(queue_id, mailhost.held())
        self.assertEqual(mailhost.decided(queue_id), [])
        self.page.find("#decide-cancel").click()
        self.page.until(lambda: not self.page.visible("#decide"), "the dialog is closed")

    def test_cancel(self):
        """Escape closes the dialog, and nothing is decided; the focus is where it was"""
        queue_id = mailhost.hold("Not yet")
        self.page.look(queue_id)
        self.page.ask(DELETE)
        self.page.keys("a reason", chrome.Keys.ESCAPE)
        self.page.until(lambda: not self.page.visible("#decide"), "the dialog is closed")
        self.page.until(lambda: self.page.driver.switch_to.active_element.text == DELETE, "the focus is where it was")
        self.assertEqual((mailhost.decided(queue_id), queue_id in mailhost.held()), ([], True))

    def test_return(self):
        """returned: its sender reads the reason in a mail, and nobody else has it"""
        queue_id = mailhost.hold("Please use Bcc")
        self.page.look(queue_id)
        self.page.decide(RETURN, "put them in Bcc next time")
        mailhost.until(lambda: mailhost.returned("care@corp.example", "put them in Bcc next time"), "the sender's mail")
        mailhost.until(lambda: queue_id not in mailhost.held(), "it has left")
        self.assertEqual(mailhost.wait_decided(queue_id)[0][:3], ("alice", "return", "put them in Bcc next time"))
        self.assertEqual([each for each in mailhost.delivered("Please use Bcc") if each != "care@corp.example"], [])

    def test_delete(self):
        """deleted: nobody has it"""
        queue_id = mailhost.hold("Nonsense")
        self.page.look(queue_id)
        self.page.decide(DELETE, "looks like spam")
        mailhost.until(lambda: queue_id not in mailhost.held(), "it is gone")
        self.assertEqual(mailhost.wait_decided(queue_id)[0][:3], ("alice", "delete", "looks like spam"))
        self.assertEqual(mailhost.delivered("Nonsense"), [])

    def test_own(self):
        """one's own mail: the buttons of a release are disabled, with the words of rcptguardq"""
        queue_id = mailhost.hold("From alice", sender="alice@corp.example")
        said = mailhost.reviewer("alice", "release", "--reason", "mine", queue_id, code=4).partition(": ")[2].strip()
        self.page.look(queue_id)
        button = self.page.until(lambda: self.page.button(RELEASE, "#message-decide"), "the button is there")
        self.assertTrue(not button.is_enabled() or button.get_attribute("aria-disabled") == "true")
        self.assertIn(said.rpartition("rcptguardq: ")[2], self.page.text("#message"))
        self.page.shot("own-mail")
        self.assertIn(queue_id, mailhost.held())

    def test_two_reviewers(self):
        """the first approves and cannot approve again; the second releases; each sees the other's act without loading the page again"""
        queue_id = mailhost.hold("For two", sender="two@corp.example")
        with chrome.Reviewer("dave") as other:
            self.page.look(queue_id)
            other.look(queue_id)
            other.mark()
            self.page.decide(RELEASE, "first of two")
            mailhost.until(lambda: [each[1] for each in mailhost.decided(queue_id)] == ["approve"], "the approval is recorded")
            self.assertIn(queue_id, mailhost.held())
            other.until(lambda: "alice" in other.text("#message"), "dave sees that alice approved")
            self.assertTrue(other.loaded_once())
            said = mailhost.reviewer("alice", "release", "--reason", "again", queue_id, code=4).partition(": ")[2].strip()
            self.page.until(lambda: said in self.page.text("#message"), "alice reads why she cannot approve again")
            button = self.page.button(RELEASE, "#message-decide")
            self.assertTrue(button is None or not button.is_enabled() or button.get_attribute("aria-disabled") == "true")
            self.page.shot("approved-once")
            other.decide(RELEASE, "second of two")
            self.assertDelivered("For two")
            mailhost.until(lambda: mailhost.decided(queue_id)[-1][1] == "release", "the release is recorded")
            self.assertEqual([each[:3] for each in mailhost.decided(queue_id)], [("alice", "approve", "first of two"), ("dave", "approve", "second of two"), ("dave", "release", "second of two")])
            self.assertEqual(other.complaints(), [])

    def test_meanwhile(self):
        """what another reviewer decides, and new mail, appear without loading the page again"""
        first, second = mailhost.hold("Meanwhile 1"), mailhost.hold("Meanwhile 2")
        self.page.wait_rows(first, second)
        self.page.mark()
        mailhost.reviewer("dave", "delete", "--reason", "not needed", first)
        self.page.wait_rows(second)
        third = mailhost.hold("Meanwhile 3")
        self.page.wait_rows(second, third)
        self.page.look(second)
        mailhost.reviewer("dave", "release", "--reason", "all right", second)
        self.page.until(lambda: "released" in self.page.text("#message").lower() and "dave" in self.page.text("#message"), "the screen says who released it")
        button = self.page.button(RELEASE, "#message-decide")
        self.assertTrue(button is None or not button.is_enabled() or button.get_attribute("aria-disabled") == "true")
        self.assertTrue(self.page.loaded_once())

    def test_too_late(self):
        """somebody was quicker while the dialog was open: rcptguardq's words are shown, and nothing is done twice"""
        queue_id = mailhost.hold("Two at once")
        self.page.look(queue_id)
        self.page.ask(RELEASE)
        self.page.give_reason("fine")
        mailhost.reviewer("dave", "delete", "--reason", "spam", queue_id)
        found = self.page.visible("#decide-confirm")
        if found is not None and found.is_enabled():
            found.click()
        self.page.until(lambda: "was deleted by dave" in self.page.text("body"), "it says who was quicker")
        self.assertEqual([each[:2] for each in mailhost.decided(queue_id)], [("dave", "delete")])

    def test_several(self):
        """several are chosen, a summary says what will happen, and all of them are released with one reason"""
        held = [mailhost.hold("Several %d" % number) for number in range(5)]
        self.page.wait_rows(*held)
        self.page.choose(*held[:3])
        summary = self.page.ask(RELEASE, "#list-chosen")
        self.assertIn("3", summary)
        self.page.shot("several")
        self.page.give_reason("one reason for three")
        self.page.confirm()
        for number in range(3):
            self.assertDelivered("Several %d" % number)
            self.assertEqual([each[:3] for each in mailhost.wait_decided(held[number])], [("alice", "release", "one reason for three")])
        self.assertEqual(sorted(mailhost.held()), sorted(held[3:]))
        self.page.until(lambda: self.page.text("#decide-said").count("released") >= 3 or "3" in self.page.text("#decide-said") or not self.page.visible("#decide"), "the outcome is said")

    def test_several_in_part(self):
        """of several, those that cannot be decided are named with the reason, and the others are done"""
        mine, other = mailhost.hold("Mine", sender="alice@corp.example"), mailhost.hold("Not mine")
        self.page.wait_rows(mine, other)
        self.page.choose(mine, other)
        self.page.ask(RELEASE, "#list-chosen")
        self.page.give_reason("both")
        self.page.confirm()
        self.assertDelivered("Not mine")
        self.page.wait_text("#decide-said", mine)
        self.assertIn(mine, mailhost.held())
