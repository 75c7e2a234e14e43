import { randomBytes } from 'node:crypto'
import { request } from 'undici'
import { type Requests, sendRequests } from '../clients/requests.js'
import type { Figure, Setting, Side } from '../figure.js'
import { costOf, cpuColumns } from '../peers/peer.js'
import { startPeerRedis } from '../peers/peer-redis.js'
import { startFastifyAuth } from '../peers/plain-fastify.js'
import { type PortcullisPeer, startPortcullis } from '../peers/portcullis.js'
import { startServer } from '../servers/start-server.js'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
/** Tokens of a batch, and batches at the same time, as a node sends them. */
const batch = { tokens: 64, concurrency: 4 }

/** CPU of one introspection, alone and in batches. */
export const introspection: Figure = async (setting) => {
  const { stage, quick } = setting
  const count = quick ? 100 : 1500
  const portcullis = await startPortcullis(stage, { nodes: 0 })
  const { auth, newService } = portcullis.installation
  const authorization = `Bearer ${await newService('resource-server', ['introspect'])}`
  const tokens = await portcullis.tokens(batch.tokens)
  const oneByOne = { count, concurrency: 1 }
  const introspect = (n: number) => `token=${tokens[n % tokens.length]}`
  const alone = sideOf('Portcullis', portcullis, {
    ...oneByOne,
    urls: [`${auth.url}/oauth/introspect`],
    headers: { ...form, authorization },
    body: introspect,
  })
  const health = sideOf('GET /health', portcullis, {
    ...oneByOne,
    method: 'GET',
    urls: [`${auth.url}/health`],
  })
  const batches = batchSide(portcullis, authorization, tokens, count)
  const bare = await fastifySides(setting, tokens, count)
  const peer = await providerSide(setting, count)
  return {
    title: 'Introspection: CPU of the servers per token',
    columns: cpuColumns,
    cases: [
      { name: 'alone', sides: [alone, health, ...bare] },
      { name: 'alone', sides: [alone, peer] },
      { name: 'in batches', sides: [batches, peer] },
    ],
    rounds: 5,
    warmUp: 10,
    conditions: [
      `Alone: ${count} requests a round, one at a time over one connection; the caller shows a bearer token, the introspected tokens are ${batch.tokens} in turn. GET /health is of the same process.`,
      'bare Fastify: a Fastify without authentication, limits or headers that looks one token up in Redis with one script; these are the libraries of Portcullis without Portcullis.',
      `In batches: POST /v1/introspections with ${batch.tokens} tokens, ${batch.concurrency} at the same time; oidc-provider has no batches and is asked one at a time.`,
      'oidc-provider: node-oidc-provider with opaque tokens in a durable Redis; its caller authenticates by HTTP Basic.',
    ],
  }
}

function sideOf(name: string, { servers, redis }: PortcullisPeer, requests: Requests): Side {
  const peer = redis === undefined ? { servers } : { servers, redis }
  return { name, run: () => costOf(peer, requests.count, () => sendRequests(requests)) }
}

function batchSide(
  { servers, redis = 0, installation }: PortcullisPeer,
  authorization: string,
  tokens: readonly string[],
  wanted: number,
): Side {
  const count = Math.ceil((wanted * 4) / batch.tokens)
  const body = JSON.stringify({ tokens })
  return {
    name: 'Portcullis',
    run: () =>
      costOf({ servers, redis }, count * batch.tokens, () =>
        sendRequests({
          urls: [`${installation.auth.url}/v1/introspections`],
          headers: { authorization },
          count,
          concurrency: batch.concurrency,
          body: () => body,
        }),
      ),
  }
}

async function fastifySides(
  { stage }: Setting,
  tokens: readonly string[],
  count: number,
): Promise<Side[]> {
  const { pid, redis, url } = await startFastifyAuth(stage)
  const oneByOne = { count, concurrency: 1 }
  const ask = (n: number) => JSON.stringify({ tokens: [tokens[n % tokens.length]] })
  const side = (name: string, requests: Requests): Side => ({
    name,
    run: () => costOf({ servers: [pid], redis }, count, () => sendRequests(requests)),
  })
  return [
    side('bare Fastify', { ...oneByOne, urls: [`${url}/introspections`], body: ask }),
    side('bare Fastify, GET /health', { ...oneByOne, method: 'GET', urls: [`${url}/health`] }),
  ]
}

async function providerSide({ stage }: Setting, count: number): Promise<Side> {
  const secret = randomBytes(32).toString('base64url')
  const redis = await startPeerRedis(stage, { durable: true })
  const { pid, port } = await startServer(stage, 'oidc-server', { args: [redis.url, secret] })
  const url = `http://127.0.0.1:${port}`
  const headers = {
    ...form,
    authorization: `Basic ${Buffer.from(`backend:${secret}`).toString('base64')}`,
  }
  const issue = async () => {
    const answer = await request(`${url}/token`, {
      method: 'POST',
      headers,
      body: 'grant_type=client_credentials&scope=api',
    })
    const { access_token: token } = (await answer.body.json()) as { access_token?: string }
    if (token === undefined) {
      throw new Error(`node-oidc-provider issued no token: ${answer.statusCode}`)
    }
    return token
  }
  const tokens: string[] = []
  while (tokens.length < batch.tokens) {
    tokens.push(await issue())
  }
  return {
    name: 'oidc-provider',
    run: () =>
      costOf({ servers: [pid], redis: redis.pid }, count, () =>
        sendRequests({
          urls: [`${url}/token/introspection`],
          headers,
          count,
          concurrency: 1,
          body: (n) => `token=${tokens[n % tokens.length]}`,
        }),
      ),
  }
}
