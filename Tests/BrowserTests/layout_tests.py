"""Whether the pages fit a small screen, and whether everybody can use them."""

THEMES = ("light", "dark")


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


# A row as wide as rows become: an act that was denied on a long path, from a network of IPv6.
WIDEST = """
    INSERT INTO audit_log (id, actor_id, actor, action, target_kind, target_id, reason, address, outcome, failure)
    SELECT gen_random_uuid(), id, 'admin', 'operator.denied', 'route', 'POST /v1/admin/destinations/{prefix}/allow',
           'needs support, is viewer', '2001:db8:1234:5678::/64', 'failed', 'verification-already-used'
      FROM admins LIMIT 1
"""


def test_wide(session, stand, paths):
    """At 1280 px no table is wider than its place."""
    stand.cluster.execute("admin", WIDEST)
    session.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1265, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    cut = []
    for path in paths:
        session.go(path)
        cut += [f"{path}: {part}" for part in session.cut("main .scroll")]
    session.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    session.check("at 1280 px, less a scroll bar, no table is wider than its place", not cut, cut)


def test_accessibility(session, axe, paths):
    """No page has a fault that axe-core calls serious or critical, in light and in dark."""
    source = open(axe, encoding="utf-8").read()
    for theme in THEMES:
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
