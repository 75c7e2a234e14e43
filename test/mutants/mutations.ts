/** The removal of one guard of the revocation guarantee. */
export interface Mutation {
  /** The fault that the removal causes. */
  name: string
  /** Path from the checkout's root, like `test`. */
  file: string
  /** Text that occurs in the file exactly once. */
  text: string
  replacement: string
  /** The test file that has to fail. */
  test: string
}

/** Returns mutations of one file that one test file has to detect. */
function of(
  file: string,
  test: string,
  guards: readonly (readonly [name: string, text: string, replacement: string])[],
): Mutation[] {
  return guards.map(([name, text, replacement]) => ({ name, file, text, replacement, test }))
}

const gate = (name: string) => `packages/gate/${name}`
const realtime = (name: string) => `apps/realtime/${name}`
const auth = (name: string) => `apps/auth/${name}`
const lua = (name: string) => auth(`src/registry/${name}.lua`)

/** Every guard that docs/guarantee.md names. A test compares its list with this table. */
export const mutations: readonly Mutation[] = [
  ...of(gate('src/grants/watch.ts'), gate('test/grants/watch.test.ts'), [
    [
      "an introspection's answer is not checked against the events since it began",
      'if (since.some((event) => coversToken(event, grant))) {',
      'if (false) {',
    ],
  ]),
  ...of(gate('src/grants/watch.ts'), gate('test/feed/feed.test.ts'), [
    [
      "an introspection's answer counts although the feed skipped events meanwhile",
      '    if (mark.epoch !== this.#epoch) {\n      throw outOfSync()\n    }\n',
      '',
    ],
    ['a node admits tokens although its feed skipped events', '    this.#synced = false\n', ''],
  ]),
  ...of(gate('src/grants/watch.ts'), gate('test/grants/lease.test.ts'), [
    [
      'a node admits tokens without a lease',
      'return this.#synced && this.#lease.held',
      'return this.#synced',
    ],
  ]),
  ...of(gate('src/grants/watch.ts'), gate('test/admission/closing.test.ts'), [
    [
      'an ended grant can be held',
      'if (grant.ended !== undefined || !this.#index.has(grant)) {',
      'if (false) {',
    ],
  ]),
  ...of(gate('src/grants/watch.ts'), gate('test/grants/copy.test.ts'), [
    [
      'an ended grant is copied for another request',
      '    this.#needSync()\n    this.#needWatched(grant)\n',
      '    this.#needSync()\n',
    ],
    [
      'a grant is copied without a lease, or although the feed skipped events',
      '    this.#needSync()\n    this.#needWatched(grant)\n',
      '    this.#needWatched(grant)\n',
    ],
    [
      'a grant is copied although its token has expired',
      'if (grant.expiresAt <= now) {',
      'if (false) {',
    ],
  ]),
  ...of(gate('src/grants/lease.ts'), gate('test/grants/lease.test.ts'), [
    [
      'a timer decides whether the lease is held',
      'if (now >= this.#until) {\n      return false\n    }',
      'if (!this.#reported) return false',
    ],
    [
      'a renewal hides that the old lease ran out',
      '    // The old lease may have run out before a timer could report it.\n    this.#reportIfOut()\n',
      '',
    ],
    [
      'a check of the lease does not detect a suspend',
      'if (!this.#suspends.quickCheck(now)) {\n      return true\n    }',
      'return true',
    ],
    [
      'a renewal from before a suspend counts',
      '    if (sentAt <= this.#givenUpAt) {\n      return\n    }\n',
      '',
    ],
    [
      'a suspend that the wall clock hides is not detected',
      '        if (this.#suspends.check()) {\n          this.#giveUp()\n        }\n        if (this.held)',
      '        if (this.held)',
    ],
    [
      "a detected suspend is not reported to the lease's listeners",
      '    setImmediate(() => this.#reportIfOut())\n',
      '',
    ],
  ]),
  ...of(gate('src/feed/renewals.ts'), gate('test/grants/lease.test.ts'), [
    [
      'the lease counts from the answer',
      'this.#options.lease.granted(sentAt, ttlMs)',
      'this.#options.lease.granted(performance.now(), ttlMs)',
    ],
  ]),
  ...of(gate('src/feed/feed.ts'), gate('test/feed/feed.test.ts'), [
    ['a node acknowledges during a resync', 'if (this.#resync === undefined) {', 'if (true) {'],
    [
      'a process that lost its name admits tokens',
      'if (isRefusal(code)) {\n      this.#options.watch.interrupted()\n    }',
      '',
    ],
    [
      'a node continues as usual although its feed skipped events',
      '    watch.interrupted()\n    if (watch.size === 0 && !watch.hasEffects) {',
      '    if (watch.size === 0 && !watch.hasEffects) {',
    ],
  ]),
  ...of(gate('src/feed/feed.ts'), gate('test/admission/closing.test.ts'), [
    [
      'a node admits a token after its goodbye',
      '      watch.interrupted()\n      this.#options.lease.close()\n',
      '',
    ],
  ]),
  ...of(gate('src/grants/watch.ts'), gate('test/grants/effects.test.ts'), [
    [
      // Two checks guard the same case; this removes both.
      'an effect does not check whether its grant has ended',
      "if (!this.#index.has(grant)) {\n      throw new GateError('invalid_token', 'the token has ended')\n    }\n",
      'grant = Object.create(grant, { ended: { value: undefined } })\n',
    ],
  ]),
  ...of(gate('src/grants/effects.ts'), gate('test/grants/effects.test.ts'), [
    [
      'an effect does not check the lease',
      "  if (leftMs <= 0) {\n    throw new GateError('auth_unavailable', 'the lease is out')\n  }\n",
      '',
    ],
    ['an effect that may still happen counts as over', 'over = isOver(error)', 'over = true'],
    [
      'an acknowledgement does not wait for effects under way',
      'filter(({ covered }) => all || covered)',
      'filter(() => false)',
    ],
  ]),
  ...of(gate('src/admission/admission.ts'), gate('test/grants/races.test.ts'), [
    [
      'a socket opens with an ended grant',
      '    if (this.grant.ended !== undefined) {\n      closeEnded(socket, raw.socket, this.grant.ended)\n    }\n',
      '',
    ],
  ]),
  ...of(gate('src/admission/sockets.ts'), gate('test/admission/closing.test.ts'), [
    [
      'a revoked socket with unsent bytes is closed without a reset',
      'if (socket.bufferedAmount > 0) {\n    resetWebSocket(socket, raw)\n  } else {\n    close(socket, raw, codes[reason])\n  }',
      'close(socket, raw, codes[reason])',
    ],
  ]),
  ...of(gate('src/admission/sockets.ts'), gate('test/grants/lease.test.ts'), [
    [
      'a message is sent without a lease',
      'if (lease.held) {\n      send(...args)\n    }',
      'if (true) {\n      send(...args)\n    }',
    ],
  ]),
  ...of(gate('src/admission/reset.ts'), gate('test/admission/closing.test.ts'), [
    [
      'a cut connection leaves its bytes in the kernel',
      ';(tcp ?? socket).resetAndDestroy()',
      'socket.destroy()',
    ],
    ['a connection is reset during its shutdown', 'if (isShuttingDown(socket)) {', 'if (false) {'],
  ]),
  ...of(gate('src/admission/door.ts'), gate('test/admission/held-callers.test.ts'), [
    ['an upgrade is admitted by a held grant', "kind === 'response' ? await", 'true ? await'],
  ]),
  ...of(gate('src/admission/door.ts'), gate('test/grants/lease.test.ts'), [
    [
      'a response is sent without a lease',
      'if (!ended && this.#options.lease.held) {\n      return payload\n    }',
      'if (!ended) return payload',
    ],
  ]),
  ...of(gate('src/admission/door.ts'), gate('test/admission/http.test.ts'), [
    [
      'a response is sent to a token that has ended',
      'const ended = admission.grant.ended !== undefined\n',
      'const ended = false\n',
    ],
  ]),
  ...of(realtime('src/connection/io/output.ts'), realtime('test/connection/hold.test.ts'), [
    [
      'a connection writes without a lease',
      '    if (!node.hold.open) {\n      node.hold.add(this.#source)\n',
      '    if (false) {\n      node.hold.add(this.#source)\n',
    ],
  ]),
  ...of(realtime('src/connection/io/input.ts'), realtime('test/connection/hold.test.ts'), [
    [
      'a connection executes a command without a lease',
      'if (hold.open) {\n      return true\n    }',
      'return true',
    ],
  ]),
  ...of(realtime('src/connection/connection.ts'), realtime('test/connection/hold.test.ts'), [
    [
      'bytes that a slow reader has not taken are sent without a lease',
      '    if (this.#transport.backlog() > 0) {\n      this.cut(closeCodes.leaseLost)\n    }\n',
      '',
    ],
  ]),
  ...of(realtime('src/connection/connection.ts'), realtime('test/connection/connection.test.ts'), [
    [
      'a revoked connection with unsent bytes is closed without a reset',
      "this.#close(disconnect, () => (this.#transport.backlog() > 0 ? 'destroy' : 'close'))",
      "this.#close(disconnect, () => 'close')",
    ],
    [
      'a closed connection releases its grant before its last byte has left',
      "if (action === 'close' && this.#transport.backlog() > 0) {\n      hold.addClosing(this)\n    }",
      'if (false) {\n      hold.addClosing(this)\n    }',
    ],
  ]),
  ...of(
    realtime('src/connection/commands/publish.ts'),
    realtime('test/connection/commands/publish-handler.test.ts'),
    [
      [
        "a handler's answer publishes for a connection that has ended",
        '  if (session.closed) {\n    return\n  }\n',
        '',
      ],
      [
        "a handler's answer publishes what a refresh does not permit any more",
        "if (!permits(session.grant, 'publish', channel)) {",
        'if (false) {',
      ],
    ],
  ),
  ...of(
    realtime('src/connection/commands/subscribe.ts'),
    realtime('test/connection/commands/subscribe-handler.test.ts'),
    [
      [
        "a handler's answer after a revocation begins a subscription",
        '  if (!isWanted()) {\n    return undefined\n  }\n',
        '',
      ],
    ],
  ),
  ...of(
    realtime('src/connection/commands/limit-in-time.ts'),
    realtime('test/connection/commands/limit-in-time.test.ts'),
    [
      [
        "a handler's answer changes a subscription that it is not about",
        '  if (!isWanted()) {\n    return\n  }\n',
        '',
      ],
    ],
  ),
  ...of(
    realtime('src/connection/io/stream-transport.ts'),
    realtime('test/connection/io/stream-transport.test.ts'),
    [
      [
        'bytes of a stream that its reader has not taken are not counted',
        'return this.#raw.writableLength',
        'return 0',
      ],
      [
        'a stream that is cut leaves its bytes in the kernel',
        'reset(this.#raw)',
        'this.#raw.destroy()',
      ],
      ['a closed stream is never reset', '    this.#closeDeadline.add(this)\n', ''],
    ],
  ),
  ...of(realtime('src/sessions/sessions.ts'), realtime('test/sessions/sessions.test.ts'), [
    [
      'a session outlives its stream',
      'if (this.#sessions.delete(id)) {',
      'if (this.#sessions.has(id)) {',
    ],
  ]),
  ...of(
    realtime('src/connection/subscriptions/subscriptions.ts'),
    realtime('test/connection/commands/channel-token.test.ts'),
    [
      [
        'the token of a channel is released after an unsubscribe although bytes wait',
        'if (waits) {\n        this.#lingering = [...(this.#lingering ?? []), subscription.release]\n      } else {\n        subscription.release()\n      }',
        'subscription.release()',
      ],
      [
        'bytes of a channel are sent after its token was revoked',
        "if (reason === 'revoked' && this.#connection.waits) {",
        'if (false) {',
      ],
    ],
  ),
  ...of(auth('src/feed/connection/lease-renewals.ts'), auth('test/feed/connection/lease.test.ts'), [
    [
      'a lease is granted before the events that it depends on are sent',
      '      await progress.untilSent(renewed.cursor)\n',
      '',
    ],
  ]),
  ...of(auth('src/feed/fencer.ts'), auth('test/feed/fencer.test.ts'), [
    [
      'the fencer reads its clock before the leases',
      'const { leases, ends, missing, error } = await this.#options.registry.readLeases()\n    // After the answer: a renewal may have been counted while the question was on its way.\n    const now = performance.now()\n',
      'const now = performance.now()\n    const { leases, ends, missing, error } = await this.#options.registry.readLeases()\n',
    ],
    [
      'a node is fenced although it has renewed',
      'known?.renewedUs === lease.renewedUs && known.run === lease.run ? known : undefined',
      'known',
    ],
    [
      'a node is fenced too early',
      'now - same.since >= lease.fenceMs) {',
      'now - same.since >= 0) {',
    ],
    [
      'a fence counts leases read from another Redis',
      'known?.renewedUs === lease.renewedUs && known.run === lease.run ?',
      'known?.renewedUs === lease.renewedUs ?',
    ],
  ]),
  ...of(auth('src/feed/own-part/applied-events.ts'), auth('test/feed/own-part/own-part.test.ts'), [
    [
      'an auth instance acknowledges before the effects are over',
      'over: effects === undefined }',
      'over: true }',
    ],
  ]),
  ...of(auth('src/feed/own-part/partition-lease.ts'), auth('test/feed/own-part/own-part.test.ts'), [
    [
      'an auth instance continues after a fence without the events before it',
      '        await this.#until(() => reaches(events.applied(partition), end))\n',
      '',
    ],
    [
      'an auth instance keeps its lease after a suspend',
      'if (!this.#suspends.quickCheck(now)) {\n      return left\n    }',
      'return left',
    ],
  ]),
  ...of(auth('src/feed/own-part/own-part.ts'), auth('test/feed/own-part/own-part.test.ts'), [
    [
      'an auth instance keeps its callers although its feed skipped events',
      '    watch.endAll()\n',
      '',
    ],
  ]),
  ...of(auth('src/callers/held-callers.ts'), auth('test/callers/held-callers.test.ts'), [
    [
      'an auth instance knows a caller whose token has ended',
      '() => this.#byToken.delete(token),',
      '() => undefined,',
    ],
    [
      'an auth instance knows a caller whose token has expired',
      ' || held.caller.grant.expiresAt <= Date.now()',
      '',
    ],
    [
      'an auth instance never asks about a known caller again',
      'return this.#now() - askedAt >= this.#maxHeldMs',
      'return askedAt < 0',
    ],
  ]),
  ...of('packages/redis/src/script.ts', 'packages/redis/test/script.test.ts', [
    [
      'Redis runs a script after its deadline',
      'if nowMs >= tonumber(table.remove(ARGV)) then',
      "if table.remove(ARGV) == '' then",
    ],
  ]),
  ...of(lua('revocations/revoke'), auth('test/registry/revocations/revoke.test.ts'), [
    ['a revoked token is not marked', "    redis.call('HSET', tokenKey, 'revoked', '1')\n", ''],
    ['a cut-off is not stored', "  redis.call('ZADD', cutoffsKey, 'GT', cutoffUs, member)\n", ''],
    [
      'a cut-off moves backwards',
      "redis.call('ZADD', cutoffsKey, 'GT', cutoffUs, member)",
      "redis.call('ZADD', cutoffsKey, cutoffUs, member)",
    ],
    [
      'a revocation of everything is not stored',
      "    redis.call('SET', cutoffAllKey, cutoffUs)\n",
      '',
    ],
  ]),
  ...of(lua('revocations/revoke'), auth('test/registry/revocations/receipts.test.ts'), [
    [
      'a receipt does not wait for a process that may deliver',
      "    redis.call('HSET', receiptKey, 'node:' .. part, 'pending')\n",
      '',
    ],
  ]),
  ...of(lua('revocations/revoke'), auth('test/registry/nodes/leases.test.ts'), [
    ['a receipt waits for a fenced process', "if fenced == '-' then", 'if true then'],
  ]),
  ...of(lua('lua/lease'), auth('test/registry/nodes/leases.test.ts'), [
    [
      'a change to another Redis is not detected',
      "if redis.call('GET', roster) ~= mark then",
      'if false then',
    ],
    [
      'a Redis that is promoted again is not detected',
      "    string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)'))",
      "    string.match(info, 'run_id:(%x+)'))",
    ],
    [
      'a renewal counts although a revocation waits for the node',
      'if oldest and (askedMark ~= mark or oldest <= tonumber(askedUs)) then',
      'if false then',
    ],
  ]),
  ...of(lua('nodes/fence'), auth('test/registry/nodes/leases.test.ts'), [
    [
      'a node that has renewed meanwhile is fenced',
      'elseif renewedUs ~= watchedUs then',
      'elseif false then',
    ],
    ['a node is fenced twice', "if fenced ~= '-' or readMark()", 'if readMark()'],
    ['a node is fenced by a lease read from another Redis', 'or readMark() ~= mark then', 'then'],
    [
      'a node that has acknowledged meanwhile is fenced',
      'if not oldest or oldest > tonumber(overdueUs) then',
      'if false then',
    ],
  ]),
  ...of(lua('nodes/renew-lease'), auth('test/registry/nodes/leases.test.ts'), [
    [
      'a replaced process renews',
      "if holder and holder ~= instance and tonumber(heldSince) > tonumber(sinceUs) then\n  return 'node_replaced'\nend\nif holder ~= instance or ",
      'if ',
    ],
    [
      'a process whose join is lost renews',
      "if holder ~= instance or redis.call('HEXISTS', leasesKey, part) == 0 then",
      'if false then',
    ],
  ]),
  ...of(lua('tokens/introspect'), auth('test/registry/tokens/tokens.test.ts'), [
    [
      'a token whose text was not issued is active',
      "if not token[1] or (digest ~= '' and token[1] ~= digest) then",
      'if not token[1] then',
    ],
    [
      'a token without a digest is active',
      "if not token[1] or (digest ~= '' and token[1] ~= digest) then",
      "if token[1] and digest ~= '' and token[1] ~= digest then",
    ],
    [
      'a token is active for another identity',
      'if token[2] ~= ARGV[position + 1] or token[5] then',
      'if token[5] then',
    ],
    [
      'a token is active after its expiry',
      'if nowMs >= tonumber(token[4]) or issuedUs',
      'if issuedUs',
    ],
    [
      'a token of a suspended identity is active',
      'if not identity.active or issuedUs',
      'if issuedUs',
    ],
  ]),
  ...of(lua('tokens/introspect'), auth('test/registry/identities/identities.test.ts'), [
    [
      'a token of a deleted identity is active for the next identity of that name',
      'if not identity.active or issuedUs <= identity.createdUs then',
      'if not identity.active then',
    ],
  ]),
  ...of(lua('tokens/introspect'), auth('test/registry/revocations/revoke.test.ts'), [
    [
      'a revoked token is active',
      'if token[2] ~= ARGV[position + 1] or token[5] then',
      'if token[2] ~= ARGV[position + 1] then',
    ],
    [
      'a token issued before the cut-off of everything is active',
      ' or issuedUs <= cutoffAll then',
      ' then',
    ],
    [
      'a token issued before a cut-off is active',
      'and isCutOff(identity.cutoffsKey, issuedUs, token[6], token[8], token[9]) then',
      'and false then',
    ],
  ]),
  ...of(
    'apps/auth/src/registry/tokens/introspect.ts',
    auth('test/registry/tokens/tokens.test.ts'),
    [['a presented token is checked by its id alone', '({ text }) => digestOf(text)', "() => ''"]],
  ),
  ...of(
    'apps/auth/src/registry/tokens/introspect.ts',
    auth('test/routes/oauth/introspect.test.ts'),
    [
      [
        'a single presented token is checked by its id alone',
        '[1, client_id, 1, digestOf(text)]',
        "[1, client_id, 1, '']",
      ],
    ],
  ),
  ...of('apps/auth/src/tokens/decoded-tokens.ts', auth('test/tokens/decoded-tokens.test.ts'), [
    [
      'a known token is known after the removal of its key',
      'this.#keys.find(known.key.kid) === known.key',
      'known.key !== undefined',
    ],
  ]),
  ...of('apps/auth/src/tokens/sign.ts', auth('test/routes/keys/keys.test.ts'), [
    [
      'an issued token can be built from its record by whoever has the key',
      "randomBytes(16).toString('base64url')",
      "'A'.repeat(22)",
    ],
  ]),
  ...of(lua('tokens/issue'), auth('test/registry/identities/identities.test.ts'), [
    ['a suspended identity is issued tokens', "if identity[1] ~= 'active' then", 'if false then'],
  ]),
  ...of(lua('tokens/issue'), auth('test/registry/tokens/tokens.test.ts'), [
    [
      'an ended token issues another token',
      'if parent[1] ~= client or parent[4] then',
      'if false then',
    ],
    [
      'a token expires after the token that issued it',
      '  expires = math.min(expires, tonumber(parent[3]))\n',
      '',
    ],
    [
      'a token is recorded with other times than those of its text',
      'if iat ~= issuedSecond or exp ~= expirySecond then',
      'if false then',
    ],
    [
      'a revoked key signs',
      "if redis.call('SISMEMBER', revokedKeysKey, kid) == 1 then",
      'if false then',
    ],
  ]),
]

/** Returns the list for docs/guarantee.md. */
export function describeMutations(): string {
  const byFile = new Map<string, string[]>()
  for (const { file, name } of mutations) {
    byFile.set(file, [...(byFile.get(file) ?? []), name])
  }
  return [...byFile].map(([file, names]) => `- \`${file}\`: ${names.join('; ')}.`).join('\n')
}
