"""The console in a real browser, first without JavaScript and then with it.

usage: console_tests.py EXECUTABLES [AXE]

EXECUTABLES is the folder with the services, AXE the file axe.min.js; without it accessibility is not judged. Prints one
line for each expectation, `ok - what` or `not ok - what`, and ends with 1 if one of them did not hold.
"""

import sys
import traceback

from access_tests import test_sign_in, test_sign_out, test_viewer
from action_tests import test_actions, test_caches, test_destinations, test_operators, test_pause
from layout_tests import test_accessibility, test_narrow, test_wide
from live_tests import test_away, test_live, test_not_live
from pages_tests import paths_of, test_audit, test_colours, test_dashboard, test_messages, test_search, test_user
from session import FAILURES, Session
from stand import Stand

OWNER = "+919876500001"
SUPPORT = "+919876500002"
VIEWER = "+919876500003"
PEOPLE = {"+919812345001": "Asha Verma", "+919812345002": "Ravi Iyer", "+919812345003": '"><img src=x onerror=alert(1)>'}


def run(stand, axe):
    authenticators = {
        phone: stand.operator(phone, role) for phone, role in ((OWNER, "owner"), (SUPPORT, "support"), (VIEWER, "viewer"))}
    for phone, name in PEOPLE.items():
        stand.sign_in_user(phone, name)
    for javascript in (False, True):
        session = Session(stand, javascript)
        try:
            test_sign_in(session, authenticators, OWNER)
            test_dashboard(session)
            test_search(session)
            test_user(session)
            test_actions(session)
            test_audit(session)
            test_destinations(session)
            test_pause(session)
            test_messages(session)
            test_operators(session, "+919876500011" if javascript else "+919876500012")
            test_caches(session)
            test_colours(session)
            if javascript:
                test_live(session, stand)
                paths = paths_of(session, "+919812345001")
                test_narrow(session, paths)
                test_wide(session, stand, paths)
                if axe:
                    session.go("/")
                    test_accessibility(session, axe, paths)
                test_away(session, stand)
                complaints = session.complaints()
                session.check("the browser has nothing to complain about", not complaints, "\n".join(complaints))
                test_not_live(session, stand)
                test_sign_in(session, authenticators, OWNER)
            session.go("/")
            test_sign_out(session)
        except Exception:  # A step that cannot be taken is a fault of its own; the other mode is still tried.
            session.check("every step can be taken", False, traceback.format_exc() + session.text()[:800])
        finally:
            session.close()
    test_viewer(stand, authenticators, VIEWER)


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
