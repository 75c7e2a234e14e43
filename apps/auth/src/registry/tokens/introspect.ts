import { script } from '@portcullis/redis'
import { words } from '../identities/record.js'
import { partitionOf, partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { digestOf } from './digest.js'

/** For each token null, or the fields of the active record, one a line. */
const check = script<(string | null)[]>(new URL('./introspect.lua', import.meta.url))

/** A token's id, and the identity that it was issued to. */
export interface NamedToken {
  jti: string
  client_id: string
}

/** A token as a caller presents it. Its text is not verified; id and identity are read from it. */
export interface PresentedToken extends NamedToken {
  text: string
}

/** The registry's record of a token that is active. */
export interface ActiveRecord {
  /** Microseconds on the partition's clock. */
  issuedUs: number
  subject: string
  /** Separated by single spaces. */
  scope: string
  labels: string[]
  parents: string[]
  /** Unix milliseconds on the partition's clock. */
  expiresAt: number
  /** Milliseconds until then, when the registry answered. */
  leftMs: number
}

/**
 * Checks many tokens in one round trip for each partition, and returns the answers in the same
 * order. A token is active when its text is the one that was issued under this id to this identity,
 * it has not expired, it is not revoked, and its identity is active. For any other token the answer
 * is undefined, without a reason.
 *
 * @throws RegistryError `registry_unavailable`
 */
export function introspect(
  registry: Registry,
  tokens: readonly PresentedToken[],
): Promise<(ActiveRecord | undefined)[]> {
  return checkAll(registry, tokens, ({ text }) => digestOf(text))
}

/**
 * Like `introspect`, for one token.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspectOne(
  registry: Registry,
  { text, jti, client_id }: PresentedToken,
): Promise<ActiveRecord | undefined> {
  const { keys, partitions } = registry
  const partition = partitionOfToken({ jti, client_id }, partitions)
  if (partition === undefined) {
    return undefined
  }
  const [reply] = await run(
    registry,
    check,
    [
      keys.cutoffAll(partition),
      keys.identity(partition, client_id),
      keys.cutoffs(partition, client_id),
      keys.token(partition, jti),
    ],
    [1, client_id, 1, digestOf(text)],
  )
  return activeOf(reply)
}

/**
 * Like `introspect`, for tokens whose text the caller does not have: it has been checked before.
 *
 * @throws RegistryError `registry_unavailable`
 */
export function introspectById(
  registry: Registry,
  tokens: readonly NamedToken[],
): Promise<(ActiveRecord | undefined)[]> {
  return checkAll(registry, tokens, () => '')
}

async function checkAll<Token extends NamedToken>(
  registry: Registry,
  tokens: readonly Token[],
  digest: (token: Token) => string,
): Promise<(ActiveRecord | undefined)[]> {
  const questions = new Map<number, Question>()
  for (const [index, token] of tokens.entries()) {
    const partition = partitionOfToken(token, registry.partitions)
    if (partition === undefined) {
      continue
    }
    let question = questions.get(partition)
    if (question === undefined) {
      question = new Question(registry, partition)
      questions.set(partition, question)
    }
    question.add(index, token, digest(token))
  }
  const answers = new Array<ActiveRecord | undefined>(tokens.length).fill(undefined)
  await Promise.all([...questions.values()].map((question) => question.ask(answers)))
  return answers
}

/**
 * Returns the partition of a token, which is that of its identity; undefined when the id names no
 * partition of this registry, or another one.
 */
function partitionOfToken({ jti, client_id }: NamedToken, partitions: number): number | undefined {
  const partition = partitionOfId(jti, partitions)
  return partition === partitionOf(client_id, partitions) ? partition : undefined
}

/** The tokens of one partition to check, and the arguments of the script. */
class Question {
  readonly #registry: Registry
  readonly #partition: number
  /** Each identity is named once, at its position from 1. */
  readonly #identities = new Map<string, number>()
  readonly #identityKeys: string[] = []
  readonly #tokenKeys: string[] = []
  readonly #tokenArguments: (string | number)[] = []
  /** The indices of the tokens in the caller's list. */
  readonly #indices: number[] = []

  constructor(registry: Registry, partition: number) {
    this.#registry = registry
    this.#partition = partition
  }

  add(index: number, { jti, client_id }: NamedToken, digest: string): void {
    this.#indices.push(index)
    this.#tokenKeys.push(this.#registry.keys.token(this.#partition, jti))
    this.#tokenArguments.push(this.#positionOf(client_id), digest)
  }

  /** Runs the script, and enters the active tokens into the caller's list. */
  async ask(answers: (ActiveRecord | undefined)[]): Promise<void> {
    const { keys } = this.#registry
    const replies = await run(
      this.#registry,
      check,
      [keys.cutoffAll(this.#partition), ...this.#identityKeys, ...this.#tokenKeys],
      [this.#identities.size, ...this.#identities.keys(), ...this.#tokenArguments],
    )
    for (const [at, index] of this.#indices.entries()) {
      answers[index] = activeOf(replies[at])
    }
  }

  #positionOf(identity: string): number {
    const known = this.#identities.get(identity)
    if (known !== undefined) {
      return known
    }
    const { keys } = this.#registry
    this.#identityKeys.push(
      keys.identity(this.#partition, identity),
      keys.cutoffs(this.#partition, identity),
    )
    const position = this.#identities.size + 1
    this.#identities.set(identity, position)
    return position
  }
}

function activeOf(reply: string | null | undefined): ActiveRecord | undefined {
  if (reply === null || reply === undefined) {
    return undefined
  }
  // No field contains a control character.
  const [issuedUs, expiresAt, leftMs, subject = '', scope = '', labels, parents] = reply.split('\n')
  return {
    issuedUs: Number(issuedUs),
    subject,
    scope,
    labels: words(labels),
    parents: words(parents),
    expiresAt: Number(expiresAt),
    leftMs: Number(leftMs),
  }
}
