/** Ports for a first config: the usual ones where they are free, so that several hosts fit on one machine. */
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Folder } from '../identity/folder.ts'
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

/** Neighbouring folders that are looked into, and characters of a config that are read. */
const NEIGHBOURS_MAX = 200
const CONFIG_CHARS_MAX = 100_000

/**
 * Ports that the hosts in the folders beside this one have in their configs: three hosts that are set up on one machine
 * before any of them runs must not get the same ones.
 */
export async function portsBeside(folder: Folder): Promise<ReadonlySet<number>> {
  const parent = dirname(folder.path)
  const names = await readdir(parent).catch(() => [])
  const texts = await Promise.all(
    names.slice(0, NEIGHBOURS_MAX).map((name) => readFile(join(parent, name, 'muster.yaml'), 'utf8').catch(() => '')),
  )
  const ports = new Set<number>()
  for (const text of texts) {
    const config = text.slice(0, CONFIG_CHARS_MAX)
    for (const [, multiaddr, endpoint] of config.matchAll(/\/tcp\/(\d{1,5})|listen: [[\]\w.:]*:(\d{1,5})/g)) {
      ports.add(Number(multiaddr ?? endpoint))
    }
  }
  return ports
}

/** Three ports in a row that nothing listens on now, and that are not among the `taken`. Throws a `CliError` when there are none. */
export async function findFreePorts(taken: ReadonlySet<number> = new Set()): Promise<Ports> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const swarm = FIRST_PORT + turn * STEP
    const ports = { swarm, api: swarm + 1, waku: swarm + 2 }
    if (Object.values(ports).some((port) => taken.has(port))) continue
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
