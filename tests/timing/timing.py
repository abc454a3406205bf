"""Whether the time of an answer, or of a later one, tells a stranger which addresses are known.

    cargo xtask timing [--binary PATH] [--samples N] [--asks 1,14,58] [--floor 0s]

Starts a provider of its own on SQLite, asks for a known address and for one that no account has, in an order drawn at random,
and compares the times by the Mann-Whitney test (two-sided, with the correction for ties). The accounts are those of
`anteroom demo`; they are then served with limits out of the way and, unless `--floor` says otherwise, without the floor under
the time of an answer, so that what is compared is the work itself.
"""

import argparse
import html
import http.client
import math
import os
import random
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

KNOWN, UNKNOWN = "alice@demo.example", "alicf@demo.example"
# Beyond this the two are told apart: one in a thousand by chance, for each line of the table.
TOLD_APART = 3.3

SETTINGS = """
issuer = "http://localhost:{port}"
server.listen = "127.0.0.1:{port}"
database.url = "sqlite:{folder}/anteroom.db"
keys.master_key_file = "{folder}/master.key"
log.level = "warn"

[practice]
name = "Timing"

[email]
host = "127.0.0.1"
port = {mail}
tls = "none"
from = "no-reply@practice.example"

[policy.sign_in]
failure_floor = "{floor}"
rate = {{ max = 100000, window = "5m" }}

[policy.recovery]
rate = {{ max = 100000, window = "5m" }}

[policy.own_networks]
networks = ["127.0.0.0/8"]
factor = 100
"""


class Browser:
    """One connection, its cookies, and forms as a browser would post them."""

    def __init__(self, port):
        self.port, self.cookies = port, {}
        self.connection = http.client.HTTPConnection("localhost", port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, method, path, fields=None):
        """The answer with the seconds until it was whole."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"http://localhost:{self.port}"
        before = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        took = time.perf_counter() - before
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer, text, took

    def form(self, path, action):
        answer, text, _ = self.request("GET", path)
        assert answer.status == 200, (path, answer.status, text[:400])
        for form in re.findall(r"<form\b.*?</form>", text, re.S):
            if re.search(rf'action="{re.escape(action)}"', form):
                return fields_of(form)
        raise AssertionError(f"{path} has no form for {action}")


def fields_of(form):
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") == "hidden":
            found[attributes["name"]] = attributes.get("value", "")
    return found


class Way:
    """One address on its way: the form of a forgotten password, and the page that waits."""

    def __init__(self, port, address):
        self.browser, self.address, self.handle = Browser(port), address, None
        self.recovery = self.browser.form("/forgot-password", "/forgot-password")
        self.sign_in_form = self.browser.form("/sign-in", "/sign-in")

    def ask(self):
        fields = {**self.recovery, "email": self.address}
        if self.handle:
            fields["interaction"] = self.handle
        answer, text, took = self.browser.request("POST", "/forgot-password", fields)
        assert answer.status == 303, (answer.status, text[:400])
        query = urllib.parse.urlsplit(answer.headers["Location"]).query
        self.handle = urllib.parse.parse_qs(query)["interaction"][0]
        return took

    def wait(self):
        path = f"/forgot-password/waiting?interaction={self.handle}"
        answer, text, took = self.browser.request("GET", path)
        assert answer.status == 200 and "false" in text, (answer.status, text[:400])
        return took

    def sign_in(self):
        fields = {**self.sign_in_form, "email": self.address, "password": "not the password of anybody"}
        answer, text, took = self.browser.request("POST", "/sign-in", fields)
        assert answer.status in (303, 422), (answer.status, text[:400])
        return took


def mann_whitney(left, right):
    """z of the ranks of `left` among both, and positive where `left` takes longer."""
    both = sorted((value, side) for side, values in ((0, left), (1, right)) for value in values)
    ranks, ties, place = 0.0, 0.0, 0
    while place < len(both):
        end = place
        while end < len(both) and both[end][0] == both[place][0]:
            end += 1
        rank, equal = (place + 1 + end) / 2, end - place
        ranks += rank * sum(1 for entry in both[place:end] if entry[1] == 0)
        ties += equal**3 - equal
        place = end
    a, b = len(left), len(right)
    n = a + b
    u = ranks - a * (a + 1) / 2
    spread = math.sqrt(a * b / 12 * (n + 1 - ties / (n * (n - 1))))
    return (u - a * b / 2) / spread if spread else 0.0


def compare(what, asks, measured):
    known, unknown = measured[KNOWN], measured[UNKNOWN]
    z = mann_whitney(known, unknown)
    verdict = "TOLD APART" if abs(z) > TOLD_APART else "no difference seen"
    middle = [statistics.median(values) * 1e6 for values in (known, unknown)]
    print(
        f"{what:32} {asks:5} {len(known):7} {middle[0]:11.0f} {middle[1]:11.0f} {z:9.2f}  {verdict}",
        flush=True,
    )
    return abs(z) <= TOLD_APART


def measure(ways, act, samples):
    order = [way for way in ways for _ in range(samples)]
    random.shuffle(order)
    measured = {way.address: [] for way in ways}
    for way in order:
        measured[way.address].append(act(way))
    return measured


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Running:
    """A command of the binary, until the block ends."""

    def __init__(self, arguments, folder):
        log = open(os.path.join(folder, "log"), "ab")
        self.process = subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def is_ready(self, port):
        for _ in range(600):
            if self.process.poll() is not None:
                return False
            try:
                connection = http.client.HTTPConnection("localhost", port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.1)
        return False


def seed(binary, folder, port):
    """The demo's accounts, in a database that `serve` takes."""
    with Running([binary, "demo", "--data", folder, "--port", str(port)], folder) as demo:
        if not demo.is_ready(port):
            sys.exit(open(os.path.join(folder, "log")).read())
    database = sqlite3.connect(os.path.join(folder, "anteroom.db"))
    database.execute("UPDATE instance SET kind = 'production'")
    database.commit()
    database.close()


def compare_all(port, asks, samples):
    alike = True
    for count in asks:
        # New ways for each count, of addresses for which the last count's asks are not over: as a stranger would find it.
        ways = [Way(port, address) for address in (KNOWN, UNKNOWN)]
        for _ in range(count):
            for way in random.sample(ways, 2):
                way.ask()
        # What is done after an ask is not part of what a later request costs; it takes a round of half a second.
        time.sleep(1.5)
        alike &= compare("GET /forgot-password/waiting", count, measure(ways, Way.wait, samples))
        alike &= compare("POST /forgot-password", count, measure(ways, Way.ask, samples))
    ways = [Way(port, address) for address in (KNOWN, UNKNOWN)]
    for _ in range(20):
        for way in ways:
            way.sign_in()
    return compare("POST /sign-in, wrong password", 0, measure(ways, Way.sign_in, samples)) and alike


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", required=True)
    options.add_argument("--samples", type=int, default=1500, help="each way")
    options.add_argument("--asks", default="1,14,58")
    options.add_argument("--floor", default="0s", help="policy.sign_in.failure_floor")
    given = options.parse_args()
    binary, asks = os.path.abspath(given.binary), [int(count) for count in given.asks.split(",")]
    with tempfile.TemporaryDirectory(prefix="anteroom-timing-") as folder:
        port = free_port()
        seed(binary, folder, port)
        settings = SETTINGS.format(port=port, folder=folder, mail=free_port(), floor=given.floor)
        with open(os.path.join(folder, "anteroom.toml"), "w") as file:
            file.write(settings)
        command = [binary, "serve", "--config", os.path.join(folder, "anteroom.toml")]
        with Running(command, folder) as server:
            if not server.is_ready(port):
                sys.exit(open(os.path.join(folder, "log")).read())
            version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip()
            print(f"{version}, SQLite, floor {given.floor}, {given.samples} samples each way, microseconds")
            print(f"{'request':32} {'asks':>5} {'samples':>7} {'known':>11} {'unknown':>11} {'z':>9}")
            alike = compare_all(port, asks, given.samples)
    print("Mann-Whitney test; |z| above", TOLD_APART, "tells the two apart.")
    sys.exit(0 if alike else 1)


main()
