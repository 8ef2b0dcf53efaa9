import { expect, it } from 'vitest'
import { createSupervisor, type Part } from './supervisor.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined }

function part(name: string, calls: string[], failures: { start: number }): Part {
  return {
    name,
    async start() {
      calls.push(`start ${name}`)
      if (failures.start > 0) {
        failures.start -= 1
        throw new Error('not yet')
      }
    },
    async stop() {
      calls.push(`stop ${name}`)
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

it('stops its parts in the reverse order of their start', async () => {
  const calls: string[] = []
  const supervisor = createSupervisor(quiet)
  await supervisor.run(part('a', calls, { start: 0 }))
  await supervisor.run(part('b', calls, { start: 0 }))
  await supervisor.stop()
  expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a'])
})

it('starts a part again that has failed, while another goes on', async () => {
  const calls: string[] = []
  const supervisor = createSupervisor(quiet, () => 0)
  await supervisor.run(part('a', calls, { start: 0 }))
  await supervisor.run(part('b', calls, { start: 0 }))
  supervisor.failed('b', new Error('wedged'))
  await until(() => calls.filter((call) => call === 'start b').length === 2)
  expect(calls).not.toContain('stop a')
  await supervisor.stop()
})

it('keeps trying a part whose first start fails, unless it must start', async () => {
  const calls: string[] = []
  const supervisor = createSupervisor(quiet, () => 0)
  await supervisor.run(part('a', calls, { start: 1 }))
  await until(() => calls.filter((call) => call === 'start a').length === 2)
  await expect(supervisor.run(part('b', calls, { start: 1 }), { mustStart: true })).rejects.toThrow('not yet')
  await supervisor.stop()
})

it('survives background work that fails', async () => {
  const supervisor = createSupervisor(quiet)
  supervisor.background('something', Promise.reject(new Error('lost')))
  await supervisor.stop()
})
