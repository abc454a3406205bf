"""A real mail server (aiosmtpd) that is told, message by message, what to do.

The one argument is JSON: `folder` for certificates, `tls` ("none", "starttls" or "tls"), `login` (name and password, or
null), `mechanism` (the only one offered, or null), `certificate` ("good", "expired" or "other host"), `told` (what to do with each message; the last one stands for all that
follow). It says its port on a line of its own, and then each message that it got, as JSON.
"""

import asyncio
import json
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult

settings = json.loads(sys.argv[1])


def say(value):
    print(json.dumps(value), flush=True)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=settings["folder"], check=True, capture_output=True)


def certificate():
    """An authority, and a certificate of it for localhost."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Testing authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    with open(f"{settings['folder']}/server.ext", "w") as file:
        host = "elsewhere.example" if settings["certificate"] == "other host" else "localhost"
        file.write(f"subjectAltName=DNS:{host}\nbasicConstraints=critical,CA:FALSE\n")
    # One that is over before it begins is expired whenever it is looked at.
    days = "-1" if settings["certificate"] == "expired" else "2"
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "server.pem", "-days", days, "-extfile", "server.ext",
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{settings['folder']}/server.pem", f"{settings['folder']}/server.key")
    return context


class Office:
    def __init__(self):
        self.told = list(settings["told"])

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.told[0].startswith("refuse hello "):
            return [self.next().removeprefix("refuse hello ") + " not from you"]
        return responses

    def next(self):
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]

    async def handle_MAIL(self, server, session, envelope, address, options):
        session.told = self.next()
        if session.told.startswith("refuse sender "):
            return session.told.removeprefix("refuse sender ") + " not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if session.told.startswith("refuse recipient "):
            return session.told.removeprefix("refuse recipient ") + " not taken"
        if session.told == "drop before data":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if session.told.startswith("refuse content "):
            return session.told.removeprefix("refuse content ") + " not taken"
        if session.told == "never answer":
            await asyncio.sleep(600)
        if session.told == "slow":
            await asyncio.sleep(0.5)
        user = session.auth_data.login.decode() if session.authenticated else None
        content = envelope.content.decode()
        say({"to": envelope.rcpt_tos, "content": content, "tls": session.ssl is not None, "user": user, "hello": session.host_name})
        if session.told == "drop after data":
            server.transport.abort()
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    name, password = settings["login"]
    right = (data.login, data.password) == (name.encode(), password.encode())
    return AuthResult(success=right, handled=False, auth_data=data)


async def main():
    office, tls = Office(), settings["tls"]
    context = certificate() if tls != "none" else None
    mechanism = settings["mechanism"]
    # Without a login none is offered, which the library does by itself.
    offered = ("PLAIN", "LOGIN") if mechanism is None else (mechanism,)
    offered = offered if settings["login"] else ()

    def session():
        return SMTP(
            office,
            hostname="localhost",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=authenticate if settings["login"] else None,
            auth_required=bool(settings["login"]),
            auth_require_tls=tls == "starttls",
            auth_exclude_mechanism=[one for one in ("PLAIN", "LOGIN") if one not in offered],
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
