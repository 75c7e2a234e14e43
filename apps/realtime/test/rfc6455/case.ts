import type { Test } from 'tap'
import { frame, opcodes, RawSocket, type Received } from '../fixtures/raw-socket.js'
import type { RealtimeNode } from '../fixtures/realtime-node.js'
import type { ScriptedAuth } from '../fixtures/scripted-auth.js'

/**
 * One case of the public Autobahn testsuite, under its number there. The suite speaks to an echo
 * server, which a node is not: where it expects its message back, we send a command and expect the
 * reply; what an echo server has no opinion about, such as the protocol's own codes, is ours.
 */
export interface Case {
  name: string
  send: readonly (Uint8Array | typeof answered)[]
  /** In pieces of so many bytes. */
  chop?: number
  /** What comes back, in order, and nothing else. */
  expect: readonly string[]
}

/**
 * Waits for what comes back for what was sent. Replies leave when a turn of the event loop is over, so a
 * connection that fails within it ends without them: the suite takes that too ("non-strict").
 */
export const answered = 'answered'

/** A command that is answered at once, and made as long as is wanted by blanks that JSON ignores. */
export function command(id = 2, bytes = 0): string {
  return `{"id":${id},"unsubscribe":{"channel":"echo"}}`.padEnd(bytes)
}

export const text = (payload: Uint8Array | string) => frame(opcodes.text, payload)
export const ping = (payload: Uint8Array | string = '') => frame(opcodes.ping, payload)
export const pong = (payload: Uint8Array | string = '') => frame(opcodes.pong, payload)
export const close = (payload: Uint8Array | string = '') => frame(opcodes.close, payload)
/** A frame of a message that goes on. */
export const first = (payload: Uint8Array | string) => frame(opcodes.text, payload, { fin: false })
export const more = (payload: Uint8Array | string) =>
  frame(opcodes.continuation, payload, { fin: false })
export const last = (payload: Uint8Array | string) => frame(opcodes.continuation, payload)

/** A message in fragments of so many bytes. */
export function fragments(payload: Uint8Array | string, size: number, between?: Buffer): Buffer[] {
  const bytes = Buffer.from(payload)
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    const isLast = at + size >= bytes.length
    frames.push(
      frame(at === 0 ? opcodes.text : opcodes.continuation, piece, { fin: isLast }),
      ...(between === undefined || isLast ? [] : [between]),
    )
  }
  return frames
}

/** Plays each case on a connection of its own, all at once. */
export async function play(
  t: Test,
  node: RealtimeNode,
  auth: ScriptedAuth,
  cases: readonly Case[],
): Promise<void> {
  await Promise.all(cases.map((each) => playOne(t, node, auth, each)))
}

async function playOne(t: Test, node: RealtimeNode, auth: ScriptedAuth, each: Case) {
  const { raw } = await RawSocket.open(t, node.port, auth.issue())
  raw.send(text('{"id":1,"connect":{}}'))
  await raw.next()
  const seen: string[] = []
  for (const part of each.send) {
    if (part === answered) seen.push(...show(await raw.next()))
    else if (each.chop === undefined) raw.send(part)
    else await raw.chopped(each.chop, part)
  }
  const ends = each.expect.at(-1)?.startsWith('close') ?? false
  // What is alive answers this, and before it nothing that was not expected.
  if (!ends) raw.send(text(command(99)))
  for (;;) {
    const received = await raw.next()
    const shown = show(received)
    if (shown.includes('reply 99')) {
      seen.push(...shown.slice(0, -1))
      break
    }
    seen.push(...shown)
    if (received === undefined) break
    // The server waits for our half of the closing handshake.
    if (received.opcode === opcodes.close) raw.send(close(received.payload))
  }
  t.same(seen, each.expect, each.name)
  raw.socket.destroy()
}

function show(received: Received | undefined): string[] {
  if (received === undefined) return []
  const { opcode, payload } = received
  if (opcode === opcodes.pong) return [`pong ${payload.toString('latin1')}`]
  if (opcode === opcodes.close) {
    return [payload.length === 0 ? 'close' : `close ${payload.readUInt16BE()}`]
  }
  const lines = payload.toString().split('\n')
  return lines.map((line) => `reply ${JSON.parse(line).id}`)
}
