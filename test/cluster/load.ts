import type { AuthProcess, Teardown } from '@portcullis/local'
import { request } from 'undici'

/** Number of concurrent loops. */
const workers = 4

/** Counts of the load, and violations. */
export interface Seen {
  issued: number
  introspected: number
  /** Revocations that were confirmed and on every replica. */
  revoked: number
  /** Requests answered with 503. */
  refused: number
  /** Descriptions of violations: a revoked token that was active, an unexpected response. */
  wrong: string[]
}

interface Answer {
  status: number
  body: unknown
}

/**
 * Continuously issues, introspects and revokes tokens of several identities, and so of several
 * partitions. Revoked tokens are introspected again until the end.
 */
export class Load {
  readonly seen: Seen = { issued: 0, introspected: 0, revoked: 0, refused: 0, wrong: [] }
  readonly #auth: AuthProcess
  readonly #replicas: number
  readonly #revoked: string[] = []
  readonly #identities: { identity: string; registrationCode: string }[] = []
  #stopped = false
  #running: Promise<unknown> = Promise.resolve()

  private constructor(auth: AuthProcess, replicas: number) {
    this.#auth = auth
    this.#replicas = replicas
  }

  /** @param replicas - number of replicas; a revocation counts only when all have it */
  static async start(t: Teardown, auth: AuthProcess, replicas = 1): Promise<Load> {
    const load = new Load(auth, replicas)
    for (let n = 0; n < 12; n += 1) {
      const order = { identity: `load-${n}`, scopes: [] }
      const { status, body } = await auth.api('POST', '/v1/identities', order)
      if (status !== 201) {
        throw new Error(`no identity: ${status}`)
      }
      load.#identities.push(body)
    }
    load.#running = Promise.all(Array.from({ length: workers }, (_, n) => load.#work(n)))
    t.teardown(() => load.stop())
    return load
  }

  /** Resolves when several more tokens have been issued and revoked. */
  async continues(): Promise<void> {
    const enough = this.seen.revoked + 2 * workers
    while (this.seen.revoked < enough && !this.#stopped) {
      await this.#step(this.seen.issued)
    }
  }

  /** Stops, and introspects every revoked token once more. */
  async stop(): Promise<Seen> {
    if (this.#stopped) {
      return this.seen
    }
    this.#stopped = true
    await this.#running
    for (let at = 0; at < this.#revoked.length; at += 50) {
      await this.#mustBeInactive(this.#revoked.slice(at, at + 50), 'at the end')
    }
    return this.seen
  }

  async #work(first: number): Promise<void> {
    for (let n = first; !this.#stopped; n += workers) {
      await this.#step(n)
    }
  }

  async #step(n: number): Promise<void> {
    const token = await this.#issue(n)
    if (token === undefined) {
      return
    }
    await this.#introspect([token])
    // A failed request may have been executed or not: only confirmed revocations are promised.
    if (!(await this.#revoke(token))) {
      return
    }
    this.#revoked.push(token)
    this.seen.revoked += 1
    await this.#mustBeInactive([token], 'at once')
    const earlier = this.#revoked[Math.floor(Math.random() * this.#revoked.length)]
    if (earlier !== undefined) {
      await this.#mustBeInactive([earlier], 'later')
    }
  }

  async #issue(n: number): Promise<string | undefined> {
    const client = this.#identities[n % this.#identities.length]
    if (client === undefined) {
      throw new Error('no identities')
    }
    const { body } = await this.#expect(200, () => this.#token(client))
    const token = typeof body === 'object' && body !== null && Reflect.get(body, 'access_token')
    if (typeof token !== 'string') {
      return undefined
    }
    this.seen.issued += 1
    return token
  }

  async #token({ identity, registrationCode }: { identity: string; registrationCode: string }) {
    const { statusCode, body } = await request(`${this.#auth.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: identity,
        client_secret: registrationCode,
      }).toString(),
    })
    return { status: statusCode, body: await body.json() }
  }

  async #introspect(tokens: readonly string[]): Promise<boolean[] | undefined> {
    const { status, body } = await this.#expect(200, () =>
      this.#auth.api('POST', '/v1/introspections', { tokens }),
    )
    if (status !== 200) {
      return undefined
    }
    this.seen.introspected += 1
    const { results } = body as { results: { active: boolean }[] }
    return results.map(({ active }) => active)
  }

  async #revoke(token: string): Promise<boolean> {
    const { status, body } = await this.#expect(201, () =>
      this.#auth.api('POST', '/v1/revocations', { token, replicas: this.#replicas }),
    )
    // With fewer replicas than requested the response promises nothing about a failover.
    return status === 201 && (body as { replicas: number }).replicas >= this.#replicas
  }

  async #mustBeInactive(tokens: readonly string[], when: string): Promise<void> {
    const active = (await this.#introspect(tokens)) ?? []
    for (const [index, one] of active.entries()) {
      if (one) {
        this.seen.wrong.push(`${tokens[index]?.slice(-8)} was revoked, but active ${when}`)
      }
    }
  }

  async #expect(status: number, ask: () => Promise<Answer>): Promise<Answer> {
    const answer = await ask().catch((error: Error): Answer => ({ status: 0, body: error.message }))
    if (answer.status === 503) {
      this.seen.refused += 1
    } else if (answer.status !== status) {
      this.seen.wrong.push(`${answer.status}: ${JSON.stringify(answer.body)}`)
    }
    return answer
  }
}
