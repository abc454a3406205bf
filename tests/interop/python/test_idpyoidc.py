"""idpyoidc (https://idpy-oidc.readthedocs.io), by the people of the conformance tests: it discovers, registers itself and is
notified of logouts."""

import json
import logging
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from urllib.parse import parse_qsl, urlsplit

from cryptojwt.key_jar import build_keyjar
from idpyoidc.client.defaults import DEFAULT_KEY_DEFS, DEFAULT_OIDC_SERVICES
from idpyoidc.client.oidc import registration
from idpyoidc.client.oauth2.stand_alone_client import backchannel_logout
from idpyoidc.client.rp_handler import RPHandler

from person import EMAIL, ISSUER, Person

PATIENCE = 30
# It warns of each `application/json` that it is not JSON.
logging.getLogger("idpyoidc").setLevel(logging.ERROR)


class Registration(registration.Registration):
    """Its own, which leaves out refresh tokens and where a logout leads to, and takes the answer's `scope` for a single one."""

    def oidc_post_construct(self, request_args=None, **kwargs):
        asked = super().oidc_post_construct(request_args, **kwargs)
        asked["grant_types"].append("refresh_token")
        asked["post_logout_redirect_uris"] = [f"{self.upstream_get('context').base_url}/signed-out"]
        return asked

    def update_service_context(self, resp, **kwargs):
        del resp["scope"]
        super().update_service_context(resp, **kwargs)


SERVICES = DEFAULT_OIDC_SERVICES | {
    "registration": {"class": Registration},
    "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"},
}


class Application:
    """Where it lives: what is posted to it is kept, and whoever asks gets its keys."""

    def __init__(self):
        posted = self.posted = Queue()
        self.keys = build_keyjar(DEFAULT_KEY_DEFS)
        jwks = json.dumps(self.keys.export_jwks()).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(jwks)

            def do_POST(self):
                posted.put((self.path, self.rfile.read(int(self.headers["content-length"])).decode()))
                self.send_response(200)
                self.send_header("cache-control", "no-store")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Idpyoidc(unittest.TestCase):
    def setUp(self):
        self.application = Application()
        self.addCleanup(self.application.close)

    def handler(self):
        url = self.application.url
        client = {
            "client_type": "oidc",
            "issuer": ISSUER,
            "redirect_uris": [f"{url}/callback"],
            "backchannel_logout_uri": f"{url}/backchannel-logout",
            "backchannel_logout_session_required": False,
            "client_name": "idpyoidc",
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "email", "offline_access"],
            "services": SERVICES,
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "client_authn_methods": ["client_secret_post"],
            "add_ons": {
                "pkce": {
                    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
                }
            },
        }
        keys = self.application.keys
        return RPHandler(url, client_configs={"": client}, keyjar=keys, jwks_path="jwks.json")

    def test_registration_client_secret_post_refresh_and_logout_at_both_ends(self):
        rp, person, url = self.handler(), Person(), self.application.url
        address, _ = person.walk(rp.begin(ISSUER), f"{url}/callback")
        answered = rp.finalize(ISSUER, dict(parse_qsl(urlsplit(address).query)))
        self.assertNotIn("error", answered)
        state, client = answered["state"], rp.issuer2rp[ISSUER]
        self.assertEqual(answered["userinfo"]["email"], EMAIL)
        self.assertEqual(answered["userinfo"]["sub"], answered["id_token"]["sub"])

        refreshed = rp.refresh_access_token(state)
        self.assertNotEqual(refreshed["access_token"], answered["token"])
        self.assertEqual(rp.get_user_info(state)["email"], EMAIL)

        address, _ = person.walk(rp.close(state)["url"], f"{url}/signed-out")
        self.assertIn("state", dict(parse_qsl(urlsplit(address).query)))
        path, request = self.application.posted.get(timeout=PATIENCE)
        self.assertEqual(path, "/backchannel-logout")
        self.assertEqual(backchannel_logout(client, request=request), state)

        registered = client.get_context().registration_response
        self.assertEqual(registered["token_endpoint_auth_method"], "client_secret_post")
        # What it registers by itself.
        self.assertEqual(registered["userinfo_signed_response_alg"], "RS256")
        self.assertEqual(registered["jwks_uri"], f"{url}/jwks.json")


if __name__ == "__main__":
    unittest.main()
