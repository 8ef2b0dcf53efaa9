/** A front end, as the local API, as a part under the supervisor: opened anew at each start. */
import type { Part } from '../supervisor.ts'

/** A front end that runs. */
export interface FrontEnd {
  stop(): Promise<void>
  /** Why it no longer serves, in one line; null while it does. */
  health(): string | null
}

/** Makes the part. `open` rejects when the front end cannot start. */
export function frontEndPart(open: () => Promise<FrontEnd | null>): Part {
  let frontEnd: FrontEnd | null = null
  return {
    name: 'api',
    async start() {
      frontEnd = await open()
    },
    async stop() {
      const ending = frontEnd
      frontEnd = null
      await ending?.stop()
    },
    health: () => frontEnd?.health() ?? null,
  }
}
