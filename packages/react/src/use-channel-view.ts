import type { Centrifuge } from 'centrifuge'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ChannelView, type View } from './channel-view.js'
import { useSharedConnection } from './provider.js'
import type { SharedConnection } from './shared-connection.js'
import type { ChannelUser } from './shared-subscription.js'
import { useLatest } from './use-latest.js'

export interface ViewDefinition<Value, Change> {
  empty: Value
  load(client: Centrifuge, channel: string): Promise<Value>
  apply(value: Value, change: Change): Value
  /** Returns the user of the subscription, which passes changes to `change`. */
  user(change: (change: Change) => void): ChannelUser
}

export interface UsedView<Value> extends View<Value> {
  /** Loads the value anew. */
  refresh(): void
}

/** Shows a value of a channel while the component is mounted, and shares the channel's subscription. */
export function useChannelView<Value, Change>(
  channel: string | undefined,
  definition: ViewDefinition<Value, Change>,
): UsedView<Value> {
  const connection = useSharedConnection()
  const latest = useLatest(definition)
  const current = useRef<ChannelView<Value, Change>>(undefined)
  const [shown, setShown] = useState<Shown<Value>>()
  useEffect(() => {
    if (channel === undefined) {
      return
    }
    const { empty, user } = latest.current
    const followed = new ChannelView<Value, Change>(empty, {
      load: () => latest.current.load(connection.client, channel),
      apply: (value, change) => latest.current.apply(value, change),
      onView: (view) => setShown({ view, connection, channel }),
    })
    current.current = followed
    const remove = connection.channel(channel).add({
      ...user((change) => followed.change(change)),
      onSubscribed: (isComplete) => followed.subscribed(isComplete),
    })
    return () => {
      remove()
      followed.close()
      current.current = undefined
    }
  }, [connection, channel, latest])
  const refresh = useCallback(() => void current.current?.load(), [])
  // Never shows the value of another channel, not even until the effect has run.
  const isCurrent = shown?.connection === connection && shown.channel === channel
  const { empty: value } = definition
  const view = isCurrent ? shown.view : { value, isLoading: channel !== undefined }
  return { ...view, refresh }
}

interface Shown<Value> {
  view: View<Value>
  connection: SharedConnection
  channel: string
}
