/** Whether another program is installed on this machine. */
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The path of a program, or null when it is not in the PATH. */
export async function findProgram(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && isThere) return path
  }
  return null
}
