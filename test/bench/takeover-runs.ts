/** One run of each case of `takeover`, on a mesh in which everybody may tell. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../e2e/host.ts'
import type { BenchHost } from './bench-mesh.ts'
import { type Fault, inject, undo, whyWithoutEffect } from './faults.ts'
import { blockPorts } from './ground.ts'
import { fail, firstCopy, receiptsOf, type Tellers, untilShown } from './tellers.ts'

/** What was sent before a kill has arrived by then. Milliseconds. */
const ARRIVED_MS = 300
/** How long a host that was killed after sending stays away: a claim is respected for 5 s, then another tells. Milliseconds. */
const AWAY_MS = 8_000
/** How long the peers may take to conclude that a host is dead, and to tell. Milliseconds. */
const KNOWN_MS = 60_000
/** Between a death and what is measured afterwards: its own notices are out by then. Milliseconds. */
const CALM_MS = 8_000
/** Between two quick runs. Milliseconds. */
const PAUSE_MS = 1_000

/** A host whose turn a run takes: they take turns, so that each recovers meanwhile. */
function victimOf({ victims }: Tellers, run: number): BenchHost {
  const victim = victims[run % victims.length]
  if (victim === undefined) throw new Error('the mesh has nobody to harm')
  return victim
}

async function injectSurely(fault: Fault, victim: BenchHost): Promise<void> {
  await inject(fault, victim)
  const why = await whyWithoutEffect(fault, victim)
  if (why !== null) throw new Error(`the fault was not injected: ${why}`)
}

/** Seconds until the notice of a job comes, all being well. */
export async function delayWhenWell(tellers: Tellers, run: number): Promise<number> {
  const first = victimOf(tellers, run)
  await tellers.untilAble(first)
  await sleep(PAUSE_MS)
  const job = tellers.jobs.take(first.name)
  const startMs = await fail(tellers, job)
  const { atMs, toldBy } = await firstCopy(tellers, job)
  if (toldBy !== first.name) throw new Error(`${toldBy} told it, which was not its turn`)
  return (atMs - startMs) / 1_000
}

/** The same when the first notifier dies right before. */
export async function delayWhenFirstDies(tellers: Tellers, run: number, fault: Fault): Promise<number> {
  const first = victimOf(tellers, run)
  await tellers.untilAble(first)
  const job = tellers.jobs.take(first.name)
  const before = tellers.mesh.verdicts.length
  await inject(fault, first)
  try {
    const effect = whyWithoutEffect(fault, first)
    const startMs = await fail(tellers, job)
    const why = await effect
    if (why !== null) throw new Error(`the fault was not injected: ${why}`)
    const { atMs, toldBy } = await firstCopy(tellers, job)
    if (toldBy === first.name) throw new Error('the dead host told it')
    const known = tellers.mesh.verdicts.slice(before).find(({ about }) => about === first.name)
    if (known !== undefined && known.atMs < startMs) throw new Error('its death was known before the check failed')
    return (atMs - startMs) / 1_000
  } finally {
    await undo(fault, first)
    tellers.recover(first)
  }
}

/** The same when the first notifier's Waku has just stopped working, without a word. */
export async function delayWithoutWaku(tellers: Tellers, run: number): Promise<number> {
  const first = victimOf(tellers, run)
  await tellers.untilAble(first)
  const job = tellers.jobs.take(first.name)
  const cut = await blockPorts(
    first.spot,
    tellers.mesh.nodes.map(({ host }) => host.ports.waku),
  )
  try {
    const startMs = await fail(tellers, job)
    const { atMs, toldBy } = await firstCopy(tellers, job)
    if (toldBy === first.name) throw new Error('the fault was not injected: the host without Waku told it')
    return (atMs - startMs) / 1_000
  } finally {
    await cut.mend()
    tellers.recover(first)
  }
}

/**
 * Kills the first notifier the moment its notice arrives. `isInTime` says whether no survivor had a receipt of it then:
 * otherwise the receipt had already left, and the case was another one.
 */
export async function killAfterSending(
  tellers: Tellers,
  run: number,
): Promise<{ readonly job: string; readonly isInTime: boolean }> {
  const first = victimOf(tellers, run)
  await tellers.untilAble(first)
  const job = tellers.jobs.take(first.name)
  await fail(tellers, job)
  const { toldBy } = await firstCopy(tellers, job)
  try {
    await injectSurely('SIGKILL', first)
    if (toldBy !== first.name) throw new Error(`${toldBy} told it, ${first.name} was expected to`)
    await sleep(ARRIVED_MS)
    const survivors = tellers.mesh.nodes.filter((node) => node !== first && node.process().isRunning())
    const receipts = await receiptsOf(tellers, job, survivors)
    await sleep(AWAY_MS)
    await untilShown(tellers, job)
    return { job, isInTime: !receipts.includes(first.name) }
  } finally {
    await undo('SIGKILL', first)
    tellers.recover(first)
  }
}

/** Kills the host that tells of hosts first, and waits until everybody knows. */
export async function killAndLearn(tellers: Tellers): Promise<void> {
  const first = victimOf(tellers, 0)
  const survivors = tellers.mesh.nodes.filter((node) => node !== first)
  const before = tellers.mesh.verdicts.length
  await injectSurely('SIGKILL', first)
  await until(`everybody to know that ${first.name} is dead`, KNOWN_MS, () =>
    survivors.every(({ name }) =>
      tellers.mesh.verdicts.slice(before).some(({ by, about }) => by === name && about === first.name),
    ),
  )
  await sleep(CALM_MS)
}

/** Seconds from the first verdict on a host that dies to its notice, while all others are well, or all but the first notifier. */
export async function delayOfDeath(tellers: Tellers, run: number, isFirstDead: boolean): Promise<number> {
  const first = victimOf(tellers, 0)
  const dying = tellers.mortals[run % tellers.mortals.length]
  if (dying === undefined) throw new Error('the mesh has nobody that may die')
  await tellers.mesh.settled(isFirstDead ? [first.name] : [])
  if (!isFirstDead) await tellers.untilAble(first)
  const before = tellers.mesh.verdicts.length
  const pushedBefore = tellers.copies.pushed.length
  try {
    await injectSurely('SIGKILL', dying)
    const { atMs, toldBy } = await tellers.copies.fired(dying.name, '', KNOWN_MS, pushedBefore)
    if ((toldBy === first.name) === isFirstDead) throw new Error(`${toldBy} told it, which was not its turn`)
    const verdict = tellers.mesh.verdicts.slice(before).find(({ about }) => about === dying.name)
    if (verdict === undefined) throw new Error('nobody had concluded that it is dead')
    return (atMs - verdict.atMs) / 1_000
  } finally {
    await undo('SIGKILL', dying)
  }
}
