"""python-jose (https://github.com/mpdavis/python-jose), as FastAPI's older examples and many APIs have it: it is handed all keys,
and looks among them for the one that fits."""

import unittest

import requests
from authlib.integrations.requests_client import OAuth2Session
from jose import jwt
from jose.exceptions import JWTClaimsError, JWTError

from person import EMAIL, ISSUER, Person, discovered, register

CALLBACK = "http://127.0.0.1/callback"


# ANCHOR: verify
def verified(id_token, client_id, access_token):
    keys = requests.get(discovered()["jwks_uri"], timeout=10).json()
    return jwt.decode(
        id_token,
        keys,
        algorithms=["RS256"],
        audience=client_id,
        issuer=ISSUER,
        # With it, `at_hash` is looked at.
        access_token=access_token,
    )


# ANCHOR_END: verify


class PythonJose(unittest.TestCase):
    def test_the_key_of_an_id_token_is_found_among_all(self):
        client = register(redirect_uris=[CALLBACK], client_name="python-jose")
        oauth = OAuth2Session(
            client["client_id"],
            client["client_secret"],
            scope="openid email",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
        )
        verifier = "v" * 43
        address, _ = oauth.create_authorization_url(discovered()["authorization_endpoint"], code_verifier=verifier)
        back, _ = Person().walk(address, CALLBACK)
        token = oauth.fetch_token(discovered()["token_endpoint"], authorization_response=back, code_verifier=verifier)
        userinfo = oauth.get(discovered()["userinfo_endpoint"]).json()
        self.assertEqual(userinfo["email"], EMAIL)

        claims = verified(token["id_token"], client["client_id"], token["access_token"])
        self.assertEqual(claims["sub"], userinfo["sub"])
        with self.assertRaises(JWTClaimsError):
            verified(token["id_token"], "another", token["access_token"])
        with self.assertRaises(JWTError):
            verified(token["id_token"], client["client_id"], "another")


if __name__ == "__main__":
    unittest.main()
