/** Ports for the hosts of a test, so that tests which run side by side never meet. */
import { createServer } from 'node:net'

/** Below the ephemeral ports, above what `muster init` chooses. A process begins at a place of its own. */
const FIRST = 12_000
const LAST = 31_990
const STEP = 10

let next = FIRST + ((process.pid * 130) % (LAST - FIRST))

/** Ports of one host. */
export interface Ports {
  readonly swarm: number
  readonly api: number
  readonly waku: number
}

/** Three ports in a row that nothing listens on. */
export async function freePorts(): Promise<Ports> {
  for (;;) {
    const swarm = next
    next = next + STEP > LAST ? FIRST : next + STEP
    const ports = { swarm, api: swarm + 1, waku: swarm + 2 }
    const free = await Promise.all(Object.values(ports).map(isFree))
    if (free.every(Boolean)) return ports
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
