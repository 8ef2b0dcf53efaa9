/** That a measurement says so when it goes wrong: on a real process, which watches nobody and is harmed all the same. */
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProcesses, type Processes, type Running } from '../e2e/processes.ts'
import { parseVerdictLine, seeEachOther } from './bench-mesh.ts'
import { type Cluster, falseVerdicts, measureVerdicts, type Verdict } from './cluster.ts'
import { inject, undo, type Victim, whyWithoutEffect } from './faults.ts'
import type { Spot } from './ground.ts'
import { parseSerfLine } from './serf.ts'

const ALIVE = 'setInterval(() => undefined, 1000)'
/** How long an effect that does not come is waited for. Milliseconds. */
const NO_MS = 100
const SPOT: Spot = { address: '127.0.0.1', prefix: [], cable: null }

let processes: Processes
let running: Running
let server: Server
let victim: Victim

beforeEach(async () => {
  processes = createProcesses(tmpdir())
  const start = () => processes.start(['-e', ALIVE], { program: [process.execPath] })
  running = start()
  server = createServer((socket) => socket.on('error', () => undefined).end())
  await new Promise<void>((resolve) => server.listen(0, SPOT.address, resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  victim = {
    name: 'a',
    spot: SPOT,
    port,
    process: () => running,
    restart() {
      running = start()
    },
  }
})

afterEach(async () => {
  await processes.end()
  await new Promise((resolve) => server.close(resolve))
})

describe('a fault', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)('%s takes effect, is seen to, and can be undone', async (fault) => {
    await inject(fault, victim)
    expect(await whyWithoutEffect(fault, victim)).toBeNull()
    await undo(fault, victim)
    expect(victim.process().isRunning()).toBe(true)
    expect(await whyWithoutEffect(fault, victim, NO_MS)).not.toBeNull()
  })

  it('that was not injected is told as such: the process runs, the port answers', async () => {
    expect(await whyWithoutEffect('SIGSTOP', victim, NO_MS)).toMatch(
      /^the process of a is in state [RSD], not stopped$/u,
    )
    expect(await whyWithoutEffect('SIGKILL', victim, NO_MS)).toBe('a still runs')
    expect(await whyWithoutEffect('link down', victim)).toBe('a still takes connections')
    await new Promise((resolve) => server.close(resolve))
    expect(await whyWithoutEffect('link down', victim)).toBeNull()
  })

  it('cannot pull a cable on loopback', async () => {
    await expect(inject('link down', victim)).rejects.toThrow('there is no cable to pull on loopback')
  })
})

describe('the time until the last survivor knows', () => {
  const survivor = (name: string): Victim => ({ ...victim, name })

  /** A cluster in which these nodes conclude, so long after the victim was harmed. */
  function clusterOf(delaysMs: Readonly<Record<string, number>>): Cluster {
    const verdicts: Verdict[] = [{ by: 'b', about: 'a', atMs: performance.now() }]
    const harmed = { ...victim }
    for (const [by, delayMs] of Object.entries(delaysMs)) {
      setTimeout(() => verdicts.push({ by, about: 'a', atMs: performance.now() }), delayMs)
    }
    return {
      name: 'made up',
      nodes: [harmed, survivor('b'), survivor('c')],
      verdicts,
      settled: async () => undefined,
      end: async () => undefined,
    }
  }

  it('is that of the slowest, and verdicts from before do not count', async () => {
    const cluster = clusterOf({ b: 150, c: 300 })
    const outcome = await measureVerdicts(cluster, cluster.nodes[0] as Victim, 'SIGSTOP')
    expect(outcome).toMatchObject({ kind: 'known' })
    expect(outcome.kind === 'known' && outcome.seconds).toBeGreaterThanOrEqual(0.29)
    expect(victim.process().isRunning()).toBe(true)
  })

  it('is no figure when somebody never concludes', async () => {
    const cluster = clusterOf({ b: 10 })
    const outcome = await measureVerdicts(cluster, cluster.nodes[0] as Victim, 'SIGSTOP', { verdictMs: 400 })
    expect(outcome).toEqual({ kind: 'failed', why: 'no verdict in 0.4 s of 1 survivors' })
  })

  it('is no figure when the fault has no effect, though verdicts come', async () => {
    const cluster = clusterOf({ b: 10, c: 10 })
    const unharmed = { ...victim, process: () => ({ ...running, kill: () => undefined }) }
    expect(
      await measureVerdicts({ ...cluster, nodes: [unharmed, ...cluster.nodes.slice(1)] }, unharmed, 'SIGSTOP', {
        effectMs: NO_MS,
      }),
    ).toEqual({ kind: 'failed', why: expect.stringContaining('the fault was not injected') })
  })
})

describe('verdicts', () => {
  const verdict = (by: string, about: string): Verdict => ({ by, about, atMs: 0 })

  it('are false between those that were well, and only there', () => {
    const wrong = verdict('b', 'c')
    expect(falseVerdicts([verdict('b', 'a'), verdict('a', 'b'), wrong], ['a'])).toEqual([wrong])
  })

  it.each([
    ['2026-11-21T14:22:53.452Z warn  a host is silent host=host-8 how=alone ageMs=3141', 'host-8'],
    ['2026-11-21T14:23:06.023Z info  host is back host=host-5', null],
    ['2026-11-21T14:23:06.023Z info  a peer says: warn a host is silent host=host-5', null],
  ])('of an agent: %s', (line, about) => {
    expect(parseVerdictLine(line)).toBe(about)
  })

  it.each([
    ['    2026/11/21 14:31:01 [INFO] serf: EventMemberFailed: serf-3 10.77.4.3', { about: 'serf-3', isAlive: false }],
    ['    2026/11/21 14:31:01 [INFO] serf: EventMemberJoin: serf-3 10.77.4.3', { about: 'serf-3', isAlive: true }],
    ['    2026/11/21 14:31:01 [INFO] memberlist: Suspect serf-3 has failed, no acks received', null],
  ])('of serf: %s', (line, said) => {
    expect(parseSerfLine(line)).toEqual(said)
  })
})

describe('a mesh has settled', () => {
  type View = Parameters<typeof seeEachOther>[0][number]

  /** Views of so many hosts on each other; `change` alters how `by` sees `about`. */
  function viewsOf(count: number, change: (by: number, about: number) => object = () => ({})): readonly View[] {
    const all = Array.from({ length: count }, (_, index) => index)
    return all.map((by) => {
      const hosts = all.map((about) => ({
        name: `h${about}`,
        isSelf: about === by,
        state: 'alive',
        reach: 'direct',
        ...change(by, about),
      }))
      return { name: `h${by}`, quiet: false, isolated: false, waku: { works: true }, hosts } as unknown as View
    })
  }

  it.each([
    ['when all hear each other', viewsOf(3), true],
    [
      'not while one is thought silent',
      viewsOf(3, (by, about) => (by === 0 && about === 1 ? { state: 'silent' } : {})),
      false,
    ],
    [
      'not while one is heard through others',
      viewsOf(3, (by, about) => (by === 0 && about === 1 ? { reach: 'relayed' } : {})),
      false,
    ],
    [
      'of ten when eight hear each straight',
      viewsOf(10, (by, about) => ((by + 1) % 10 === about ? { reach: 'none' } : {})),
      true,
    ],
    [
      'of ten not when seven do',
      viewsOf(10, (by, about) => ((by + 1) % 10 === about || (by + 2) % 10 === about ? { reach: 'none' } : {})),
      false,
    ],
    [
      'not while one does not know the others',
      viewsOf(3).map((view, index) => (index === 0 ? { ...view, hosts: [] } : view)),
      false,
    ],
    [
      'not while one may not judge',
      viewsOf(3).map((view, index) => (index === 0 ? { ...view, quiet: true } : view)),
      false,
    ],
  ])('%s', (_what, views, settled) => {
    expect(seeEachOther(views)).toBe(settled)
  })
})
