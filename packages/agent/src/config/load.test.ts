import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { hostNameOf, initialConfig } from './init.ts'
import { loadConfig, PROBLEMS_MAX, parseConfig } from './load.ts'

const parse = (text: string) => parseConfig(text, { file: 'muster.yaml', defaultHost: 'vps-1' })

function errorOf(text: string): ConfigError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`this was accepted:\n${text}`)
}

const FULL_EXAMPLE = `host: laptop
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

describe('a config is read', () => {
  test('a full example', () => {
    const { config } = parse(FULL_EXAMPLE)
    expect(config).toMatchObject({
      host: 'laptop',
      tags: ['home'],
      presence: { everyMs: 10_000, graceMs: 5000, sleeps: true, restartMs: 300_000 },
      swarm: { peers: ['/dns4/vps-1.example.org/tcp/4650'] },
      notify: { remindMs: 14_400_000 },
      api: { listen: { host: '127.0.0.1', port: 4651 } },
    })
    expect(config.checks.map(({ spec }) => [spec.name, spec.everyMs, spec.graceMs, spec.heartbeat])).toEqual([
      ['disk', 60_000, 30_000, 'awake'],
      ['site', 30_000, 30_000, 'awake'],
      ['backup', 86_400_000, 3_600_000, 'always'],
    ])
  })

  test('what init writes, for a first host and for one that joins', () => {
    const ports = { swarm: 5650, api: 5651, waku: 5652 }
    const first = parse(initialConfig({ host: 'vps-1', ports })).config
    expect(first.checks.map(({ spec }) => spec.name)).toEqual(['cpu', 'memory', 'load', 'disk'])
    expect(first.api.listen.port).toBe(5651)
    const peers = ['/ip4/203.0.113.7/tcp/4650', '/dns4/vps-2.example.org/tcp/4650']
    const second = parse(initialConfig({ host: '1', ports, peers })).config
    expect(second.swarm).toEqual({ listen: ['/ip4/0.0.0.0/tcp/5650'], peers })
    expect(second.host).toBe('1')
  })

  test.each([
    ['an empty file', ''],
    ['only comments', '# nothing\n'],
    ['an empty map', '{}'],
    ['sections whose lines are commented out', 'swarm:\n  # listen: []\nchecks:\n'],
    ['an explicit document', '---\nhost: vps-1\n'],
  ])('%s: every key has a default', (_, text) => {
    expect(parse(text).config).toEqual({
      host: 'vps-1',
      tags: [],
      swarm: { listen: ['/ip4/0.0.0.0/tcp/4650'], peers: [] },
      presence: { everyMs: 10_000, graceMs: 5000, sleeps: false, restartMs: 300_000 },
      checks: [],
      waku: { serve: true, listen: ['/ip4/0.0.0.0/tcp/4652/ws'], nodes: [] },
      notify: { remindMs: 14_400_000 },
      api: { listen: { host: '127.0.0.1', port: 4651 } },
    })
  })

  test('aliases may spare words', () => {
    const text = 'checks:\n  - {name: a, kind: disk, tags: &t [x, y]}\n  - {name: b, kind: disk, tags: *t}\n'
    expect(parse(text).config.checks.map(({ spec }) => spec.tags)).toEqual([
      ['x', 'y'],
      ['x', 'y'],
    ])
  })
})

/** The text, and what is said of it: `line:column: what | remedy`, the last two as beginnings or parts. */
const REFUSALS: readonly (readonly [string, string, string, string, string])[] = [
  ['an unknown key', 'hosst: a\n', '1:1', '"hosst" is not a key of the config', 'did you mean host?'],
  [
    'an unknown inner key',
    'presence:\n  every: 5s\n  grce: 1s\n',
    '3:3',
    '"grce" is not a key of presence',
    'did you mean grace?',
  ],
  ['a key like no other', 'zebra: 1\n', '1:1', '"zebra" is not a key', 'keys here: host, tags, swarm'],
  ['a key with a power', '__proto__: {a: 1}\n', '1:1', '"__proto__" is not a key', 'keys here'],
  [
    'a duration without a unit',
    'presence: {every: 10}\n',
    '1:19',
    'this is a number, and must be text',
    'write for example 10s',
  ],
  ['a quoted number', 'presence: {every: "10"}\n', '1:19', '"10" is not a duration', 'write 10s, 10m or 10h'],
  ['a duration with a space', 'presence: {every: 10 s}\n', '1:19', '"10 s" is not a duration', 'write 10s'],
  ['a duration in another tongue', 'notify: {remind: soon}\n', '1:18', '"soon" is not a duration', '1h30m'],
  ['no grace', 'presence: {grace: 0s}\n', '1:19', '"0s" is too short', 'write 1s to 1d: with less, one lost packet'],
  ['no rhythm', 'presence: {every: 0s}\n', '1:19', '"0s" is too short', 'write 1s to 1d'],
  ['a rhythm of days', 'presence: {every: 2d}\n', '1:19', '"2d" is too long', 'write 1s to 1d'],
  ['a word for a claim', 'presence: {sleeps: yes}\n', '1:20', 'this is text, and must be true or false', ''],
  ['a map for a list', 'checks: {a: 1}\n', '1:9', 'this is a map of keys, and must be a list', ''],
  ['a list for a map', 'swarm: []\n', '1:8', 'this is a list, and must be a map of keys', ''],
  ['a number for a name', 'host: 12\n', '1:7', 'this is a number, and must be text', 'put it in quotes'],
  ['a bad name', 'host: my laptop\n', '1:7', '"my laptop" is not a host name', '1 to 63 letters'],
  ['a bad tag', 'tags: ["a b"]\n', '1:8', '"a b" is not a tag', 'write a word'],
  ['text alone', 'hello\n', '1:1', 'this is text, and must be a map of keys', ''],
  [
    'a host and port for a multiaddr',
    'swarm: {peers: [vps-1.example.org:4650]}\n',
    '1:17',
    '"vps-1.example.org:4650" is not a multiaddr',
    'write /dns4/vps-1.example.org/tcp/4650',
  ],
  [
    'an address without a port',
    'swarm: {listen: [/ip4/0.0.0.0]}\n',
    '1:18',
    '"/ip4/0.0.0.0" has no /tcp/PORT',
    'write for example',
  ],
  [
    'listening on a name',
    'swarm: {listen: [/dns4/a.example/tcp/1]}\n',
    '1:18',
    '"/dns4/a.example/tcp/1" cannot begin with /dns4',
    'one of ip4, ip6',
  ],
  [
    'a port that does not exist',
    'swarm: {listen: [/ip4/0.0.0.0/tcp/70000]}\n',
    '1:18',
    '"/ip4/0.0.0.0/tcp/70000" holds no port that exists',
    '0 to 65535',
  ],
  ['an API without a port', 'api: {listen: 127.0.0.1}\n', '1:15', '"127.0.0.1" is not ADDRESS:PORT', '127.0.0.1:4651'],
  [
    'two on one port',
    'api: {listen: 127.0.0.1:4650}\n',
    '1:15',
    'port 4650 is taken by swarm.listen already',
    'its own port',
  ],
  [
    'a fallback',
    'notify:\n  fallback: [{kind: webhook, url: env:A, after: 2m}]\n',
    '2:13',
    'notify.fallback is not in this release',
    'remove it',
  ],
  [
    'a fallback that nobody knows',
    'notify:\n  fallback: [{kind: pager, url: env:A}]\n',
    '2:21',
    '"pager" is not known here',
    'write one of: webhook',
  ],
  [
    'a kind that nobody knows',
    'checks:\n  - {name: a, kind: dsk}\n',
    '2:21',
    'no kind is called dsk',
    'did you mean disk?',
  ],
  [
    'a kind of another release',
    'checks:\n  - {name: a, kind: prometheus}\n',
    '2:21',
    'no kind is called prometheus',
    'there are cpu, load',
  ],
  [
    'a check without a name',
    'checks:\n  - kind: disk\n',
    '2:5',
    '"name" is missing in checks[0]',
    'a check has a name',
  ],
  ['a check without a kind', 'checks:\n  - name: a\n', '2:5', '"kind" is missing in checks.a', 'cpu'],
  [
    'a key of another kind',
    'checks:\n  - {name: a, kind: disk, url: x}\n',
    '2:27',
    '"url" is not a key of checks.a',
    'keys here: name, kind',
  ],
  [
    'a condition on a value that is none',
    'checks:\n  - {name: a, kind: disk, warning: free_percnt < 10}\n',
    '2:36',
    'no value is called free_percnt',
    'did you mean free_percent?',
  ],
  [
    'a broken condition in quotes',
    'checks:\n  - name: a\n    kind: disk\n    critical: "free_percent < "\n',
    '4:',
    '',
    '',
  ],
  ['a bad check name', 'checks:\n  - {name: a b, kind: cpu}\n', '2:12', '"a b" does not fit', 'a name is'],
  [
    'too small a count',
    'checks:\n  - {name: a, kind: cpu, after: 0}\n',
    '2:33',
    '"0" is too small',
    'write at least 1',
  ],
  [
    'a secret that does not fit',
    'checks:\n  - {name: a, kind: http, url: hunter2}\n',
    '2:32',
    'this does not fit',
    'write an address',
  ],
  [
    'a time-out beyond the rhythm',
    'checks:\n  - {name: a, kind: disk, timeout: 5h}\n',
    '2:36',
    'a run may not outlast every',
    '',
  ],
  ['a check that is no map', 'checks:\n  - disk\n', '2:5', 'this is text, and must be a map of keys', ''],
  ['tabs', 'swarm:\n\tlisten: []\n', '2:1', 'not YAML', 'spaces'],
  ['an open bracket', 'tags: [a, b\nhost: x\n', '', 'not YAML', ''],
  ['two documents', 'host: a\n---\nhost: b\n', '2:1', 'not YAML', 'one document'],
  ['a tag', 'host: !!str a\n', '1:13', 'the tag "tag:yaml.org,2002:str" is not allowed', 'remove it'],
  ['a tag of a program', 'host: !!js/function "a"\n', '1:', 'the tag', 'remove it'],
  ['an alias of nothing', 'host: *a\n', '1:7', 'the alias "a" has no anchor', 'quotes'],
]

describe('a config is refused', () => {
  test('at the places of what is not in this release', () => {
    const lines = FULL_EXAMPLE.split('\n')
    const beacon = '  - {name: beacon, kind: prometheus, url: "http://127.0.0.1:8008/metrics", every: 12s}'
    const fallback = '  fallback: [{kind: webhook, url: env:MUSTER_WEBHOOK, after: 2m}]'
    const text = [...lines.slice(0, 10), beacon, ...lines.slice(10, 16), fallback, ...lines.slice(16)].join('\n')
    expect(errorOf(text).problems.map(({ line, what }) => `${line} ${what}`)).toEqual([
      '11 no kind is called prometheus',
      '18 notify.fallback is not in this release',
    ])
  })

  test.each(REFUSALS)('%s', (_, text, place, what, remedy) => {
    const error = errorOf(text)
    const [problem] = error.problems
    expect(error.message.startsWith(`muster.yaml:${place}`), error.message).toBe(true)
    expect(problem.line).toBeGreaterThan(0)
    expect(problem.what.startsWith(what), problem.what).toBe(true)
    expect(problem.remedy ?? '').toContain(remedy)
    expect(error.message).not.toContain('hunter2')
    for (const { what: said, remedy: advice } of error.problems) expect(`${said}${advice}`).not.toContain('\n')
  })

  test('a condition that does not compile, at the very word', () => {
    const head = 'checks:\n  - {name: a, kind: disk}\n  - name: b\n    kind: disk\n'
    const unquoted = errorOf(`${head}    warning: free_percent < 10 && used_percnt > 3\n`)
    expect([unquoted.line, unquoted.column]).toEqual([5, 35])
    expect(unquoted.message).toContain('used_percent')
    const quoted = errorOf(`${head}    warning: "free_percent < 10 && used_percnt > 3"\n`)
    expect([quoted.line, quoted.column]).toEqual([5, 36])
  })

  test('two checks with one name, with both places, whatever else is wrong', () => {
    const text = 'checks:\n  - {name: a, kind: disk}\n  - {name: b, kind: cpu, evry: 1m}\n  - {kind: load, name: a}\n'
    const { problems } = errorOf(text)
    expect(problems.map(({ line, column }) => [line, column])).toEqual([
      [3, 26],
      [4, 24],
    ])
    expect(problems[1]).toMatchObject({
      code: 'config-duplicate-name',
      what: 'a check named "a" is here already: at line 2, column 12',
    })
    expect(errorOf(text.replace('evry', 'every')).problems).toHaveLength(1)
  })

  test('a key that is there twice, with both places', () => {
    expect(errorOf('host: a\ntags: []\nhost: b\n').problems).toEqual([
      {
        code: 'yaml-duplicate-key',
        file: 'muster.yaml',
        line: 3,
        column: 1,
        what: 'the key "host" is here twice: first at line 1, column 1',
        remedy: 'keep one of them',
      },
    ])
  })

  test('with all problems in the order of the file, but not with hundreds', () => {
    const bad = Array.from({ length: 50 }, (_, index) => `k${index}: 1`).join('\n')
    const { problems, message } = errorOf(bad)
    expect(problems).toHaveLength(PROBLEMS_MAX)
    expect(problems.slice(0, -1).map(({ line }) => line)).toEqual(Array.from({ length: 19 }, (_, index) => index + 1))
    expect(message).toContain('and 31 more problems')
  })

  test('without repeating control characters or long texts', () => {
    const { message } = errorOf(`host: "a\\e[31m\\u202e${'x'.repeat(500)}"\n`)
    expect(message).not.toMatch(/\p{Cf}|\p{Cc}(?<!\n)/u)
    expect(message.length).toBeLessThan(250)
  })
})

describe('a file', () => {
  test('is read, and its path is in the error', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-config-'))
    try {
      const file = join(folder, 'muster.yaml')
      await expect(loadConfig(file, 'a')).rejects.toMatchObject({ code: 'config-missing', exitCode: 2 })
      await writeFile(file, FULL_EXAMPLE)
      expect((await loadConfig(file, 'a')).config.host).toBe('laptop')
      await writeFile(file, 'host: [\n')
      await expect(loadConfig(file, 'a')).rejects.toThrow(`${file}:`)
      await writeFile(file, 'x'.repeat(3_000_000))
      await expect(loadConfig(file, 'a')).rejects.toMatchObject({ code: 'config-too-large' })
      await expect(loadConfig(folder, 'a')).rejects.toMatchObject({ code: 'config-unreadable' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test.each([
    ['vps-1', 'vps-1'],
    ['laptop.home.arpa', 'laptop'],
    ['Änne PC', 'nne-PC'],
    ['', 'host'],
    ['---', 'host'],
    ['x'.repeat(100), 'x'.repeat(63)],
  ])('the machine %j is called %s', (machine, name) => {
    expect(hostNameOf(machine)).toBe(name)
  })
})
