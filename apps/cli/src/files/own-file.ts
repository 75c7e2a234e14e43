import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { CliError } from '../errors.js'
import { systemCode } from './system-code.js'

/** A file that has its place, and not yet its content. */
export interface OwnFile {
  /** Writes it whole; after this it is there, readable by its owner alone (mode 0600). */
  write(text: string): void
  /** Takes it back, unless it has been written. */
  discard(): void
}

/**
 * Makes room for a file before what is to go into it exists: a registration code is shown once, so
 * it has to be known beforehand that it can be written.
 *
 * @param replace - over a file that is there already, in one step; otherwise that is an error
 * @throws CliError when the file cannot be made.
 */
export function openOwnFile(file: string, { replace }: { replace: boolean }): OwnFile {
  const path = replace ? `${file}.${process.pid}.tmp` : file
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'wx', 0o600)
  } catch (error) {
    throw failure(file, error)
  }
  return {
    write(text) {
      if (descriptor === undefined) {
        throw new CliError('failed', `${file} is written already`)
      }
      try {
        writeSync(descriptor, text)
        fsyncSync(descriptor)
        closeSync(descriptor)
        descriptor = undefined
        if (replace) {
          renameSync(path, file)
        }
      } catch (error) {
        throw failure(file, error)
      }
    },
    discard() {
      if (descriptor === undefined) {
        return
      }
      closeSync(descriptor)
      descriptor = undefined
      rmSync(path, { force: true })
    },
  }
}

function failure(file: string, error: unknown): CliError {
  const code = systemCode(error)
  if (code !== 'EEXIST') {
    return new CliError('failed', `${file} cannot be written (${code})`)
  }
  return new CliError('failed', `${file} exists already; name another file, or remove it`)
}
