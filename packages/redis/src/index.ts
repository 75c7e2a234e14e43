export { close } from './close.js'
export { type ConnectionRole, type ConnectOptions, connect, type Redis } from './connect.js'
export { RedisUrlError } from './errors.js'
export { type Script, script } from './script.js'
