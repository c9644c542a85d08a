"""What the pages show, and what is found on them."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select


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


def open_user(session, phone_or_name):
    session.go("/users")
    session.fill("#search", phone_or_name)
    session.press(".filters button.primary")
    session.press("a.person")


def test_user(session):
    open_user(session, "+919812345003")
    session.check("a hostile name is only text", '"><img src=x' in session.find("h1").text and not session.all("main img"))
    open_user(session, "+919812345001")
    session.check("a user has sessions, and the phone is masked", "Asha's phone" in session.text() and "+919812345001" not in session.text())


def rows_of(session):
    return [row.text for row in session.all("table.list tbody tr")]


def test_audit(session):
    session.go("/audit")
    Select(session.find("#action")).select_by_value("user.suspended")
    session.press(".filters button.primary")
    rows = rows_of(session)
    session.check("the audit log is filtered by action", rows and all("suspended a user" in row for row in rows), rows)


def test_messages(session):
    session.go("/messages")
    session.check("messages are listed, phones masked", rows_of(session) and "+919812345001" not in session.text() and "+9198" in session.text())
    session.fill("#search", "+919812345001")
    session.press(".filters button.primary")
    session.check("a search by phone finds its messages", len(rows_of(session)) >= 1)
    session.check("and leaves no phone in the address", "9812345001" not in session.driver.current_url)


def test_colours(session):
    session.press(".themes button[value='dark']")
    dark = session.find("html").get_attribute("data-theme") == "dark"
    session.press(".themes button[value='auto']")
    session.check("the colours can be chosen", dark and session.find("html").get_attribute("data-theme") == "auto")


def paths_of(session, phone):
    open_user(session, phone)
    user = session.path()
    session.go("/")
    return [link.get_attribute("href").removeprefix(session.base) for link in session.all(".side nav a")] + [user, "/nothing"]
