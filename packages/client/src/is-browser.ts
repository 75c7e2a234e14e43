/**
 * Returns true in a page, in a worker of a page, and in React Native. Returns false on servers, also on
 * those that have a global WebSocket.
 */
export function isBrowser(): boolean {
  return (
    typeof document === 'object' ||
    'importScripts' in globalThis ||
    globalThis.navigator?.product === 'ReactNative'
  )
}
