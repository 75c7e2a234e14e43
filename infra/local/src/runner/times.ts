import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestFile } from './find-tests.js'

/** What each file took the last time; long ones start first then. */
export interface Times {
  of(test: TestFile): number | undefined
  set(test: TestFile, ms: number): void
  save(): void
}

/** Reads the times of earlier runs of this checkout. */
export function readTimes(checkout: string): Times {
  const file = join(checkout, '.tap', 'times.json')
  const times = new Map(Object.entries(read(file)))
  const key = (test: TestFile) => `${test.workspace}/${test.file}`
  return {
    of: (test) => times.get(key(test)),
    set: (test, ms) => times.set(key(test), ms),
    save() {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, JSON.stringify(Object.fromEntries(times)))
    },
  }
}

function read(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}
