/** Breaks a listener from outside of whoever made it. */
import { Server } from 'node:net'

/** What Node shows of its open handles, for debugging. */
interface WithHandles {
  _getActiveHandles(): unknown[]
}

/** The server in this process that listens on the port closes, behind the back of whoever made it. Throws when none does. */
export function closeListener(port: number): void {
  const handles = (process as unknown as WithHandles)._getActiveHandles()
  const server = handles.find((handle): handle is Server => handle instanceof Server && portOf(handle) === port)
  if (server === undefined) throw new Error(`nothing in this process listens on port ${port}`)
  server.close()
}

function portOf(server: Server): number | undefined {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : undefined
}
