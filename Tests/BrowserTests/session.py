"""An operator at a browser, and what is expected of what they see."""

import os

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

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

    def cut(self, css):
        """What is wider than the place it has, so that a part of it is out of sight until somebody scrolls; needs JavaScript."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].filter(part => part.scrollWidth > part.clientWidth)"
            ".map(part => `${part.ariaLabel || part.id}: ${part.scrollWidth} in ${part.clientWidth}`)", css)

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
