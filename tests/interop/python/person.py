"""Alice at Anteroom's pages, over plain HTTP: as much of a browser as a sign-in takes."""

import os
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

ISSUER = os.environ["ANTEROOM_URL"]
EMAIL = "alice@practice.example"
PASSWORD = "lemon-tide-harbor-92"

# What she does where a page has this form.
DOES = {
    "/sign-in": {"email": EMAIL, "password": PASSWORD},
    "/consent": {"decision": "allow"},
    "/sign-out": {},
}
MOST_STEPS = 30


class Forms(HTMLParser):
    """The forms of a page: by their actions, what their fields hold. The one that sends itself is `posted`."""

    def __init__(self, text):
        super().__init__()
        self.found, self.posted, self._open = {}, None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self._open = self.found.setdefault(attrs["action"], {})
            if attrs.get("id") == "form-post":
                self.posted = attrs["action"]
        elif tag == "input" and self._open is not None and "name" in attrs:
            if attrs.get("type") not in ("radio", "checkbox") or "checked" in attrs:
                self._open[attrs["name"]] = attrs.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None


class Person:
    def __init__(self):
        self._browser = requests.Session()

    def walk(self, address, until):
        """Goes to `address` and does what the pages ask, until an address that begins with `until`, where nothing is asked.

        Returns that address, and the form that was sent there or None.
        """
        method, form = "GET", None
        for _ in range(MOST_STEPS):
            if address.startswith(until):
                return address, form
            answer = self._browser.request(method, address, data=form, allow_redirects=False)
            if "location" in answer.headers:
                method, address, form = "GET", urljoin(address, answer.headers["location"]), None
                continue
            forms = Forms(answer.text)
            action = forms.posted or next((one for one in DOES if one in forms.found), None)
            if action is None or urljoin(address, action) == address and method == "POST":
                raise AssertionError(f"no way on from {address}: {answer.status_code} {answer.text[:2000]}")
            method, form = "POST", forms.found[action] | DOES.get(action, {})
            address = urljoin(address, action)
        raise AssertionError(f"{urlsplit(address).path} leads on and on")


def discovered():
    answer = requests.get(f"{ISSUER}/.well-known/openid-configuration")
    answer.raise_for_status()
    return answer.json()


def secret_of(client):
    """The secret of a client of `clients/`, as `harness/clients.mjs` has it."""
    return f"the-secret-of-{client}-in-tests"


def register(**metadata):
    """A client of its own, by Dynamic Client Registration: for libraries that leave this to their users."""
    answer = requests.post(discovered()["registration_endpoint"], json=metadata)
    assert answer.status_code == 201, answer.text
    return answer.json()
