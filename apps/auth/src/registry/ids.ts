import { randomBytes } from 'node:crypto'
import { fnv1a } from '@portcullis/contracts/fnv1a'

const idPattern = /^(0|[1-9][0-9]{0,4})-[A-Za-z0-9_-]{22}$/
const everywhere = /^all-[A-Za-z0-9_-]{22}$/

/**
 * Returns the partition of an identity and everything that belongs to it: FNV-1a, the same on every
 * machine.
 */
export function partitionOf(identity: string, partitions: number): number {
  return fnv1a(identity) % partitions
}

/** Returns a new id of a revocation: its partition, then 128 random bits. */
export function newId(partition: number | 'all'): string {
  return `${partition}-${randomBytes(16).toString('base64url')}`
}

/**
 * Returns a new random id. It never starts with `-`, which a command line would read as an option.
 */
export function newName(bytes: number): string {
  for (;;) {
    const name = randomBytes(bytes).toString('base64url')
    if (!name.startsWith('-')) {
      return name
    }
  }
}

/**
 * Returns the partition that an id names, or undefined when the id is malformed or names no
 * partition of this registry.
 */
export function partitionOfId(id: string, partitions: number): number | undefined {
  const partition = Number(idPattern.exec(id)?.[1] ?? Number.NaN)
  return partition < partitions ? partition : undefined
}

/** Returns true for the id of a revocation that has a part in every partition. */
export function isEverywhere(id: string): boolean {
  return everywhere.test(id)
}
