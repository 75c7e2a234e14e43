import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import { LocalError } from '../errors.js'
import type { Step } from '../step.js'
import { findProgram } from './find-server.js'

/** A way to install redis-server. */
interface Installer {
  title: string
  install: () => Promise<void>
}

/**
 * Installs redis-server with the platform's package manager if that needs no password: apt-get as root on
 * Debian and its relatives, brew on macOS. Returns false on other platforms.
 *
 * @throws LocalError `redis_missing` when the installation fails.
 */
export async function installRedis(step: Step): Promise<boolean> {
  const installer = chooseInstaller()
  if (installer === undefined) {
    return false
  }
  try {
    await step(installer.title, installer.install)
    return true
  } catch (error) {
    throw new LocalError(
      'redis_missing',
      `Redis could not be installed (${installer.title}); install it, or set REDIS_URL`,
      error instanceof Error ? error.message.split('\n').slice(0, 12) : [],
    )
  }
}

/** Returns the command that installs Redis on this platform. */
export function installCommand(): string {
  if (process.platform === 'darwin') {
    return 'brew install redis'
  }
  if (findProgram('apt-get') !== undefined) {
    return 'sudo apt-get install -y redis-server'
  }
  if (findProgram('dnf') !== undefined) {
    return 'sudo dnf install -y valkey'
  }
  if (findProgram('apk') !== undefined) {
    return 'sudo apk add valkey'
  }
  if (findProgram('pacman') !== undefined) {
    return 'sudo pacman -S valkey'
  }
  return 'docker run -d -p 127.0.0.1:6379:6379 redis:7'
}

function chooseInstaller(): Installer | undefined {
  if (process.platform === 'darwin') {
    const brew = findProgram('brew')
    if (brew === undefined) {
      return undefined
    }
    return {
      title: 'installing Redis (brew install redis)',
      install: async () => {
        await execa(brew, ['install', 'redis'], { all: true, stdin: 'ignore' })
      },
    }
  }
  const aptGet = findProgram('apt-get')
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || aptGet === undefined) {
    return
  }
  return {
    title: 'installing Redis (apt-get install redis-server)',
    install: () => withoutServices(() => runAptGet(aptGet)),
  }
}

async function runAptGet(aptGet: string): Promise<void> {
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    stdin: 'ignore',
    all: true,
  } as const
  // Another apt-get may hold the lock, for instance on a new machine.
  const wait = ['-o', 'DPkg::Lock::Timeout=120']
  await execa(aptGet, [...wait, '-q', 'update'], options)
  const install = ['install', '-y', '-q', '--no-install-recommends', 'redis-server']
  await execa(aptGet, [...wait, ...install], options)
  if (existsSync('/run/systemd/system')) {
    // Only our private server is wanted, not a system service at the next boot.
    await execa('systemctl', ['disable', 'redis-server'], { reject: false })
  }
}

const policyFile = '/usr/sbin/policy-rc.d'
const policy =
  '#!/bin/sh\n# Portcullis installs redis-server without starting its service.\nexit 101\n'

/** Debian packages start their service when installed, unless this file forbids it. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const ours = !existsSync(policyFile)
  if (ours) {
    writeFileSync(policyFile, policy, { mode: 0o755 })
  }
  try {
    await work()
  } finally {
    if (ours && readFileSync(policyFile, 'utf8') === policy) {
      rmSync(policyFile)
    }
  }
}
