/** The command as people run it: the real launcher in a process of its own. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, createApiServer } from '../api/server.ts'
import { createTestAgent, type TestAgent, testPublicKey } from '../api/testing/test-agent.ts'
import { readOrCreateApiToken, resolveFolder } from '../identity/folder.ts'
import { type Ended, inProcess } from './testing/in-process.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/muster.js', import.meta.url))

let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-cli-'))
})

afterAll(async () => {
  await rm(home, { recursive: true })
})

function muster(args: readonly string[], env: Record<string, string> = {}, node = process.execPath): Promise<Ended> {
  const around = { PATH: process.env.PATH ?? '', HOME: home, TZ: 'UTC', ...env }
  return new Promise((resolve) => {
    const child = execFile(node, [LAUNCHER, ...args], { env: around, cwd: home }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    })
    child.stdin?.end()
  })
}

/** Errors are for people: one or two lines (more for several problems of a config), never a stack. */
function expectForPeople({ err }: Ended, linesMax = 2): void {
  expect(err).not.toMatch(/\n {4}at |node:internal|Error:/)
  expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(linesMax)
}

describe('without a host', () => {
  test('version, in both ways of asking', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await muster(['version'])).out).toContain(`muster ${version} (Node `)
    expect((await muster(['--version'])).out).toBe(`muster ${version}\n`)
    expect(JSON.parse((await muster(['version', '--json'])).out)).toMatchObject({ version })
  })

  test('help lists every command of this release and no other', async () => {
    const { code, out } = await muster(['--help'])
    expect(code).toBe(0)
    const listed = [...out.matchAll(/^ {2}([a-z]+) /gmu)].map(([, name]) => name)
    const commands =
      'init join run status hosts check config push exec recipient listen ack silence maintenance history'
    expect(listed).toEqual([
      ...commands.split(' '),
      ...'incidents leave simulate replay verify demo version help'.split(' '),
    ])
  })

  test.each([
    [['nonsense'], 'there is no command nonsense'],
    [['statsu'], 'Did you mean status?'],
    [['invite'], 'there is no command invite'],
    [['check', 'new'], 'there is no command check new'],
    [['config'], 'which config command?'],
    [['status', '--bogus'], "unknown option '--bogus'"],
    [['ack'], "missing required argument 'incident'"],
    [['silence', 'x'], "required option '--for <duration>'"],
    [['silence', 'x', '--for', '2'], 'a unit is missing'],
    [['maintenance', 'x', '--for', '9d'], 'at most 48h'],
    [['push', 'a/b'], 'no check can be called "a/b"'],
    [['push', 'a', '--fail', '--start'], 'one of --start'],
    [['simulate', '--without', 'sense'], 'there is no rule sense'],
    [['listen', 'muster:pair#broken'], 'no complete pairing link'],
    [['join', '--key', 'x', '--peer', 'vps-1:4650'], 'write /dns4/vps-1/tcp/4650'],
    [['init', '--name', 'a b'], 'is not a host name'],
    [['\u001b[31mx'], 'there is no command [31mx'],
  ])('muster %j is bad usage: exit code 2, one clear line', async (args, message) => {
    const ended = await inProcess(home, args)
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.err).toContain(message)
    expectForPeople(ended)
  })

  test.each([
    ['status'],
    ['hosts'],
    ['incidents'],
    ['push', 'x'],
    ['ack', 'abcd'],
    ['recipient', 'list'],
    ['leave'],
    ['history'],
  ])('muster %s without an agent is exit code 3', async (...args) => {
    const ended = await inProcess(home, args)
    expect(ended.code).toBe(3)
    expect(ended.err).toContain('no agent runs on')
    expectForPeople(ended)
  })

  test('the launcher passes exit codes on', async () => {
    expect(await muster(['nonsense'])).toMatchObject({ code: 2, out: '' })
    const ended = await muster(['status'])
    expect(ended).toMatchObject({ code: 3, out: '' })
    expectForPeople(ended)
  })

  test('exec runs its command all the same, and ends as it does', async () => {
    const ended = await muster([
      'exec',
      'backup',
      '--',
      process.execPath,
      '-e',
      'console.log("out"); console.error("err"); process.exit(7)',
    ])
    expect(ended).toMatchObject({ code: 7, out: 'out\n' })
    expect(ended.err).toContain('err\n')
    expect(ended.err).toContain('backup is not reported: no agent runs on')
    expect((await muster(['exec', 'backup', '--', '/no/such/command'])).code).toBe(127)
  })

  test('a Node that is too old is told so in one line, and nothing is loaded', async (context) => {
    const old = await oldNode()
    if (old === undefined) return context.skip('no Node older than 24 is installed on this machine')
    const ended = await muster(['version'], {}, old)
    expect(ended.code).toBe(2)
    expect(ended.err).toMatch(/^muster: Node [\d.]+ is too old, 24\.0 or newer is needed\.[^\n]*\n$/)
  })
})

async function oldNode(): Promise<string | undefined> {
  for (const path of ['/usr/bin/node', '/usr/local/bin/node']) {
    const version = await new Promise<string>((resolve) => {
      execFile(path, ['--version'], (error, out) => resolve(error === null ? out.trim() : ''))
    })
    const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? '99')
    if (major >= 12 && major < 24) return path
  }
  return undefined
}

describe('a new host', () => {
  test('init writes a folder that only its owner can read, and a config that is good', async () => {
    const dir = join(home, 'first')
    const made = await muster(['init', '--name', 'vps-1', '--dir', dir])
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(made.out).toContain('Next:  muster run --dir')
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    for (const file of ['swarm.key', 'identity.key', 'api.token']) {
      expect((await stat(join(dir, file))).mode & 0o777, file).toBe(0o600)
    }
    expect(await muster(['config', 'check', '--dir', dir])).toMatchObject({ code: 0, err: '' })
    const key = await readFile(join(dir, 'swarm.key'), 'utf8')
    const again = await muster(['init', '--dir', dir])
    expect(again.code).toBe(2)
    expect(again.err).toContain('nothing is overwritten')
    expect(await readFile(join(dir, 'swarm.key'), 'utf8')).toBe(key)
  })

  test('two hosts that are set up side by side get ports of their own', async () => {
    const parent = join(home, 'beside')
    await mkdir(parent)
    await muster(['init', '--dir', join(parent, 'a')])
    await muster(['init', '--dir', join(parent, 'b')])
    const portsOf = async (name: string) =>
      (await readFile(join(parent, name, 'muster.yaml'), 'utf8')).match(/listen: \[?[^\]}\n]*\d+/g)
    const [a, b] = [await portsOf('a'), await portsOf('b')]
    expect(a).toHaveLength(3)
    for (const port of a ?? []) expect(b).not.toContain(port)
  })

  test.each([
    ['missing', undefined, 'there is no swarm key here'],
    ['empty', '', 'the swarm key is empty'],
    ['malformed', '/key/swarm/psk/1.0.0/\n/base16/\nxyz\n', 'is not a hex digit'],
    ['the example', undefined, 'the example key'],
  ])('join with a key that is %s writes nothing', async (kind, text, message) => {
    const file = join(home, `${kind.replaceAll(' ', '-')}.key`)
    const example = new URL('../../../../swarm.key.example', import.meta.url)
    const content = kind === 'the example' ? await readFile(example, 'utf8') : text
    if (content !== undefined) await writeFile(file, content, { mode: 0o600 })
    const dir = join(home, `join-${kind.replaceAll(' ', '-')}`)
    const ended = await muster(['join', '--key', file, '--peer', '/ip4/127.0.0.1/tcp/1', '--dir', dir])
    expect(ended.code).toBe(2)
    expect(ended.err).toContain(message)
    expectForPeople(ended)
    await expect(stat(dir)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('join tells a key that others could read, with the chmod to type', async () => {
    const dir = join(home, 'exposed-source')
    await muster(['init', '--dir', dir])
    const key = join(dir, 'swarm.key')
    await chmod(key, 0o644)
    const ended = await muster(['join', '--key', key, '--peer', '/ip4/127.0.0.1/tcp/1', '--dir', join(home, 'exposed')])
    expect(ended.code).toBe(2)
    expect(ended.err).toContain('chmod 600')
  })

  test('join sets the host up and says that nobody answers', async () => {
    const source = join(home, 'join-source')
    await muster(['init', '--dir', source])
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const address = closed.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((resolve) => closed.close(resolve))
    const dir = join(home, 'joined')
    const peer = `/ip4/127.0.0.1/tcp/${port}`
    const ended = await muster([
      'join',
      '--key',
      join(source, 'swarm.key'),
      '--peer',
      peer,
      '--name',
      'laptop',
      '--dir',
      dir,
    ])
    expect(ended.code).toBe(1)
    expect(ended.out).toContain(`nobody answers at ${peer}`)
    expect(await readFile(join(dir, 'muster.yaml'), 'utf8')).toContain(`peers: [${peer}]`)
    expect(await readFile(join(dir, 'swarm.key'), 'utf8')).toBe(await readFile(join(source, 'swarm.key'), 'utf8'))
  })

  test('a bad config is told with its place: exit code 2', async () => {
    const dir = join(home, 'bad')
    await mkdir(dir, { mode: 0o700 })
    const file = join(dir, 'muster.yaml')
    await writeFile(file, 'host: a\nchecks:\n  - {name: disk, kind: disk, evry: 1m}\n')
    const ended = await muster(['config', 'check', '--dir', dir])
    expect(ended.code).toBe(2)
    expect(ended.err).toMatch(/^.*bad\/muster\.yaml:3:\d+: .*evry/)
    expectForPeople(ended)
    expect(JSON.parse((await muster(['config', 'check', '--json', '--dir', dir])).out)).toMatchObject({ ok: false })
  })

  test('checks can be listed and tried without an agent', async () => {
    const dir = join(home, 'checks')
    await muster(['init', '--dir', dir])
    expect((await muster(['check', 'list', '--dir', dir])).out).toMatch(/^disk +disk +every 1m/m)
    expect((await muster(['check', 'kinds'])).out).toMatch(/^push +waits for a job/m)
    const tried = JSON.parse((await muster(['check', 'run', 'load', '--json', '--dir', dir])).out) as Record<
      string,
      unknown
    >
    expect(tried).toMatchObject({ check: 'load', observation: { values: { cores: expect.any(Number) } } })
    const unknown = await muster(['check', 'run', 'dsk', '--dir', dir])
    expect(unknown).toMatchObject({ code: 2 })
    expect(unknown.err).toContain('did you mean disk?')
  })

  test('the printed config can be read again, and the schema is JSON', async () => {
    const dir = join(home, 'shown')
    await muster(['init', '--dir', dir])
    const { out } = await muster(['config', 'show', '--dir', dir])
    await writeFile(join(dir, 'muster.yaml'), out)
    expect(await muster(['config', 'check', '--dir', dir])).toMatchObject({ code: 0 })
    expect(JSON.parse((await muster(['config', 'schema'])).out)).toMatchObject({ title: 'muster.yaml' })
  })
})

describe('with an agent', () => {
  let agent: TestAgent
  let api: ApiServer
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(join(home, 'agent-'))
    const folder = resolveFolder({ dir, env: {}, homeDir: home, workingDir: home })
    agent = createTestAgent()
    const token = await readOrCreateApiToken(folder)
    const addressFile = join(dir, 'api.address')
    api = createApiServer(agent.port, { listen: { host: '127.0.0.1', port: 0 }, token, addressFile })
    await api.start()
  })

  afterEach(async () => {
    await api.stop()
  })

  const on = (...args: string[]) => inProcess(home, [...args, '--dir', dir])

  test('status is exit code 0 when all is well and 1 when something fires', async () => {
    agent.live('vps-1')
    agent.advance(40_000)
    expect(await on('status')).toMatchObject({ code: 0, out: expect.stringContaining('Everyone is here.') })
    agent.die('vps-1')
    agent.advance(60_000)
    const bad = await on('status')
    expect(bad.code).toBe(1)
    expect(bad.out).not.toContain('\u001b')
    expect(JSON.parse((await on('status', '--json')).out)).toMatchObject({ well: false })
    expect((await on('incidents')).out).toContain('vps-1 is silent, says one observer')
    expect((await on('hosts')).out).toMatch(/^vps-1 +no answer/m)
  })

  test('an incident is acknowledged and silenced by the start of its id', async () => {
    agent.live('vps-1')
    agent.advance(40_000)
    agent.die('vps-1')
    agent.advance(60_000)
    const [id = ''] = agent.port.state().incidents.keys()
    expect((await on('ack', id.slice(0, 4), '--by', 'ada')).out).toContain('acknowledged by ada')
    expect((await on('silence', id.slice(0, 4), '--for', '2h')).out).toContain('1 open incident')
    expect((await on('status')).code).toBe(0)
    expect(await on('ack', 'ffff')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no incident starts with ffff'),
    })
    expect(await on('maintenance', 'nobody', '--for', '1h')).toMatchObject({ code: 2 })
    expect(await on('maintenance', 'vps-1', '--for', '1h')).toMatchObject({ code: 0 })
  })

  test('push and exec ping, with one run id from start to end', async () => {
    expect(await on('push', 'backup', '--exit', '3', '--message', 'oh')).toMatchObject({ code: 0, out: '', err: '' })
    expect(agent.pings).toEqual([{ check: 'backup', kind: 'exit', exitCode: 3, body: 'oh' }])
    const ended = await muster([
      'exec',
      '--dir',
      dir,
      'backup',
      '--',
      process.execPath,
      '-e',
      'console.log("done"); process.exit(4)',
    ])
    expect(ended).toMatchObject({ code: 4, out: 'done\n', err: '' })
    const [, start, end] = agent.pings
    expect(start).toMatchObject({ kind: 'start' })
    expect(end).toMatchObject({ kind: 'exit', exitCode: 4, body: 'done\n', runId: start?.runId })
    expect(await on('push', 'unknown')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no push check is called unknown'),
    })
  })

  test('a recipient is paired: the link is shown, then the word', async () => {
    const adding = on('recipient', 'add', 'phone')
    const timer = setInterval(() => agent.pairing.resolve(), 50)
    const ended = await adding
    clearInterval(timer)
    expect(ended.code).toBe(0)
    expect(ended.out).toContain("muster listen 'muster:pair#abc'")
    expect(ended.out).toContain('Note: only one Waku node')
    expect(ended.out.trimEnd().split('\n').at(-1)).toBe('paired')
  })

  test('a recipient by key, listed and removed', async () => {
    const key = Buffer.from(testPublicKey()).toString('hex')
    expect(await on('recipient', 'add', 'bridge', '--key', key)).toMatchObject({ code: 0 })
    expect((await on('recipient', 'list')).out).toContain('bridge')
    expect(await on('recipient', 'remove', 'bridge')).toMatchObject({ code: 0 })
    expect(await on('recipient', 'remove', 'bridge')).toMatchObject({ code: 2 })
    expect(await on('recipient', 'add', 'bad', '--key', 'zz')).toMatchObject({ code: 2 })
  })

  test('an agent of another folder is not asked', async () => {
    await writeFile(join(dir, 'api.token'), `${'x'.repeat(43)}\n`, { mode: 0o600 })
    const ended = await on('status')
    expect(ended.code).toBe(3)
    expect(ended.err).toContain('is another program')
  })

  test('an agent that was killed leaves an address that nobody answers at: exit code 3', async () => {
    const address = await readFile(join(dir, 'api.address'), 'utf8')
    await api.stop()
    await writeFile(join(dir, 'api.address'), address)
    expect(await on('status')).toMatchObject({ code: 3 })
  })
})
