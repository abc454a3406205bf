"""The application of the book, with Authlib and Flask."""

import os
import unittest

import requests

from person import EMAIL, ISSUER, Person, discovered, secret_of

HOME = "https://appointments.practice.example"
os.environ |= {"ANTEROOM_ISSUER": ISSUER, "ANTEROOM_SECRET": secret_of("appointments"), "APPOINTMENTS_KEY": "a key of its own"}

# It reads them when it is imported.
from appointments import app, fresh_access_token, refresh_tokens


class Appointments(unittest.TestCase):
    def test_sign_in_claims_of_the_id_token_and_sign_out(self):
        browser, person = app.test_client(), Person()

        def opened(path):
            return browser.get(path, base_url=HOME)

        self.assertEqual(opened("/").location, "/sign-in")
        back, _ = person.walk(opened("/sign-in").location, f"{HOME}/callback")
        self.assertEqual(opened(back).location, "/")
        claims = opened("/").json
        self.assertEqual((claims["name"], claims["email"], claims["groups"]), ("Alice Example", EMAIL, ["staff"]))

        before = refresh_tokens[claims["sub"]]
        answer = requests.get(discovered()["userinfo_endpoint"], headers={"Authorization": f"Bearer {fresh_access_token(claims['sub'])}"})
        self.assertEqual(answer.json()["sub"], claims["sub"])
        self.assertNotEqual(refresh_tokens[claims["sub"]], before)

        back, _ = person.walk(opened("/sign-out").location, f"{HOME}/signed-out")
        self.assertEqual(opened(back).text, "Signed out.")
        self.assertEqual(opened("/").location, "/sign-in")

    def test_what_cannot_be_completed_leads_back_to_sign_in(self):
        browser = app.test_client()
        browser.get("/sign-in", base_url=HOME)
        for place in ("/callback?error=access_denied&state=x", "/callback?code=x&state=x", "/signed-out?state=x"):
            answer = browser.get(place, base_url=HOME)
            self.assertEqual(answer.status_code, 403, place)
            self.assertIn("/sign-in", answer.text)


if __name__ == "__main__":
    unittest.main()
