"""How the page is used and seen: the keyboard alone, screen readers, narrow and wide, light and dark, without motion; and its safety headers."""

import axe
import chrome
import mailhost
import pagecase

# name: (width, scheme)
VIEWS = {"wide": (chrome.WIDE, "light"), "wide-dark": (chrome.WIDE, "dark"), "narrow": (chrome.NARROW, "light"), "narrow-dark": (chrome.NARROW, "dark"),
         "huge": (chrome.HUGE, "light")}


class Appearance(pagecase.PageCase):
    def setUp(self):
        super().setUp()
        self.two = mailhost.hold("For two", sender="two@corp.example")
        self.slow = mailhost.hold("Leaves later", sender="slow@corp.example")
        self.wide = mailhost.hold("A price list with a rather long subject, as they are on some days of the year", cc=mailhost.people(14) + ["p%d@acme.example" % number for number in range(20)])
        self.gone = mailhost.hold("Deleted")
        mailhost.reviewer("dave", "release", "--reason", "the first of two", self.two)
        mailhost.reviewer("dave", "delete", "--reason", "not needed", self.gone)
        self.page.wait_rows(self.two, self.slow, self.wide)

    def screens(self):
        """(name) of each screen of the page, one after the other, as it is there."""
        self.page.list()
        self.page.wait_rows(self.two, self.slow, self.wide)
        yield "list"
        self.page.choose(self.slow, self.wide)
        self.page.wait("#list-chosen")
        yield "list-chosen"
        self.page.choose_none()
        self.page.look(self.wide)
        self.page.wait_text("#message-text", r"\S")
        self.page.wait("#message-picture")
        yield "message"
        self.page.press("Show recipients")
        self.page.wait_text("#message-recipients", "@acme.example")
        self.page.press("Show the whole message")
        self.page.wait_text("#message-source", "Message-ID")
        yield "message-whole"
        self.page.ask("Release\u2026")
        yield "dialog"
        self.page.find("#decide-cancel").click()
        self.page.until(lambda: not self.page.visible("#decide"), "the dialog is closed")
        self.page.look(self.two)
        self.page.until(lambda: "dave" in self.page.text("#message"), "who has approved")
        yield "message-approved"
        self.page.go("#/overview")
        self.page.wait_text("#overview-figures", r"\b3\b")
        self.page.wait("#overview-held")
        yield "overview"
        self.page.go("#/history")
        self.page.wait_text("#history", "not needed")
        yield "history"

    def seen(self, view):
        width, scheme = VIEWS[view]
        with self.page.seen_as(width, scheme):
            for screen in self.screens():
                with self.subTest(screen):
                    self.page.shot("%s-%s" % (screen, view))
                    self.assertEqual(axe.findings(self.page.driver), [])
                    wide, room = self.page.script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
                    self.assertLessEqual(wide, room, "it scrolls sideways")

    def test_wide(self):
        """wide and light: no finding of axe on any screen, and no scrolling sideways"""
        self.seen("wide")

    def test_wide_dark(self):
        """wide and dark: no finding of axe on any screen, and no scrolling sideways"""
        self.seen("wide-dark")

    def test_narrow(self):
        """320 pixels and light: no finding of axe on any screen, and no scrolling sideways"""
        self.seen("narrow")

    def test_narrow_dark(self):
        """320 pixels and dark: no finding of axe on any screen, and no scrolling sideways"""
        self.seen("narrow-dark")

    def test_huge(self):
        """3,840 pixels: no finding of axe on any screen, and no scrolling sideways"""
        self.seen("huge")

    def test_dark(self):
        """dark is dark, light is light"""
        def light():
            return self.page.script("""
                const parts = getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor;
                const found = parts.match(/rgb\\((\\d+), (\\d+), (\\d+)\\)/);
                return found ? (Number(found[1]) + Number(found[2]) + Number(found[3])) / 3 : 255""")
        with self.page.seen_as(scheme="light"):
            self.assertGreater(light(), 200)
        with self.page.seen_as(scheme="dark"):
            self.assertLess(light(), 80)

    def test_still(self):
        """where motion is not wanted, nothing moves"""
        with self.page.seen_as(motion="reduce"):
            for screen in self.screens():
                with self.subTest(screen):
                    moving = self.page.script("""
                        const seconds = text => Math.max(...text.split(',').map(each => parseFloat(each) * (each.trim().endsWith('ms') ? 0.001 : 1)));
                        return Array.from(document.querySelectorAll('*')).filter(e => {
                            const s = getComputedStyle(e);
                            return seconds(s.transitionDuration) > 0.01 || s.animationName !== 'none' && seconds(s.animationDuration) > 0.01 || s.scrollBehavior === 'smooth';
                        }).map(e => e.outerHTML.slice(0, 100))""")
                    self.assertEqual(moving, [])

    def test_policy_of_content(self):
        """only what comes from here is loaded and run: the header, and that it is in force"""
        header = self.page.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; fetch(location.pathname).then(answer => done(answer.headers.get('content-security-policy')), error => done(String(error)))")
        self.assertIn("default-src 'self'", header)
        for words in "unsafe-inline", "unsafe-eval", "*", "http:":
            self.assertNotIn(words, header.replace("http://127.0.0.1:%d" % chrome.PORT, ""))
        loaded = self.page.script("return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))")
        self.assertEqual(loaded, [])

    def test_site(self):
        """it is a site of one page: no terminal, no other page of Cockpit's menu"""
        text = self.page.text("body")
        for words in "Terminal", "Services", "Add new host":
            self.assertNotIn(words, text)

    def test_keyboard(self):
        """from the log-in to a release with the keyboard alone; the focus can be seen, and is where it is needed"""
        with chrome.Reviewer() as page:
            page.wait("#login-user-input")
            page.until(lambda: page.driver.switch_to.active_element.get_attribute("id") == "login-user-input", "the name has the focus")
            page.keys("alice", chrome.Keys.TAB)
            page.until(lambda: page.driver.switch_to.active_element.get_attribute("id") == "login-password-input" or page.keys(chrome.Keys.TAB), "the password has the focus")
            page.keys(mailhost.PASSWORD, chrome.Keys.ENTER)
            page.wait_row(self.wide)
            page.tab_to(lambda element: element.tag_name == "a" and element.find_elements(chrome.By.XPATH, "ancestor::*[@data-id='%s']" % self.wide), "its line in the list")
            self.assertTrue(page.script("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'"),
                            "the focus can be seen")
            page.keys(chrome.Keys.ENTER)
            page.wait_text("#message-text", r"\S")
            page.tab_to(lambda element: element.text.strip() == "Release\u2026", "the button of a release")
            page.keys(chrome.Keys.ENTER)
            page.wait("#decide[open]")
            page.until(lambda: page.driver.switch_to.active_element.get_attribute("id") == "decide-reason", "the reason has the focus")
            page.keys("by keyboard alone")
            page.tab_to(lambda element: element.get_attribute("id") == "decide-confirm", "its confirmation", 5)
            page.keys(chrome.Keys.ENTER)
            mailhost.until(lambda: [each[:3] for each in mailhost.decided(self.wide)] == [("alice", "release", "by keyboard alone")], "it is released")
            page.until(lambda: page.driver.switch_to.active_element.tag_name != "body", "the focus is somewhere on the page")
