import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configPage } from './docs.ts'
import { initialConfig } from './init.ts'
import { parseConfig } from './load.ts'
import { configJsonSchema } from './schema.ts'
import { resolveSecret } from './secrets.ts'
import { HIDDEN, showConfig } from './show.ts'

const parse = (text: string) => parseConfig(text, { file: 'muster.yaml', defaultHost: 'vps-1' })
const root = (path: string): URL => new URL(`../../../../${path}`, import.meta.url)

test('docs/config.md says what the schema says (else: node packages/agent/src/config/write-docs.ts)', async () => {
  expect(await readFile(root('docs/config.md'), 'utf8')).toBe(configPage())
})

test('every key in docs/config.md has a meaning', () => {
  expect(configPage().match(/^.*\| *\|$/gm) ?? []).toEqual([])
})

test('deploy/muster.example.yaml is a config', async () => {
  const text = await readFile(root('deploy/muster.example.yaml'), 'utf8')
  expect(parse(text).config.checks.length).toBeGreaterThan(3)
})

test('the JSON Schema names every section and refuses unknown keys', () => {
  const { properties, additionalProperties } = configJsonSchema('a')
  expect(Object.keys(properties ?? {})).toEqual([
    'host',
    'tags',
    'swarm',
    'presence',
    'checks',
    'waku',
    'notify',
    'api',
  ])
  expect(additionalProperties).toBe(false)
})

describe('what is shown', () => {
  test('is the working config, and can be read again to the same', () => {
    const ports = { swarm: 4650, api: 4651, waku: 4652 }
    for (const text of [
      '',
      initialConfig({ host: 'a', ports }),
      'api: {listen: "[::1]:1"}\npresence: {every: 1h30m}\n',
    ]) {
      const loaded = parse(text)
      const shown = showConfig(loaded)
      const again = parse(shown)
      // Without the compiled functions of the conditions; their texts are compared with the page below.
      expect(JSON.stringify(again.config)).toBe(JSON.stringify(loaded.config))
      expect(showConfig(again)).toBe(shown)
    }
  })

  test('keeps references as written and hides what was written instead of one', () => {
    const text = `checks:
  - name: site
    kind: http
    url: https://ann:hunter2@example.org/a?token=hunter2&page=3
    headers: {authorization: Bearer hunter2, x-api-key: hunter2, accept: text/html, cookie: "env:COOKIE"}
`
    const shown = showConfig(parse(text))
    expect(shown).not.toContain('hunter2')
    expect(shown).toContain(`https://${HIDDEN}@example.org/a?token=${HIDDEN}&page=3`)
    expect(shown).toContain('accept: text/html')
    expect(shown).toContain('cookie: env:COOKIE')
  })
})

describe('a secret', () => {
  test('is read from where the config says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-secret-'))
    try {
      const path = join(folder, 'secret')
      await writeFile(path, 'hunter2\n', { mode: 0o600 })
      expect(await resolveSecret(`file:${path}`, 'url', {})).toBe('hunter2')
      expect(await resolveSecret('env:HOOK', 'url', { HOOK: 'hunter2' })).toBe('hunter2')
      await writeFile(path, '\n')
      await expect(resolveSecret(`file:${path}`, 'url', {})).rejects.toMatchObject({ code: 'secret-missing' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test.each([
    ['env:NONE', 'secret-missing'],
    ['env:EMPTY', 'secret-missing'],
    ['file:/does/not/exist', 'secret-missing'],
    ['hunter2', 'secret-literal'],
    ['env:', 'secret-literal'],
  ])('%s is refused, and never repeated', async (text, code) => {
    const failure = resolveSecret(text, 'notify.fallback.url', { EMPTY: '' })
    await expect(failure).rejects.toMatchObject({ code, exitCode: 2 })
    await expect(failure).rejects.not.toThrow('hunter2')
  })
})
