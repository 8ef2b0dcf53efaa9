/**
 * What a person may do wrong: each time one or two clear lines, an exit code that scripts can use, and nothing lost.
 */
import { execFile } from 'node:child_process'
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import { type Ended, LAUNCHER } from './processes.ts'

const LIMIT_MS = 40_000
const EXAMPLE_KEY = fileURLToPath(new URL('../../swarm.key.example', import.meta.url))

let mesh: Mesh

beforeAll(async () => {
  mesh = await createMesh(['vps-1'])
}, 120_000)

afterAll(() => mesh?.end())

const muster = (...args: readonly string[]): Promise<Ended> => mesh.processes.run(args)

/** A copy of the first host's folder, as it was before its agent made a store. */
async function copyOfFolder(): Promise<string> {
  const { dir } = mesh.host('vps-1')
  const copy = await mkdtemp(join(mesh.folder, 'copy-'))
  for (const name of ['muster.yaml', 'swarm.key', 'identity.key', 'api.token'])
    await cp(join(dir, name), join(copy, name))
  return copy
}

/** One or two lines for a person on stderr, no stack. */
function expectForPeople({ err }: Ended, linesMax = 2): void {
  expect(err).not.toMatch(/\n {4}at |node:internal|Error:|undefined/u)
  expect(err.split('\n').length).toBeLessThanOrEqual(linesMax)
}

describe('the swarm key', () => {
  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ['is missing', (file) => rm(file), /there is no swarm key/u],
    ['is empty', (file) => writeFile(file, ''), /swarm key is empty/u],
    ['is malformed', (file) => writeFile(file, '/key/swarm/psk/1.0.0/\n/base16/\nabc\n'), /swarm\.key/u],
    ['is the example', (file) => cp(EXAMPLE_KEY, file), /example key/u],
    ['can be read by all', (file) => chmod(file, 0o644), /chmod 600/u],
  ])('%s: run refuses with exit code 2, and touches nothing', async (_, spoil, message) => {
    const dir = await copyOfFolder()
    const file = join(dir, 'swarm.key')
    await spoil(file)
    if (!String(message).includes('chmod') && (await readdir(dir)).includes('swarm.key')) await chmod(file, 0o600)
    const before = await readdir(dir)
    const ended = await muster('run', '--dir', dir)
    expect(ended).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) })
    expectForPeople(ended)
    expect(await readdir(dir)).toEqual(before)
  })
})

describe('muster.yaml', () => {
  const config = async (text: string): Promise<{ dir: string; ended: Ended }> => {
    const dir = await copyOfFolder()
    await writeFile(join(dir, 'muster.yaml'), text)
    return { dir, ended: await muster('run', '--dir', dir) }
  }

  test.each<[string, string, RegExp]>([
    ['an unknown key', 'host: a\npresense: {every: 10s}\n', /muster\.yaml:2:1: .*presense.*presence/su],
    [
      'an unknown key of a check',
      'host: a\nchecks:\n  - {name: disk, kind: disk, evry: 1m}\n',
      /muster\.yaml:3:\d+: .*evry.*every/su,
    ],
    ['a bad duration', 'host: a\npresence: {every: ten seconds}\n', /muster\.yaml:2:19: .*ten seconds.*10s/su],
    [
      'a duplicate name',
      'host: a\nchecks:\n  - {name: x, kind: cpu}\n  - {name: x, kind: load}\n',
      /muster\.yaml:4:\d+: .*x/u,
    ],
    [
      'a condition that does not compile',
      'host: a\nchecks:\n  - {name: disk, kind: disk, path: /, critical: free_procent < 5}\n',
      /muster\.yaml:3:49: .*free_procent.*free_percent/su,
    ],
    [
      'a condition with a syntax error',
      'host: a\nchecks:\n  - {name: c, kind: cpu, critical: "used_percent > > 3"}\n',
      /muster\.yaml:3:\d+: /u,
    ],
    ['no YAML', 'host: [a\n', /muster\.yaml:\d+:\d+: /u],
  ])('with %s is told with its place: exit code 2', async (_, text, message) => {
    const { dir, ended } = await config(text)
    expect(ended).toMatchObject({ code: 2, err: expect.stringMatching(message) })
    expectForPeople(ended)
    expect(await readdir(dir)).not.toContain('data')
  })

  test('as the manual shows it passes, without what this release does not have', async () => {
    const dir = await copyOfFolder()
    await writeFile(join(dir, 'muster.yaml'), MANUAL)
    expect(await muster('config', 'check', '--dir', dir)).toMatchObject({ code: 0, err: '' })
  })
})

const MANUAL = `host: laptop
tags: [home]
swarm:
  listen: [/ip4/0.0.0.0/tcp/4650]
  peers: [/dns4/vps-1.example.org/tcp/4650]   # any one that answers is enough
presence: {every: 10s, grace: 5s, sleeps: true, restart: 5m}   # the built-in check: this agent answers the roll
checks:
  - {name: disk, kind: disk, path: /, every: 1m, grace: 30s, warning: free_percent < 10, critical: free_percent < 5}
  - {name: site, kind: http, url: "https://example.org/health", every: 30s, critical: status != 200 || duration_ms > 2000, after: 3}
  - {name: backup, kind: push, every: 1d, grace: 1h, heartbeat: always}
waku:
  serve: true                       # be a Waku service node for the owner's devices
  listen: [/ip4/0.0.0.0/tcp/4652/ws]
  nodes: []                         # external nwaku nodes, besides the mesh's own
notify:
  remind: 4h
api: {listen: 127.0.0.1:4651}
`

describe('beside an agent that runs', () => {
  const servers: Server[] = []

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })

  test('a second agent on the same folder is refused, and the first goes on', async () => {
    const host = mesh.host('vps-1')
    const second = await muster('run', '--dir', host.dir)
    expect(second.code).toBe(2)
    expect(second.err).toMatch(/^muster: another muster runs on this folder .*\n {2}end it with: kill \d+, or [^\n]*$/u)
    expect(second.err).not.toMatch(/\n {4}at |LEVEL_/u)
    expect(host.agent().isRunning()).toBe(true)
    expect(await host.muster('status')).toMatchObject({ code: 0 })
    expect(await host.muster('check', 'run', 'memory')).toMatchObject({ code: 0 })
  })

  describe.each(['swarm', 'waku', 'api'] as const)('what the %s cannot listen on', (part) => {
    /** Runs an agent that listens there, the others on ports of their own: 0 is any. */
    async function runOn(address: string, port: number, prefix: readonly string[] = []) {
      const dir = await copyOfFolder()
      const { ports } = mesh.host('vps-1')
      const file = join(dir, 'muster.yaml')
      let text = (await readFile(file, 'utf8')).replaceAll(/([/:])0\.0\.0\.0\b/gu, '$1127.0.0.1')
      for (const each of ['swarm', 'waku', 'api'] as const) {
        const own = new RegExp(`127\\.0\\.0\\.1(/tcp/|:)${ports[each]}\\b`, 'gu')
        text = text.replaceAll(own, each === part ? `${address}$1${port}` : '127.0.0.1$10')
      }
      await writeFile(file, text)
      const ended = await mesh.processes.run(['run', '--dir', dir], { prefix })
      const said = ended.err.split('\n').filter((line) => !/^\d{4}-/u.test(line))
      expect(ended.err).not.toMatch(/\n {4}at |node:internal/u)
      expect(said.length).toBeLessThanOrEqual(2)
      const written = {
        swarm: `/ip4/${address}/tcp/${port}`,
        waku: `/ip4/${address}/tcp/${port}/ws`,
        api: `${address}:${port}`,
      }
      return {
        code: ended.code,
        what: said[0],
        remedy: said[1] ?? '',
        file,
        written: `${part}.listen: ${written[part]}`,
      }
    }

    test('because its port is in use', async () => {
      const { code, what, remedy, file, written } = await runOn('127.0.0.1', await listenSomewhere())
      expect({ code, what }).toEqual({ code: 2, what: `${written} is in use by another program` })
      expect(remedy).toMatch(/another muster.*ss -ltnp.*write another port/u)
      expect(remedy).toContain(file)
    })

    test('because the address is another machine’s', async () => {
      const { code, what, remedy, file, written } = await runOn('203.0.113.1', 0)
      expect({ code, what }).toEqual({ code: 2, what: `${written} is no address of this machine` })
      expect(remedy).toMatch(/ip address.*(?:\/ip4\/0\.0\.0\.0\/tcp\/|127\.0\.0\.1:)0/u)
      expect(remedy).toContain(file)
    })

    test('because the port takes a right', async (context) => {
      const first = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '0'))
      if (first < 2) return context.skip('every user may listen on every port here')
      const isRoot = process.getuid?.() === 0
      const without = ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service']
      if (isRoot && !(await works([...without, 'true']))) return context.skip('root cannot do without the right here')
      const { code, what, remedy, file, written } = await runOn('127.0.0.1', 1, isRoot ? without : [])
      expect({ code, what }).toEqual({ code: 2, what: `${written} is a port that this user may not listen on` })
      expect(remedy).toContain('from 1024 on')
      expect(remedy).toContain(file)
    })
  })

  test('errors that nobody caught end the agent when they are many: one line each, and exit code 1', async () => {
    const dir = await copyOfFolder()
    const file = join(dir, 'muster.yaml')
    const text = await readFile(file, 'utf8')
    const { ports } = mesh.host('vps-1')
    const own = new RegExp(`([/:])(?:${Object.values(ports).join('|')})\\b`, 'gu')
    await writeFile(file, text.replaceAll(own, '$10'))
    const bug = `const isHeld = () => process.listenerCount('uncaughtException') > 0
      setInterval(() => { if (isHeld()) throw new Error('a bug for a test') }, 100).unref()`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}` }
    const ended = await mesh.processes.run(['run', '--dir', dir], { env })
    const lines = ended.err.split('\n')
    expect(ended.code).toBe(1)
    expect(lines.at(-1)).toBe('muster: too many errors within a minute, the last: a bug for a test')
    expect(lines.filter((line) => line.includes('an error was let slip'))).toHaveLength(1)
    expect(ended.err).not.toMatch(/\n {4}at |node:internal/u)
  })

  test('join with the key of another mesh says so, and that nobody answers where nobody is', async () => {
    const { peer, dir } = mesh.host('vps-1')
    const stranger = join(mesh.folder, 'stranger')
    expect(await muster('init', '--dir', stranger, '--name', 'stranger')).toMatchObject({ code: 0 })
    const key = join(stranger, 'swarm.key')
    const wrong = await muster('join', '--key', key, '--peer', peer, '--dir', join(mesh.folder, 'wrong'))
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining('wrong swarm key?') })
    expectForPeople(wrong)

    const closed = await listenSomewhere()
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const nobody = `/ip4/127.0.0.1/tcp/${closed}`
    const lost = await muster(
      'join',
      '--key',
      join(dir, 'swarm.key'),
      '--peer',
      nobody,
      '--dir',
      join(mesh.folder, 'lost'),
    )
    expect(lost).toMatchObject({ code: 1, out: expect.stringContaining(`nobody answers at ${nobody}`) })
  })

  test('an agent with the key of another mesh says so in its status', async () => {
    const { peer } = mesh.host('vps-1')
    const dir = join(mesh.folder, 'stranger')
    const file = join(dir, 'muster.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll('/ip4/0.0.0.0/', '/ip4/127.0.0.1/').replace('peers: []', `peers: [${peer}]`))
    const agent = mesh.processes.start(['run', '--dir', dir])
    await until('the agent to say what is wrong', LIMIT_MS, async () =>
      (await muster('status', '--dir', dir)).out.includes('wrong swarm key?'),
    )
    agent.kill('SIGTERM')
    expect(await agent.ended).toMatchObject({ code: 0 })
  })

  /** A port on loopback that something listens on. */
  async function listenSomewhere(): Promise<number> {
    const server = createServer()
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
})

test('a Node that is too old is told so in one line', async (context) => {
  const old = await findOldNode()
  if (old === undefined) return context.skip('no Node below 24 is on the PATH outside of node_modules')
  const ended = await mesh.processes.run(['run'], { program: [old, LAUNCHER] })
  expect(ended).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^muster: Node [\d.]+ is too old, [^\n]+$/u),
  })
})

function works([program = '', ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => execFile(program, args, (error) => resolve(error === null)))
}

async function findOldNode(): Promise<string | undefined> {
  const places = (process.env.PATH ?? '').split(delimiter).filter((place) => !place.includes('node_modules'))
  for (const place of [...places, dirname('/usr/bin/node'), dirname('/usr/local/bin/node')]) {
    const path = join(place, 'node')
    if (!(await stat(path).catch(() => undefined))?.isFile()) continue
    const version = await new Promise<string>((resolve) => {
      execFile(path, ['--version'], (error, out) => resolve(error === null ? out : ''))
    })
    const major = Number(/^v(\d+)\./u.exec(version)?.[1] ?? '99')
    if (major >= 12 && major < 24) return path
  }
  return undefined
}
