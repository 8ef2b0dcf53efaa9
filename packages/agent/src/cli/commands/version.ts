/** `muster version`. */
import { EXIT } from '../cli-error.ts'
import type { Context } from '../surroundings.ts'
import { readVersion } from '../version.ts'

/** Prints the release and the Node that runs it. */
export async function version({ json, line, print }: Context): Promise<number> {
  const release = readVersion()
  if (json) print({ version: release, node: process.versions.node, platform: `${process.platform}-${process.arch}` })
  else line(`muster ${release} (Node ${process.versions.node}, ${process.platform}-${process.arch})`)
  return EXIT.done
}
