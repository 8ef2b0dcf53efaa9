/**
 * Meshes of six for `takeover`, each with a recipient, and with a part for each host to play.
 *
 * A check that fails is known to all within a tick, as an alert that Prometheus sends to all its Alertmanagers, and which
 * host tells of it first can be worked out beforehand: so what is measured is the telling alone. The recipient is `muster
 * listen`, in a place of its own; a stock Waku client with the same key, at the unharmed host, sees every copy when it
 * comes, and answers nothing.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../e2e/host.ts'
import { createReceiver, type Receiver } from '../e2e/receiver.ts'
import { type BenchHost, type BenchMesh, createBenchMesh, namesOf } from './bench-mesh.ts'
import type { Ground, Spot } from './ground.ts'
import { type Pushed, type RecipientKey, type StockReceiver, startStockReceiver } from './stock-receiver.ts'
import { createJobs, type Jobs, ranksOfHosts } from './turns.ts'

const HOSTS = 6
/** A heartbeat of the class that `init` writes, and a little: by then all know what a host last said of its Waku. Milliseconds. */
const HEARD_MS = 11_000
const JOBS = Array.from({ length: 100 }, (_, index) => `job-${index + 1}`)
/** A notice that has not come by then does not come. Milliseconds. */
const NOTICE_MS = 60_000
const RECOVERED_MS = 150_000
const ASK_EVERY_MS = 400
const POST_MS = 5_000

/** One mesh with its recipient. A host that dies three times in ten minutes would be told of as flapping: so many parts. */
export interface Tellers {
  readonly mesh: BenchMesh
  /** Runs the checks, and is never harmed. */
  readonly home: BenchHost
  /** Whose turn it is to tell, and who is harmed for it. The first of them is the one that tells of hosts. */
  readonly victims: readonly BenchHost[]
  /** Those whose deaths are told while everybody else is well, or only the first notifier is dead. */
  readonly mortals: readonly BenchHost[]
  /** The one that dies when the mesh falls apart. */
  readonly parting: BenchHost
  readonly jobs: Jobs
  readonly key: RecipientKey
  readonly phone: Receiver
  readonly phoneSpot: Spot
  readonly copies: StockReceiver
  /** Says that a host is no longer harmed, and may recover while others have their turn. */
  recover(victim: BenchHost): void
  /** Waits until a host that was harmed is again one that would be asked first. */
  untilAble(victim: BenchHost): Promise<void>
}

/** Starts one mesh. */
export async function startMeshWithJobs(ground: Ground): Promise<BenchMesh> {
  const checks = JOBS.map((name) => `{name: ${name}, kind: push}`)
  return await createBenchMesh(ground, namesOf(HOSTS), { checks })
}

/** Pairs the recipient of a mesh that has just started, and waits until everybody may tell. */
export async function prepareTellers(ground: Ground, mesh: BenchMesh): Promise<Tellers> {
  const phoneSpot = ground.take()
  await mesh.settled()
  const views = await Promise.all(mesh.nodes.map(({ host }) => host.status()))
  const named = views.map(({ name, host }) => ({ name, id: host }))
  const id = views[0]?.mesh ?? ''
  const ranked = ranksOfHosts(id, named).map((name) => mesh.nodes.find((node) => node.name === name) as BenchHost)
  const [first, second, third, fourth, parting, home] = ranked as [
    BenchHost,
    BenchHost,
    BenchHost,
    BenchHost,
    BenchHost,
    BenchHost,
  ]

  const { processes, folder } = mesh.mesh
  const phone = await createReceiver(processes, home.host, 'phone', join(folder, 'phone'), phoneSpot.prefix)
  const [, privateKey = ''] = (await readFile(join(phone.dir, 'listen.key'), 'utf8')).split('\n')
  const key = { privateKey }
  const copies = await startStockReceiver(processes, key, [home.host])
  const recovering = new Map<string, Promise<Error | null>>()
  const recover = (victim: BenchHost): void => {
    const recovered = untilRecovered(victim, home).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    )
    recovering.set(victim.name, recovered)
  }
  for (const victim of [first, second]) recover(victim)
  return {
    mesh,
    home,
    victims: [first, second],
    mortals: [third, fourth],
    parting,
    jobs: createJobs(id, named.find(({ name }) => name === home.name) ?? { name: home.name, id: '' }, JOBS, named),
    key,
    phone,
    phoneSpot,
    copies,
    recover,
    async untilAble(victim) {
      const error = await recovering.get(victim.name)
      if (error instanceof Error) throw error
    },
  }
}

/** Waits until a host is heard, judges, and is known to have a working road to the recipient. */
async function untilRecovered(victim: BenchHost, home: BenchHost): Promise<void> {
  await until(
    `${victim.name} to be well again`,
    RECOVERED_MS,
    async () => {
      const { quiet, isolated, waku } = await victim.host.status()
      const seen = await home.host.view(victim.name)
      return !quiet && !isolated && waku.works && seen?.state === 'alive' && seen.reach === 'direct'
    },
    ASK_EVERY_MS,
  )
  await sleep(HEARD_MS)
}

/** Lets a job fail; gives when that began. */
export async function fail({ home: { host, spot } }: Tellers, job: string): Promise<number> {
  const token = (await readFile(join(host.dir, 'api.token'), 'utf8')).trim()
  const startMs = performance.now()
  const { ok, status } = await fetch(`http://${spot.address}:${host.ports.api}/ping/${job}/fail`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(POST_MS),
  })
  if (!ok) throw new Error(`a ping was answered with ${status}`)
  return startMs
}

/** The first copy of the notice of a job. */
export function firstCopy({ copies, home }: Tellers, job: string): Promise<Pushed> {
  return copies.fired(home.name, job, NOTICE_MS)
}

/** How many notices that a job has begun to fail its recipient has been shown. */
export function shownOf({ phone, home }: Tellers, job: string): number {
  return phone.about(home.name, job).filter(({ transition }) => transition === 'fired').length
}

/** How many different messages told that a job has begun to fail. */
export function copiesOf({ copies }: Tellers, job: string): number {
  const about = copies.pushed.filter(
    ({ transition, incidents }) => transition === 'fired' && incidents.some(({ check }) => check === job),
  )
  return new Set(about.map(({ hash }) => hash)).size
}

/** Which hosts are known to have handed the notice of a job over, by the word of these. */
export async function receiptsOf(
  { home }: Tellers,
  job: string,
  asked: readonly BenchHost[],
): Promise<readonly string[]> {
  const known = await Promise.all(asked.map(({ host }) => host.incidents()))
  return known
    .flat()
    .filter(({ hostName, check }) => hostName === home.name && check === job)
    .flatMap(({ told }) => told)
    .filter(({ transition, step }) => transition === 'fired' && step !== 'claim' && step !== 'release')
    .map(({ by }) => by)
}

/** The recipient has been shown what it was sent; a slow one is waited for. */
export async function untilShown(tellers: Tellers, job: string): Promise<void> {
  await until(`${job} to be shown`, NOTICE_MS, () => shownOf(tellers, job) > 0)
}
