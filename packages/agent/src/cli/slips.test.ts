/** What the command line says to slips, and to those who do not know it yet. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostIncidentId } from '@muster/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, createApiServer } from '../api/server.ts'
import { createTestAgent, hostIdOf, type TestAgent } from '../api/testing/test-agent.ts'
import { readOrCreateApiToken, resolveFolder } from '../identity/folder.ts'
import { lockFolder } from '../storage/store-folder.ts'
import { findAgent } from './api-client.ts'
import { addressesOf } from './new-host.ts'
import { inProcess } from './testing/in-process.ts'

const NPX = { npm_config_user_agent: 'npm/11.19.1', npm_lifecycle_event: 'npx' }

let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-slips-'))
})

afterAll(() => rm(home, { recursive: true }))

describe('help', () => {
  test.each([[[]], [['help']], [['help', '--help']], [['help', '-h']], [['--help']]])(
    '%j prints it: exit code 0',
    async (args) => {
      const { code, out, err } = await inProcess(home, args)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('Usage: muster')
      expect(out).toMatch(/^ {2}init /mu)
    },
  )

  test('of a command that is not there: exit code 2', async () => {
    const { code, err } = await inProcess(home, ['help', 'statsu'])
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('Did you mean status?') })
  })
})

describe('what is printed to be typed', () => {
  test('by init: npx and the folder, where both are needed, and how to stay on this machine', async () => {
    const dir = join(home, 'typed')
    const { out } = await inProcess(home, ['init', '--name', 'vps-1', '--dir', dir], NPX)
    expect(out).toContain('Next:  npx muster run --dir ~/typed\n')
    expect(out).toMatch(/^ +npx muster join --key swarm\.key --peer \/ip4\//mu)
    expect(out).toContain('npx muster recipient add --dir ~/typed phone')
    expect(out).toContain('It listens on all networks of this machine.')
    expect(await readFile(join(dir, 'muster.yaml'), 'utf8')).toContain('0.0.0.0')
  })

  test('by errors, also those of the parts below', async () => {
    const dir = join(home, 'empty')
    await mkdir(dir, { mode: 0o700 })
    expect((await inProcess(home, ['status', '--dir', dir], NPX)).err).toContain(': npx muster run --dir ~/empty (')
    expect((await inProcess(home, ['config', 'check', '--dir', dir], NPX)).err).toContain(
      ': npx muster init --dir ~/empty',
    )
    expect((await inProcess(home, ['nonsense'], NPX)).err).toContain('npx muster --help')
  })
})

test('an error that speaks of join names what join needs, and none sends to a command that would refuse', async () => {
  const missing = join(home, 'no.key')
  const dir = join(home, 'lost')
  const told = [
    await inProcess(home, ['join', '--key', missing, '--peer', '/ip4/127.0.0.1/tcp/1', '--dir', dir], NPX),
    await inProcess(home, ['run', '--dir', join(home, 'nowhere')], NPX),
  ]
  await inProcess(home, ['init', '--dir', dir])
  for (const file of ['identity.key', 'swarm.key']) {
    await rm(join(dir, file))
    told.push(await inProcess(home, ['run', '--dir', dir], NPX))
  }
  expect(told.map(({ code }) => code)).toEqual([2, 2, 2, 2])
  for (const { err } of told) expect(err).not.toMatch(/muster join(?! [^,]*--key \S+ --peer)/u)
  const [file, folder, identity, key] = told.map(({ err }) => err)
  for (const each of [file, key]) expect(each).toContain('copy the swarm.key of another host to there')
  expect(folder).toContain('npx muster join --dir ~/nowhere --key FILE --peer ADDRESS')
  expect(identity).toContain('move the folder away, then: npx muster join --dir ~/lost --key FILE --peer ADDRESS')
})

test('a folder that is not there is told as that: exit code 3', async () => {
  const dir = join(home, 'nowhere')
  const { code, err } = await inProcess(home, ['status', '--dir', dir])
  expect({ code, err }).toEqual({
    code: 3,
    err: expect.stringContaining(`no agent runs on ${dir}: there is no such folder\n`),
  })
})

test('options after the name of exec are no command: exit code 2, and nothing is run', async () => {
  const { code, err } = await inProcess(home, ['exec', 'backup', '--dir', home])
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('write: muster exec backup -- CMD') })
})

test('what is no recording is told once', async () => {
  const file = join(home, 'hostname')
  await writeFile(file, 'vps-1\n')
  const { code, out, err } = await inProcess(home, ['replay', file])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err.match(/hostname/g)).toHaveLength(1)
})

test('addresses of networks inside of this machine come last', () => {
  const at = (address: string) => [{ address, family: 'IPv4', internal: false }]
  const interfaces = {
    'br-1a2b': at('10.77.186.254'),
    docker0: at('172.17.0.1'),
    eth0: at('192.0.2.2'),
    wg0: at('10.0.0.1'),
  }
  expect(addressesOf(interfaces)).toEqual(['192.0.2.2', '10.0.0.1', '10.77.186.254', '172.17.0.1'])
})

describe('with an agent', () => {
  let agent: TestAgent
  let api: ApiServer
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(join(home, 'agent-'))
    const token = await readOrCreateApiToken(folder())
    agent = createTestAgent()
    const addressFile = join(dir, 'api.address')
    api = createApiServer(agent.port, { listen: { host: '127.0.0.1', port: 0 }, token, addressFile })
    await api.start()
  })

  afterEach(() => api.stop())

  const folder = () => resolveFolder({ dir, env: {}, homeDir: home, workingDir: home })
  const on = (...args: string[]) => inProcess(home, [...args, '--dir', dir])

  async function kill(name: string): Promise<string> {
    agent.live(name)
    agent.advance(40_000)
    agent.die(name)
    agent.advance(60_000)
    return [...agent.port.state().incidents.keys()][0] ?? ''
  }

  test.each(['xy', 'ab', 'nonsense'])('ack %s names no incident, in words for a person', async (start) => {
    const { code, err } = await on('ack', start)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`no incident starts with ${start}`) })
    expect(err).toContain('at least four hex digits are needed')
  })

  test.each(['ffff', 'FFFF0000'])('ack %s is told apart from a slip: another host may know it', async (start) => {
    const { code, err } = await on('ack', start)
    expect(code).toBe(2)
    expect(err).toContain(`no incident starts with ${start} (as far as this host knows: ask one that was up then)`)
  })

  test('an incident that was missed here is listed with its end, and its ack promises nothing', async () => {
    agent.live('home')
    agent.live('vps-1')
    agent.advance(20_000)
    const life = { incarnation: 1, epoch: 0 }
    const more = { beat: 7, ageMs: 15_000, observers: 2, votes: [], alone: false, evidence: null, outages: 1 }
    const heardUnixMs = agent.port.state().clock.unixMs - 90_400
    const subject = hostIdOf('vps-1')
    agent.hand('home', 'verdict', { subject, life, fault: 'silent', heardUnixMs, ...more }, 75_000)
    const id = hostIncidentId(agent.port.state().options.mesh, subject, life)
    agent.port.returnOf = async () => heardUnixMs + 63_000
    const listed = await on('incidents')
    expect(listed.out).toMatch(
      new RegExp(
        `^${id.slice(0, 4)}    resolved  vps-1 is silent; since .*, 1 min 3 s; concluded by home, learnt here after`,
      ),
    )
    expect((await on('history')).out).toContain(`incident ${id.slice(0, 4)} ended after 1 min 3 s`)
    const { code, out } = await on('ack', id.slice(0, 4))
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('it has ended already') })
    expect(JSON.parse((await on('incidents', '--json')).out)).toMatchObject({
      incidents: [{ id, missed: true, state: 'resolved', acknowledged: { by: expect.any(String) } }],
    })
  })

  test('ack of an incident that has ended promises nothing', async () => {
    const id = await kill('vps-1')
    expect((await on('ack', id.slice(0, 8))).out).toContain('its end will be told')
    agent.live('vps-1')
    agent.advance(30_000)
    const { code, out } = await on('ack', id.slice(0, 8))
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('it has ended already') })
    expect(out).not.toContain('will be told')
  })

  test('who answered is said once', async () => {
    await on(
      'recipient',
      'add',
      'phone',
      '--key',
      `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`,
    )
    const id = await kill('vps-1')
    await on('ack', id.slice(0, 8), '--by', 'ada')
    const { out } = await on('incidents')
    expect(out).toContain('answered by ada')
    expect(out.match(/by ada/g)).toHaveLength(1)
  })

  test('a silence of a check that is not there is taken, with a warning', async () => {
    agent.live('vps-1')
    agent.advance(11_000)
    const slip = await on('silence', 'vps-1/dsk', '--for', '1h')
    expect(slip).toMatchObject({ code: 0, out: expect.stringContaining('vps-1/dsk is silenced until') })
    expect(slip.err).toBe('muster: vps-1 has no check called dsk just now; it has none that is known here\n')
    expect(await on('silence', 'vps-1/*', '--for', '1h')).toMatchObject({ code: 0, err: '' })
    expect(await on('silence', 'vps-1', '--for', '1h')).toMatchObject({ code: 0, err: '' })
  })

  test('exec for a check that is not there says so and what to write, and runs the command', async () => {
    const ran = join(dir, 'ran')
    const script = `require('node:fs').writeFileSync(${JSON.stringify(ran)}, ''); process.exit(5)`
    const { code, err } = await inProcess(home, ['exec', '--dir', dir, 'nope', '--', process.execPath, '-e', script])
    expect(code).toBe(5)
    expect((await stat(ran)).size).toBe(0)
    expect(err).toBe(
      'muster: nope is not reported: no push check is called nope\n  muster.yaml takes it: - {name: nope, kind: push, every: 1d}\n',
    )
  })

  test('a token that was changed under a running agent is told as that: exit code 2', async () => {
    const lock = await lockFolder(join(dir, 'data'))
    await writeFile(join(dir, 'api.token'), `${'x'.repeat(43)}\n`, { mode: 0o600 })
    const { code, err } = await on('status')
    await lock.release()
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('has another token than') })
    expect(await on('status')).toMatchObject({ code: 3, err: expect.stringContaining('is another program') })
  })

  test('a host that was told of others and has met nobody is not well: exit code 1, and where they should be', async () => {
    expect(await on('status')).toMatchObject({ code: 0, out: expect.stringContaining('Everyone is here.') })
    Object.assign(agent.port.reach(), {
      configuredPeers: ['/ip4/127.0.0.1/tcp/4650'],
      troubles: ['/ip4/127.0.0.1/tcp/4650 hangs up on us: wrong swarm key?'],
    })
    const alone = await on('status')
    expect(alone.code).toBe(1)
    expect(alone.out).toContain('This host is alone: it has met nobody yet, and should at /ip4/127.0.0.1/tcp/4650.\n')
    expect(alone.out).toContain('wrong swarm key?')
    expect(alone.out).not.toContain('Everyone')
    agent.live('vps-1')
    agent.advance(11_000)
    expect(await on('status')).toMatchObject({ code: 0, out: expect.stringContaining('Everyone is here.') })
  })

  test('the link is shown as the device may type it', async () => {
    const adding = inProcess(home, ['recipient', 'add', 'phone', '--dir', dir], NPX)
    const timer = setInterval(() => agent.pairing.resolve(), 50)
    const { out } = await adding
    clearInterval(timer)
    expect(out).toContain(
      "  npx muster listen 'muster:pair#abc'\nOn this machine, give it a folder of its own too: --dir DIR\n",
    )
  })

  test('status without a recipient says what to type', async () => {
    const { out } = await inProcess(home, ['status', '--dir', dir], NPX)
    expect(out).toContain(`Nobody is told yet: npx muster recipient add --dir ~${dir.slice(home.length)} phone\n`)
  })
})

test('an agent that does not answer at once is waited for, and that is said', async () => {
  const dir = await mkdtemp(join(home, 'hung-'))
  const { createServer } = await import('node:http')
  const { promise: isSaid, resolve } = Promise.withResolvers<void>()
  let said = ''
  const server = createServer(async (_, response) => {
    await isSaid
    response.end('{}')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await writeFile(join(dir, 'api.address'), `http://127.0.0.1:${port}\n`)
  const err = (text: string): void => {
    said += text
    resolve()
  }
  const folder = resolveFolder({ dir, env: {}, homeDir: home, workingDir: home })
  const agent = await findAgent({ folder, err }, 10)
  await agent.get('/api/v1/status')
  expect(said).toBe('The agent does not answer yet; waiting 10 s at most.\n')
  await new Promise((closed) => server.close(closed))
})
