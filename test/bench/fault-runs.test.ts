/** That false verdicts are counted as such, by whomever, and that a cluster which sees nothing does not pass for a good one. */
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProcesses, type Processes } from '../e2e/processes.ts'
import { type Opinion, whyNotAgreed } from './agreement.ts'
import type { Cluster, Verdict } from './cluster.ts'
import { type Lasting, letLast } from './fault-runs.ts'
import type { Victim } from './faults.ts'
import { falseAmong, type Outage } from './outages.ts'

const verdict = (by: string, about: string, atMs: number): Verdict => ({ by, about, atMs })

describe('a verdict', () => {
  const outages: readonly Outage[] = [
    { name: 'a', fromMs: 100, toMs: 200 },
    { name: 'b', fromMs: 150, toMs: null },
  ]

  it.each<[string, Verdict, boolean]>([
    ['on a host while it is out', verdict('c', 'a', 150), false],
    ['on one that is out still', verdict('c', 'b', 900), false],
    ['on one that is well', verdict('c', 'd', 150), true],
    ['before it was out', verdict('c', 'a', 99), true],
    ['after it was back', verdict('c', 'a', 201), true],
    ['of one that is out itself, on one that is well', verdict('a', 'c', 150), true],
    ['of one that is out itself, on another that is', verdict('a', 'b', 160), false],
  ])('%s', (_, one, isFalse) => {
    expect(falseAmong([one], outages)).toEqual(isFalse ? [one] : [])
  })
})

describe('hosts', () => {
  const incident = { id: 'i1', aliases: [] as string[], hostName: 'c', check: '', state: 'firing' as const }
  const opinion = (name: string, change: Partial<Opinion> = {}): Opinion => ({
    name,
    hosts: ['a', 'b', 'c'].map((each) => ({ name: each, state: 'alive' })),
    incidents: [incident],
    ...change,
  })
  const silent = ['a', 'b', 'c'].map((name) => ({
    name,
    state: name === 'a' ? ('silent' as const) : ('alive' as const),
  }))
  const holding = (name: string, change: object): Opinion => opinion(name, { incidents: [{ ...incident, ...change }] })
  const NONE = { incidents: [] }

  it.each<[string, readonly Opinion[], string | null]>([
    ['who see each other and hold the same', [opinion('a'), opinion('b')], null],
    ['who know an incident by an older name', [opinion('a'), holding('b', { id: 'i2', aliases: ['i1'] })], null],
    ['of whom one is the host itself', [opinion('a'), opinion('c', NONE)], null],
    ['who remember what has ended', [holding('a', { state: 'resolved' }), opinion('b', NONE)], null],
    ['who take one for silent', [opinion('a'), opinion('b', { hosts: silent })], 'b takes a for silent'],
    ['who do not know one', [opinion('a'), opinion('b', { hosts: [] })], 'b takes a for unknown'],
    [
      'of whom one has seen the end',
      [opinion('a'), holding('b', { state: 'resolved' })],
      'a holds i1 on c, b does not',
    ],
    ['of whom one lacks an incident', [opinion('a'), opinion('b', NONE)], 'a holds i1 on c, b does not'],
    ['of whom one has one more', [opinion('a', NONE), opinion('b')], 'b holds i1 on c, a does not'],
    [
      'who differ on a check of one of them',
      [holding('a', { hostName: 'a', check: 'load' }), opinion('b', NONE)],
      'a holds i1 on a load, b does not',
    ],
  ])('agree or not: those %s', (_, opinions, why) => {
    expect(whyNotAgreed(opinions)).toBe(why)
  })
})

describe('a fault that lasts', () => {
  let processes: Processes
  let nodes: readonly Victim[]

  beforeEach(() => {
    processes = createProcesses(tmpdir())
    nodes = ['a', 'b', 'c'].map((name) => {
      const running = processes.start(['-e', 'setInterval(() => undefined, 1000)'], { program: [process.execPath] })
      const spot = { address: '127.0.0.1', prefix: [], cable: null }
      return { name, spot, port: 0, process: () => running, restart: () => undefined }
    })
  })

  afterEach(() => processes.end())

  const how = (): Lasting => ({
    fault: 'SIGSTOP',
    forMs: 300,
    withinMs: 1,
    watchMs: 50,
    signal: new AbortController().signal,
  })

  /** A cluster whose nodes come to these verdicts so long after they are first asked whether all is well. */
  function clusterOf(told: readonly (readonly [afterMs: number, by: string, about: string])[]): Cluster {
    const verdicts: Verdict[] = []
    let isAsked = false
    return {
      name: 'made up',
      nodes,
      verdicts,
      async settled() {
        if (isAsked) return
        isAsked = true
        for (const [afterMs, by, about] of told) {
          setTimeout(() => verdicts.push(verdict(by, about, performance.now())), afterMs)
        }
      },
      end: async () => undefined,
    }
  }

  const run = (cluster: Cluster, victims: readonly Victim[], untilAgreed = async () => undefined) =>
    letLast({ cluster, untilAgreed }, victims, how())

  it('brings no false verdict when only the rest misses the host, and while it is out', async () => {
    const cluster = clusterOf([
      [200, 'b', 'a'],
      [200, 'c', 'a'],
    ])
    expect(await run(cluster, nodes.slice(0, 1))).toEqual([
      { victim: 'a', falseVerdicts: [], agreedSeconds: expect.any(Number), why: null },
    ])
  })

  it('counts what the host says of others to it, and what others say of others to the first', async () => {
    const cluster = clusterOf([
      [200, 'c', 'a'],
      [200, 'c', 'b'],
      [200, 'b', 'c'],
      [200, 'a', 'c'],
    ])
    const runs = await run(cluster, nodes.slice(0, 2))
    expect(
      runs.map(({ victim, falseVerdicts }) => [victim, falseVerdicts.map(({ by, about }) => `${by} ${about}`)]),
    ).toEqual([
      ['a', ['a c']],
      ['b', ['b c']],
    ])
  })

  it('is not passed by those who never miss the host, or never agree', async () => {
    const [blind] = await run(clusterOf([[200, 'b', 'a']]), nodes.slice(0, 1))
    expect(blind?.why).toBe('1 of 2 never missed the host')
    let asked = 0
    const [apart] = await run(clusterOf([]), nodes.slice(0, 1), async () => {
      asked += 1
      if (asked > 1) throw new Error('a takes b for silent')
    })
    expect(apart).toMatchObject({ agreedSeconds: null, why: 'a takes b for silent' })
  })

  it('is no run when it has no effect', async () => {
    const deaf = nodes.map((node) => ({ ...node, process: () => ({ ...node.process(), kill: () => undefined }) }))
    const cluster = { ...clusterOf([]), nodes: deaf }
    const [only] = await letLast({ cluster, untilAgreed: async () => undefined }, deaf.slice(0, 1), how())
    expect(only?.why).toMatch(/^the fault was not injected: the process of a is in state/u)
  })
})
