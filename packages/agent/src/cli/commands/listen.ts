/**
 * `muster listen [LINK]`: this terminal is a recipient.
 *
 * It pairs once, then receives over Waku with its own key, shows what leads to the mesh that it is paired with, each
 * transition once, and answers that it was delivered. What was missed while it was off comes from the nodes' stores.
 */
import { join } from 'node:path'
import type { Notice } from '@muster/protocol'
import { checkFolder, createFolder, type Folder } from '../../identity/folder.ts'
import { exists } from '../../identity/key-file.ts'
import { encodeAnswer } from '../../notices/answer.ts'
import { openNodeNews } from '../../notices/node-news.ts'
import { type OpenedNotice, openTold } from '../../notices/told.ts'
import { systemClock } from '../../waku/ports.ts'
import { createReceiver, type ReceivedPayload, type Receiver } from '../../waku/receiver.ts'
import { seal, type WakuKeyPair } from '../../waku/seal.ts'
import { currentTopic, topicsAround } from '../../waku/topics.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { pairDevice, readLink } from '../device-pairing.ts'
import { sift } from '../listen-intervals.ts'
import { type ListenState, readListenState, readOrCreateListenKey, writeListenState } from '../listen-store.ts'
import { headingOf, noticeText } from '../notice-text.ts'
import { type Bridge, jsonOf, type Passed, postToBridge, readBridge, runProgram, splitWords } from '../passing-on.ts'
import { type PidFile, takePidFile } from '../pid-file.ts'
import { plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'

/** How long an answer may look for a node that takes it. Milliseconds. */
const ANSWER_MS = 60_000
/** Answers under way at once; beyond it the sender asks again by sending again. */
const ANSWERS_MAX = 64
/** How long an ending listener waits for its last answers. Milliseconds. */
const LAST_ANSWERS_MS = 10_000

/** Node addresses that are remembered: the newest first. */
const NODES_MAX = 64
/** How long an ending listener counts copies. Milliseconds. */
const COUNT_MS = 5_000

/** Options of `muster listen`. */
export interface ListenOptions {
  readonly once?: boolean
  readonly exec?: string
  readonly bridge?: string
  readonly gateway: string
  readonly name?: string
}

/** Pairs if there is a link, then listens until it is ended. */
export async function listen(context: Context, link: string | undefined, options: ListenOptions): Promise<number> {
  const words = options.exec === undefined ? undefined : splitWords(options.exec)
  const token = context.env.MUSTER_BRIDGE_TOKEN
  const bridge = options.bridge === undefined ? undefined : readBridge(options.bridge, options.gateway, token)
  const { folder } = context
  // Before a folder is made for it.
  const read = link === undefined ? undefined : readLink(link)
  if (await exists(folder.path)) await checkFolder(folder)
  else if (read === undefined) throw notPaired(folder)
  else await createFolder(folder)
  // From here on a signal ends it in order.
  context.interrupted()
  const pidFile = await takeFolder(folder)
  try {
    const before = await readListenState(folder)
    if (before === null && read === undefined) throw notPaired(folder)
    const key = await readOrCreateListenKey(folder)
    const state =
      read === undefined ? before : await pairDevice(context, { link: read, key, before, name: options.name })
    if (state === null) throw notPaired(folder)
    if (read !== undefined && context.json) printEvent(context, { kind: 'paired', recipient: state.recipient })
    return await receive(context, key, state, { words, bridge, once: options.once === true })
  } finally {
    await pidFile?.release()
  }
}

/** Two listeners on one folder would show each notice twice and forget by turns. Null where the disk takes no file: that is no reason not to listen. */
async function takeFolder(folder: Folder): Promise<PidFile | null> {
  const taken = await takePidFile(join(folder.path, 'listen.pid')).catch(() => null)
  if (taken === null || !('heldBy' in taken)) return taken
  throw usageError(
    `another muster listens on ${folder.path} already (pid ${taken.heldBy})`,
    `end it with: kill ${taken.heldBy}, or give this one a folder of its own with --dir DIR`,
  )
}

function notPaired(folder: Folder): CliError {
  const remedy = 'make a link on a host with `recipient add NAME`, then here: muster listen LINK'
  return new CliError('not-paired', EXIT.usage, `this device is not paired yet (${folder.path})`, remedy)
}

interface Doing {
  readonly words: readonly string[] | undefined
  readonly bridge: Bridge | undefined
  readonly once: boolean
}

async function receive(context: Context, key: WakuKeyPair, first: ListenState, doing: Doing): Promise<number> {
  const { folder, err } = context
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, context.interrupted()])
  const answers = new Set<Promise<unknown>>()
  let state = first
  let queue: Promise<void> = Promise.resolve()
  let isStrangerSaid = false
  const counts = new Map<string, ToldCount>()

  const receiver: Receiver = createReceiver(
    {
      privateKey: key.privateKey,
      nodes: state.nodes,
      contentTopics: (unixMs) => topicsAround('notice', key.publicKey, unixMs),
      onPayload(payload) {
        queue = queue.then(() => take(payload)).catch((error: unknown) => err(`muster: ${String(error)}\n`))
      },
      onNode: tellNode,
    },
    { clock: systemClock, log: SILENT },
  )

  function tellNode(node: string | undefined): void {
    if (context.json) printEvent(context, { kind: 'node', node: node ?? null })
    else if (node === undefined) err('No Waku node answers just now; trying on.\n')
    else err(`Listening at ${plain(node, 200)}\n`)
  }

  /** Writes down what is known now, and the addresses with it: the newest first. */
  async function learnNodes(nodes: readonly string[]): Promise<void> {
    receiver.addNodes(nodes)
    state = { ...state, nodes: [...new Set([...nodes, ...state.nodes])].slice(0, NODES_MAX) }
    await writeListenState(folder, state)
  }

  async function take(payload: ReceivedPayload): Promise<void> {
    const nodes = nodesIn(payload.payload, state.meshPublicKey)
    if (nodes !== null) {
      await learnNodes(nodes)
      return
    }
    let opened: OpenedNotice
    try {
      opened = openTold(payload.payload, state.meshPublicKey)
    } catch {
      if (!isStrangerSaid) err('A message that does not lead to the paired mesh was not shown.\n')
      isStrangerSaid = true
      return
    }
    if (signal.aborted) return
    const { memory, shown } = sift(state.memory, opened.notice)
    for (const notice of shown) {
      await show(context, { ...opened, notice }, doing, signal)
      tally(counts, notice)
    }
    // Shown before it is written down: a crash between the two shows it twice, which is better than never.
    state = { ...state, memory }
    await learnNodes(opened.nodes)
    answer(opened.notice)
    if (doing.once && shown.length > 0) ended.abort(new Error('one notice was enough'))
  }

  function answer(notice: Notice): void {
    if (answers.size >= ANSWERS_MAX) return
    const sending = sendDelivered(receiver, key, state.meshWakuKey, notice).catch(() => undefined)
    answers.add(sending)
    void sending.finally(() => answers.delete(sending))
  }

  if (state.nodes.length === 0)
    err('No Waku node is known: make a new link on a host with `recipient add`, and listen with it.\n')
  await untilAborted(signal)
  await queue
  await Promise.race([Promise.all(answers), new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_MS).unref())])
  if (context.json) await printEnd(context, receiver, state.meshPublicKey, counts)
  await receiver.stop()
  return EXIT.done
}

async function show(
  context: Context,
  { notice, teller }: OpenedNotice,
  doing: Doing,
  signal: AbortSignal,
): Promise<void> {
  const passed: Passed = {
    notice,
    teller,
    heading: headingOf(notice),
    text: noticeText(notice, { nowUnixMs: Date.now() }),
  }
  if (context.json) printEvent(context, { kind: 'notice', ...jsonOf(passed) })
  else context.out(`${context.colour ? coloured(passed) : passed.text}\n\n`)
  const failures = [
    doing.words === undefined ? undefined : await runProgram(doing.words, passed),
    doing.bridge === undefined ? undefined : await postToBridge(doing.bridge, passed, signal),
  ]
  for (const failure of failures) if (failure !== undefined) context.err(`muster: ${plain(failure, 300)}\n`)
}

/** One JSON object a line: `paired`, `node`, `notice` and `end`. */
function printEvent(context: Context, event: Readonly<Record<string, unknown>>): void {
  context.out(`${JSON.stringify(event)}\n`)
}

/** The addresses in a message that tells of nodes; null when it is something else. */
function nodesIn(content: Uint8Array, meshPublicKey: Uint8Array): readonly string[] | null {
  try {
    return openNodeNews(content, meshPublicKey)
  } catch {
    return null
  }
}

/** What was shown of one incident, and how many copies of it the node's store holds. */
interface ToldCount {
  readonly transition: string
  readonly incident: string
  readonly host: string
  readonly check: string
  shown: number
  copies: number | null
}

/** Counts what was shown, by transition and incident. */
function tally(counts: Map<string, ToldCount>, { transition, incidents }: Notice): void {
  for (const { id, hostName, check } of incidents) {
    const key = `${transition} ${id}`
    const count = counts.get(key) ?? { transition, incident: id, host: hostName, check, shown: 0, copies: null }
    counts.set(key, { ...count, shown: count.shown + 1 })
  }
}

/** Says at the end what was shown, and how many copies of it the node's store holds. */
async function printEnd(
  context: Context,
  receiver: Receiver,
  meshPublicKey: Uint8Array,
  counts: ReadonlyMap<string, ToldCount>,
): Promise<void> {
  const copies = new Map<string, number>()
  const isTold = ({ payload }: ReceivedPayload): boolean => {
    try {
      const { transition, incidents } = openTold(payload, meshPublicKey).notice
      for (const { id } of incidents) copies.set(`${transition} ${id}`, (copies.get(`${transition} ${id}`) ?? 0) + 1)
      return true
    } catch {
      return false
    }
  }
  const counted = await receiver.copies(isTold, AbortSignal.timeout(COUNT_MS)).catch(() => null)
  const notices = [...counts].map(([key, count]) => ({
    ...count,
    copies: counted === null ? null : (copies.get(key) ?? 0),
  }))
  printEvent(context, { kind: 'end', notices })
}

/** Red only for what several saw; what one observer says is grey. */
function coloured({ heading, text }: Passed): string {
  const code = { CRITICAL: '31;1', WARNING: '33;1', UNKNOWN: '90;1', RESOLVED: '1' }[heading] ?? '1'
  return `\u001b[${code}m${heading}\u001b[0m${text.slice(heading.length)}`
}

async function sendDelivered(
  receiver: Receiver,
  key: WakuKeyPair,
  meshWakuKey: Uint8Array,
  notice: Notice,
): Promise<void> {
  const incidents = [...new Set(notice.incidents.flatMap(({ id, aliases }) => [id, ...aliases]))]
  const content = encodeAnswer({ kind: 'delivered', incidents, transition: notice.transition })
  const payload = await seal({ content, recipientPublicKey: meshWakuKey, signingKey: key.privateKey })
  const timestampMs = Date.now()
  const contentTopic = currentTopic('answer', key.publicKey, timestampMs)
  await receiver.sendReply({ contentTopic, payload, timestampMs }, AbortSignal.timeout(ANSWER_MS))
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
