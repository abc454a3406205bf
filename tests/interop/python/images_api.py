"""What an API asks of an access token, with joserfc (https://jose.authlib.org)."""

import os

import requests
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

ISSUER = os.environ["ANTEROOM_ISSUER"]
AUDIENCE = "https://images.practice.example/api"

CLAIMS = jwt.JWTClaimsRegistry(
    leeway=60,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
)


def published_keys():
    discovered = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
    return KeySet.import_key_set(requests.get(discovered["jwks_uri"], timeout=10).json())


def verified(access_token, keys, scope):
    """The claims of a token that is for this API and good for `scope`. Anything else is a `JoseError`: answer 401."""
    token = jwt.decode(access_token, keys, algorithms=["RS256"])
    # An ID token is signed with the same keys, and is no access token.
    if token.header.get("typ") != "at+jwt":
        raise InvalidClaimError("typ")
    CLAIMS.validate(token.claims)
    if scope not in token.claims.get("scope", "").split():
        raise InvalidClaimError("scope")
    return token.claims
