"""Authlib (https://authlib.org), as a Flask application uses it, and its session for requests where that goes no further."""

import unittest
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import HybridIDToken
from flask import Flask, redirect, session, url_for
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
import requests

from person import EMAIL, ISSUER, Person, discovered, register

# Nobody listens there: Flask's own client takes what would be sent.
HOME = "http://127.0.0.1"
CALLBACK = f"{HOME}/callback"
SIGNED_OUT = f"{HOME}/signed-out"
PKCE = {"scope": "openid profile email offline_access", "code_challenge_method": "S256"}


def application(client, **kwargs):
    """An application that has Authlib do all it can."""
    app = Flask(__name__)
    app.secret_key = "a key of the test's own"
    client_kwargs = PKCE | kwargs.pop("client_kwargs", {})
    oauth = OAuth(app)
    anteroom = oauth.register(
        "anteroom",
        client_id=client["client_id"],
        server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
        client_kwargs=client_kwargs,
        **kwargs,
    )

    @app.get("/sign-in")
    def sign_in():
        return anteroom.authorize_redirect(CALLBACK)

    @app.route("/callback", methods=["GET", "POST"])
    def callback():
        token = anteroom.authorize_access_token()
        session["id_token"] = token["id_token"]
        person = anteroom.userinfo(token=token)
        return {"token": token, "person": person}

    @app.get("/sign-out")
    def sign_out():
        return anteroom.logout_redirect(SIGNED_OUT, id_token_hint=session["id_token"])

    @app.get("/signed-out")
    def signed_out():
        anteroom.validate_logout_response()
        return "signed out"

    return app.test_client()


def sign_in(app, person):
    address, form = person.walk(app.get("/sign-in", base_url=HOME).location, CALLBACK)
    if form is None:
        return app.get(address, base_url=HOME), form
    return app.post("/callback", base_url=HOME, data=form), form


class Authlib(unittest.TestCase):
    def registered(self, **metadata):
        return register(
            **{
                "redirect_uris": [CALLBACK],
                "post_logout_redirect_uris": [SIGNED_OUT],
                "grant_types": ["authorization_code", "refresh_token"],
                "client_name": "Authlib",
            }
            | metadata
        )

    def refreshes(self, oauth, token):
        refreshed = oauth.refresh_token(discovered()["token_endpoint"], refresh_token=token["refresh_token"])
        self.assertNotEqual(refreshed["refresh_token"], token["refresh_token"])
        answer = oauth.get(discovered()["userinfo_endpoint"])
        self.assertEqual(answer.json()["email"], EMAIL)

    def test_client_secret_basic_pkce_userinfo_refresh_and_logout(self):
        client = self.registered(token_endpoint_auth_method="client_secret_basic")
        app, person = application(client, client_secret=client["client_secret"]), Person()
        answer, _ = sign_in(app, person)
        answered = answer.json
        self.assertEqual(answered["person"]["email"], EMAIL)
        self.assertEqual(answered["token"]["userinfo"]["sub"], answered["person"]["sub"])
        self.assertEqual(answered["token"]["userinfo"]["iss"], ISSUER)
        self.refreshes(OAuth2Session(client["client_id"], client["client_secret"]), answered["token"])
        address, _ = person.walk(app.get("/sign-out", base_url=HOME).location, SIGNED_OUT)
        self.assertEqual(app.get(address, base_url=HOME).text, "signed out")

    def test_private_key_jwt(self):
        key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        jwks = {"keys": [key.as_dict(private=False)]}
        client = self.registered(token_endpoint_auth_method="private_key_jwt", jwks=jwks)
        proof = PrivateKeyJWT(discovered()["token_endpoint"], headers={"kid": "one"})
        kwargs = {"token_endpoint_auth_method": proof.name}
        app = application(client, client_secret=key, client_auth_methods=[proof], client_kwargs=kwargs)
        answer, _ = sign_in(app, Person())
        answered = answer.json
        self.assertEqual(answered["person"]["email"], EMAIL)
        oauth = OAuth2Session(client["client_id"], key, token_endpoint_auth_method=proof.name)
        oauth.register_client_auth_method(proof)
        self.refreshes(oauth, answered["token"])

    def test_hybrid_flow_with_form_post(self):
        client = self.registered(response_types=["code id_token"], grant_types=["authorization_code", "implicit"])
        parameters = {"response_type": "code id_token", "response_mode": "form_post"}
        app = application(
            client,
            client_secret=client["client_secret"],
            # With another response type than `code`, Authlib sends the verifier and not the challenge.
            client_kwargs={"scope": "openid email", "code_challenge_method": None},
            authorize_params=parameters,
        )
        answer, form = sign_in(app, Person())
        self.assertEqual(answer.json["person"]["email"], EMAIL)
        nonce = answer.json["token"]["userinfo"]["nonce"]
        keys = KeySet.import_key_set(requests.get(discovered()["jwks_uri"]).json())
        token = jwt.decode(form["id_token"], keys)
        params = {"nonce": nonce, "client_id": client["client_id"], "code": form["code"]}
        claims = HybridIDToken(token.claims, token.header, {"iss": {"values": [ISSUER]}}, params)
        claims.validate()


if __name__ == "__main__":
    unittest.main()
