/** How many source files a folder may hold, without those of its sub-folders. */
export const maxFiles = 20

/**
 * Returns the folders that hold too many source files.
 * @param {readonly string[]} files paths from the checkout's root
 * @returns {{ folder: string, files: number }[]}
 */
export function findLargeFolders(files) {
  /** @type {Map<string, number>} */
  const sizes = new Map()
  for (const file of files.filter((file) => /\.(?:ts|js|cjs|lua)$/.test(file))) {
    const folder = file.slice(0, Math.max(file.lastIndexOf('/'), 0))
    sizes.set(folder, (sizes.get(folder) ?? 0) + 1)
  }
  return [...sizes]
    .filter(([, size]) => size > maxFiles)
    .map(([folder, size]) => ({ folder, files: size }))
}
