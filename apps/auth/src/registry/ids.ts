import { randomBytes } from 'node:crypto'
import { fnv1a } from '@portcullis/contracts/fnv1a'

const idPattern = /^(0|[1-9][0-9]{0,4})-[A-Za-z0-9_-]{22}$/
const everywhere = /^all-[A-Za-z0-9_-]{22}$/

/** Returns the partition that stores an identity and everything that belongs to it. */
export function partitionOf(identity: string, partitions: number): number {
  return fnv1a(identity) % partitions
}

/** A new id of a token or a revocation: its partition, then 128 random bits. */
export function newId(partition: number | 'all'): string {
  return `${partition}-${randomBytes(16).toString('base64url')}`
}

/**
 * A new random id for people to name something by. It never begins with `-`, which a command line
 * would take for an option.
 */
export function newName(bytes: number): string {
  for (;;) {
    const name = randomBytes(bytes).toString('base64url')
    if (!name.startsWith('-')) {
      return name
    }
  }
}

/** The partition that an id names; undefined when it is no id, or of a partition we do not have. */
export function partitionOfId(id: string, partitions: number): number | undefined {
  const partition = Number(idPattern.exec(id)?.[1] ?? Number.NaN)
  return partition < partitions ? partition : undefined
}

/** Whether a revocation's id says that it has a part in every partition. */
export function isEverywhere(id: string): boolean {
  return everywhere.test(id)
}
