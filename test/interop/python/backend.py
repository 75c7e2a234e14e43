from authlib.integrations.requests_client import OAuth2Session


class Backend:
    """Issues and revokes the tokens of an application's users."""

    def __init__(self, auth_url, identity, registration_code):
        self.auth_url, self.identity = auth_url, identity
        # A user's token never outlives the backend's own, which is replaced half an hour before its end.
        self.session = OAuth2Session(
            identity,
            registration_code,
            token_endpoint=f"{auth_url}/oauth/token",
            grant_type="client_credentials",
            leeway=1800,
            default_timeout=15,
        )
        self.session.fetch_token()

    def post(self, path, body):
        answer = self.session.post(self.auth_url + path, json=body)
        answer.raise_for_status()
        return answer.json()

    def issue_token(self, subject, **order):
        return self.post("/v1/tokens", {"subject": subject, **order})

    def revoke(self, **target):
        if "token" not in target:
            target.setdefault("identity", self.identity)
        receipt = self.post("/v1/revocations", {**target, "wait": 10_000})
        if not receipt["complete"]:
            raise TimeoutError(f"revocation {receipt['id']} is not confirmed yet by every node")
        return receipt
