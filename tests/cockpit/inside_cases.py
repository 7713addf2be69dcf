"""The page within an ordinary Cockpit, with its menu, as Debian's cockpit.socket and cockpit-system have it; they run for these tests alone."""

import contextlib
import re
import unittest

import chrome
import mailhost
import pagecase

PORT = 9090
FRAME = 'iframe[name="cockpit1:localhost/rcptguard"]'
OTHERS = re.compile(r"^https?://[^/ ]+/cockpit/(?:static|[@$][^/ ]+/(?!rcptguard/))")


def start():
    mailhost.run("systemctl", "unmask", "cockpit.socket")
    mailhost.run("systemctl", "start", "cockpit.socket")


def stop():
    """Cockpit is closed as before; the last pattern is for all that the socket has started."""
    mailhost.run("systemctl", "stop", "cockpit.socket", "cockpit.service", "cockpit-*")
    mailhost.run("systemctl", "mask", "cockpit.socket")


class Shell(chrome.Reviewer):
    """A reviewer in Cockpit, who has gone to `place` and logged in there."""

    def __init__(self, name, place):
        super().__init__(port=PORT)
        try:
            self.driver.get(self.root + place)
            self.log_in(name, mailhost.PASSWORD)
            self.wait("#host-apps", "Cockpit's menu")
            self.complaints()  # the log-in page's own: it asks whether there is a session already
        except BaseException:
            self.close()
            raise

    def enter(self):
        """From here on it is about the page in its frame."""
        self.driver.switch_to.default_content()
        self.driver.switch_to.frame(self.wait(FRAME, "the page's frame"))
        self.wait("#list-status, #message-why, #trouble", "the page")

    @contextlib.contextmanager
    def around(self):
        """Cockpit's own part, and then the page again."""
        self.driver.switch_to.default_content()
        yield
        self.enter()

    def complaints(self):
        """Without those of Cockpit's own pages, such as a font that is not there."""
        return [each for each in super().complaints() if not OTHERS.search(each)]

    def where(self):
        """What the address line has after the host's name."""
        return self.script("return window.top.location.pathname + window.top.location.hash")

    def switch(self, style):
        """Cockpit's own switch of light and dark."""
        with self.around():
            menu = self.wait("#toggle-menu", "the menu of the session")
            if menu.get_attribute("aria-expanded") != "true":
                menu.click()
            self.wait("#" + style, "the switch").click()


class Inside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pagecase.prepare()
        mailhost.clear()
        cls.addClassCleanup(stop)
        start()

    def setUp(self):
        mailhost.clear()

    def test_menu(self):
        """from the menu to a release: list, message and dialog within the frame, with the address of each; without a log-out of its own"""
        queue_id = mailhost.hold("Held in the menu")
        with Shell("alice", "") as page:
            page.press("Held mail", "#host-apps")
            page.enter()
            page.until(lambda: page.where() == "/rcptguard", "the address of the page")
            page.wait_rows(queue_id)
            page.shot("inside-list")
            self.assertIsNone(page.visible("#log-out"))
            page.follow(queue_id)
            page.wait_text("#message-text", "The new price list is attached.")
            page.until(lambda: page.where() == "/rcptguard#/message/" + queue_id, "the address of the message")
            page.decide("Release\u2026", "they asked for it")
            mailhost.until(lambda: mailhost.delivered("Held in the menu") == sorted(mailhost.people(12)), "the delivery")
            self.assertEqual(mailhost.wait_decided(queue_id), [("alice", "release", "they asked for it", None)])
            page.until(lambda: "released" in page.text("#message"), "the page says that it is released")
            page.shot("inside-released")
            page.press("History", "nav")
            page.wait_text("#history", "they asked for it")
            page.until(lambda: page.where() == "/rcptguard#/history", "the address of the history")
            page.driver.back()
            page.enter()
            page.until(lambda: page.where() == "/rcptguard#/message/" + queue_id and page.visible("#message"), "the message again")
            self.assertEqual(page.complaints(), [])

    def test_limited(self):
        """at the address of a message, with limited access: shown as in the dedicated instance, and nothing runs there that a message could bring"""
        queue_id = mailhost.hold("By its address")
        with Shell("alice", "rcptguard#/message/" + queue_id) as page:
            page.until(lambda: page.button("Limited access"), "he has no administrative access")
            page.enter()
            page.wait_text("#message-text", "The new price list is attached.")
            self.assertTrue(page.button("Release\u2026", "#message-decide").is_enabled())
            self.assertEqual(page.complaints(), [])
            header, directive = page.driver.execute_async_script("""
                const done = arguments[0];
                fetch(location.pathname).then(answer => {
                    document.addEventListener('securitypolicyviolation', event => done([answer.headers.get('content-security-policy'), event.effectiveDirective]));
                    const script = document.createElement('script');
                    script.textContent = 'window.sprung = 1';
                    document.body.append(script);
                }, error => done([String(error), '']));""")
            self.assertIn("default-src 'self'", header)
            for words in "unsafe-inline", "unsafe-eval", "*", "http:":
                self.assertNotIn(words, header)
            self.assertTrue(directive.startswith("script-src"), directive)
            self.assertIsNone(page.script("return window.sprung"))

    def test_style(self):
        """Cockpit's switch of light and dark changes the page at once, without loading it again"""
        def light():
            return page.script("return getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).every(each => each > 200)")
        with Shell("alice", "rcptguard") as page:
            page.enter()
            page.mark()
            for scheme, style in ("light", "dark"), ("dark", "light"), ("dark", "auto"), ("light", "auto"):
                with self.subTest(scheme + " browser, switch on " + style):
                    page.media(scheme)
                    page.switch(style)
                    page.until(lambda style=style, scheme=scheme: light() == ((scheme if style == "auto" else style) == "light"), "the colours of " + style)
                    page.shot("inside-%s-%s" % (scheme, style))
            self.assertTrue(page.loaded_once())
            self.assertEqual(page.complaints(), [])
