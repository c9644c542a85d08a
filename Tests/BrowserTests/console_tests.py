"""The console in a real browser, first without JavaScript and then with it.

usage: console_tests.py EXECUTABLES [AXE]

EXECUTABLES is the folder with the services, AXE the file axe.min.js; without it accessibility is not judged. Prints one
line for each expectation, `ok - what` or `not ok - what`, and ends with 1 if one of them did not hold.
"""

import os
import sys
import time
import traceback

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from stand import Stand

OWNER = "+919876500001"
SUPPORT = "+919876500002"
VIEWER = "+919876500003"
PEOPLE = {"+919812345001": "Asha Verma", "+919812345002": "Ravi Iyer", "+919812345003": '"><img src=x onerror=alert(1)>'}
FAILURES = []


def report(name, holds, detail=""):
    print(f"{'ok' if holds else 'not ok'} - {name}", flush=True)
    if not holds:
        FAILURES.append(name)
        if detail:
            print("    " + str(detail).replace("\n", "\n    "), flush=True)


def open_browser(javascript, width=1280, height=900):
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
        options.add_argument(argument)
    if not javascript:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        service=Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")), options=options)
    driver.set_page_load_timeout(30)
    return driver


class Session:
    """An operator at a browser."""

    def __init__(self, stand, javascript):
        self.stand = stand
        self.mode = "with JavaScript" if javascript else "without JavaScript"
        self.javascript = javascript
        self.driver = open_browser(javascript)
        self.base = stand.url("admin-service")

    def go(self, path):
        self.driver.get(self.base + path)

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def on(self, css, act):
        """Finds an element and acts on it; once more if the page put another in its place in between, as the dashboard does."""
        for _ in range(20):
            try:
                return act(self.find(css))
            except StaleElementReferenceException:
                continue
        raise AssertionError(f"{css} was replaced twenty times")

    def fill(self, css, value):
        field = self.find(css)
        field.clear()
        field.send_keys(value)

    def press(self, css):
        """Clicks, and waits until the page it leads to has taken the place of this one."""
        page = self.find("html")
        self.on(css, lambda element: element.click())
        WebDriverWait(self.driver, 20, ignored_exceptions=[WebDriverException]).until(lambda _: self._is_gone(page))

    @staticmethod
    def _is_gone(element):
        try:
            element.is_enabled()
            return False
        except StaleElementReferenceException:
            return True

    def path(self):
        return self.driver.current_url.removeprefix(self.base)

    def check(self, name, holds, detail=None):
        report(f"{self.mode}: {name}", holds, detail if detail is not None else self.driver.current_url + "\n" + self.text()[:600])

    def sign_in(self, phone, authenticator):
        self.stand.forget_messages()
        self.go("/sign-in?again=1")
        self.fill("#phone", phone)
        self.press("main button.primary")
        self.fill("#code", self.stand.code_for(phone))
        self.fill("#second-factor", authenticator.code())
        self.press("main button.primary")

    def sign_out(self):
        self.press("form.out button")

    def complaints(self):
        """What the browser's console has about scripts, styles and the security policy; failed loads are answers of ours."""
        return [line["message"] for line in self.driver.get_log("browser") if "Failed to load resource" not in line["message"]]

    def close(self):
        self.driver.quit()


def test_sign_in(session, authenticators):
    session.go("/users")
    session.check("whoever is not signed in is led to the sign-in", session.path().startswith("/sign-in?return="))
    session.fill("#phone", OWNER)
    session.press("main button.primary")
    session.check("the page asks for the code and hides the phone", "+9198*****001" in session.text())
    session.fill("#code", session.stand.code_for(OWNER))
    session.fill("#second-factor", "000000")
    session.press("main button.primary")
    session.check("a wrong second factor is named, and the phone stays proven", "is proven" in session.text())
    session.fill("#second-factor", authenticators[OWNER].code())
    session.press("main button.primary")
    session.check("the right one leads to the page that was asked for", session.path() == "/users")


def test_dashboard(session):
    session.go("/")
    session.check("the dashboard has charts and figures", len(session.all("svg.plot")) > 0 and "Conversion" in session.text())
    session.on("details.figures summary", lambda summary: summary.click())
    session.check("a chart opens as a table", session.on("details.figures table", lambda table: table.is_displayed()))
    session.press(".segments a[href='/?days=90']")
    session.check("90 days can be chosen", session.on(".segments a[aria-current]", lambda link: link.text) == "90 days")


def test_search(session):
    session.go("/users")
    session.fill("#search", "+919812345001")
    session.press(".filters button.primary")
    names = [link.text for link in session.all("a.person")]
    session.check("a search by phone finds its user", len(names) == 1 and "Asha Verma" in names[0], names)
    session.check("the address holds no phone", "9812345001" not in session.driver.current_url)
    session.fill("#search", "nobody of that name")
    session.press(".filters button.primary")
    session.check("an empty result says what to do", "Nobody found" in session.text())
    session.go("/users")
    Select(session.find("#status")).select_by_value("suspended")
    session.press(".filters button.primary")
    session.check("a filter stays chosen", Select(session.find("#status")).first_selected_option.text == "Suspended")


def open_user(session, phone):
    session.go("/users")
    session.fill("#search", phone)
    session.press(".filters button.primary")
    session.press("a.person")


def test_user(session):
    open_user(session, "+919812345003")
    session.check("a hostile name is only text", '"><img src=x' in session.find("h1").text and not session.all("main img"))
    open_user(session, "+919812345001")
    session.check("a user has sessions, and the phone is masked", "Asha's phone" in session.text() and "+919812345001" not in session.text())


def act(session, action, reason):
    """Opens an action of a user's page, says why, and does it."""
    form = f"form[action$='/{action}']"
    session.find(f"details.action:has({form}) summary").click()
    session.fill(f"{form} input[name='reason']", reason)
    session.press(f"{form} button")


def rows_of(session):
    return [row.text for row in session.all("table.list tbody tr")]


def test_actions(session):
    phone = "+919812345002"
    open_user(session, phone)
    act(session, "reveal", "the caller reads out the number")
    session.check("support reveals a phone", phone in session.text())
    session.go(session.path().removesuffix("/reveal"))
    session.check("a revealed phone is shown once", phone not in session.text())
    act(session, "suspend", 'stolen phone <b>"x"</b>')
    session.check("a user is suspended", session.find(".head .badge").text.lower() == "suspended" and "is suspended" in session.text())
    session.check("a suspended user has no session", "Signed in nowhere" in session.text())
    act(session, "reactivate", "found again")
    session.check("and reactivated", session.find(".head .badge").text.lower() == "active")
    session.press("a[href^='/audit?target=user:']")
    rows = rows_of(session)
    session.check(
        "each act has its row in the audit log, the reason as it was typed",
        any("suspended a user" in row and 'stolen phone <b>"x"</b>' in row for row in rows)
        and any("revealed a phone" in row for row in rows) and any("reactivated a user" in row for row in rows), rows)


def test_audit(session):
    session.go("/audit")
    Select(session.find("#action")).select_by_value("user.suspended")
    session.press(".filters button.primary")
    rows = rows_of(session)
    session.check("the audit log is filtered by action", rows and all("suspended a user" in row for row in rows), rows)


def decide(session, prefix, decision, reason):
    session.go("/destinations")
    session.fill("#prefix", prefix)
    session.fill("#reason", reason)
    session.press(f"button[value='{decision}']")
    return [row for row in rows_of(session) if prefix in row]


def test_destinations(session):
    rows = decide(session, "+9198100", "block", "pumping, seen by hand")
    session.check("a destination is blocked", len(rows) == 1 and "blocked" in rows[0].lower(), rows)
    rows = decide(session, "+9198100", "allow", "a mistake")
    session.check("and allowed again", len(rows) == 1 and "allowed" in rows[0].lower(), rows)


def test_messages(session):
    session.go("/messages")
    session.check("messages are listed, phones masked", rows_of(session) and "+919812345001" not in session.text() and "+9198" in session.text())
    session.fill("#search", "+919812345001")
    session.press(".filters button.primary")
    session.check("a search by phone finds its messages", len(rows_of(session)) >= 1)
    session.check("and leaves no phone in the address", "9812345001" not in session.driver.current_url)


def test_operators(session, phone):
    end = phone[-3:]
    session.go("/operators")
    session.fill("#phone", phone)
    session.find("input[name='role'][value='support']").click()
    session.press("main form.stack button.primary")
    session.check("a new operator's QR code and recovery codes are shown", bool(session.all("svg.qr")) and len(session.find("#codes").text.split()) == 10)
    for action in ("role", "remove"):
        session.go("/operators")
        row = next(row for row in session.all("table.list tbody tr") if end in row.text)
        row.find_element(By.CSS_SELECTOR, "details.menu summary").click()
        form = f"tr:has(details[open]) form[action$='/{action}']"
        if action == "role":
            Select(session.find(f"{form} select")).select_by_value("viewer")
        session.press(f"{form} button")
        row = [row for row in rows_of(session) if end in row]
        if action == "role":
            session.check("a role is changed", len(row) == 1 and "viewer" in row[0].lower() and phone not in session.text(), row)
        else:
            session.check("an operator is removed", not row, row)


def test_caches(session):
    session.go("/caches")
    session.press("button.danger")
    session.check("the caches are emptied", "forget what they remembered" in session.text())


def test_viewer(stand, authenticators):
    """A viewer sees less, and what is not shown does not work either."""
    session = Session(stand, False)
    try:
        session.sign_in(VIEWER, authenticators[VIEWER])
        open_user(session, "+919812345001")
        nothing = not session.all("details.action") and not session.all(".side nav a[href='/operators']")
        session.go("/operators")
        session.check("a viewer is offered no action, and told what role is missing", nothing and "You may not do this" in session.text())
    finally:
        session.close()


def test_away(session, stand):
    """With otp-service down each page says what is missing, and the rest works."""
    stand.end("otp-service")
    try:
        # What was read a moment ago is shown for a moment more.
        end = time.monotonic() + 20
        session.go("/")
        while "no answer" not in session.text() and time.monotonic() < end:
            time.sleep(0.5)
            session.go("/")
        holds = "no answer" in session.text() and "Sign-ins" in session.text()
        session.go("/messages")
        session.check("with otp-service down the pages say what is missing", holds and "otp-service gives no answer" in session.text())
        session.go("/users")
        session.check("and the rest works", len(session.all("a.person")) > 0)
    finally:
        stand.start("otp-service")


def test_colours(session):
    session.press(".themes button[value='dark']")
    dark = session.find("html").get_attribute("data-theme") == "dark"
    session.press(".themes button[value='auto']")
    session.check("the colours can be chosen", dark and session.find("html").get_attribute("data-theme") == "auto")


def test_sign_out(session):
    session.sign_out()
    at_door = session.path() == "/sign-in"
    session.go("/users")
    session.check("after sign-out the pages are closed", at_door and session.path().startswith("/sign-in"))


def test_live(session, stand):
    """The dashboard follows a sign-in that happens while it is open."""
    def shown():
        # In one step: an element that is found first may have been replaced when it is read.
        return session.driver.execute_script("return document.querySelector('.tile .value')?.textContent")

    session.go("/")
    before = shown()
    stand.sign_in_user(f"+9198123460{int(time.time()) % 90 + 10}", "Live Person")
    end = time.monotonic() + 30
    while time.monotonic() < end and shown() in (None, before):
        time.sleep(0.5)
    session.check("the dashboard follows the figures by itself", shown() not in (None, before))


def test_narrow(session, paths):
    """At 390 px no page is wider than the screen."""
    session.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    wide = []
    for path in paths:
        session.go(path)
        width = session.driver.execute_script("return document.documentElement.scrollWidth")
        if width > 390:
            wide.append(f"{path}: {width}")
    session.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    session.check("at 390 px no page is wider than the screen", not wide, wide)


def test_accessibility(session, axe, paths):
    """No page has a fault that axe-core calls serious or critical, in light and in dark."""
    source = open(axe, encoding="utf-8").read()
    for theme in ("light", "dark"):
        session.go("/")
        session.press(f".themes button[value='{theme}']")
        faults = []
        for path in paths:
            session.go(path)
            # Through the debugger, since the page's own policy lets no foreign script in.
            session.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
            result = session.driver.execute_async_script(
                "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations));")
            faults += [
                f"{path}: {fault['id']} ({fault['impact']}): {fault['nodes'][0]['html'][:160]}"
                for fault in result if fault["impact"] in ("serious", "critical")]
        session.check(f"axe-core finds no serious fault in {theme}", not faults, "\n".join(faults))


def paths_of(session, phone):
    open_user(session, phone)
    user = session.path()
    session.go("/")
    return [link.get_attribute("href").removeprefix(session.base) for link in session.all(".side nav a")] + [user, "/nothing"]


def run(stand, axe):
    authenticators = {
        phone: stand.operator(phone, role) for phone, role in ((OWNER, "owner"), (SUPPORT, "support"), (VIEWER, "viewer"))}
    for phone, name in PEOPLE.items():
        stand.sign_in_user(phone, name)
    for javascript in (False, True):
        session = Session(stand, javascript)
        try:
            test_sign_in(session, authenticators)
            test_dashboard(session)
            test_search(session)
            test_user(session)
            test_actions(session)
            test_audit(session)
            for path, test in (("/internal/destinations", test_destinations), ("/internal/challenges", test_messages)):
                if stand.serves("otp-service", path):
                    test(session)
                else:
                    print(f"skipped: otp-service has no {path} yet", flush=True)
            test_operators(session, "+919876500011" if javascript else "+919876500012")
            test_caches(session)
            test_colours(session)
            if javascript:
                test_live(session, stand)
                paths = paths_of(session, "+919812345001")
                test_narrow(session, paths)
                if axe:
                    session.go("/")
                    test_accessibility(session, axe, paths)
                test_away(session, stand)
                complaints = session.complaints()
                session.check("the browser has nothing to complain about", not complaints, "\n".join(complaints))
            session.go("/")
            test_sign_out(session)
        except Exception:  # A step that cannot be taken is a fault of its own; the other mode is still tried.
            session.check("every step can be taken", False, traceback.format_exc() + session.text()[:800])
        finally:
            session.close()
    test_viewer(stand, authenticators)


def main():
    stand = Stand(sys.argv[1])
    try:
        stand.prepare()
        for name in ("msg91-simulator", "otp-service", "user-service", "admin-service"):
            stand.start(name)
        run(stand, sys.argv[2] if len(sys.argv) > 2 else None)
    finally:
        stand.stop()
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
