import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds } from './names.js'

/**
 * Redis settings that the revocation guarantee depends on, as `CONFIG GET` returns them. A setting
 * that auth's Redis user may not read is absent.
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

/** One Redis server of the registry; in a Cluster, one primary. */
export const RegistryServer = Type.Object({
  /** `host:port` in a Cluster; otherwise absent. */
  server: Type.Optional(Type.String()),
  /** False if the server does not answer; then all other members are absent. */
  answers: Type.Boolean(),
  /** Redis version; for Valkey, the Redis version that it is compatible with. */
  version: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  /** Number of connected replicas. */
  replicas: Type.Optional(Type.Integer()),
  /** Result of the last write to the append-only file: `ok`, `err`. */
  lastWrite: Type.Optional(Type.String()),
  /** Bytes used by data and buffers. */
  usedMemory: Type.Optional(Type.Integer()),
  /** `maxmemory` in bytes; 0: no limit. */
  maxMemory: Type.Optional(Type.Integer()),
  /** Memory of the server's machine, in bytes. */
  systemMemory: Type.Optional(Type.Integer()),
  /** The server's clock minus auth's, in milliseconds, accurate to half of `roundTripMs`. */
  clockOffsetMs: Type.Optional(Type.Number()),
  roundTripMs: Type.Optional(Type.Number()),
  settings: Type.Optional(RedisSettings),
})
export type RegistryServer = Static<typeof RegistryServer>

/** `GET /v1/registry`: settings of the registry's Redis, to check them against the guarantee. */
export const RegistryReport = Type.Object({
  at: Milliseconds,
  /** True for a Redis Cluster. */
  cluster: Type.Boolean(),
  partitions: Type.Integer(),
  leaseMs: Type.Integer(),
  /** Replicas that revocations wait for by default (`REVOCATION_REPLICAS`). */
  revocationReplicas: Type.Integer(),
  servers: Type.Array(RegistryServer),
})
export type RegistryReport = Static<typeof RegistryReport>
