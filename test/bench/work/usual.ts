import type { Counts } from './counters.js'

/** A count may be this many times its usual number. */
export const tolerance = 2

/** Counts below this are noise of timers and heartbeats. */
const noise = 0.5

/** What one unit usually takes. Lower a number when the work has become less. */
export const usual: Readonly<Record<string, Counts>> = {
  'an introspection': {
    'Redis: commands': 7.2,
    'Redis: reads of requests': 1,
    'auth: system calls': 4.1,
    'auth: kB allocated': 57,
  },
  'an introspection in a batch of 64': {
    'Redis: commands': 1.1,
    'Redis: reads of requests': 0.02,
    'auth: system calls': 0.1,
    'auth: kB allocated': 7.3,
  },
  'a publication by the server API': {
    'Redis: commands': 3.3,
    'Redis: reads of requests': 1.1,
    'auth: system calls': 0.1,
    'node: system calls': 4.1,
    'node: kB allocated': 56,
  },
  'a delivery of a single publication': {
    'node: system calls': 1,
    'node: kB allocated': 0.58,
  },
  'a delivery in a burst of 10': {
    'node: system calls': 0.12,
    'node: kB allocated': 0.36,
  },
  'an admission, 64 at a time': {
    'Redis: commands': 3.3,
    'Redis: reads of requests': 0.36,
    'auth: system calls': 1.5,
    'auth: kB allocated': 24,
    'node: system calls': 6.1,
    'node: kB allocated': 73,
  },
  'an admission, one by one': {
    'Redis: commands': 7.4,
    'Redis: reads of requests': 1.1,
    'auth: system calls': 4.2,
    'auth: kB allocated': 54,
    'node: system calls': 6.6,
    'node: kB allocated': 92,
  },
  'a revocation of one token': {
    'Redis: commands': 69,
    'Redis: reads of requests': 11,
    'auth: system calls': 34,
    'auth: kB allocated': 270,
    'node: system calls': 2.5,
  },
}

/** Returns a sentence for each count that is too high. */
export function excesses(unit: string, counts: Counts, expected: Counts): string[] {
  return Object.entries(expected).flatMap(([name, number]) => {
    const count = counts[name]
    return count === undefined || count <= Math.max(number * tolerance, noise)
      ? []
      : [
          `${unit} took ${count.toFixed(2)} ${name}; it usually takes ${number}, and more than ${tolerance} times that means that work was added to every unit`,
        ]
  })
}
