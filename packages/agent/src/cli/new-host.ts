/** What `init` and `join` have in common: a folder with keys and a first config, whole or not at all. */
import { open, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hostNameOf, initialConfig } from '../config/init.ts'
import { isHostName } from '../identity/certificate.ts'
import { createFolder, type Folder, readOrCreateApiToken } from '../identity/folder.ts'
import { generateHostKey, type HostKey, writeHostKey } from '../identity/host-key.ts'
import { exists } from '../identity/key-file.ts'
import { writeSwarmKey } from '../identity/swarm-key.ts'
import { CliError, EXIT, usageError } from './cli-error.ts'
import { findFreePorts, type Ports, portsBeside } from './free-ports.ts'

/** What a new host is made of. */
export interface NewHost {
  readonly folder: Folder
  readonly name: string
  readonly swarmKey: Uint8Array
  readonly peers: readonly string[]
}

/** The name that was asked for, or the machine's. Throws a `CliError`. */
export function chooseName(asked: string | undefined): string {
  if (asked === undefined) return hostNameOf(hostname())
  if (isHostName(asked)) return asked
  throw usageError(
    `"${asked.slice(0, 64).replace(/[^\x20-\x7e]/g, '?')}" is not a host name`,
    'write 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
  )
}

/** Refuses a folder that holds a host already. Throws a `CliError`. */
export async function refuseUsedFolder(folder: Folder, command: string): Promise<void> {
  for (const path of [folder.config, folder.swarmKey, folder.identityKey]) {
    if (!(await exists(path))) continue
    throw new CliError(
      'folder-used',
      EXIT.usage,
      `${path} is there already: nothing is overwritten`,
      `another host on this machine needs its own folder: ${command} it with --dir DIR`,
    )
  }
}

/**
 * Writes keys, token and config. What it wrote is removed again when it cannot finish, so that it can simply be tried
 * again.
 */
export async function createHost({
  folder,
  name,
  swarmKey,
  peers,
}: NewHost): Promise<{ ports: Ports; hostKey: HostKey }> {
  const ports = await findFreePorts(await portsBeside(folder))
  await createFolder(folder)
  const written: string[] = []
  try {
    const hostKey = generateHostKey()
    await writeSwarmKey(folder.swarmKey, swarmKey)
    written.push(folder.swarmKey)
    await writeHostKey(folder.identityKey, hostKey)
    written.push(folder.identityKey)
    await readOrCreateApiToken(folder)
    await writeNew(folder.config, initialConfig({ host: name, ports, peers }))
    return { ports, hostKey }
  } catch (error) {
    for (const path of written) await unlink(path).catch(() => undefined)
    throw error
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Interfaces that programs make for machines inside of this one: nobody outside reaches them. */
const INNER = /^(?:br-|bridge|cali|cni|docker|flannel|incusbr|lxcbr|lxdbr|podman|veth|virbr|vmnet|vnet)/

/** This machine's addresses that another may reach, those of inner networks last; loopback when there is no other. */
export function addressesOf(
  interfaces: NodeJS.Dict<{ address: string; family: string; internal: boolean }[]>,
): readonly string[] {
  const outside = Object.entries(interfaces)
    .sort(([a], [b]) => Number(INNER.test(a)) - Number(INNER.test(b)))
    .flatMap(([, list]) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('169.254.'))
  return outside.length === 0 ? ['127.0.0.1'] : [...new Set(outside)]
}
