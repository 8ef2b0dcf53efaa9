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
  let run = 0
  return {
    name: 'api',
    async start() {
      run += 1
      const mine = run
      const opened = await open()
      if (run !== mine) {
        // Stopped meanwhile: nobody would ever close it, and the next start would find its port in use.
        await opened?.stop()
        throw new Error('it was stopped while it started')
      }
      frontEnd = opened
    },
    async stop() {
      run += 1
      const ending = frontEnd
      frontEnd = null
      await ending?.stop()
    },
    health: () => frontEnd?.health() ?? null,
  }
}
