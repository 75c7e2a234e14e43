"""The server API with pycent, unmodified. The key is a token of the service itself."""

import asyncio

from cent import (
    BatchRequest,
    BroadcastRequest,
    CentApiResponseError,
    CentUnauthorizedError,
    ChannelsRequest,
    Client,
    DisconnectRequest,
    HistoryRemoveRequest,
    HistoryRequest,
    InfoRequest,
    PresenceRequest,
    PresenceStatsRequest,
    PublishRequest,
    SubscribeRequest,
    UnsubscribeRequest,
)
from centrifuge import Client as Sdk
from sdk_events import Events
from support import NODE, SOCKET, Service, ok, revoke_token

NEWS, SPORT, GIVEN = "demo:news", "demo:sport", "demo:given"


async def main():
    service = await asyncio.to_thread(Service)
    cent = Client(f"{NODE}/api", api_key=service.token)

    async def call(method, request):
        return await asyncio.to_thread(getattr(cent, method), request)

    async def ada_tokens():
        return await asyncio.to_thread(service.issue, "ada")

    seen = Events()
    ada = Sdk(SOCKET, events=seen, get_token=ada_tokens, proxy=None)
    subscription = ada.new_subscription(NEWS, events=seen)
    await ada.connect()
    await subscription.subscribe()
    await seen.until(lambda: seen.subscriptions)

    published = await call("publish", PublishRequest(channel=NEWS, data={"n": 1}))
    ok(published.offset == 1, "publish", published)
    sent = await call("broadcast", BroadcastRequest(channels=[NEWS, SPORT], data={"n": 2}))
    offsets = [each.result.offset for each in sent.responses]
    ok(offsets == [2, 1], "broadcast", sent)
    await seen.until(lambda: len(seen.publications) >= 2)
    ok(seen.publications == [{"n": 1}, {"n": 2}], "the client receives both", seen.publications)

    presence = await call("presence", PresenceRequest(channel=NEWS))
    ok([each.user for each in presence.presence.values()] == ["ada"], "presence", presence)
    stats = await call("presence_stats", PresenceStatsRequest(channel=NEWS))
    ok((stats.num_clients, stats.num_users) == (1, 1), "presence_stats", stats)
    history = await call("history", HistoryRequest(channel=NEWS, limit=10))
    ok([each.data for each in history.publications] == [{"n": 1}, {"n": 2}], "history", history)
    channels = await call("channels", ChannelsRequest())
    ok(channels.channels[NEWS].num_clients == 1, "channels", channels)
    info = await call("info", InfoRequest())
    ok(sum(node.num_clients for node in info.nodes) == 1, "info", info)

    batch = await call(
        "batch",
        BatchRequest(
            requests=[
                PublishRequest(channel=SPORT, data={"n": 3}),
                HistoryRequest(channel=SPORT, limit=10),
            ]
        ),
    )
    stored = [each.data for each in batch.replies[1].publications]
    ok(batch.replies[0].offset == 2 and stored == [{"n": 2}, {"n": 3}], "batch", batch)
    await call("history_remove", HistoryRemoveRequest(channel=SPORT))
    left = await call("history", HistoryRequest(channel=SPORT, limit=10))
    ok(left.publications == [], "history_remove", left)

    await call("subscribe", SubscribeRequest(user="ada", channel=GIVEN))
    await seen.until(lambda: GIVEN in seen.given)
    ok(True, "subscribe gives the client a channel")
    await call("unsubscribe", UnsubscribeRequest(user="ada", channel=GIVEN))
    await seen.until(lambda: GIVEN not in seen.given)
    ok(True, "unsubscribe takes it away")
    await call("disconnect", DisconnectRequest(user="ada"))
    await seen.until(lambda: seen.disconnected is not None)
    ok(seen.disconnected.code == 3503, "disconnect closes the client", seen.disconnected)

    try:
        await call("publish", PublishRequest(channel="other:secret", data={}))
        ok(False, "a channel outside the token's scopes is refused")
    except CentApiResponseError as error:
        ok(error.code == 103, "a channel outside the token's scopes is refused", error)

    receipt = await asyncio.to_thread(revoke_token, service.token)
    ok(receipt["complete"], "the service's own token is revoked", receipt)
    try:
        await call("publish", PublishRequest(channel=NEWS, data={"n": 4}))
        ok(False, "the revoked token publishes nothing")
    except CentUnauthorizedError:
        ok(True, "the revoked token publishes nothing")
    history = Client(f"{NODE}/api", api_key=(await asyncio.to_thread(Service)).token).history(
        HistoryRequest(channel=NEWS, limit=10)
    )
    ok(len(history.publications) == 2, "and the history shows so", history)


asyncio.run(main())
