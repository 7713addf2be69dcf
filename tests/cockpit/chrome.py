"""A reviewer at the page: a headless Chromium with chromedriver, what he sees and does there.

Elements are found as people and screen readers find them: by the text of a button, by the name of a field; and by the few ids of the page's screens.
"""

import contextlib
import os
import re
import ssl
import socket
import time

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import mailhost

PORT = 9443
SHOTS = os.environ.get("RCPTGUARD_SHOTS")
WIDE, TALL, NARROW, HUGE = 1280, 900, 320, 3840

# Not UTC, and not by whole hours.
ZONE = "Asia/Kolkata"
ZONE_SECONDS = 5 * 3600 + 1800

PASSING = (exceptions.NoSuchElementException, exceptions.StaleElementReferenceException, exceptions.ElementNotInteractableException,
           exceptions.ElementClickInterceptedException)


def address(port=PORT):
    """Where the page is; by TLS, if that is what listens there."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        try:
            with context.wrap_socket(plain):
                return "https://127.0.0.1:%d/" % port
        except (ssl.SSLError, ConnectionError):
            return "http://127.0.0.1:%d/" % port


class Reviewer:
    def __init__(self, name=None, password=mailhost.PASSWORD, port=PORT):
        """A browser; with a name, he logs in and waits for his list."""
        options = webdriver.ChromeOptions()
        for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-backgrounding-occluded-windows", "--disable-component-update",
                       "--lang=en-GB", "--window-size=%d,%d" % (WIDE, TALL)):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.set_capability("acceptInsecureCerts", True)
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver", env=dict(os.environ, TZ=ZONE)), options=options)
        self.driver.set_script_timeout(120)
        self.driver.set_page_load_timeout(120)
        self.root = address(port)
        try:
            self.driver.get(self.root)
            if name is not None:
                self.log_in(name, password)
                self.wait("#list-status", "the list of " + name)
                self.complaints()  # the log-in page's own: it asks whether there is a session already
        except BaseException:
            self.close()
            raise

    def close(self):
        self.driver.quit()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- finding

    def until(self, look, what, limit=mailhost.LIMIT):
        """Waits for something of the page, which may change under the look at it."""
        def careful():
            try:
                return look()
            except PASSING:
                return None
        try:
            return mailhost.until(careful, what, limit)
        except AssertionError as failure:
            raise AssertionError("%s; the page says: %s" % (failure, self.text("body")[:1500])) from None

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def visible(self, css):
        """The first that is displayed, or None."""
        return next((each for each in self.all(css) if each.is_displayed()), None)

    def wait(self, css, what=None):
        return self.until(lambda: self.visible(css), what or css + " is there")

    def text(self, css):
        """What is seen of it, "" if nothing is."""
        try:
            found = self.visible(css)
            return found.text if found else ""
        except PASSING:
            return ""

    def wait_text(self, css, words, limit=mailhost.LIMIT):
        """Waits until these words, a regular expression, are seen there; gives the whole text."""
        return self.until(lambda: re.search(words, self.text(css)) and self.text(css), "%s shows %r" % (css, words), limit)

    def button(self, words, within="body"):
        """A button by its whole text or name, that is displayed."""
        for each in self.all(within + " button, " + within + " [role=button], " + within + " a[href]"):
            if each.is_displayed() and words in (each.text.strip(), each.accessible_name.strip()):
                return each
        return None

    def press(self, words, within="body"):
        def click():
            found = self.button(words, within)
            if found is None or not found.is_enabled():
                return None
            found.click()
            return True
        self.until(click, "the button %r in %s can be pressed" % (words, within))

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def complaints(self):
        """What the browser's console has since the last look."""
        return [each["message"] for each in self.driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]

    # ---- the log-in page, which is Cockpit's

    def log_in(self, name, password):
        field = self.wait("#login-user-input", "the form")
        self.until(lambda: field.is_enabled(), "the form can be filled")
        field.clear()
        field.send_keys(name)
        self.find("#login-password-input").clear()
        self.find("#login-password-input").send_keys(password)
        self.find("#login-button").click()

    # ---- the page

    def go(self, place):
        """Another screen, by the address line."""
        self.script("window.location.hash = arguments[0]", place)

    def mark(self):
        """From here on loaded_once() says whether the page was loaded again."""
        self.script("window.markOfTheTest = 1")

    def loaded_once(self):
        return self.script("return window.markOfTheTest === 1")

    def row(self, queue_id):
        """Its row in the list, or None."""
        return self.visible('#list-table [data-id="%s"]' % queue_id)

    def rows(self):
        """The queue ids in the list, from the top."""
        return self.script("return Array.from(document.querySelectorAll('#list-table [data-id]')).filter(e => e.offsetParent !== null).map(e => e.dataset.id)")

    def wait_row(self, queue_id):
        return self.until(lambda: self.row(queue_id), "%s is in the list" % queue_id)

    def wait_rows(self, *queue_ids):
        """Exactly these, in whatever order."""
        return self.until(lambda: sorted(self.rows()) == sorted(queue_ids) or None, "the list has %s and no other" % (queue_ids,))

    def list(self):
        self.go("#/")
        self.wait("#list-status")

    def look(self, queue_id):
        """The screen of one message."""
        self.go("#/message/" + queue_id)
        self.until(lambda: self.visible("#message") and queue_id in self.text("#message"), "the screen of %s" % queue_id)
        self.wait("#message-why")

    def choose(self, *queue_ids):
        for queue_id in queue_ids:
            def click(queue_id=queue_id):
                box = self.find('#list-table [data-id="%s"] input[type=checkbox]' % queue_id)
                if not box.is_selected():
                    box.click()
                return box.is_selected()
            self.until(click, "%s is chosen" % queue_id)

    def choose_none(self):
        """A row may be made again meanwhile, so each look at them is a new one."""
        def next_one():
            chosen = [box for box in self.all("#list-table [data-id] input[type=checkbox]") if box.is_selected()]
            if chosen:
                chosen[0].click()
            return not chosen
        self.until(next_one, "none is chosen")

    def row_text(self, queue_id):
        return self.until(lambda: self.row(queue_id).text if self.row(queue_id) else None, "%s is in the list" % queue_id)

    def follow(self, queue_id):
        """Clicks on the link of its row."""
        def click():
            self.row(queue_id).find_element(By.CSS_SELECTOR, "a").click()
            return True
        self.wait_row(queue_id)
        self.until(click, "the link of %s is followed" % queue_id)

    def filter(self, **values):
        """Fills the form of the list; each name is a field of it, and those that are not named are emptied."""
        self.script("""
            const values = arguments[0];
            const form = document.querySelector('#list-filter');
            for (const field of form.elements) {
                if (!field.name)
                    continue;
                if (field.type === 'checkbox')
                    field.checked = Boolean(values[field.name]);
                else
                    field.value = values[field.name] || '';
                field.dispatchEvent(new Event('input', { bubbles: true }));
                field.dispatchEvent(new Event('change', { bubbles: true }));
            }
            for (const name of Object.keys(values))
                if (!form.elements[name])
                    throw new Error('the filter has no field ' + name);
            form.requestSubmit();
        """, values)

    def ask(self, words, within="#message-decide"):
        """Opens the dialog of a decision."""
        self.press(words, within)
        self.wait("#decide[open]", "the dialog")
        return self.wait_text("#decide-summary", r"\S")

    def give_reason(self, reason):
        """Types it; what keys cannot type, as a paste would put it there."""
        field = self.wait("#decide-reason")
        if re.fullmatch(r"[ -~]{0,200}", reason):
            field.clear()
            field.send_keys(reason)
        else:
            self.script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))", field, reason)

    def confirm(self):
        self.until(lambda: self.find("#decide-confirm").is_enabled(), "it can be confirmed")
        self.find("#decide-confirm").click()

    def close_dialog(self):
        """The dialog that shows an outcome stays until it is closed; while it is open nothing beside it can be used."""
        if self.visible("#decide"):
            self.keys(Keys.ESCAPE)
            self.until(lambda: not self.visible("#decide"), "the dialog is closed")

    def decide(self, words, reason, within="#message-decide"):
        """A decision from the button to its confirmation."""
        self.ask(words, within)
        self.give_reason(reason)
        self.confirm()

    # ---- what the browser is set to

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def size(self, width, height=TALL):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, scheme="light", motion="no-preference"):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}])

    @contextlib.contextmanager
    def seen_as(self, width=WIDE, scheme="light", motion="no-preference"):
        self.size(width)
        self.media(scheme, motion)
        try:
            yield
        finally:
            self.media()
            self.size(WIDE)

    def shot(self, name):
        """A picture of the whole screen, where somebody asked for pictures."""
        if SHOTS:
            os.makedirs(SHOTS, exist_ok=True)
            self.driver.save_screenshot(os.path.join(SHOTS, name + ".png"))

    def keys(self, *keys):
        """To whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, look, what, steps=120, key=Keys.TAB):
        """Presses Tab until the element with the focus is the one."""
        for _ in range(steps):
            self.keys(key)
            with contextlib.suppress(*PASSING):
                element = self.driver.switch_to.active_element
                if look(element):
                    return element
        raise AssertionError("not reached with %d presses of Tab: %s" % (steps, what))


def timed(look):
    """(seconds, what it gave)"""
    begin = time.monotonic()
    found = look()
    return time.monotonic() - begin, found
