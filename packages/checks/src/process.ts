/**
 * Runs one program in a process group of its own, without a shell, and never for longer or louder than told.
 *
 * When time is up the whole group gets SIGTERM and soon SIGKILL, so that a plugin's children go too. Output beyond the
 * cap is read and dropped; a program that floods is killed.
 */
import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { KILL_GRACE_MS, OUTPUT_BYTES_FLOOD, OUTPUT_BYTES_MAX } from './limits.ts'

/** How a program ended. */
export interface ProgramEnd {
  /** Absent when a signal ended it. */
  readonly exitCode?: number
  /** `SIGSEGV` and the like. */
  readonly endedBy?: string
  /** Why it was killed by us. */
  readonly stopped?: 'aborted' | 'flood'
  readonly stdout: string
  readonly stderr: string
}

/** What is run. */
export interface Program {
  /** The program and its arguments; at least one. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs to the end, or until the signal. Rejects only when the program cannot be started. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<ProgramEnd> {
  const [file = '', ...args] = program.argv
  const child = spawn(file, args, {
    env: { ...program.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
  })
  let stopped: 'aborted' | 'flood' | undefined
  const { promise: ended, resolve, reject } = Promise.withResolvers<readonly [number | null, string | null]>()
  const stop = (why: 'aborted' | 'flood') => {
    if (stopped !== undefined) return
    stopped = why
    stopGroup(child.pid, ended).catch(() => {})
    // A child that escaped the group may hold the pipes open for ever: their end is not waited for.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const abort = () => stop('aborted')
  child.once('error', reject)
  // A program may leave a child behind that holds its pipes. Its own end is what counts, and the rest of the group goes.
  child.once('exit', (code, endedBy) => {
    const lingering = setTimeout(() => {
      resolve([code, endedBy])
      killGroup(child.pid, 'SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
    }, KILL_GRACE_MS)
    child.once('close', () => {
      clearTimeout(lingering)
      resolve([code, endedBy])
    })
  })
  const output = collectOutput([child.stdout, child.stderr], () => stop('flood'))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    const [exitCode, endedBy] = await ended
    const [stdout = '', stderr = ''] = output()
    return {
      stdout,
      stderr,
      ...(exitCode === null ? {} : { exitCode }),
      ...(endedBy === null ? {} : { endedBy }),
      ...(stopped === undefined ? {} : { stopped }),
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function collectOutput(streams: readonly NodeJS.ReadableStream[], flood: () => void): () => readonly string[] {
  let total = 0
  const kept = streams.map((stream) => {
    const chunks: Buffer[] = []
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      total += chunk.byteLength
      const room = OUTPUT_BYTES_MAX - bytes
      if (room > 0) chunks.push(chunk.subarray(0, room))
      bytes += chunk.byteLength
      if (total > OUTPUT_BYTES_FLOOD) flood()
    })
    stream.on('error', () => {})
    return chunks
  })
  return () => kept.map((chunks) => Buffer.concat(chunks).toString('utf8'))
}

async function stopGroup(pid: number | undefined, ended: Promise<unknown>): Promise<void> {
  killGroup(pid, 'SIGTERM')
  await Promise.race([ended.catch(() => {}), wait(KILL_GRACE_MS, undefined, { ref: false })])
  killGroup(pid, 'SIGKILL')
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is gone already.
  }
}
