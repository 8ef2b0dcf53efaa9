/**
 * A mesh of a test: hosts that were made with `init` and `join` in folders of their own, agents on loopback, and a
 * recipient or two.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, type Host, type HostSettings, until } from './host.ts'
import { createProcesses, type Processes } from './processes.ts'
import { createReceiver, type Receiver } from './receiver.ts'

/** A presence class that makes verdicts come in seconds. */
export const FAST = '{every: 1s, grace: 2s}'
/** `every` of it, milliseconds. */
export const FAST_EVERY_MS = 1_000

/** Far above what is measured: a slow machine is no failure. Milliseconds. */
const START_MS = 40_000
const READY_MS = 60_000

/** Cheap checks that no busy machine sets off, so that each host has something to say. */
const CHECKS = ['{name: disk, kind: disk, path: /, every: 5s}', '{name: memory, kind: memory, every: 5s}']

/** Settings of a mesh: of all hosts, and of some. */
export interface MeshSettings extends HostSettings {
  readonly of?: Readonly<Record<string, HostSettings>>
}

export interface Mesh {
  readonly folder: string
  readonly processes: Processes
  readonly hosts: readonly Host[]
  host(name: string): Host
  /** Pairs a recipient on the first host, once all hosts are ready. */
  receiver(name: string): Promise<Receiver>
  /** Lets one more host join, through the first. */
  join(name: string): Promise<Host>
  /** Waits until all that should be up see each other, may judge, and have a working road to a recipient. */
  ready(without?: readonly string[]): Promise<void>
  /** Waits until all hosts that run hold the same history. */
  sameHistory(without?: readonly string[]): Promise<void>
  /** Ends every process, and removes every folder. */
  end(): Promise<void>
}

/** Makes the folders and starts the agents: `init` on the first host, `join` on the others. */
export async function createMesh(names: readonly string[], settings: MeshSettings = {}): Promise<Mesh> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-e2e-'))
  const processes = createProcesses(folder)
  const end = async (): Promise<void> => {
    await processes.end()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return meshOf(folder, processes, await foundMesh(folder, processes, names, settings), end)
  } catch (error) {
    const said = processes.lastWords()
    await end()
    throw new Error(`${messageOf(error)}\n${said}`)
  }
}

/** The hosts so far, and how another joins. */
interface Founded {
  readonly hosts: Host[]
  join(name: string): Promise<Host>
}

async function foundMesh(
  folder: string,
  processes: Processes,
  [first = '', ...others]: readonly string[],
  { of = {}, ...common }: MeshSettings,
): Promise<Founded> {
  async function make(name: string, args: readonly string[]): Promise<Host> {
    const settings: HostSettings = { presence: FAST, checks: CHECKS, ...common, ...of[name] }
    const dir = join(folder, name)
    const options = { prefix: settings.prefix ?? [] }
    const { code, out, err } = await processes.run([...args, '--dir', dir, '--name', name], options)
    if (code !== 0) throw new Error(`muster ${args.join(' ')} ended with ${code}: ${out} ${err}`)
    const host = await createHost(processes, name, dir, settings)
    host.start()
    return host
  }
  const founder = await make(first, ['init'])
  await until(`${first} to answer`, START_MS, () => founder.status())
  const joinAs = (name: string): Promise<Host> =>
    make(name, ['join', '--key', join(founder.dir, 'swarm.key'), '--peer', founder.peer])
  return { hosts: [founder, ...(await Promise.all(others.map(joinAs)))], join: joinAs }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function meshOf(folder: string, processes: Processes, founded: Founded, end: () => Promise<void>): Mesh {
  const { hosts } = founded
  const allBut = (without: readonly string[]): readonly Host[] => hosts.filter(({ name }) => !without.includes(name))
  const explained = async (waiting: Promise<unknown>): Promise<void> => {
    try {
      await waiting
    } catch (error) {
      throw new Error(`${messageOf(error)}\n${processes.lastWords()}`)
    }
  }
  const mesh: Mesh = {
    folder,
    processes,
    hosts,
    host(name) {
      const host = hosts.find((each) => each.name === name)
      if (host === undefined) throw new Error(`there is no host ${name}`)
      return host
    },
    async receiver(name) {
      // Its link names the Waku nodes that are known by now.
      await mesh.ready()
      return await createReceiver(processes, mesh.host(hosts[0]?.name ?? ''), name, join(folder, name))
    },
    async join(name) {
      const host = await founded.join(name)
      hosts.push(host)
      return host
    },
    ready: (without = []) =>
      explained(
        until('all hosts to see each other and to be ready to judge', READY_MS, () => areReady(allBut(without))),
      ),
    sameHistory: (without = []) =>
      explained(
        until('the same history on all hosts', READY_MS, async () => {
          const [first, ...others] = await Promise.all(allBut(without).map((host) => host.digest()))
          return others.every((digest) => digest === first)
        }),
      ),
    end,
  }
  return mesh
}

async function areReady(hosts: readonly Host[]): Promise<boolean> {
  const names = hosts.map(({ name }) => name)
  const views = await Promise.all(hosts.map((host) => host.status()))
  return views.every(
    ({ quiet, isolated, hosts: seen, waku }) =>
      !quiet &&
      !isolated &&
      // A lone node has nobody to confirm that it works.
      (waku.works || hosts.length === 1) &&
      names.every((name) =>
        seen.some((each) => each.name === name && (each.isSelf || (each.state === 'alive' && each.reach === 'direct'))),
      ),
  )
}
