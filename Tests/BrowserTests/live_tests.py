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


def test_not_live(session, stand):
    """A dashboard that is not followed any more says so: the console is away and comes back, the session ends."""
    def word():
        return session.driver.execute_script(
            "return document.querySelector('#live').previousElementSibling?.matches('p.notice:not([hidden])')"
            " ? document.querySelector('#live').previousElementSibling.textContent : ''")

    def wait(holds):
        end = time.monotonic() + 60
        while time.monotonic() < end and not holds():
            time.sleep(0.5)
        return holds()

    session.go("/")
    time.sleep(2)
    session.check("a dashboard that is followed says nothing of it", word() == "", word())
    # What answers, and is no event, ends an event source for good.
    stand.cluster.execute("postgres", "ALTER DATABASE admin ALLOW_CONNECTIONS false")
    stand.cluster.execute(
        "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'admin'")
    try:
        said = wait(lambda: "gives no answer" in word())
    finally:
        stand.cluster.execute("postgres", "ALTER DATABASE admin ALLOW_CONNECTIONS true")
    session.check("a dashboard without answers says so", said, word())
    session.check("and goes on when there are answers again", wait(lambda: word() == ""), word())
    stand.cluster.execute("admin", "UPDATE admin_sessions SET ended_at = now() WHERE ended_at IS NULL")
    session.check("a session's end is told", wait(lambda: "signed out" in word()), word())


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
