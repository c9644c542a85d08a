"""Who comes in, who does not, and how one leaves."""

from pages_tests import open_user
from session import Session


def test_sign_in(session, authenticators, owner):
    session.go("/users")
    session.check("whoever is not signed in is led to the sign-in", session.path().startswith("/sign-in?return="))
    session.fill("#phone", owner)
    session.press("main button.primary")
    session.check("the page asks for the code and hides the phone", "+9198*****001" in session.text())
    session.fill("#code", session.stand.code_for(owner))
    session.fill("#second-factor", "000000")
    session.press("main button.primary")
    session.check("a wrong second factor is named, and the phone stays proven", "is proven" in session.text())
    session.fill("#second-factor", authenticators[owner].code())
    session.press("main button.primary")
    session.check("the right one leads to the page that was asked for", session.path() == "/users")


def test_viewer(stand, authenticators, viewer):
    """A viewer sees less, and what is not shown does not work either."""
    session = Session(stand, False)
    try:
        session.sign_in(viewer, authenticators[viewer])
        session.go("/users")
        session.fill("#search", "+919812345001")
        session.press(".filters button.primary")
        session.check("a viewer finds nobody by phone", "You may not do this" in session.text() and not session.all("a.person"))
        open_user(session, "Asha")
        nothing = not session.all("details.action") and not session.all(".side nav a[href='/operators']")
        session.go("/operators")
        session.check("a viewer is offered no action, and told what role is missing", nothing and "You may not do this" in session.text())
    finally:
        session.close()


def test_sign_out(session):
    session.sign_out()
    at_door = session.path() == "/sign-in"
    session.go("/users")
    session.check("after sign-out the pages are closed", at_door and session.path().startswith("/sign-in"))
