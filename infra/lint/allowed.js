/** Folders and files whose words are still to be mended. */
export const allowedWords = [
  'apps/cli/src/',
  'apps/cli/test/',
  'apps/realtime/src/',
  'apps/realtime/test/',
  'packages/protocol/',
  'test/bench/',
  'test/cluster/',
  'test/faults/',
  'test/fuzz/',
  'test/restart/',
  'test/stories/',
]

/** Folders that are still too large. */
export const allowedFolders = ['test/faults']
