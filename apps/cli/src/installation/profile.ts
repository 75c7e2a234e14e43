import { CliError } from '../errors.js'
import { authUrl } from './auth-url.js'
import {
  type Caller,
  callerFromEnvironment,
  environment,
  type Found,
  localRun,
  type Place,
  type ProfileFlags,
  places,
  type Surroundings,
  setVariables,
  tlsFromEnvironment,
} from './places.js'
import { type RealtimeUrl, realtimeUrl } from './realtime-url.js'
import { readProfiles } from './stored-profiles.js'
import type { TlsFiles } from './tls.js'

/** The installation that commands talk to, and the caller's identity there. */
export interface Profile {
  /** Describes the place that named the installation. */
  source: string
  /** Files that hold the registration code. */
  secretFiles: readonly string[]
  auth: string
  realtime: readonly RealtimeUrl[]
  /** Undefined when no identity is configured. */
  caller: Caller | undefined
  tls: TlsFiles
  /** Remarks for the user: which other places were ignored. */
  notes: readonly string[]
}

/**
 * Loads the installation of the first place that names one, with the flags applied.
 *
 * @throws CliError when a file or URL is invalid, or a named profile does not exist.
 */
export function loadProfile(shell: Surroundings, flags: ProfileFlags): Profile {
  const { place, found } = firstFound(places(shell, flags))
  const { source } = found
  const auth = authUrl(flags.auth ?? found.auth)
  const realtime = (flags.realtime?.split(',') ?? found.realtime).map(realtimeUrl)
  // Security: a registration code goes only to the auth it belongs to, never to another --auth.
  const ownAuth = auth === authUrl(found.auth)
  const caller = ownAuth ? found.caller : callerFromEnvironment(shell.env)
  const notes = ownAuth ? ignoredPlaces(shell, place, source) : []
  const tls = found.tls ?? tlsFromEnvironment(shell.env)
  return { source, secretFiles: secretFiles(caller, source), auth, realtime, caller, tls, notes }
}

function firstFound(candidates: readonly Place[]): { place: Place; found: Found } {
  for (const place of candidates) {
    const found = place.find()
    if (found !== undefined) {
      return { place, found }
    }
  }
  throw new CliError('failed', 'no installation is configured')
}

function secretFiles(caller: Caller | undefined, source: string): string[] {
  if (caller === undefined) {
    return []
  }
  if ('value' in caller.code) {
    return [source]
  }
  return 'file' in caller.code ? [caller.code.file] : []
}

/** Names the later places that `place` hides; nothing when the user chose `place` explicitly. */
function ignoredPlaces({ env, ...shell }: Surroundings, place: Place, source: string): string[] {
  const local = place.name === localRun
  if (!local && place.name !== environment) {
    return []
  }
  const ignored = local ? setVariables(env) : []
  const { use } = readProfiles(shell)
  if (use !== undefined) {
    ignored.push(`profile ${use} (use it with --profile ${use})`)
  }
  return ignored.length === 0 ? [] : [`using ${source}; ignoring ${ignored.join(', ')}`]
}
