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
