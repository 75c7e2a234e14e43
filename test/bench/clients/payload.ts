/** Part of every published payload, in any protocol. */
const mark = '"bench":'

/** Returns a JSON payload of exactly `bytes` bytes. */
export function payload(number: number, bytes: number): string {
  const empty = `{${mark}${number},"text":""}`
  if (empty.length > bytes) {
    throw new RangeError(`a payload needs at least ${empty.length} bytes`)
  }
  return `{${mark}${number},"text":"${'x'.repeat(bytes - empty.length)}"}`
}

/** Returns the highest payload number in a frame; 0 without payloads. */
export function highestPayload(frame: Buffer): number {
  let highest = 0
  for (let at = frame.indexOf(mark); at !== -1; at = frame.indexOf(mark, at + mark.length)) {
    const digits = frame.subarray(at + mark.length, at + mark.length + 16).toString('latin1')
    highest = Math.max(highest, Number.parseInt(digits, 10))
  }
  return highest
}

/** Returns the number of payloads in a frame, which may hold several messages. */
export function countPayloads(frame: Buffer): number {
  let count = 0
  for (let at = frame.indexOf(mark); at !== -1; at = frame.indexOf(mark, at + mark.length)) {
    count += 1
  }
  return count
}
