"""What centrifuge-python tells about a client, in a form that can be waited for."""

import asyncio

from centrifuge import ClientEventHandler, SubscriptionEventHandler
from centrifuge.contexts import ServerSubscribedContext, ServerUnsubscribedContext

# Fails, and never decides, a run in which an event does not come.
PATIENCE_SECONDS = 60


class Events(ClientEventHandler, SubscriptionEventHandler):
    """Everything that the SDK tells about one client with one subscription of its own."""

    def __init__(self, decoded=lambda data: data):
        self.decoded = decoded
        self.publications = []
        # Channels that the server has subscribed the client to.
        self.given = set()
        self.subscriptions = []
        self.disconnected = None
        self.reconnects = 0
        self.changed = asyncio.Condition()

    async def on_publication(self, context):
        self.publications.append(self.decoded(context.pub.data))
        await self.notify()

    async def on_subscribed(self, context):
        if isinstance(context, ServerSubscribedContext):
            self.given.add(context.channel)
        else:
            self.subscriptions.append(context)
        await self.notify()

    async def on_unsubscribed(self, context):
        if isinstance(context, ServerUnsubscribedContext):
            self.given.discard(context.channel)
        await self.notify()

    async def on_connecting(self, context):
        self.reconnects += 1
        await self.notify()

    async def on_disconnected(self, context):
        self.disconnected = context
        await self.notify()

    async def notify(self):
        async with self.changed:
            self.changed.notify_all()

    async def until(self, holds):
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(holds), PATIENCE_SECONDS)
