"""The application of the book, with Authlib and Flask."""

import os
import unittest

from person import EMAIL, ISSUER, Person, secret_of

HOME = "https://appointments.practice.example"
os.environ |= {"ANTEROOM_ISSUER": ISSUER, "ANTEROOM_SECRET": secret_of("appointments"), "APPOINTMENTS_KEY": "a key of its own"}

# It reads them when it is imported.
from appointments import app


class Appointments(unittest.TestCase):
    def test_sign_in_claims_of_the_id_token_and_sign_out(self):
        browser, person = app.test_client(), Person()

        def opened(path):
            return browser.get(path, base_url=HOME)

        self.assertEqual(opened("/").location, "/sign-in")
        back, _ = person.walk(opened("/sign-in").location, f"{HOME}/callback")
        self.assertEqual(opened(back).location, "/")
        told = opened("/").json
        self.assertEqual((told["name"], told["email"], told["groups"]), ("Alice Example", EMAIL, ["staff"]))

        back, _ = person.walk(opened("/sign-out").location, f"{HOME}/signed-out")
        self.assertEqual(opened(back).text, "Signed out.")
        self.assertEqual(opened("/").location, "/sign-in")


if __name__ == "__main__":
    unittest.main()
