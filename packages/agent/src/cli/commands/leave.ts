/** `muster leave`. */
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import type { Context } from '../surroundings.ts'

/** Says goodbye to the mesh, so that nobody is told of this host's absence. */
export async function leave({ folder, line }: Context): Promise<number> {
  await (await findAgent(folder)).change('POST', '/api/v1/leave')
  line('Goodbye is said: nobody will be told that this host is gone. The agent stops; muster run brings it back.')
  return EXIT.done
}
