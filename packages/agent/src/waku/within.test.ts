import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { within } from './within.ts'

const hangs = new Promise<never>(() => undefined)
const file = new URL('./within.ts', import.meta.url).href

describe('waiting for work', () => {
  test('gives what the work gives, and fails as it fails', async () => {
    await expect(within(Promise.resolve(7), { limitMs: 1_000 })).resolves.toBe(7)
    await expect(within(Promise.reject(new Error('refused')), { limitMs: 1_000 })).rejects.toThrow('refused')
  })

  test('ends with the signal, whenever that was', async () => {
    const stopping = new AbortController()
    const waiting = within(hangs, { signal: stopping.signal, limitMs: 60_000 })
    stopping.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    await expect(within(hangs, { signal: stopping.signal })).rejects.toThrow('stopped')
  })

  test('ends with its time, also in a process that nothing else keeps running', () => {
    const script = `
      const { within } = await import(${JSON.stringify(file)})
      await within(new Promise(() => {}), { limitMs: 50 }).catch(({ message }) => console.log(message))
      console.log('goes on')
    `
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(out).toBe('no answer within 50 ms\ngoes on\n')
  })

  test('keeps no process running when the work has ended', () => {
    const script = `
      const { within } = await import(${JSON.stringify(file)})
      await within(Promise.resolve(), { limitMs: 600_000 })
    `
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 })
  })
})
