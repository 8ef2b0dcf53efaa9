/** What every swarm does, real or fake. */
import { afterEach, describe, expect, it } from 'vitest'
import type { SwarmOptions } from '../swarm.ts'
import type { MakeSwarm, TestHost } from './harness.ts'
import { bytesOf, keyOf, startTogether, stopAll, testHost, textOf, until } from './harness.ts'

async function collect(flow: AsyncIterable<Uint8Array>): Promise<string[]> {
  const taken: string[] = []
  for await (const frame of flow) taken.push(textOf(frame))
  return taken
}

/** Runs the contract against one kind of swarm. `make` is asked for a fresh network before each test. */
export function describeSwarmContract(kind: string, freshNetwork: () => MakeSwarm): void {
  describe(`a ${kind} swarm`, () => {
    let hosts: TestHost[] = []

    const makeHosts = (...names: string[]): TestHost[] => {
      const make = freshNetwork()
      hosts = names.map((name) => testHost(make, name))
      return hosts
    }
    const makeTwo = (second: Partial<SwarmOptions> = {}): [TestHost, TestHost] => {
      const make = freshNetwork()
      const two: [TestHost, TestHost] = [testHost(make, 'ann'), testHost(make, 'bob', second)]
      hosts = two
      return two
    }
    const patience = (): AbortSignal => AbortSignal.timeout(15_000)

    afterEach(async () => {
      await stopAll(hosts)
    })

    it('knows who is connected, and says so once', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      expect(ann.swarm.peers()).toEqual([
        { host: bob.swarm.host, address: expect.any(String), via: 'direct', sinceMs: expect.any(Number) },
      ])
      expect(ann.changes).toEqual([`up ${bob.swarm.host}`])
      expect(ann.swarm.addresses()[0]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/)
      await bob.swarm.stop()
      await until('ann sees it', () => ann.changes.length === 2)
      expect(ann.changes).toEqual([`up ${bob.swarm.host}`, `down ${bob.swarm.host}`])
      expect(ann.swarm.peers()).toEqual([])
    })

    it('carries gossip to members that are not connected to the author, and in a small swarm only what is accepted', async () => {
      const [ann, bob, cid] = makeHosts('ann', 'bob', 'cid') as [TestHost, TestHost, TestHost]
      bob.behaviour.judge = (text) => (text.startsWith('good') ? 'accept' : text.startsWith('kept') ? 'keep' : 'reject')
      await ann.swarm.start()
      await bob.swarm.start()
      await cid.swarm.start()
      // A line: ann – bob – cid.
      ann.swarm.setPeerBook([{ addresses: bob.swarm.addresses() }])
      cid.swarm.setPeerBook([{ addresses: bob.swarm.addresses() }])
      await until('bob has both', () => bob.swarm.peers().length === 2)
      let round = 0
      await until('gossip flows from end to end', () => {
        void ann.swarm.gossip(bytesOf(`bad ${round}`))
        void ann.swarm.gossip(bytesOf(`kept ${round}`))
        void ann.swarm.gossip(bytesOf(`good ${round++}`))
        return cid.frames.length > 0
      })
      for (const word of ['bad', 'kept']) {
        await until(`bob judged a ${word} one`, () => bob.frames.some(({ text }) => text.startsWith(word)))
      }
      expect(
        cid.frames.every(
          ({ text, road, from }) => text.startsWith('good') && road === 'gossip' && from === bob.swarm.host,
        ),
      ).toBe(true)
    })

    it('hands heartbeats and directed frames over with their road and sender', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      ann.swarm.sendHeartbeat([bob.swarm.host], bytesOf('alive'))
      await until('it came', () => bob.frames.length === 1)
      await ann.swarm.send(bob.swarm.host, [bytesOf('one'), bytesOf('two')])
      const from = ann.swarm.host
      expect(bob.frames).toEqual([
        { from, text: 'alive', road: 'heartbeat' },
        { from, text: 'one', road: 'direct' },
        { from, text: 'two', road: 'direct' },
      ])
    })

    it('keeps only the newest heartbeat for a member that is slow', async () => {
      const [ann, bob] = makeTwo()
      const gate = Promise.withResolvers<'accept'>()
      bob.behaviour.judge = () => gate.promise
      await startTogether(ann, bob)
      ann.swarm.sendHeartbeat([bob.swarm.host], bytesOf('beat 0'))
      await until('the first is being judged', () => bob.frames.length === 1)
      for (let i = 1; i <= 50; i++) ann.swarm.sendHeartbeat([bob.swarm.host], bytesOf(`beat ${i}`))
      gate.resolve('accept')
      await until('the newest came', () => bob.frames.some(({ text }) => text === 'beat 50'))
      expect(bob.frames.map(({ text }) => text)).toEqual(['beat 0', 'beat 50'])
    })

    it('brings a genuine answer to a probe, and an error when there is none', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      const request = { target: bob.swarm.host, nonce: bytesOf('17'), relays: [], isGenuine: () => true }
      const answer = await ann.swarm.probe(request, patience())
      expect([textOf(answer.frame), answer.via]).toEqual(['bob answers 17', 'direct'])
      await expect(ann.swarm.probe({ ...request, isGenuine: () => false }, patience())).rejects.toMatchObject({
        code: 'no-answer',
      })
      bob.behaviour.answerProbe = () => new Promise(() => {})
      await expect(ann.swarm.probe(request, AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'no-answer' })
    })

    it('probes through a member when it cannot reach the target', async () => {
      const [ann, bob, cid] = makeHosts('ann', 'bob', 'cid') as [TestHost, TestHost, TestHost]
      for (const { swarm } of [ann, bob, cid]) await swarm.start()
      bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }, { addresses: cid.swarm.addresses() }])
      await until('bob has both', () => bob.swarm.peers().length === 2)
      const answer = await ann.swarm.probe(
        { target: cid.swarm.host, nonce: bytesOf('5'), relays: [bob.swarm.host], isGenuine: () => true },
        patience(),
      )
      expect([textOf(answer.frame), answer.via]).toEqual(['cid answers 5', bob.swarm.host])
    })

    it('lets a member catch up, frame by frame, at its own pace', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      const taken = await collect(ann.swarm.catchUp(bob.swarm.host, bytesOf('a bc def'), patience()))
      expect(taken).toEqual(['a', 'bc', 'def'])

      let made = 0
      let isEnded = false
      bob.behaviour.flow = async function* (_request, signal) {
        try {
          while (!signal.aborted) {
            made += 1
            yield new Uint8Array(10_000)
          }
        } finally {
          isEnded = true
        }
      }
      let count = 0
      for await (const _frame of ann.swarm.catchUp(bob.swarm.host, bytesOf('for ever'), patience())) {
        count += 1
        if (count === 5) break
      }
      await until('the other side stops too', () => isEnded)
      // Windows and buffers on the way, and no more.
      expect(made).toBeLessThan(400)
    })

    it('carries frames of the greatest size on each road', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      const greatest = bytesOf('x'.repeat(64 * 1024))
      await ann.swarm.send(bob.swarm.host, [greatest, greatest])
      ann.swarm.sendHeartbeat([bob.swarm.host], greatest)
      await until('the heartbeat came', () => bob.frames.length === 3)
      await until('gossip came', () => {
        ann.swarm.gossip(greatest).catch(() => {})
        return bob.frames.length === 4
      })
      expect(bob.frames.map(({ text }) => text.length)).toEqual([65_536, 65_536, 65_536, 65_536])
      bob.behaviour.flow = async function* () {
        for (let i = 0; i < 8; i++) yield new Uint8Array(256 * 1024).fill(i)
      }
      const sizes: string[] = []
      for await (const frame of ann.swarm.catchUp(bob.swarm.host, greatest, patience())) {
        sizes.push(`${frame.byteLength} of ${frame[0]} to ${frame.at(-1)}`)
      }
      expect(sizes).toEqual(Array.from({ length: 8 }, (_, i) => `262144 of ${i} to ${i}`))
    })

    it('passes on a broken flow as an error', async () => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      bob.behaviour.flow = async function* () {
        yield bytesOf('first')
        throw new Error('the disk is gone')
      }
      const flow = ann.swarm.catchUp(bob.swarm.host, bytesOf('all'), patience())
      await expect(collect(flow)).rejects.toThrow()
    })

    it.each([
      ['gossip', (ann: TestHost) => ann.swarm.gossip(new Uint8Array(64 * 1024 + 1))],
      [
        'a directed frame',
        (ann: TestHost, bob: TestHost) => ann.swarm.send(bob.swarm.host, [new Uint8Array(64 * 1024 + 1)]),
      ],
      [
        'a heartbeat',
        async (ann: TestHost, bob: TestHost) =>
          ann.swarm.sendHeartbeat([bob.swarm.host], new Uint8Array(64 * 1024 + 1)),
      ],
    ])('refuses to send %s that is too large', async (_what, act) => {
      const [ann, bob] = makeTwo()
      await startTogether(ann, bob)
      await expect(act(ann, bob)).rejects.toMatchObject({ code: 'too-large' })
    })

    it('says when somebody is not connected', async () => {
      const [ann, bob] = makeTwo()
      await ann.swarm.start()
      await expect(ann.swarm.send(bob.swarm.host, [bytesOf('hello')])).rejects.toMatchObject({ code: 'not-connected' })
      await expect(collect(ann.swarm.catchUp(bob.swarm.host, bytesOf('all'), patience()))).rejects.toMatchObject({
        code: 'not-connected',
      })
      expect(() => ann.swarm.sendHeartbeat([bob.swarm.host], bytesOf('alive'))).not.toThrow()
    })

    it('keeps who is not admitted outside, and says so to whoever dials', async () => {
      const [ann, bob] = makeTwo()
      ann.behaviour.admits = () => false
      await ann.swarm.start()
      await bob.swarm.start()
      bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
      await until('it is reported', () => bob.swarm.dialReports().length === 1)
      expect(bob.swarm.dialReports()[0]).toMatchObject({ problem: 'not-admitted' })
      expect([ann.changes, bob.changes]).toEqual([[], []])
    })

    it('asks "wrong swarm key?" of one, and says that nobody answers of another', async () => {
      const [ann, bob] = makeTwo({ swarmKeys: [keyOf('another mesh')] })
      await ann.swarm.start()
      await bob.swarm.start()
      const nobody = '/ip4/127.0.0.1/tcp/9'
      const [address = ''] = ann.swarm.addresses()
      bob.swarm.setPeerBook([{ addresses: [address] }, { addresses: [nobody] }])
      await until('both are reported', () => bob.swarm.dialReports().length === 2)
      const explanations = Object.fromEntries(
        bob.swarm.dialReports().map((report) => [report.problem, report.explanation]),
      )
      expect(explanations['wrong-swarm-key']).toMatch(
        /^\/ip4\/127\.0\.0\.1\/tcp\/\d+.* hangs up on us: wrong swarm key\?$/,
      )
      expect(explanations['nobody-answers']).toMatch(/^nobody answers at \/ip4\/127\.0\.0\.1\/tcp\/9 \(/)
    })

    it('accepts an old key beside the new one while a key is being rotated', async () => {
      const make = freshNetwork()
      const ann = testHost(make, 'ann', { swarmKeys: [keyOf('new'), keyOf('old')] })
      const bob = testHost(make, 'bob', { swarmKeys: [keyOf('old')] })
      hosts = [ann, bob]
      await startTogether(ann, bob)
      expect(ann.changes).toEqual([`up ${bob.swarm.host}`])
    })

    it('meets again after a restart', async () => {
      const [ann, bob] = makeTwo({ listen: ['/ip4/127.0.0.1/tcp/0'] })
      await startTogether(ann, bob)
      await bob.swarm.stop()
      await until('ann sees it go', () => ann.swarm.peers().length === 0)
      await bob.swarm.start()
      bob.swarm.setPeerBook([{ addresses: ann.swarm.addresses() }])
      await until('ann sees it come', () => ann.swarm.peers().length === 1)
      await until('bob too', () => bob.swarm.peers().length === 1)
    })
  })
}
