from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet


class PortcullisValidator(JWTBearerTokenValidator):
    """Authlib's validator, with the keys of auth and with Ed25519."""

    def __init__(self, issuer, audience, jwks):
        super().__init__(issuer, audience)
        self.keys = KeySet.import_key_set(jwks)

    def authenticate_token(self, token_string):
        options = {name: {"essential": True} for name in ("exp", "sub", "client_id", "iat", "jti")}
        options["iss"] = {"essential": True, "value": self.issuer}
        options["aud"] = {"essential": True, "value": self.resource_server}
        try:
            token = jwt.decode(token_string, self.keys, algorithms=["EdDSA", "ES256"])
            return JWTAccessTokenClaims(token.claims, token.header, options)
        except (JoseError, ValueError) as error:
            raise InvalidTokenError() from error
