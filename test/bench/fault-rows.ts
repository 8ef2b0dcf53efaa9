/**
 * Who is accused falsely while the network or a host fails, and how soon all agree again.
 *
 * Ten agents of the fast class beside ten of serf: first five at once are frozen, twice, so that each has been, then one
 * after the other is cut off. Each cluster goes its own way, for one of the two needs longer to agree. Beside them a mesh
 * of five with the class that `muster init` writes loses packets.
 *
 * A verdict is false when the host that it is about was neither cut off nor frozen when it fell, whoever came to it: so
 * what a host that is cut off says of the others, and one that has woken up of anybody who is awake, counts as well.
 * All agree when each sees each alive and all hold the same open incidents, or, of serf, when each sees each alive.
 */
import { whyNoPacketLoss } from '../faults/packets.ts'
import { untilAgreed } from './agreement.ts'
import { type BenchMesh, createBenchMesh, namesOf } from './bench-mesh.ts'
import type { Cluster } from './cluster.ts'
import { type Lasting, type LastingRun, letLast, type Watched } from './fault-runs.ts'
import type { Victim } from './faults.ts'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import { createGround, type Ground } from './ground.ts'
import { type LossyMesh, measureLoss, prepareLoss } from './loss-run.ts'
import type { Row } from './row.ts'
import { startSerf } from './serf.ts'
import { createReport, type Report, type Series } from './series.ts'
import { PROMISED, type PromisedName, promisedOf } from './targets.ts'

const HOSTS = 10
const LOSSY_HOSTS = 5
const FAST = '{every: 1s, grace: 1s}'
/** Frozen at once: a rest that can still tell, and two rounds for ten runs. */
const FROZEN_AT_ONCE = 5
/** More than a verdict of the fast class takes. Milliseconds. */
const WATCH_MS = 3_000
/** What a run takes beyond its fault, at most and with all that is waited for; more when the cluster is ill. Milliseconds. */
const AROUND_MS = 30_000

const CUT: PromisedName = 'faults: one of 10 cut off for 60 s: false verdicts'
const AGREED: PromisedName = 'faults: one of 10 cut off for 60 s: time until all agree again'
const FROZEN: PromisedName = 'faults: frozen for 90 s: false verdicts'

/** What both figures of a host that is cut off, and that of frozen ones, are promised for. */
const RUNS = PROMISED[CUT].runsMin

/** Which figures each part brings. */
const PARTS = {
  frozen: [FROZEN],
  cut: [CUT, AGREED],
  loss: promisedOf('faults').filter((name) => name.includes('loss')),
} as const satisfies Readonly<Record<string, readonly PromisedName[]>>

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function faults(given: Given): Promise<readonly Row[]> {
  const report = createReport('faults')
  const ground = await createGround(2 * HOSTS + LOSSY_HOSTS + 1)
  const clusters: Cluster[] = []
  try {
    for (const [part, names] of Object.entries(PARTS)) {
      if (given.part !== null && given.part !== part) {
        report.leaveOut(names, `only the part ${given.part} was asked for`)
      }
    }
    // Of the default class, which does not mind that others start beside it.
    const losing = isAsked('loss', given) ? startLoss(ground, clusters, given, report) : Promise.resolve()
    await Promise.all([losing, startLasting(ground, clusters, given, report)])
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.end()))
    await ground.end()
  }
  return report.rows()
}

const isAsked = (part: keyof typeof PARTS, given: Given): boolean => given.part === null || given.part === part

async function startLoss(ground: Ground, clusters: Cluster[], given: Given, report: Report): Promise<void> {
  try {
    const why = ground.whyLoopback ?? (await whyNoPacketLoss())
    if (why !== null) return report.leaveOut(PARTS.loss, why)
    given.say(`${LOSSY_HOSTS} agents of the default class start`)
    const mesh: BenchMesh = await createBenchMesh(ground, namesOf(LOSSY_HOSTS), {})
    clusters.push(mesh)
    const lossy: LossyMesh = await prepareLoss(ground, mesh)
    await measureLoss(lossy, given, report)
  } catch (error) {
    given.signal.throwIfAborted()
    given.say(`30 % loss: ${error instanceof Error ? error.message : String(error)}`)
    for (const name of PARTS.loss) report.of(name).fail(reasonOf(error))
  }
}

async function startLasting(ground: Ground, clusters: Cluster[], given: Given, report: Report): Promise<void> {
  if (!isAsked('cut', given) && !isAsked('frozen', given)) return
  const names = [...PARTS.frozen, ...PARTS.cut]
  try {
    given.say(`${HOSTS} agents of the fast class start`)
    const mesh = await createBenchMesh(ground, namesOf(HOSTS), { presence: FAST, atOnce: 2 })
    clusters.push(mesh)
    const serf = await startSerf(ground, HOSTS, (why) => {
      for (const name of names) report.of(name).note(why)
    })
    if (serf !== null) clusters.push(serf)
    const canCut = ground.whyLoopback === null
    if (!canCut) report.leaveOut(PARTS.cut, ground.whyLoopback ?? '')
    const ours: Watched = { cluster: mesh, untilAgreed: () => untilAgreed(mesh) }
    await Promise.all([
      inTurn(ours, canCut, given, report, intoSeries(report)),
      ...(serf === null
        ? []
        : [inTurn({ cluster: serf, untilAgreed: serf.settled }, canCut, given, report, intoPeer(report))]),
    ])
  } catch (error) {
    given.signal.throwIfAborted()
    given.say(`faults: ${error instanceof Error ? error.message : String(error)}`)
    report.leaveOut(names, reasonOf(error))
  }
}

/** Where the figures of a cluster go. */
interface Sink {
  add(name: PromisedName, value: number): void
  fail(name: PromisedName, why: string): void
}

function intoSeries(report: Report): Sink {
  return { add: (name, value) => report.of(name).add(value), fail: (name, why) => report.of(name).fail(why) }
}

function intoPeer(report: Report): Sink {
  return {
    add: (name, value) => report.of(name).addPeer('serf', value),
    fail: (name, why) => report.of(name).note(`serf: ${why}`),
  }
}

/** All runs of a cluster: it is frozen in parts, then each of it is cut off. */
async function inTurn(watched: Watched, canCut: boolean, given: Given, report: Report, sink: Sink): Promise<void> {
  const { signal } = given
  if (isAsked('frozen', given)) {
    const how: Lasting = { fault: 'SIGSTOP', forMs: 90_000, withinMs: 2_000, watchMs: WATCH_MS, signal }
    await inRounds(watched, how, FROZEN_AT_ONCE, given, report.of(FROZEN), {
      take: (run) => take(run, sink, FROZEN, null),
      fail: (why) => sink.fail(FROZEN, why),
    })
  }
  if (canCut && isAsked('cut', given)) {
    const how: Lasting = { fault: 'link down', forMs: 60_000, withinMs: 1_000, watchMs: WATCH_MS, signal }
    await inRounds(watched, how, 1, given, report.of(CUT), {
      take: (run) => take(run, sink, CUT, AGREED),
      fail(why) {
        for (const name of PARTS.cut) sink.fail(name, why)
      },
    })
  }
}

function take(run: LastingRun, sink: Sink, wrong: PromisedName, agreed: PromisedName | null): void {
  sink.add(wrong, run.falseVerdicts.length)
  if (run.why !== null) sink.fail(wrong, run.why)
  if (agreed === null) return
  if (run.agreedSeconds === null) sink.fail(agreed, run.why ?? 'they never agreed')
  else sink.add(agreed, run.agreedSeconds)
}

/** As many runs as are asked for, some at once, with other victims each time while there are any. */
async function inRounds(
  watched: Watched,
  how: Lasting,
  atOnce: number,
  given: Given,
  series: Series,
  { take: takeRun, fail }: { readonly take: (run: LastingRun) => void; readonly fail: (why: string) => void },
): Promise<void> {
  const { name, nodes } = watched.cluster
  const count = given.runs ?? RUNS
  for (let done = 0; done < count; done += atOnce) {
    if (!hasTimeFor(how.forMs + AROUND_MS, given)) return series.note(`${name} ended early: the time was over`)
    const size = Math.min(atOnce, count - done)
    const victims = Array.from({ length: size }, (_, index) => nodes[(done + index) % nodes.length] as Victim)
    try {
      for (const run of await letLast(watched, victims, how)) {
        takeRun(run)
        given.say(`${name}: ${how.fault} of ${run.victim}: ${shown(run)}`)
      }
    } catch (error) {
      given.signal.throwIfAborted()
      given.say(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      fail(reasonOf(error))
    }
  }
}

function shown({ falseVerdicts, agreedSeconds, why }: LastingRun): string {
  const accused = falseVerdicts.map(({ by, about }) => `${by} on ${about}`)
  return [
    `${falseVerdicts.length} false verdicts${accused.length === 0 ? '' : ` (${accused.join(', ')})`}`,
    ...(agreedSeconds === null ? [] : [`all agree after ${agreedSeconds.toFixed(2)} s`]),
    ...(why === null ? [] : [why]),
  ].join('; ')
}
