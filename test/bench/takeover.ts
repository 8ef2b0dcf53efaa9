/**
 * What it costs when the host whose turn it is to tell cannot, and what the user sees of it: five meshes of six with the
 * class that `muster init` writes, and clusters of three Alertmanagers beside them.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Alertmanagers, createAlertmanagers } from './alertmanager.ts'
import type { BenchMesh } from './bench-mesh.ts'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import { createGround, type Ground } from './ground.ts'
import { findProgram } from './installed.ts'
import { seenInPartition } from './partition.ts'
import { percentile, type Row } from './row.ts'
import { createReport, type Report, type Series } from './series.ts'
import {
  delaysWhenFirstIsKnownDead,
  noticesWhenKilledAfterSending,
  noticesWhenParted,
  delayWhenFirstDies as peerDelayWhenFirstDies,
  quickDelays,
} from './takeover-peer.ts'
import {
  delayOfDeath,
  delayWhenFirstDies,
  delayWhenWell,
  delayWithoutWaku,
  killAfterSending,
  killAndLearn,
} from './takeover-runs.ts'
import { PROMISED, type PromisedName, promisedOf } from './targets.ts'
import { copiesOf, prepareTellers, shownOf, startMeshWithJobs, type Tellers } from './tellers.ts'

const MESHES = 5
/** Hosts of a mesh, and its recipient. */
const PLACES = 7
const CLUSTERS = 3
const MEMBERS = 3
/** Runs of a peer: each takes half a minute, and they hardly differ. */
const PEER_RUNS = 10
const PEER = 'Alertmanager'
/** What a run of each kind takes at most, with all that is waited for. Milliseconds. */
const RUN_MS = 120_000
/** Of the kills after sending at most so many of a mesh's may come too late to count. */
const TRIES_MAX = 4

const DEAD: PromisedName = 'takeover: first notifier dead but not yet known: added delay'
const MUTE: PromisedName = 'takeover: first notifier without Waku: added delay'
const KNOWN: PromisedName = 'takeover: first notifier known to be dead: added delay'
const KILLED: PromisedName = 'takeover: killed after sending, before the receipt: notices seen'
const PARTED: PromisedName = 'takeover: partition: notices seen'

/** Which figures each part brings. */
const PARTS = { copies: [KILLED, PARTED], delays: [DEAD, MUTE, KNOWN] } as const

/** Runs the benchmark and leaves nothing running and nothing on disk. */
export async function takeover(given: Given): Promise<readonly Row[]> {
  const report = createReport('takeover')
  const ground = await createGround(MESHES * PLACES + CLUSTERS * MEMBERS)
  const meshes: BenchMesh[] = []
  const peers: Alertmanagers[] = []
  try {
    if (ground.whyLoopback !== null) {
      given.say(`all hosts are on loopback: ${ground.whyLoopback}`)
      report.leaveOut([MUTE, PARTED], ground.whyLoopback)
    }
    peers.push(...(await startPeers(ground, report)))
    for (let index = 0; index < Math.min(MESHES, given.runs ?? MESHES); index += 1) {
      meshes.push(await startMeshWithJobs(ground))
      given.say(`mesh ${index + 1} of six hosts has started`)
      given.signal.throwIfAborted()
    }
    for (const [part, names] of Object.entries(PARTS)) {
      if (given.part !== null && given.part !== part)
        report.leaveOut(names, `only the part ${given.part} was asked for`)
    }
    const tellers = await Promise.all(meshes.map((mesh) => prepareTellers(ground, mesh)))
    given.say('all meshes have a recipient and may tell')
    await measure(tellers, peers, ground.whyLoopback === null, given, report)
  } catch (error) {
    given.signal.throwIfAborted()
    given.say(`takeover: ${error instanceof Error ? error.message : String(error)}`)
    report.leaveOut(promisedOf('takeover'), reasonOf(error))
  } finally {
    await Promise.all([...meshes.map((mesh) => mesh.end()), ...peers.map((peer) => peer.end())])
    await ground.end()
  }
  return report.rows()
}

async function startPeers(ground: Ground, report: Report): Promise<readonly Alertmanagers[]> {
  const program = await findProgram('prometheus-alertmanager')
  if (program === null) {
    const missing = 'Alertmanager is not installed (Debian: prometheus-alertmanager)'
    for (const name of [DEAD, KNOWN, KILLED, PARTED]) report.of(name).note(missing)
    return []
  }
  const peers: Alertmanagers[] = []
  for (let index = 0; index < CLUSTERS; index += 1) {
    peers.push(await createAlertmanagers(program, join(tmpdir(), `alertmanagers-${index + 1}`), ground))
  }
  return peers
}

async function measure(
  tellers: readonly Tellers[],
  peers: readonly Alertmanagers[],
  isParting: boolean,
  given: Given,
  report: Report,
): Promise<void> {
  const [peer] = peers
  const peerUsual = peer === undefined ? [] : await quickDelays(peer, await peer.settled(), PEER_RUNS)
  const peering = measurePeers(peers, isParting, peerUsual, given, report)
  // In this order: in a partition everybody is thought dead by somebody, and a third death in ten minutes is told as flapping.
  if (isAsked('delays', given)) await measureDelays(tellers, isParting, given, report)
  if (isAsked('copies', given)) await measureCopies(tellers, isParting, given, report)
  await peering
  if (isAsked('delays', given)) await measureKnownPeer(peer, peerUsual, report)
}

const isAsked = (part: keyof typeof PARTS, given: Given): boolean => given.part === null || given.part === part

/** So many runs in each mesh, all meshes at once. */
async function inEach(
  tellers: readonly Tellers[],
  name: PromisedName,
  what: string,
  given: Given,
  report: Report,
  once: Run,
): Promise<void> {
  const count = Math.ceil((given.runs ?? PROMISED[name].runsMin) / tellers.length)
  await Promise.all(tellers.map((each) => repeat(each, count, what, report.of(name), given, once)))
}

/** What the recipient sees. */
async function measureCopies(
  tellers: readonly Tellers[],
  isParting: boolean,
  given: Given,
  report: Report,
): Promise<void> {
  const killed: { readonly each: Tellers; readonly job: string }[] = []
  await inEach(tellers, KILLED, 'killed after sending', given, report, async (each, run) => {
    for (let turn = 0; turn < TRIES_MAX; turn += 1) {
      const { job, isInTime } = await killAfterSending(each, run + turn)
      if (!isInTime) continue
      killed.push({ each, job })
      return `${shownOf(each, job)} seen`
    }
    throw new Error('the receipt had left before the kill, again and again')
  })
  if (isParting) {
    await inEach(tellers, PARTED, 'parted', given, report, async (each) => {
      const seen = await seenInPartition(each)
      if (seen > 0) report.of(PARTED).add(seen)
      else report.of(PARTED).fail('nothing was seen')
      return `${seen} seen`
    })
  }
  // Counted at the very end: a copy may come late.
  const series = report.of(KILLED)
  for (const { each, job } of killed) {
    const seen = shownOf(each, job)
    if (seen > 0) series.add(seen)
    else series.fail('nothing was seen')
  }
  const copied = killed.filter(({ each, job }) => copiesOf(each, job) > 1).length
  series.note(`told again by another host, and folded by the receiver, in ${copied} runs`)
}

/** What it costs in time. */
async function measureDelays(
  tellers: readonly Tellers[],
  isParting: boolean,
  given: Given,
  report: Report,
): Promise<void> {
  const well: number[] = []
  const dead: number[] = []
  const mute: number[] = []
  /** A run whose figure is kept until the usual one is known. */
  const into =
    (values: number[], measured: (each: Tellers, run: number) => Promise<number>): Run =>
    async (each, run) => {
      const seconds = await measured(each, run)
      values.push(seconds)
      return `${seconds.toFixed(3)} s`
    }
  // One mesh after the other, while nothing else goes on: these are quick.
  for (const each of tellers)
    await inEach([each], DEAD, 'all well', fewer(given, tellers), report, into(well, delayWhenWell))
  const dies = (each: Tellers, run: number): Promise<number> =>
    delayWhenFirstDies(each, run, isParting && run % 2 === 0 ? 'link down' : 'SIGKILL')
  await inEach(tellers, DEAD, 'dead, not yet known', given, report, into(dead, dies))
  if (isParting) await inEach(tellers, MUTE, 'without Waku', given, report, into(mute, delayWithoutWaku))
  const usual = percentile(well, 0.5) ?? Number.NaN
  for (const seconds of dead) report.of(DEAD).add(seconds - usual)
  for (const seconds of mute) report.of(MUTE).add(seconds - usual)
  report.of(DEAD).note(`from the failing check to the notice, all well: ${inMs(well)}`)

  const alive: number[] = []
  const known: number[] = []
  const death = (isFirstDead: boolean) => (each: Tellers, run: number) => delayOfDeath(each, run, isFirstDead)
  await inEach(tellers, KNOWN, 'a death, all others well', given, report, into(alive, death(false)))
  await Promise.all(tellers.map(killAndLearn))
  await inEach(tellers, KNOWN, 'a death, the first notifier known to be dead', given, report, into(known, death(true)))
  for (const { victims, recover } of tellers) {
    const [first] = victims
    first?.restart()
    if (first !== undefined) recover(first)
  }
  const usualOfDeath = percentile(alive, 0.5) ?? Number.NaN
  for (const seconds of known) report.of(KNOWN).add(1_000 * (seconds - usualOfDeath))
  report.of(KNOWN).note(`from the first verdict to the notice, all others well: ${inMs(alive)}`)
}

/** Given for one mesh of several, so that all together have the runs that are asked for. */
function fewer(given: Given, { length }: readonly Tellers[]): Given {
  return { ...given, runs: Math.ceil((given.runs ?? PROMISED[DEAD].runsMin) / length) }
}

function inMs(seconds: readonly number[]): string {
  const ms = (share: number): string => (1_000 * (percentile(seconds, share) ?? Number.NaN)).toFixed(0)
  return `median ${ms(0.5)} ms, worst ${ms(1)} ms of ${seconds.length}`
}

type Run = (tellers: Tellers, run: number) => Promise<string>

/** Does a run several times in one mesh; one that throws has failed. */
async function repeat(
  tellers: Tellers,
  count: number,
  what: string,
  series: Series,
  given: Given,
  once: Run,
): Promise<void> {
  for (let run = 0; run < count; run += 1) {
    if (!hasTimeFor(RUN_MS, given)) return series.note('ended early: the time of the benchmark was over')
    try {
      given.say(`${what}: ${await once(tellers, run)}`)
    } catch (error) {
      given.say(`${what}: ${error instanceof Error ? error.message : String(error)}`)
      series.fail(reasonOf(error))
    }
  }
}

async function measureKnownPeer(
  peer: Alertmanagers | undefined,
  usual: readonly number[],
  report: Report,
): Promise<void> {
  const middle = percentile(usual, 0.5)
  if (peer === undefined || middle === null) return
  for (const seconds of await delaysWhenFirstIsKnownDead(peer, PEER_RUNS)) {
    report.of(KNOWN).addPeer(PEER, 1_000 * (seconds - middle))
  }
}

/** The peers, each cluster with its own case, while our meshes have theirs. */
async function measurePeers(
  peers: readonly Alertmanagers[],
  isParting: boolean,
  baseline: readonly number[],
  given: Given,
  report: Report,
): Promise<void> {
  const usual = percentile(baseline, 0.5) ?? 0
  const cases = [
    { name: DEAD, part: 'delays', once: async (peer: Alertmanagers) => (await peerDelayWhenFirstDies(peer)) - usual },
    { name: KILLED, part: 'copies', once: noticesWhenKilledAfterSending },
    ...(isParting ? [{ name: PARTED, part: 'copies', once: noticesWhenParted } as const] : []),
  ] as const
  const measuring = cases.map(async ({ name, part, once }, index) => {
    const peer = peers[index]
    for (let run = 0; peer !== undefined && run < Math.min(PEER_RUNS, given.runs ?? PEER_RUNS); run += 1) {
      if (!isAsked(part, given) || !hasTimeFor(RUN_MS, given)) return
      try {
        report.of(name).addPeer(PEER, await once(peer))
      } catch (error) {
        report.of(name).note(`${PEER}: ${reasonOf(error)}`)
      }
    }
  })
  await Promise.all(measuring)
}
