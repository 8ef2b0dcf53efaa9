import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../../bin/muster.js', import.meta.url))
const isLinux = process.platform === 'linux'

let parent = ''
let child: ChildProcess | undefined
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'muster-launcher-'))
})
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await rm(parent, { recursive: true, force: true })
})

/** Starts an agent and resolves when it says that it runs. */
async function startAgent(dir: string, env: NodeJS.ProcessEnv): Promise<{ agent: ChildProcess; said: () => string }> {
  await promisify(execFile)(process.execPath, [LAUNCHER, 'init', '--name', 'vps-1', '--dir', dir], { env })
  const config = join(dir, 'muster.yaml')
  // Ports that are free when it starts: those that `init` picks may be another test's by then.
  const text = (await readFile(config, 'utf8')).replaceAll('/ip4/0.0.0.0/', '/ip4/127.0.0.1/')
  await writeFile(config, text.replaceAll(/(\/tcp\/|127\.0\.0\.1:)\d+/g, '$10'))
  const agent = spawn(process.execPath, [LAUNCHER, 'run', '--dir', dir], { stdio: ['ignore', 'pipe', 'pipe'], env })
  child = agent
  let told = ''
  const running = Promise.withResolvers<void>()
  for (const stream of [agent.stdout, agent.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      told += part
      if (told.includes('muster runs')) running.resolve()
    })
  }
  agent.once('exit', () => running.reject(new Error(`it ended: ${told}`)))
  await running.promise
  return { agent, said: () => told }
}

/** Ends an agent in order. */
async function stop(agent: ChildProcess): Promise<void> {
  agent.kill('SIGTERM')
  expect(await once(agent, 'exit')).toEqual([0, null])
}

test('the agent begins anew with its flags, stays the process that was started, and runs from one file', async () => {
  const cache = join(parent, 'cache')
  const { agent, said } = await startAgent(join(parent, 'host'), { ...process.env, CACHE_DIRECTORY: cache })
  if (isLinux) {
    const argv = (await readFile(`/proc/${agent.pid}/cmdline`, 'utf8')).split('\0')
    expect(argv).toContain('--max-semi-space-size=1')
    expect(argv.slice(argv.indexOf(LAUNCHER) + 1)).toEqual(['run', '--dir', join(parent, 'host'), ''])
  }
  expect(said()).not.toMatch(/Warning|bundled/u)
  await stop(agent)
  const made = (await readdir(join(cache, 'compiled'))).filter((name) => name.startsWith('agent'))
  expect(made.toSorted()).toEqual([expect.stringMatching(/^agent-.*\.mjs$/u), 'agent.json'])
  const bytes = await readFile(join(cache, 'compiled', made.find((name) => name.endsWith('.mjs')) ?? ''))
  expect(bytes.every((byte) => byte < 0x80)).toBe(true)
}, 30_000)

test('the one file is made once, and again when a source is another than it was made of', async () => {
  const env = { ...process.env, CACHE_DIRECTORY: join(parent, 'cache') }
  const manifest = join(parent, 'cache', 'compiled', 'agent.json')
  await stop((await startAgent(join(parent, 'one'), env)).agent)
  const first = await readFile(manifest, 'utf8')
  const firstMs = (await stat(manifest)).mtimeMs
  await stop((await startAgent(join(parent, 'two'), env)).agent)
  expect((await stat(manifest)).mtimeMs).toBe(firstMs)

  const { sources, ...rest } = JSON.parse(first)
  const [[path, size, changedMs], ...others] = sources
  expect(path).toMatch(/\.ts$/u)
  await writeFile(manifest, JSON.stringify({ ...rest, sources: [[path, size, changedMs - 1], ...others] }))
  await stop((await startAgent(join(parent, 'three'), env)).agent)
  expect(await readFile(manifest, 'utf8')).toBe(first)
}, 60_000)

test('where code cannot be cached the agent runs all the same', async () => {
  const env = { ...process.env, CACHE_DIRECTORY: '/dev/null/cache', NODE_DISABLE_COMPILE_CACHE: '1' }
  await stop((await startAgent(join(parent, 'host'), env)).agent)
}, 30_000)

test.skipIf(!isLinux)(
  'when nobody reads its log any more the agent goes on, calmly, and ends in order',
  async () => {
    const { agent } = await startAgent(join(parent, 'host'), process.env)
    agent.stderr?.destroy()
    agent.stdout?.destroy()
    const cpuTicks = async (): Promise<number> => {
      const fields = (await readFile(`/proc/${agent.pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
      return Number(fields[11]) + Number(fields[12])
    }
    // Each reading of the config writes a line into the pipe that nobody reads.
    for (let time = 0; time < 3; time += 1) {
      agent.kill('SIGHUP')
      await setTimeout(500)
    }
    const before = await cpuTicks()
    await setTimeout(2_000)
    // One that logs its own failure to log uses a whole core: 200 ticks in this time.
    expect((await cpuTicks()) - before).toBeLessThan(60)
    expect(agent.exitCode).toBe(null)
    await stop(agent)
  },
  30_000,
)
