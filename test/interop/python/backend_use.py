"""The backend of docs/backend.md, against an installation."""

from backend import Backend
from support import AUTH, CODE, IDENTITY, Service, ok

backend = Backend(AUTH, IDENTITY, CODE)
token = backend.issue_token("ada", scope="subscribe:demo:*", ttlSeconds=600)
ok(0 < token["expires_in"] <= 600, "a token for a user", token)
room = backend.issue_token("ada", channel="demo:7", labels=["room:7"])
ok(room["scope"] == "subscribe:demo:7", "a token for one channel", room)

is_active = Service().is_active
receipt = backend.revoke(label="room:7")
ok(receipt["complete"] and receipt["tokens"] == 1, "revocation by label", receipt)
ok(not is_active(room["access_token"]), "the token of the channel is inactive")
ok(is_active(token["access_token"]), "the user's other token is not")
receipt = backend.revoke(subject="ada")
ok(receipt["complete"] and receipt["tokens"] == 1, "revocation by user", receipt)
ok(not is_active(token["access_token"]), "the user's token is inactive")

receipt = backend.revoke(token=backend.issue_token("ada")["access_token"])
ok(receipt["complete"] and receipt["tokens"] == 1, "revocation by token", receipt)

own = backend.session.token["access_token"]
backend.session.token["expires_at"] = backend.session.token["expires_at"] - 3000
ok(backend.issue_token("bob")["access_token"], "a token after a renewal")
ok(backend.session.token["access_token"] != own, "the backend's own token is replaced early")
