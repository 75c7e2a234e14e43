import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { CliError } from '../errors.js'
import { systemCode } from './system-code.js'

/** A file that has been created but not yet written. */
export interface PrivateFile {
  /** Writes the whole file, readable by its owner alone (mode 0600). */
  write(text: string): void
  /** Removes the file, unless it has been written. */
  discard(): void
}

/**
 * Creates a file before its content exists. A registration code is shown once, so the command must
 * know that it can be stored before it asks auth for the code.
 *
 * @param replace - replaces an existing file, atomically; without it an existing file is an error
 * @throws CliError when the file cannot be created.
 */
export function createPrivateFile(file: string, { replace }: { replace: boolean }): PrivateFile {
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
        throw new CliError('failed', `${file} is already written`)
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
    return new CliError('failed', `cannot write ${file} (${code})`)
  }
  return new CliError('failed', `${file} already exists; name another file, or delete it`)
}
