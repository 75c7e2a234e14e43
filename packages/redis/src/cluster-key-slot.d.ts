/** CRC16 of a key's hash tag. ioredis uses this package, which has no types. */
declare module 'cluster-key-slot' {
  function slotOfKey(key: string): number
  export = slotOfKey
}
