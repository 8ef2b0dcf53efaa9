/** `muster run` where it cannot: what it says, and nothing besides. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from '../../storage/store-folder.ts'
import { type Ended, inProcess } from '../testing/in-process.ts'

let home: string
let dir: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-run-'))
  dir = join(home, 'vps-1')
  await inProcess(home, ['init', '--name', 'vps-1', '--dir', dir])
})

afterEach(() => rm(home, { recursive: true }))

const run = (): Promise<Ended> => inProcess(home, ['run', '--dir', dir])

test('on a folder on which an agent runs already: exit code 2, whose it is and what to do', async () => {
  const lock = await lockFolder(join(dir, 'data'))
  const ended = await run()
  await lock.release()
  expect(ended).toEqual({
    code: 2,
    out: '',
    err:
      `muster: another muster runs on this folder (pid ${process.pid}): ${join(dir, 'data')}\n` +
      `  end it with: kill ${process.pid}, or give this one a folder of its own with --dir DIR\n`,
  })
})

test.each(['swarm', 'waku'])('with the port of the %s in use says that alone: exit code 2', async (part) => {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const address = holder.address()
  const held = typeof address === 'object' && address !== null ? address.port : 0
  const port = (of: string): number => (of === part ? held : 0)
  const config = [
    `swarm: {listen: [/ip4/127.0.0.1/tcp/${port('swarm')}]}`,
    `waku: {listen: [/ip4/127.0.0.1/tcp/${port('waku')}/ws]}`,
    'api: {listen: "127.0.0.1:0"}',
  ]
  await writeFile(join(dir, 'muster.yaml'), config.join('\n'))
  const { code, err } = await run()
  await new Promise((resolve) => holder.close(resolve))
  expect(code).toBe(2)
  expect(err).toMatch(new RegExp(`^${part}\\.listen: .*/tcp/${held}.* is in use by another program\\n[^\\n]*\\n$`, 'u'))
})
