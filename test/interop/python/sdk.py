"""A client and a backend with centrifuge-python, unmodified. PROTOBUF=1 selects the binary protocol."""

import asyncio
import json
import os

from centrifuge import Client
from sdk_events import PATIENCE_SECONDS, Events
from support import SOCKET, Service, network, ok

PROTOBUF = os.environ.get("PROTOBUF") == "1"
CHANNEL = f"demo:python-{'protobuf' if PROTOBUF else 'json'}"


def encoded(data):
    return json.dumps(data).encode() if PROTOBUF else data


def decoded(data):
    return json.loads(data) if PROTOBUF else data


async def connect(get_token):
    """Returns a client that is connected and subscribed, its subscription, and their events."""
    events = Events(decoded)
    client = Client(SOCKET, events=events, get_token=get_token, use_protobuf=PROTOBUF, proxy=None)
    subscription = client.new_subscription(CHANNEL, events=events)
    await client.connect()
    await subscription.subscribe()
    await events.until(lambda: events.subscriptions)
    return client, subscription, events


async def main():
    service = await asyncio.to_thread(Service)

    async def token_of(subject, ttl_seconds=3600):
        return await asyncio.to_thread(service.issue, subject, ttl_seconds)

    async def publish(n):
        await asyncio.to_thread(service.publish, CHANNEL, {"n": n})

    ada_token = await token_of("ada")

    async def ada_tokens():
        return ada_token

    ada, subscription, seen = await connect(ada_tokens)
    ok(True, "connects with a token and subscribes")

    await subscription.publish(encoded({"n": 1}))
    await seen.until(lambda: seen.publications)
    ok(seen.publications == [{"n": 1}], "publishes and receives", seen.publications)
    history = await subscription.history(limit=10)
    stored = [decoded(each.data) for each in history.publications]
    ok(stored == [{"n": 1}] and history.offset == 1, "reads the history", history)
    presence = await subscription.presence()
    users = [info.user for info in presence.clients.values()]
    ok(users == ["ada"], "reads the presence", presence)

    reconnects = seen.reconnects
    await asyncio.to_thread(network, "cut")
    await seen.until(lambda: seen.reconnects > reconnects)
    await publish(2)
    await publish(3)
    await asyncio.to_thread(network, "resume")
    await seen.until(lambda: len(seen.publications) >= 3 and len(seen.subscriptions) == 2)
    ok(
        seen.publications == [{"n": 1}, {"n": 2}, {"n": 3}] and seen.subscriptions[1].recovered,
        "recovers what it missed, after a cut",
        seen.publications,
    )

    brief = []

    async def brief_tokens():
        # The first token ends soon; the SDK asks for another, and stays connected.
        brief.append(await token_of("bob", 2 if len(brief) == 0 else 3600))
        async with bob_asked:
            bob_asked.notify_all()
        return brief[-1]

    bob_asked = asyncio.Condition()
    bob, _, bob_seen = await connect(brief_tokens)
    async with bob_asked:
        await asyncio.wait_for(bob_asked.wait_for(lambda: len(brief) == 2), PATIENCE_SECONDS)
    await asyncio.to_thread(introspects_as_expired, service, brief[0])
    await publish(4)
    await bob_seen.until(lambda: {"n": 4} in bob_seen.publications)
    ok(bob_seen.reconnects == 1, "renews its token and stays connected", bob_seen.reconnects)

    await seen.until(lambda: {"n": 4} in seen.publications)
    receipt = await asyncio.to_thread(service.revoke, "ada")
    complete = receipt["complete"] and receipt["tokens"] == 1
    ok(complete, "a revocation's receipt is complete", receipt)
    before = list(seen.publications)
    await publish(5)
    await bob_seen.until(lambda: {"n": 5} in bob_seen.publications)
    await seen.until(lambda: seen.disconnected is not None)
    code = seen.disconnected.code
    ok(code == 4500, "the revoked client is closed with 4500, for good", seen.disconnected)
    ok(seen.publications == before, "and receives nothing after the receipt", seen.publications)

    again = Events(decoded)
    client = Client(SOCKET, events=again, get_token=ada_tokens, use_protobuf=PROTOBUF, proxy=None)
    await client.connect()
    await again.until(lambda: again.disconnected is not None)
    refused = again.disconnected
    ok(refused.code == 3500, "a revoked token is refused for good", refused)
    await bob.disconnect()


def introspects_as_expired(service, token):
    """Resolves when auth says that the token is no longer active."""
    while service.is_active(token):
        pass


asyncio.run(main())
