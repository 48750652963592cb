"""Chromium without a window, and the page in it as its user meets it. Where there is none
to drive, a test is skipped with a word."""
import contextlib
import os
import shutil
import sys
import tempfile
import time

try:
    from selenium import webdriver
except ImportError:
    sys.path.append('/usr/lib/python3/dist-packages')  # Debian's, where another Python runs
    try:
        from selenium import webdriver
    except ImportError:
        print('python3-selenium is not installed')
        sys.exit(77)
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from server import LONG

CHROMIUM, DRIVER = shutil.which('chromium'), shutil.which('chromedriver')
if not CHROMIUM or not DRIVER:
    print('chromium or chromium-driver is not installed')
    sys.exit(77)

# The sandbox asks for rights that root in a container lacks; the page is our own.
OPTIONS = ('--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu '
           '--window-size=1280,800')


def until(what, condition):
    """Waits for the condition to hold; returns what it gives."""
    end = time.monotonic() + LONG
    while not (found := condition()):
        assert time.monotonic() < end, f'waited in vain for {what}'
        time.sleep(.05)
    return found


@contextlib.contextmanager
def browser():
    """One for all tests: each server is another origin, whose storage is its own. What it
    leaves in the folder for temporary files goes with it."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in OPTIONS.split():
        options.add_argument(option)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        service = Service(DRIVER, env={**os.environ, 'TMPDIR': folder})
        with webdriver.Chrome(service=service, options=options) as driver:
            yield driver


class Page:
    """The page of a server, in the browser."""

    def __init__(self, driver, address):
        self.driver = driver
        self.log()  # what came before is no matter
        driver.get(address)

    def narrow(self, width, height):
        """A telephone's screen."""
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': True})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
        self.driver.get('about:blank')

    def by_id(self, name):
        return self.driver.find_element(By.ID, name)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def hears(self):
        """Waits until it hears what the ranks do."""
        until('the events', lambda: self.text('#events-state') == [''])

    def state(self):
        return self.by_id('state').get_attribute('data-state')

    def ready(self):
        until('the server to be ready', lambda: self.state() == 'ready')
        return self

    def keys(self, *keys):
        """Types them where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def press_tab(self):
        ActionChains(self.driver).send_keys(Keys.TAB).perform()

    def to_message(self):
        """To the message, with keys alone: by the link that comes first."""
        self.run('document.activeElement.blur(); scrollTo(0, 0)')
        self.by_id('prompt')  # it is there
        if self.driver.switch_to.active_element.get_attribute('id') != 'prompt':
            self.driver.find_element(By.CSS_SELECTOR, '.skip').send_keys(Keys.ENTER)
        assert self.driver.switch_to.active_element.get_attribute('id') == 'prompt'

    def set(self, name, value):
        field = self.by_id(name)
        field.send_keys(Keys.CONTROL, 'a')
        field.send_keys(str(value))

    def running(self):
        return self.by_id('stop').is_displayed()

    def send(self, text):
        self.to_message()
        self.keys(text, Keys.ENTER)

    def ended(self):
        until('the turn to end', lambda: not self.running())

    def text(self, selector):
        """The texts of all such elements, at one moment."""
        return self.run('return [...document.querySelectorAll(arguments[0])]'
                        '.map((each) => each.textContent)', selector)

    def texts(self, part):
        """The texts of all turns' prompts or replies, as they are."""
        return self.text(f'.turn .{part} .text')

    def log(self):
        """What the browser has logged since it was last asked."""
        return self.driver.get_log('browser')
