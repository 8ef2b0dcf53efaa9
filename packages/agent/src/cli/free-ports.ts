/** Ports for a first config: the usual ones where they are free, so that several hosts fit on one machine. */
import { createServer } from 'node:net'
import { CliError, EXIT } from './cli-error.ts'

/** The first three ports of a host; each next host on the machine tries ten further. Below the ephemeral ones. */
const FIRST_PORT = 4650
const STEP = 10
const TRIES = 200

/** Ports for the swarm, the API and Waku, in a row. */
export interface Ports {
  readonly swarm: number
  readonly api: number
  readonly waku: number
}

/** Three ports in a row that nothing listens on now. Throws a `CliError` when there are none. */
export async function findFreePorts(): Promise<Ports> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const swarm = FIRST_PORT + turn * STEP
    const ports = { swarm, api: swarm + 1, waku: swarm + 2 }
    const free = await Promise.all([
      isFree(ports.swarm, '0.0.0.0'),
      isFree(ports.api, '127.0.0.1'),
      isFree(ports.waku, '0.0.0.0'),
    ])
    if (free.every(Boolean)) return ports
  }
  throw new CliError('no-port', EXIT.bad, `no three free ports between ${FIRST_PORT} and ${FIRST_PORT + TRIES * STEP}`)
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
