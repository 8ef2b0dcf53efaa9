import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkSchema, checksSchema, defineCheck } from './config.ts'
import { KINDS } from './registry.ts'

const disk = { name: 'disk', kind: 'disk' }

function issuesOf(checks: unknown): string[] {
  const parsed = checksSchema.safeParse(checks)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('checksSchema', () => {
  it('takes what users write', () => {
    const checks = [
      {
        name: 'disk',
        kind: 'disk',
        path: '/',
        every: '1m',
        grace: '30s',
        warning: 'free_percent < 10',
        critical: 'free_percent < 5',
      },
      {
        name: 'site',
        kind: 'http',
        url: 'https://example.org/health',
        every: '30s',
        critical: 'status != 200 || duration_ms > 2000',
        after: 3,
      },
      { name: 'backup', kind: 'push', every: '1d', grace: '1h', heartbeat: 'always' },
      { name: 'Load.5', kind: 'load', tags: ['home'], depends: ['disk', 'vps-1/site'], for: '10m', recover: 1 },
      { name: 'plugin', kind: 'command', argv: ['/bin/true'], timeout: '20s', heartbeat: false },
    ]
    expect(issuesOf(checks)).toEqual([])
    expect(checksSchema.parse(checks)[0]).toEqual(checks[0])
  })

  it.each([
    ['an unknown key', [{ ...disk, evry: '1m' }], '0: unknown key evry; did you mean every?'],
    ['a key of another kind', [{ ...disk, url: 'http://a' }], '0: unknown key url; this kind knows name, kind, every'],
    ['an unknown kind', [{ name: 'a', kind: 'htpp' }], '0.kind: no kind is called htpp; did you mean http?'],
    ['no kind', [{ name: 'a' }], '0.kind: a check has a kind: cpu, load'],
    ['no name', [{ kind: 'cpu' }], '0.name: a check has a name'],
    ['a bad name', [{ ...disk, name: '-x' }], '0.name: a name is 1 to 64 letters'],
    ['a long name', [{ ...disk, name: 'x'.repeat(65) }], '0.name: a name is 1 to 64 letters'],
    ['a name twice', [disk, { ...disk }], '1.name: another check is called disk already'],
    ['a number for a duration', [{ ...disk, every: 60 }], '0.every: write a duration'],
    [
      'a duration without a unit',
      [{ ...disk, every: '60' }],
      '0.every: "60" is no duration; a unit is missing: write 60s',
    ],
    ['a duration that is too short', [{ ...disk, every: '5ms' }], '0.every: 5ms is too short; at least 100ms'],
    [
      'a time-out longer than every',
      [{ ...disk, every: '5s', timeout: '10s' }],
      '0.timeout: a run may not outlast every: write at most 5s',
    ],
    [
      'an unknown dependency',
      [disk, { ...disk, name: 'b', depends: ['dsk'] }],
      '1.depends.0: no check is called dsk; did you mean disk?',
    ],
    ['a dependency on itself', [{ ...disk, depends: ['disk'] }], '0.depends.0: a check cannot depend on itself'],
    ['a heartbeat of another kind', [{ ...disk, heartbeat: 'never' }], '0.heartbeat: write true, always or false'],
    [
      'a condition that does not compile',
      [{ ...disk, every: '1x', critical: 'free < 3' }],
      '0.critical: no value is called free',
    ],
    ['after 0', [{ ...disk, after: 0 }], '0.after: '],
    ['a missing option', [{ name: 'a', kind: 'tcp', host: 'a' }], '0.port: a port is a number from 1 to 65535'],
    ['a relative path', [{ ...disk, path: 'home' }], '0.path: a path begins with /'],
    [
      'a command line',
      [{ name: 'a', kind: 'command', argv: 'check_load -w 5' }],
      '0.argv: write the program and its arguments as a list',
    ],
  ])('refuses %s', (_, checks, expected) => {
    expect(issuesOf(checks).join('\n')).toContain(expected)
  })

  it('says where in a condition the fault is', () => {
    const parsed = checkSchema.safeParse({ ...disk, critical: 'read_only ||\n  free_percnt < 5' })
    const [issue] = parsed.error?.issues ?? []
    expect(issue).toMatchObject({ path: ['critical'], params: { offset: 15, length: 11, line: 2, column: 3 } })
    expect(issue?.message).toBe(
      'no value is called free_percnt; did you mean free_percent? (character 16 of the condition)',
    )
  })

  it('has a JSON Schema of what users write', () => {
    const schema = z.toJSONSchema(checksSchema, { io: 'input' })
    const text = JSON.stringify(schema)
    for (const { kind } of KINDS) expect(text).toContain(`"const":"${kind}"`)
    expect(text).toContain('"additionalProperties":false')
    expect(text).toContain('"required":["name","kind","url"]')
  })
})

describe('defineCheck', () => {
  it('fills in the defaults of the kind', () => {
    const { spec, timeoutMs, options, conditions } = defineCheck(disk)
    expect(spec).toEqual({
      name: 'disk',
      kind: 'disk',
      everyMs: 60_000,
      graceMs: 30_000,
      after: 3,
      recover: 2,
      forMs: 0,
      heartbeat: 'awake',
      tags: [],
    })
    expect(timeoutMs).toBe(10_000)
    expect(options).toEqual({ path: '/' })
    expect(conditions.critical.map(({ text }) => text)).toEqual(['free_percent < 5 || read_only'])
  })

  it.each([
    ['10s', 30_000],
    ['1m', 30_000],
    ['10m', 300_000],
    ['1d', 43_200_000],
  ])('every %s may be %d ms late', (every, graceMs) => {
    expect(defineCheck({ ...disk, every }).spec.graceMs).toBe(graceMs)
  })

  it('lets a time-out never outlast every', () => {
    expect(defineCheck({ ...disk, every: '2s' }).timeoutMs).toBe(2000)
  })

  it('takes own conditions instead of all defaults', () => {
    const { conditions, spec } = defineCheck({ name: 'cpu', kind: 'cpu', critical: 'used_percent > 50' })
    expect(conditions.critical.map(({ text }) => text)).toEqual(['used_percent > 50'])
    expect(conditions.warning).toEqual([])
    expect(spec.forMs).toBe(0)
    expect(defineCheck({ name: 'cpu', kind: 'cpu' }).spec.forMs).toBe(600_000)
  })

  it('keeps what always holds for a kind', () => {
    const { conditions } = defineCheck({ name: 'a', kind: 'command', argv: ['a'], critical: "perf('x') > 1" })
    expect(conditions.critical.map(({ text }) => text)).toEqual(['exit_code == 2', "perf('x') > 1"])
    expect(conditions.unknown.map(({ text }) => text)).toEqual(['exit_code == 3'])
  })

  it.each([
    [undefined, 'awake'],
    [true, 'awake'],
    ['always', 'always'],
    [false, 'never'],
  ])('heartbeat %s is promised: %s', (heartbeat, promise) => {
    expect(defineCheck(heartbeat === undefined ? disk : { ...disk, heartbeat }).spec.heartbeat).toBe(promise)
  })

  it('takes what was parsed as what was written', () => {
    const raw = { name: 'site', kind: 'http', url: 'env:SITE', every: '30s', headers: { a: 'file:/b' } }
    expect(JSON.stringify(defineCheck(checkSchema.parse(raw)))).toBe(JSON.stringify(defineCheck(raw)))
  })
})

describe('every kind', () => {
  it.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s keeps the contract', (name, kind) => {
    const required: Record<string, Record<string, unknown>> = {
      tcp: { host: 'a', port: 1 },
      http: { url: 'http://a/' },
      command: { argv: ['a'] },
    }
    const { conditions } = defineCheck({ name: 'a', kind: name, ...required[name] })
    expect(conditions.critical.length + conditions.warning.length).toBeGreaterThan(0)
    expect(kind.summary).toMatch(/^[^\n]{10,80}$/u)
    for (const value of kind.values) expect(value.name).toMatch(/^[a-z][a-z0-9_]*$/u)
  })
})
