"""An API of the book, with joserfc."""

import os
import unittest

from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError

from person import ISSUER, Person, discovered, secret_of

CALLBACK = "https://charts.practice.example/callback"
os.environ["ANTEROOM_ISSUER"] = ISSUER

# It reads it when it is imported.
from images_api import AUDIENCE, published_keys, verified


class ImagesApi(unittest.TestCase):
    def tokens(self, resource):
        scope = "openid charts.read"
        oauth = OAuth2Session("charts", secret_of("charts"), scope=scope, redirect_uri=CALLBACK, code_challenge_method="S256")
        verifier = "v" * 43
        endpoint = discovered()["authorization_endpoint"]
        address, _ = oauth.create_authorization_url(endpoint, code_verifier=verifier, resource=resource)
        back, _ = Person().walk(address, CALLBACK)
        return oauth.fetch_token(discovered()["token_endpoint"], authorization_response=back, code_verifier=verifier)

    def test_an_access_token_for_this_api_and_no_other(self):
        keys = published_keys()
        token = self.tokens(AUDIENCE)
        claims = verified(token["access_token"], keys, "charts.read")
        self.assertEqual(claims["client_id"], "charts")
        for refused, scope in [
            (token["access_token"], "charts.write"),
            (token["id_token"], "charts.read"),
            (self.tokens("https://charts.practice.example/api")["access_token"], "charts.read"),
            (token["access_token"][:-8] + "AAAAAAAA", "charts.read"),
        ]:
            with self.assertRaises(JoseError):
                verified(refused, keys, scope)


if __name__ == "__main__":
    unittest.main()
