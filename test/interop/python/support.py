"""What the programs of this folder share: an installation of Portcullis, and a report on standard output.

Each line of the report is `ok <what holds>`. The first failure ends the program.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

AUTH = os.environ["AUTH_URL"]
NODE = os.environ["NODE_URL"]
# The WebSocket of the same node, through a network that `network` cuts and mends.
SOCKET = os.environ["SOCKET_URL"]
IDENTITY = os.environ["IDENTITY"]
CODE = os.environ["REGISTRATION_CODE"]


def ok(holds, what, seen=None):
    if not holds:
        raise AssertionError(f"{what}: {seen!r}")
    print(f"ok {what}", flush=True)


def post(url, body, token=None):
    """Sends JSON and returns the status and the JSON of the answer."""
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def service_token():
    """Fetches a token of the service itself: OAuth client credentials."""
    form = urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_id": IDENTITY, "client_secret": CODE}
    )
    with urllib.request.urlopen(f"{AUTH}/oauth/token", form.encode(), timeout=30) as answer:
        return json.loads(answer.read())["access_token"]


class Service:
    """The application's backend: issues tokens of its users, revokes them, and publishes."""

    def __init__(self):
        self.token = service_token()

    def issue(self, subject, ttl_seconds=3600):
        body = {"subject": subject, "scope": USER_SCOPE, "ttlSeconds": ttl_seconds}
        status, token = post(f"{AUTH}/v1/tokens", body, self.token)
        assert status == 201, token
        return token["access_token"]

    def revoke(self, subject):
        """Revokes all tokens of the user, and returns the receipt once it is complete."""
        body = {"identity": IDENTITY, "subject": subject, "wait": 10_000}
        status, receipt = post(f"{AUTH}/v1/revocations", body, self.token)
        assert status == 201, receipt
        return receipt

    def is_active(self, token):
        body = {"tokens": [token]}
        status, answer = post(f"{AUTH}/v1/introspections", body, self.token)
        assert status == 200, answer
        return answer["results"][0]["active"]

    def publish(self, channel, data):
        body = {"channel": channel, "data": data}
        status, answer = post(f"{NODE}/api/publish", body, self.token)
        assert status == 200 and "error" not in answer, answer


USER_SCOPE = "subscribe:demo:* publish:demo:* presence:demo:* history:demo:*"


def network(command):
    """`cut` closes the clients' connections and refuses new ones, until `resume`."""
    status, _ = post(f"{os.environ['CONTROL_URL']}/{command}", {})
    assert status == 200


def revoke_token(token):
    """Revokes a token of the service with another one, and returns the complete receipt."""
    body = {"token": token, "wait": 10_000}
    status, receipt = post(f"{AUTH}/v1/revocations", body, service_token())
    assert status == 201, receipt
    return receipt
