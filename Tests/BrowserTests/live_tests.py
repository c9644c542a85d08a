"""What happens while a page is open, or while a service is away."""

import time


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
