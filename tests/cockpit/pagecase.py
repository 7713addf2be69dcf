"""A unittest case with a reviewer at the page: alice, logged in, with nothing on hold when a test begins."""

import unittest

import chrome
import mailhost

_prepared = []


def prepare():
    """The machine, once for all cases."""
    if not _prepared:
        mailhost.prepare()
        _prepared.append(True)


class PageCase(unittest.TestCase):
    maxDiff = None
    WHO = "alice"

    # What the browser's console may say, for the case that makes it say so.
    COMPLAINTS = ()

    @classmethod
    def setUpClass(cls):
        prepare()
        mailhost.clear()
        cls.page = chrome.Reviewer(cls.WHO)

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def setUp(self):
        mailhost.clear()
        self.page.close_dialog()
        self.page.list()
        self.page.filter()
        self.page.wait_rows()

    def tearDown(self):
        found = [each for each in self.page.complaints() if not any(words in each for words in self.COMPLAINTS)]
        self.assertEqual(found, [], "the browser's console")

    def assertDelivered(self, subject, count=12):
        """Each recipient has it once."""
        mailhost.until(lambda: len(mailhost.delivered(subject)) >= count, "the delivery of " + subject)
        self.assertEqual(mailhost.delivered(subject), sorted(mailhost.people(count)))

    def assertShownAsText(self, *places):
        """No element came of what a message says, and nothing of it ran."""
        self.assertEqual(self.page.script("return [window.sprung, document.querySelectorAll('[onerror], [onload], iframe, object, embed').length]"), [None, 0])
        for place in places:
            self.assertEqual(self.page.script("return document.querySelector(arguments[0]).querySelectorAll('img, script, b, marquee, form').length", place), 0, place)
