import protobuf from 'protobufjs/light.js'

/**
 * The messages of the Protobuf form, with the field numbers of the public protocol and the names of
 * the JSON form. The decoder skips fields that are missing here.
 */
const field = (id: number, type: string) => ({ id, type })
const list = (id: number, type: string) => ({ id, type, rule: 'repeated' })
const map = (id: number, type: string) => ({ id, type, keyType: 'string' })

const OfChannel = { fields: { channel: field(1, 'string') } }
const Empty = { fields: {} }
const Presence = { fields: { info: field(1, 'ClientInfo') } }
const Position = { offset: field(1, 'uint64'), epoch: field(2, 'string') }

const root = protobuf.Root.fromJSON({
  nested: {
    OfChannel,
    Empty,
    Presence,
    Command: {
      fields: {
        id: field(1, 'uint32'),
        connect: field(4, 'ConnectRequest'),
        subscribe: field(5, 'SubscribeRequest'),
        unsubscribe: field(6, 'OfChannel'),
        publish: field(7, 'PublishRequest'),
        presence: field(8, 'OfChannel'),
        presence_stats: field(9, 'OfChannel'),
        history: field(10, 'HistoryRequest'),
        send: field(12, 'SendRequest'),
        rpc: field(13, 'RpcRequest'),
        refresh: field(14, 'RefreshRequest'),
        sub_refresh: field(15, 'SubRefreshRequest'),
      },
    },
    ConnectRequest: {
      fields: {
        token: field(1, 'string'),
        data: field(2, 'bytes'),
        subs: map(3, 'SubscribeRequest'),
        name: field(4, 'string'),
        version: field(5, 'string'),
      },
    },
    RefreshRequest: { fields: { token: field(1, 'string') } },
    SubscribeRequest: {
      fields: {
        channel: field(1, 'string'),
        token: field(2, 'string'),
        recover: field(3, 'bool'),
        epoch: field(6, 'string'),
        offset: field(7, 'uint64'),
        data: field(8, 'bytes'),
        positioned: field(9, 'bool'),
        recoverable: field(10, 'bool'),
        join_leave: field(11, 'bool'),
        delta: field(12, 'string'),
        tf: field(13, 'FilterNode'),
        type: field(15, 'int32'),
        flag: field(14, 'int64'),
      },
    },
    FilterNode: {
      fields: {
        op: field(1, 'string'),
        key: field(2, 'string'),
        cmp: field(3, 'string'),
        val: field(4, 'string'),
        vals: list(5, 'string'),
        nodes: list(6, 'FilterNode'),
      },
    },
    PublishRequest: { fields: { channel: field(1, 'string'), data: field(2, 'bytes') } },
    HistoryRequest: {
      fields: {
        channel: field(1, 'string'),
        limit: field(7, 'int32'),
        since: field(8, 'StreamPosition'),
        reverse: field(9, 'bool'),
      },
    },
    StreamPosition: { fields: Position },
    SubRefreshRequest: { fields: { channel: field(1, 'string'), token: field(2, 'string') } },
    SendRequest: { fields: { data: field(1, 'bytes') } },
    RpcRequest: { fields: { data: field(1, 'bytes'), method: field(2, 'string') } },

    EmulationRequest: {
      fields: { node: field(1, 'string'), session: field(2, 'string'), data: field(3, 'bytes') },
    },

    Reply: {
      fields: {
        id: field(1, 'uint32'),
        error: field(2, 'ReplyError'),
        push: field(4, 'Push'),
        connect: field(5, 'ConnectResult'),
        subscribe: field(6, 'SubscribeResult'),
        unsubscribe: field(7, 'Empty'),
        publish: field(8, 'Empty'),
        presence: field(9, 'PresenceResult'),
        presence_stats: field(10, 'PresenceStatsResult'),
        history: field(11, 'HistoryResult'),
        rpc: field(13, 'RpcResult'),
        refresh: field(14, 'RefreshResult'),
        sub_refresh: field(15, 'SubRefreshResult'),
      },
    },
    ReplyError: {
      fields: {
        code: field(1, 'uint32'),
        message: field(2, 'string'),
        temporary: field(3, 'bool'),
      },
    },
    Push: {
      fields: {
        channel: field(2, 'string'),
        pub: field(4, 'Publication'),
        join: field(5, 'Presence'),
        leave: field(6, 'Presence'),
        unsubscribe: field(7, 'Unsubscribe'),
        subscribe: field(9, 'Subscribe'),
        disconnect: field(11, 'Disconnect'),
      },
    },
    Disconnect: { fields: { code: field(1, 'uint32'), reason: field(2, 'string') } },
    Subscribe: {
      fields: {
        recoverable: field(1, 'bool'),
        epoch: field(4, 'string'),
        offset: field(5, 'uint64'),
        positioned: field(6, 'bool'),
        data: field(7, 'bytes'),
      },
    },
    Unsubscribe: { fields: { code: field(2, 'uint32'), reason: field(3, 'string') } },
    ClientInfo: { fields: { user: field(1, 'string'), client: field(2, 'string') } },
    Publication: {
      fields: {
        data: field(4, 'bytes'),
        info: field(5, 'ClientInfo'),
        offset: field(6, 'uint64'),
        tags: map(7, 'string'),
        delta: field(8, 'bool'),
      },
    },
    ConnectResult: {
      fields: {
        client: field(1, 'string'),
        version: field(2, 'string'),
        expires: field(3, 'bool'),
        ttl: field(4, 'uint32'),
        data: field(5, 'bytes'),
        subs: map(6, 'SubscribeResult'),
        ping: field(7, 'uint32'),
        pong: field(8, 'bool'),
        session: field(9, 'string'),
        node: field(10, 'string'),
      },
    },
    RefreshResult: {
      fields: {
        client: field(1, 'string'),
        version: field(2, 'string'),
        expires: field(3, 'bool'),
        ttl: field(4, 'uint32'),
      },
    },
    SubscribeResult: {
      fields: {
        expires: field(1, 'bool'),
        ttl: field(2, 'uint32'),
        recoverable: field(3, 'bool'),
        epoch: field(6, 'string'),
        publications: list(7, 'Publication'),
        recovered: field(8, 'bool'),
        offset: field(9, 'uint64'),
        positioned: field(10, 'bool'),
        data: field(11, 'bytes'),
        was_recovering: field(12, 'bool'),
        delta: field(13, 'bool'),
      },
    },
    SubRefreshResult: { fields: { expires: field(1, 'bool'), ttl: field(2, 'uint32') } },
    PresenceResult: { fields: { presence: map(1, 'ClientInfo') } },
    PresenceStatsResult: {
      fields: { num_clients: field(1, 'uint32'), num_users: field(2, 'uint32') },
    },
    RpcResult: { fields: { data: field(1, 'bytes') } },
    HistoryResult: {
      fields: {
        publications: list(1, 'Publication'),
        epoch: field(2, 'string'),
        offset: field(3, 'uint64'),
      },
    },
  },
})

export const CommandMessage = root.lookupType('Command')
export const EmulationMessage = root.lookupType('EmulationRequest')
export const ReplyMessage = root.lookupType('Reply')
