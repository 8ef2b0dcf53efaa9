/**
 * Dials a peer once, as a member would, and says in one line what came of it.
 *
 * The door's hello is the mesh's certificate of this host, so an answer shows that key and address are right.
 */
import { decodeEnvelope } from '@muster/protocol'
import { systemClock } from '../clock.ts'
import { CERTIFICATE_BYTES_MAX, verifyCertificate } from '../identity/certificate.ts'
import type { HostKey } from '../identity/host-key.ts'
import { createOrigin } from '../shell/origin.ts'
import { createSwarm } from '../swarm/create-swarm.ts'
import type { DialProblem } from '../swarm/dial-report.ts'
import { namesKnownTo } from './names-known.ts'
import { plain } from './plain-text.ts'

/** How long a peer may take to answer. Milliseconds. */
const TRY_MS = 12_000
const LOOK_MS = 100
const RENAME = 'give this host another name under host: in muster.yaml'

/** What is tried. */
export interface Trial {
  readonly peer: string
  readonly name: string
  readonly swarmKey: Uint8Array
  readonly hostKey: HostKey
  readonly signal: AbortSignal
  /** For tests: shorter than the usual wait. */
  readonly tryMs?: number
}

/** What came of it. */
export interface Tried {
  readonly isGood: boolean
  /** For a person. */
  readonly line: string
  /** What kept us out, where a dial has told; `name-taken` is of whoever let us in. */
  readonly problem?: DialProblem | 'name-taken'
  /** What is no reason not to run, for a person. */
  readonly warning?: string
}

/** Dials until the peer lets us in or says why not. Never throws for what the peer does. */
export async function tryPeer(trial: Trial): Promise<Tried> {
  const { peer, name, swarmKey, hostKey } = trial
  const origin = createOrigin({ swarmKey, hostKey, name }, systemClock)
  const { certificate, meshKey } = origin
  const met: string[] = []
  const swarm = createSwarm(
    { privateKey: hostKey.seed, swarmKeys: [swarmKey], listen: [] },
    {
      onFrame: async () => 'ignore',
      onProbe: async () => new Uint8Array(),
      // biome-ignore lint/correctness/useYield: a guest has no history to give.
      onCatchUp: async function* () {
        return
      },
      admit: async (from, hello) => {
        try {
          const { body } = verifyCertificate(decodeEnvelope(hello, CERTIFICATE_BYTES_MAX), meshKey.publicKey)
          if (body.host !== from) return false
          met.push(body.name)
          return true
        } catch {
          return false
        }
      },
      hello: () => certificate,
      onPeer: () => undefined,
    },
    { log: SILENT, clock: { monotonicMs: () => performance.now() }, random: Math.random },
  )
  const until = AbortSignal.any([trial.signal, AbortSignal.timeout(trial.tryMs ?? TRY_MS)])
  try {
    swarm.setPeerBook([{ addresses: [peer] }])
    await swarm.start(until)
    while (!until.aborted && swarm.peers().length === 0 && swarm.dialReports().length === 0) await pause(LOOK_MS)
    const [member] = swarm.peers()
    if (member !== undefined) {
      const [other] = met
      if (other === name) return nameTaken(name)
      const known = await namesKnownTo(swarm, member.host, origin, until)
      return answered(other, known.has(name) ? name : undefined)
    }
    const [report] = swarm.dialReports()
    if (report === undefined) {
      return { isGood: false, line: `nobody answers at ${peer} (no answer in time)`, problem: 'nobody-answers' }
    }
    return { isGood: false, line: report.explanation, problem: report.problem }
  } catch (error) {
    return {
      isGood: false,
      line: `${peer} could not be tried: ${error instanceof Error ? error.message : String(error)}`,
    }
  } finally {
    await swarm.stop()
  }
}

function answered(other: string | undefined, taken: string | undefined): Tried {
  const line = `${other === undefined ? 'A member' : plain(other, 64)} answers: key and address are right.`
  if (taken === undefined) return { isGood: true, line }
  const remedy = `If that is another machine, ${RENAME}`
  return { isGood: true, line, warning: `The mesh knows a host called ${plain(taken, 64)} already. ${remedy}` }
}

function nameTaken(name: string): Tried {
  const line = `${plain(name, 64)} answers, and is called that too: ${RENAME}`
  return { isGood: false, line, problem: 'name-taken' }
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
