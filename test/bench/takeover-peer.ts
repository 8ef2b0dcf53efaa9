/** What a cluster of Alertmanagers does when the one whose turn it is fails: the same cases as for our notifiers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../e2e/host.ts'
import type { Alertmanagers, Member } from './alertmanager.ts'
import { inject, whyWithoutEffect } from './faults.ts'
import { separate } from './ground.ts'

/** Its peers wait 15 s for each other. Milliseconds. */
const NOTICE_MS = 40_000
const LOOK_EVERY_MS = 2
/** After one notice, how long another may take: two turns and a little. Milliseconds. */
const SECOND_MS = 33_000
const KNOWN_MS = 60_000
/** Between two alerts of a row of quick ones. Milliseconds. */
const PAUSE_MS = 500

let serial = 0
const nextAlert = (): string => {
  serial += 1
  return `alert-${serial}`
}

/** Seconds from the alert to the notice, all members being well, or the first one known to be dead. */
export async function quickDelays(peers: Alertmanagers, members: readonly Member[], runs: number): Promise<number[]> {
  const delays: number[] = []
  for (let run = 0; run < runs; run += 1) {
    delays.push(await delayOf(peers, members))
    await sleep(PAUSE_MS)
  }
  return delays
}

async function delayOf(peers: Alertmanagers, members: readonly Member[]): Promise<number> {
  const alert = nextAlert()
  const startMs = await peers.post(alert, members)
  const { atMs } = await until(
    'a webhook',
    NOTICE_MS,
    () => peers.hooked.find((notice) => notice.alert === alert),
    LOOK_EVERY_MS,
  )
  return (atMs - startMs) / 1_000
}

/** The same right after the first one was killed. */
export async function delayWhenFirstDies(peers: Alertmanagers): Promise<number> {
  const [first, ...others] = await peers.settled()
  if (first === undefined) throw new Error('there is no Alertmanager')
  try {
    await kill(first)
    return await delayOf(peers, others)
  } finally {
    first.restart()
  }
}

/** Kills the first one, waits until the others know, and measures so many alerts. */
export async function delaysWhenFirstIsKnownDead(peers: Alertmanagers, runs: number): Promise<number[]> {
  const [first, ...others] = await peers.settled()
  if (first === undefined) throw new Error('there is no Alertmanager')
  try {
    await kill(first)
    const isKnown = async (): Promise<boolean> =>
      (await Promise.all(others.map((member) => member.peers()))).every((seen) => seen === others.length)
    await until('the others to know of the death', KNOWN_MS, isKnown)
    return await quickDelays(peers, others, runs)
  } finally {
    first.restart()
  }
}

/** Notices that come when whoever tells is killed while the webhook has not answered yet. */
export async function noticesWhenKilledAfterSending(peers: Alertmanagers): Promise<number> {
  const members = await peers.settled()
  const alert = nextAlert()
  let killed: Member | undefined
  peers.onHooked((notice) => {
    if (killed !== undefined || notice.alert !== alert) return true
    killed = members.find(({ name }) => name === notice.member)
    killed?.process().kill('SIGKILL')
    return false
  })
  try {
    await peers.post(alert, members)
    return await countNotices(peers, alert)
  } finally {
    peers.onHooked(() => true)
    killed?.restart()
  }
}

/** Notices that come when the first one is cut off from the others, and both sides reach the webhook. */
export async function noticesWhenParted(peers: Alertmanagers): Promise<number> {
  const [first, ...others] = await peers.settled()
  if (first === undefined) throw new Error('there is no Alertmanager')
  const cut = await separate(
    [first.spot],
    others.map(({ spot }) => spot),
  )
  const alert = nextAlert()
  try {
    await peers.post(alert, [first, ...others])
    return await countNotices(peers, alert)
  } finally {
    await cut.mend()
  }
}

async function countNotices({ hooked }: Alertmanagers, alert: string): Promise<number> {
  const count = (): number => hooked.filter((notice) => notice.alert === alert).length
  await until('a webhook', NOTICE_MS, () => count() > 0, LOOK_EVERY_MS)
  // The second has come, or it does not come.
  await until('another webhook', SECOND_MS, () => count() > 1).catch(() => undefined)
  return count()
}

async function kill(member: Member): Promise<void> {
  await inject('SIGKILL', member)
  const why = await whyWithoutEffect('SIGKILL', member)
  if (why !== null) throw new Error(`the fault was not injected: ${why}`)
}
