"""What operators do to users, destinations, other operators and the caches."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from pages_tests import open_user, rows_of


def act(session, action, reason):
    """Opens an action of a user's page, says why, and does it."""
    form = f"form[action$='/{action}']"
    session.find(f"details.action:has({form}) summary").click()
    session.fill(f"{form} input[name='reason']", reason)
    session.press(f"{form} button")


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
    rows = decide(session, "+9198100", "reset", "the breaker may judge it")
    session.check("and left to its breaker", len(rows) == 1 and "flowing" in rows[0].lower(), rows)


def test_pause(session):
    """All sending is paused and resumed again; both are on the page, and real codes keep to it."""
    def press(decision, reason):
        session.go("/destinations")
        if decision == "pause":
            session.find("details.action summary").click()
        session.fill("#sending-reason", reason)
        session.press(f"button[value='{decision}']")

    def send():
        status, answer = session.stand.call("otp-service", "POST", "/v1/otp/send", {"phone": "+919812345019"})
        return status, answer.get("code")

    press("pause", "the bill of last night")
    session.go("/destinations")
    session.check(
        "paused sending is shown, with the button that resumes it",
        "All sending is paused" in session.text() and bool(session.all("button[value='resume']")))
    session.check("and nothing is sent", send() == (429, "sms-budget-exhausted"))
    press("resume", "talked to the provider")
    session.check("sending is resumed", "Codes are sent again" in session.text() and bool(session.all("button[value='pause']")))
    session.check("and codes go out", send() == (202, None))


def test_operators(session, phone):
    end = phone[-3:]
    session.go("/operators")
    session.fill("#phone", phone)
    session.find("input[name='role'][value='support']").click()
    session.press("main form.stack button.primary")
    session.check("a new operator's QR code and recovery codes are shown", bool(session.all("svg.qr")) and len(session.find("#codes").text.split()) == 10)
    shown = [button.is_displayed() for button in session.all("button[data-copy]")]
    session.check("what only the script can copy has a button only with it", shown == [session.javascript] * 2, shown)
    if session.javascript:
        session.check("no part of a recovery code is out of sight", not session.cut("#codes"), session.cut("#codes"))
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
            session.check("a role is changed", len(row) == 1 and "viewer" in row[0].lower() and phone in row[0], row)
        else:
            session.check("an operator is removed", not row, row)


def test_caches(session):
    session.go("/caches")
    session.press("button.danger")
    session.check("the caches are emptied", "forget what they remembered" in session.text())
