/** CRC16 of a key's hash tag, as ioredis itself uses it; it brings no types. */
declare module 'cluster-key-slot' {
  function slotOfKey(key: string): number
  export = slotOfKey
}
