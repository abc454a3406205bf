import os

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = os.environ["APPOINTMENTS_KEY"]
app.config.update(SESSION_COOKIE_NAME="appointments", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax")

anteroom = OAuth(app).register(
    "anteroom",
    client_id="appointments",
    client_secret=os.environ["ANTEROOM_SECRET"],
    server_metadata_url=os.environ["ANTEROOM_ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email groups", "code_challenge_method": "S256"},
)


# On the server: the session of Flask can be read, and these are worth what a password is. A database in their place outlives a restart.
refresh_tokens = {}


@app.get("/")
def home():
    person = session.get("person")
    return person if person else redirect(url_for("sign_in"))


@app.get("/sign-in")
def sign_in():
    return anteroom.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = anteroom.authorize_access_token()
    claims = token["userinfo"]  # those of the ID token, which was verified
    session["person"] = {name: claims.get(name) for name in ("sub", "name", "email", "groups")}
    session["id_token"] = token["id_token"]
    refresh_tokens[claims["sub"]] = token["refresh_token"]
    return redirect(url_for("home"))


@app.get("/sign-out")
def sign_out():
    id_token = session.pop("id_token", None)
    person = session.pop("person", {})
    refresh_tokens.pop(person.get("sub"), None)
    return anteroom.logout_redirect(url_for("signed_out", _external=True), id_token_hint=id_token)


@app.get("/signed-out")
def signed_out():
    anteroom.validate_logout_response()
    return "Signed out."


def fresh_access_token(sub):
    """For calls to an API. `OAuthError` here means that the person signs in again."""
    token = anteroom.fetch_access_token(grant_type="refresh_token", refresh_token=refresh_tokens[sub])
    # Each refresh token is used once.
    refresh_tokens[sub] = token["refresh_token"]
    return token["access_token"]


@app.errorhandler(OAuthError)
def refused(_error):
    return f"You are not signed in. <a href='{url_for('sign_in')}'>Sign in</a>", 403
