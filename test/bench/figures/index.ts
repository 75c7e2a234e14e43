import type { Figure } from '../figure.js'
import type { FigureName } from '../options.js'
import { admission } from './admission.js'
import { fanout } from './fanout.js'
import { channels, nodes } from './growth.js'
import { introspection } from './introspection.js'
import { inventory } from './inventory.js'
import { memory } from './memory.js'
import { publish } from './publish.js'
import { revocation } from './revocation.js'
import { smallChannels } from './small-channels.js'
import { start } from './start.js'
import { storm } from './storm.js'

export const figures: Readonly<Record<FigureName, Figure>> = {
  admission,
  storm,
  introspection,
  publish,
  'small-channels': smallChannels,
  fanout,
  memory,
  revocation,
  start,
  nodes,
  channels,
  inventory,
}
