import type { Socket } from 'node:net'

/** Writes frames in order, with one system call where the socket takes them all. */
export function writeFrames(raw: Socket, frames: readonly Buffer[]): void {
  const [first] = frames
  if (first !== undefined && frames.length === 1) {
    raw.write(first)
    return
  }
  raw.cork()
  for (const frame of frames) {
    raw.write(frame)
  }
  raw.uncork()
}
