"""OAuth with Authlib, unmodified: credentials, introspection, revocation, and verification of tokens."""

import json
import time

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import OKPKey
from support import AUTH, CODE, IDENTITY, ok, post
from validator import PortcullisValidator

metadata = requests.get(f"{AUTH}/.well-known/oauth-authorization-server", timeout=30).json()
TOKEN_ENDPOINT = metadata["token_endpoint"]

shop = OAuth2Session(
    IDENTITY,
    CODE,
    token_endpoint_auth_method="client_secret_basic",
    revocation_endpoint_auth_method="client_secret_basic",
)
token = shop.fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials", scope="introspect")
ok(token["scope"] == "introspect", "client credentials with a secret", token)


def introspect(text):
    return shop.introspect_token(metadata["introspection_endpoint"], token=text).json()


active = introspect(token["access_token"])
ok(active["active"] and active["client_id"] == IDENTITY, "introspection", active)

# A client with keys of its own, registered with a token of the shop.
key = OKPKey.generate_key("Ed25519", {"use": "sig"})
everything = shop.fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials")
registration = {
    "client_name": "signer",
    "scope": "introspect",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": {"keys": [key.as_dict(private=False)]},
}
status, registered = post(f"{AUTH}/oauth/register", registration, everything["access_token"])
ok(status == 201, "registration of a client with keys", registered)


def signer(**options):
    session = OAuth2Session(
        registered["client_id"], key, token_endpoint_auth_method="private_key_jwt"
    )
    session.register_client_auth_method(PrivateKeyJWT(TOKEN_ENDPOINT, alg="EdDSA", **options))
    return session


signed = signer().fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials")
ok(signed["scope"] == "introspect", "client credentials with private_key_jwt", signed)


def broken_rule(**claims):
    try:
        signer(claims=claims).fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials")
    except OAuthError as error:
        return f"{error.error}: {error.description}"
    return None


error = broken_rule(exp=int(time.time()) + 86_400)
ok("exp" in error, "an error names the rule that an assertion breaks: exp", error)
error = broken_rule(aud="https://example.com")
ok("aud" in error, "an error names the rule that an assertion breaks: aud", error)

# docs/oauth.md, "Verifying tokens without auth".
audience = active["aud"]
jwks = requests.get(metadata["jwks_uri"], timeout=30).json()
algorithm = jwks["keys"][0]["alg"]
validator = PortcullisValidator(metadata["issuer"], audience, jwks)
claims = validator.authenticate_token(signed["access_token"])
validator.validate_token(claims, ["introspect"], None)
ok(claims["client_id"] == registered["client_id"], f"Authlib verifies a token with {algorithm}")
header, payload, signature = signed["access_token"].split(".")
forged = f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def is_valid(checked, text):
    try:
        checked.validate_token(checked.authenticate_token(text), ["introspect"], None)
        return True
    except InvalidTokenError:
        return False


ok(not is_valid(validator, forged), "and refuses another signature")
elsewhere = PortcullisValidator(metadata["issuer"], "another-audience", jwks)
ok(not is_valid(elsewhere, signed["access_token"]), "and another audience")


class Default(JWTBearerTokenValidator):
    def get_jwks(self):
        return jwks


# With Ed25519 this fails; the page tells operators so, and stops when it is no longer true.
accepted = is_valid(Default(metadata["issuer"], audience), signed["access_token"])
ok(accepted == (algorithm == "ES256"), "Authlib's own validator verifies only ES256", accepted)

signing_key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(signed["access_token"])
claims = jwt.decode(
    signed["access_token"],
    signing_key,
    algorithms=["EdDSA", "ES256"],
    issuer=metadata["issuer"],
    audience=audience,
)
ok(claims["client_id"] == registered["client_id"], f"PyJWT verifies a token with {algorithm}")

revoked = shop.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
ok(revoked.status_code == 200, "revocation", revoked.text)
after = introspect(token["access_token"])
ok(after == {"active": False}, "the revoked token is inactive", json.dumps(after))
