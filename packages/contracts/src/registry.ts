import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds } from './names.js'

/**
 * Settings of Redis that the revocation guarantee rests on, as `CONFIG GET` words them; those that
 * Redis does not tell (another user may, or nobody) are absent.
 */
export const RedisSettings = Type.Object({
  appendonly: Type.Optional(Type.String()),
  appendfsync: Type.Optional(Type.String()),
  maxmemory: Type.Optional(Type.String()),
  'maxmemory-policy': Type.Optional(Type.String()),
  'min-replicas-to-write': Type.Optional(Type.String()),
  'min-replicas-max-lag': Type.Optional(Type.String()),
  'cluster-node-timeout': Type.Optional(Type.String()),
  'cluster-require-full-coverage': Type.Optional(Type.String()),
})
export type RedisSettings = Static<typeof RedisSettings>

/** One Redis that has a part of the registry, of a Cluster one of its primaries. */
export const RegistryServer = Type.Object({
  /** `host:port` on a Cluster; otherwise absent, for there is only one. */
  server: Type.Optional(Type.String()),
  /** False: it does not answer now, and nothing else is known. */
  answers: Type.Boolean(),
  /** Of Redis, or of the Redis that a Valkey says it is compatible with. */
  version: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  /** Replicas that are connected to it. */
  replicas: Type.Optional(Type.Integer()),
  /** Whether the last write to its append-only file succeeded: `ok`, `err`. */
  lastWrite: Type.Optional(Type.String()),
  /** Memory that its data and buffers take, in bytes. */
  usedMemory: Type.Optional(Type.Integer()),
  /** `maxmemory`, in bytes; 0: it has no limit. */
  maxMemory: Type.Optional(Type.Integer()),
  /** Memory of the machine that it runs on, in bytes. */
  systemMemory: Type.Optional(Type.Integer()),
  /** Its clock minus that of the auth that asked, in milliseconds; off by half of `roundTripMs` at most. */
  clockOffsetMs: Type.Optional(Type.Number()),
  roundTripMs: Type.Optional(Type.Number()),
  settings: Type.Optional(RedisSettings),
})
export type RegistryServer = Static<typeof RegistryServer>

/** `GET /v1/registry`: how the registry's Redis is set, for whoever checks it against the guarantee. */
export const RegistryReport = Type.Object({
  at: Milliseconds,
  /** Whether it is a Redis Cluster. */
  cluster: Type.Boolean(),
  partitions: Type.Integer(),
  leaseMs: Type.Integer(),
  /** Replicas that revocations wait for by default (`REVOCATION_REPLICAS`). */
  revocationReplicas: Type.Integer(),
  servers: Type.Array(RegistryServer),
})
export type RegistryReport = Static<typeof RegistryReport>
