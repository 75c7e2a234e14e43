/** Path of all receivers at auth. */
export const receiversPath = '/v1/event-receivers'

/** Returns the path of one receiver. */
export function receiverPath(id: string): string {
  return `${receiversPath}/${encodeURIComponent(id)}`
}

/** Help text of the argument `<id>`. */
export const idHelp = 'id of the receiver, from `receiver list`'
