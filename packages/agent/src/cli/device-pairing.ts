/** Pairing as `muster listen LINK` does it: the device's side, in a terminal. */
import { hostname } from 'node:os'
import { openWelcome } from '../notices/welcome.ts'
import { answerPairing } from '../waku/pairing-answer.ts'
import { type PairingLink, parsePairingLink } from '../waku/pairing-link.ts'
import { systemClock, WakuError } from '../waku/ports.ts'
import type { WakuKeyPair } from '../waku/seal.ts'
import { CliError, EXIT, usageError } from './cli-error.ts'
import { type ListenState, pairedState, writeListenState } from './listen-store.ts'
import { plain } from './plain-text.ts'
import type { Context } from './surroundings.ts'
import { durationText, zonedText } from './time-text.ts'

/** When a pairing without an answer says where it knocks. Milliseconds. */
const PATIENCE_MS = 10_000
/** When it gives up: a host that can be reached answers within seconds, and nothing tells a link that was ended from silence. Milliseconds. */
const PAIRING_MS_MAX = 5 * 60_000

/** Not as it is typed here: another machine has another folder. */
const NEW_LINK = 'make a new link on a host with `recipient add NAME`'

/** Who pairs, and by which link. */
export interface DevicePairing {
  readonly link: PairingLink
  readonly key: WakuKeyPair
  /** With whom the folder is paired already. */
  readonly before: ListenState | null
  /** What the device calls itself; undefined for the machine's name. */
  readonly name: string | undefined
}

/** The waits, for tests. */
export interface PairingWaits {
  readonly patienceMs: number
  readonly limitMs: number
}

/** Reads a link. Throws a `CliError`. */
export function readLink(text: string): PairingLink {
  try {
    return parsePairingLink(text, Date.now())
  } catch (error) {
    if (error instanceof WakuError) throw usageError(error.message)
    throw error
  }
}

/** Answers the link, and writes down with whom this device is paired. Throws a `CliError` or a `WakuError`. */
export async function pairDevice(
  context: Context,
  { link, key, before, name }: DevicePairing,
  { patienceMs, limitMs }: PairingWaits = { patienceMs: PATIENCE_MS, limitMs: PAIRING_MS_MAX },
): Promise<ListenState> {
  if (before !== null && !Buffer.from(before.meshPublicKey).equals(link.meshPublicKey)) {
    throw usageError(
      'this device is paired with another mesh already',
      'give the second one its own folder with --dir DIR',
    )
  }
  context.err('Pairing…\n')
  const nowMs = Date.now()
  const untilMs = Math.min(link.expiresUnixMs, nowMs + limitMs)
  const patience = setTimeout(() => {
    context.err(
      `No answer yet, trying until ${zonedText(untilMs, nowMs)}. The link may have been used or ended, ` +
        `or none of these can be reached from here: ${plain(link.nodes.join(' '), 400)}\n`,
    )
  }, patienceMs)
  const interrupted = context.interrupted()
  const late = AbortSignal.timeout(Math.max(0, untilMs - nowMs))
  const answered = answerPairing({
    link,
    privateKey: key.privateKey,
    name: plain(name ?? hostname(), 64),
    isGenuine: (welcome) => isGenuine(() => openWelcome(welcome, link.meshPublicKey)),
    clock: systemClock,
    log: SILENT,
    signal: AbortSignal.any([interrupted, late]),
  })
  const { welcome: bytes } = await answered
    .catch((error: unknown) => {
      if (interrupted.aborted) throw new CliError('cancelled', EXIT.bad, 'cancelled before it was paired')
      if (error instanceof WakuError && error.code === 'link-used') throw usageError(error.message, NEW_LINK)
      throw late.aborted ? noAnswer(untilMs - nowMs) : error
    })
    .finally(() => clearTimeout(patience))
  const { recipient, nodes, meshWakuKey } = openWelcome(bytes, link.meshPublicKey)
  const all = [...new Set([...nodes, ...link.nodes])]
  const state = pairedState({ meshPublicKey: link.meshPublicKey, meshWakuKey, recipient, nodes: all }, before)
  await writeListenState(context.folder, state)
  if (!context.json) context.err(`paired as ${plain(recipient, 64)}\n`)
  return state
}

function noAnswer(afterMs: number): CliError {
  return new CliError(
    'no-answer',
    EXIT.bad,
    `not paired: no answer in ${durationText(afterMs)}. A link serves once; this one was used or ended, or its hosts cannot be reached`,
    NEW_LINK,
  )
}

function isGenuine(open: () => unknown): boolean {
  try {
    open()
    return true
  } catch {
    return false
  }
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }
