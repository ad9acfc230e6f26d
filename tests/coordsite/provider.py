"""A small OpenID Connect provider over real HTTP, which can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "coord", "provider-secret"


class Provider:
    """Discovery, keys, authorization codes and ID tokens. ``claims`` and ``change`` shape the next token."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.sign_with = self.key
        self.claims = {"email": "Olga@Acme.dev", "email_verified": True}
        self.change = {}
        self.metadata = {}
        self.codes = {}
        self.asked = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                url = urlsplit(self.path)
                provider.asked.append(url.path)
                known = {
                    "/.well-known/openid-configuration": provider.describe,
                    "/keys": lambda: {"keys": [provider.key.as_dict(private=False, use="sig", alg="RS256")]},
                }
                self.answer(200, known[url.path]())

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                form = {
                    name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
                }
                provider.asked.append("/token")
                self.answer(*provider.grant(form, self.headers.get("Authorization", "")))

            def answer(self, status, body):
                payload = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def describe(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def authorize(self, location):
        """The person agrees: the query that the provider sends the browser back with."""
        url = urlsplit(location)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{self.issuer}/authorize"
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def grant(self, form, authorization):
        """Code and verifier for an ID token, as the standard says; each code once."""
        asked = self.codes.pop(form.get("code"), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        proved = authorization == f"Basic {basic}" or form.get("client_secret") == SECRET
        if asked is None or challenge != asked["code_challenge"] or not proved:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **self.change,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.sign_with)
        return 200, {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": signed}
