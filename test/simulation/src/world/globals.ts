import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import timers from 'node:timers/promises'
import type { Process, Timer } from './process.js'
import type { World } from './world.js'

/** The world whose events run now. Outside of its events, Node's own functions apply. */
let world: World | undefined

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  now: performance.now.bind(performance),
  date: Date.now,
  uptime: os.uptime,
  random: Math.random,
  delay: timers.setTimeout,
  randomBytes: crypto.randomBytes,
  randomUUID: crypto.randomUUID,
  timeoutSignal: AbortSignal.timeout.bind(AbortSignal),
}

const running = (): Process | undefined => world?.running

type Callback = (...args: unknown[]) => void

function start(
  kind: 'setTimeout' | 'setInterval' | 'setImmediate',
): (callback: Callback, ...args: unknown[]) => unknown {
  return (callback, ...args) => {
    const process = running()
    if (process === undefined) {
      return Reflect.apply(real[kind], globalThis, [callback, ...args])
    }
    if (kind === 'setImmediate') {
      return process.setImmediate(() => callback(...args))
    }
    const [ms, ...rest] = args
    return process[kind](() => callback(...rest), typeof ms === 'number' ? ms : 0)
  }
}

function clear(
  kind: 'clearTimeout' | 'clearInterval' | 'clearImmediate',
): (timer: unknown) => void {
  return (timer) => {
    if (isTimer(timer)) {
      timer.cancel()
    } else {
      Reflect.apply(real[kind], globalThis, [timer])
    }
  }
}

function isTimer(value: unknown): value is Timer {
  return typeof value === 'object' && value !== null && 'cancel' in value
}

function delay(ms: number, value: unknown, options: { signal?: AbortSignal } = {}): unknown {
  const process = running()
  if (process === undefined) {
    return real.delay(ms, value, options)
  }
  const { signal } = options
  return new Promise((resolve, reject) => {
    const aborted = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = process.setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve(value)
    }, ms)
    if (signal?.aborted === true) {
      aborted()
    } else {
      signal?.addEventListener('abort', aborted, { once: true })
    }
  })
}

function timeoutSignal(ms: number): AbortSignal {
  const process = running()
  if (process === undefined) {
    return real.timeoutSignal(ms)
  }
  const controller = new AbortController()
  process.setTimeout(() => controller.abort(new Error('timed out')), ms)
  return controller.signal
}

/**
 * Replaces Node's clocks, timers and random numbers by those of the simulated process whose event runs.
 * Production code runs unchanged.
 */
export function replaceGlobals(): void {
  Object.assign(globalThis, {
    setTimeout: start('setTimeout'),
    setInterval: start('setInterval'),
    setImmediate: start('setImmediate'),
    clearTimeout: clear('clearTimeout'),
    clearInterval: clear('clearInterval'),
    clearImmediate: clear('clearImmediate'),
  })
  performance.now = () => running()?.monotonic ?? real.now()
  Date.now = () => running()?.wall ?? real.date()
  Math.random = () => running()?.random.next() ?? real.random()
  Object.assign(AbortSignal, { timeout: timeoutSignal })
  Object.assign(timers, { setTimeout: delay })
  Object.assign(os, {
    uptime: () => {
      const process = running()
      return process === undefined ? real.uptime() : process.boot / 1000
    },
  })
  Object.assign(crypto, {
    randomBytes: (size: number) => running()?.random.bytes(size) ?? real.randomBytes(size),
    randomUUID: () => {
      const hex = running()?.random.bytes(16).toString('hex')
      if (hex === undefined) {
        return real.randomUUID()
      }
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    },
  })
  syncBuiltinESMExports()
}

/** Sets the world whose events run from now on. */
export function enter(entered: World | undefined): void {
  world = entered
}
