/** `muster leave`. */
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import type { Context } from '../surroundings.ts'

/** Says goodbye to the mesh, so that nobody is told of this host's absence. */
export async function leave(context: Context): Promise<number> {
  await (await findAgent(context)).change('POST', '/api/v1/leave')
  context.line('Goodbye is said: nobody will be told that this host is gone. The agent stops.')
  context.line(context.typed('To bring it back: muster run'))
  return EXIT.done
}
