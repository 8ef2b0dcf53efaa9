import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { judge } from '../conditions/judge.ts'
import { defineCheck } from '../config.ts'
import { testContext } from '../test-context.ts'
import { command } from './command.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-command-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function run(argv: readonly string[], more: Record<string, unknown> = {}, signal?: AbortSignal) {
  const { options, conditions } = defineCheck({ name: 'it', kind: 'command', argv, ...more })
  const context = testContext(signal === undefined ? {} : { signal })
  const measurement = await command.observe(options as Parameters<typeof command.observe>[0], context)
  return { ...measurement.observation, ...judge(measurement, conditions, command.downCodes) }
}
const shell = (script: string, more: Record<string, unknown> = {}, signal?: AbortSignal) =>
  run(['/bin/sh', '-c', script], more, signal)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A dead child that nobody has reaped yet still has its id.
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('command', () => {
  it.each([
    [0, 'ok'],
    [1, 'warning'],
    [2, 'critical'],
    [3, 'unknown'],
    [4, 'unknown'],
    [127, 'unknown'],
  ])('exit %d is %s, whatever is printed', async (code, judgement) => {
    const result = await shell(`echo "CRITICAL OK WARNING"; exit ${code}`)
    expect(result.judgement).toBe(judgement)
    expect(result.text).toContain('CRITICAL OK WARNING')
  })

  it('reads text and performance data of all lines', async () => {
    const script = "printf 'DISK OK - free | /=2643MB;5948;5958\\nlong text\\nmore | /boot=68%%;88\\n/home=69357MB\\n'"
    const { text, values } = await shell(script)
    expect(text).toBe('DISK OK - free')
    expect(values).toMatchObject({ exit_code: 0, '/_mb': 2643, '/boot_percent': 68, '/home_mb': 69357 })
  })

  it.each([
    ['what it prints on stderr when that is all', 'echo no route >&2; exit 2', 'no route'],
    ['the code when it prints nothing', 'exit 1', 'exit 1'],
    ['one safe line', "printf '\\033[31mred\\033[0m\\tand\\000 \\342\\200\\256x'", 'red and x'],
    ['a line of whatever bytes', "printf '\\377\\376 bytes'", '\ufffd\ufffd bytes'],
  ])('tells %s', async (_, script, text) => {
    expect((await shell(script)).text).toBe(text)
  })

  it('cuts a megabyte in one line', async () => {
    const { text } = await shell('head -c 1000000 /dev/zero | tr "\\0" x')
    expect(text).toBe(`${'x'.repeat(199)}…`)
  })

  it('lets no label take the place of a value of its own', async () => {
    const { values, judgement } = await shell("echo 'x | exit_code=0 __proto__=1 a=1 a=2'; exit 2")
    expect(values).toMatchObject({ exit_code: 2, a: 1 })
    expect(judgement).toBe('critical')
  })

  it('passes arguments as they are, and no secret of the agent', async () => {
    vi.stubEnv('MUSTER_TEST_SECRET', 'hush')
    const script =
      'console.log(JSON.stringify([process.argv.slice(1), process.env.MUSTER_TEST_SECRET, process.env.MINE]))'
    const { text } = await run([process.execPath, '-e', script, '$(id)', ';', '*'], { env: { MINE: 'yes' } })
    vi.unstubAllEnvs()
    expect(JSON.parse(text)).toEqual([['$(id)', ';', '*'], null, 'yes'])
  })

  it('says why a program cannot be started', async () => {
    const file = join(folder, 'plugin')
    expect(await run([file])).toMatchObject({ judgement: 'unknown', error: { code: 'missing' } })
    await writeFile(file, '#!/bin/sh\n', { mode: 0o644 })
    const { error, judgement } = await run([file])
    expect(error).toEqual({ code: 'permission', message: `${file} cannot be started: permission denied` })
    expect(judgement).toBe('unknown')
  })

  it('says which signal ended it', async () => {
    const { error } = await shell('kill -SEGV $$')
    expect(error).toMatchObject({ code: 'crashed', message: 'ended by SIGSEGV' })
  })

  it('kills the whole group when time is up, even one that ignores SIGTERM', async () => {
    const file = join(folder, 'pids')
    const script = `trap '' TERM; sleep 300 & echo $$ $! >> ${file}; echo waiting; wait; sleep 300`
    const stop = new AbortController()
    const running = shell(script, {}, stop.signal)
    const pids = await vi.waitFor(async () => {
      const text = await readFile(file, 'utf8')
      expect(text).toMatch(/^\d+ \d+\n$/u)
      return text.trim().split(' ').map(Number)
    })
    stop.abort()
    const { error, judgement } = await running
    expect(error?.code).toBe('timeout')
    expect(judgement).toBe('unknown')
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]))
  })

  it('kills what prints without end', async () => {
    expect((await shell('yes')).error?.code).toBe('flood')
  })

  it('does not wait for a child that keeps its pipes', async () => {
    const file = join(folder, 'pid')
    const { text, judgement } = await shell(`sleep 300 & echo $! > ${file}; echo done`)
    expect(text).toBe('done')
    expect(judgement).toBe('ok')
    const pid = Number(await readFile(file, 'utf8'))
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false))
  })

  it.each([[[]], [['']], [['a\0b']], ['check_load -w 5']])('takes no argv %j', (argv) => {
    expect(command.options.safeParse({ argv }).success).toBe(false)
  })
})

const fixtures = process.env.MUSTER_FIXTURES
describe('recordings of real plugins', () => {
  it('are told and judged as the plugin meant', async (context) => {
    if (fixtures === undefined) {
      context.skip('MUSTER_FIXTURES is not set')
      return
    }
    const recordings = readdirSync(join(fixtures, 'nagios')).filter((name) => name.endsWith('.json'))
    expect(recordings.length).toBeGreaterThan(0)
    for (const name of recordings) {
      const recorded = JSON.parse(readFileSync(join(fixtures, 'nagios', name), 'utf8'))
      const script = 'process.stdout.write(process.argv[1]); process.exit(Number(process.argv[2]))'
      const result = await run([process.execPath, '-e', script, recorded.stdout, String(recorded.exit)])
      expect(result.judgement, name).toBe(['ok', 'warning', 'critical', 'unknown'][recorded.exit])
      expect(result.text, name).toBe(recorded.stdout.split('|')[0].trim())
      const metrics = recorded.stdout.includes('|') ? recorded.stdout.split('|')[1].trim().split(/ +/u).length : 0
      expect(Object.keys(result.values), name).toHaveLength(2 + metrics)
    }
  })
})
