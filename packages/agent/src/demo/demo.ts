/**
 * `muster demo`: the whole story on one machine, with the very commands that a user types.
 *
 * Three agents form a mesh, a recipient pairs and listens, and the agent whose Waku node it listens through is killed.
 * The survivors agree, one of them tells, the notice arrives; the host comes back, and its history is whole everywhere.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDemoHost, type DemoHost, until } from './demo-host.ts'
import { createDemoReceiver, type DemoReceiver, type ListenEnd } from './demo-receiver.ts'
import { createProcesses, type Processes } from './processes.ts'

const NAMES = ['vps-1', 'laptop', 'home-server'] as const
/** Bounds of each wait, milliseconds. Far above what is measured: a slow machine is no failure. */
const START_LIMIT_MS = 30_000
const QUIET_LIMIT_MS = 40_000
const NOTICE_LIMIT_MS = 60_000

/** How `muster demo` was called: `keep` leaves the agents and their folder behind, `json` prints the result as JSON. */
export interface DemoOptions {
  readonly keep: boolean
  readonly json: boolean
  /** Where words for a person go. */
  readonly say: (line: string) => void
  /** Where the JSON goes. */
  readonly print: (line: string) => void
}

/** What the demo measured. Times are milliseconds from the kill, `recoveryMs` from the restart. */
export interface DemoResult {
  readonly hosts: readonly string[]
  readonly killed: string
  readonly notifier: string
  readonly verified: boolean
  readonly notices: { readonly fired: number; readonly resolved: number }
  readonly wireCopies: { readonly fired: number; readonly resolved: number }
  readonly verdictMs: Readonly<Record<string, number>>
  readonly noticeMs: number
  readonly recoveryMs: number
  readonly historyComplete: boolean
}

/** Runs the demo. Resolves with the exit code: 0 when everything was seen, 1 when something was not. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-demo-'))
  const processes = createProcesses({ keep: options.keep })
  let kept = false
  const interrupted = (): void => {
    void processes
      .end()
      .then(() => rm(folder, { recursive: true, force: true }))
      .then(() => process.exit(1))
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    const { result, hosts } = await story(folder, processes, options)
    if (options.json) options.print(JSON.stringify(result))
    const good = isGood(result)
    options.say(good ? 'Everything was seen.' : 'Something was not seen as it should have been.')
    if (options.keep) {
      kept = true
      processes.release()
      tellWhatToTry(options, hosts, folder)
    }
    return good ? 0 : 1
  } catch (error) {
    options.say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`)
    for (const line of processes.lastWords()) options.say(`  ${line}`)
    return 1
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    if (!kept) {
      await processes.end()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function isGood({ verified, notices, historyComplete }: DemoResult): boolean {
  return verified && notices.fired === 1 && notices.resolved === 1 && historyComplete
}

async function story(
  folder: string,
  processes: Processes,
  { say }: DemoOptions,
): Promise<{ result: DemoResult; hosts: readonly DemoHost[] }> {
  say('Three hosts, one shared swarm key, default presence: every 10 s, grace 5 s.')
  const hosts = await foundMesh(folder, processes)
  const receiver = await createDemoReceiver(processes, hosts, join(folder, 'phone'))
  say('A phone has paired and listens; the hosts settle until each of them may judge.')
  await until('all hosts to see each other and to be ready to judge', QUIET_LIMIT_MS, () => allReady(hosts))

  const victim = await hostOfNode(hosts, receiver)
  const survivors = hosts.filter((host) => host !== victim)
  say(`The phone is connected to ${victim.name}'s Waku node: ${victim.name} is killed with SIGKILL.`)
  victim.agent().kill('SIGKILL')
  const killedAtMs = performance.now()
  const verdicts = survivors.map((host) => verdictOf(host, victim.name, killedAtMs))
  const fired = await receiver.next('fired', victim.name, NOTICE_LIMIT_MS)
  const noticeMs = Math.round(fired.atMs - killedAtMs)
  const verdictMs = Object.fromEntries(await Promise.all(verdicts))
  say('')
  for (const line of fired.text.split('\n')) say(`    ${line}`)
  say('')
  for (const [name, ms] of Object.entries(verdictMs)) say(`${name} concluded ${seconds(ms)} after the kill.`)
  say(
    `The notice was shown ${seconds(noticeMs)} after the kill, signed by ${fired.teller}, and its signature leads to this mesh.`,
  )

  await victim.agent().ended
  const restartedAtMs = performance.now()
  victim.start()
  say(`${victim.name} is started again.`)
  const resolved = await receiver.next('resolved', victim.name, NOTICE_LIMIT_MS)
  const recoveryMs = Math.round(resolved.atMs - restartedAtMs)
  say('')
  for (const line of resolved.text.split('\n')) say(`    ${line}`)
  say('')
  say(`The recovery was shown ${seconds(recoveryMs)} after the restart.`)
  const historyComplete = await until('the same history on all hosts', START_LIMIT_MS, () => sameHistory(hosts)).catch(
    () => false,
  )
  say(historyComplete ? 'The history of all three is the same on all three.' : 'The histories differ.')
  const end = await receiver.end()
  return {
    hosts,
    result: {
      hosts: hosts.map(({ name }) => name),
      killed: victim.name,
      notifier: fired.teller,
      verified: fired.verified && resolved.verified,
      notices: countOf(end, victim.name, ({ shown }) => shown),
      wireCopies: countOf(end, victim.name, ({ copies }) => copies ?? 0),
      verdictMs,
      noticeMs,
      recoveryMs,
      historyComplete,
    },
  }
}

/** Of the killed host only: a busy machine may well warn of its load meanwhile. */
function countOf(
  { notices }: ListenEnd,
  host: string,
  number: (notice: ListenEnd['notices'][number]) => number,
): { fired: number; resolved: number } {
  const sum = (transition: string): number =>
    notices
      .filter((notice) => notice.host === host && notice.check === '' && notice.transition === transition)
      .reduce((total, notice) => total + number(notice), 0)
  return { fired: sum('fired'), resolved: sum('resolved') }
}

/** `init` on the first host, `join` on the others, each with its agent running. */
async function foundMesh(folder: string, processes: Processes): Promise<readonly DemoHost[]> {
  const [first, ...others] = NAMES
  const dirOf = (name: string): string => join(folder, name)
  await processes.run(['init', '--dir', dirOf(first), '--name', first])
  const founder = await createDemoHost(processes, first, dirOf(first))
  founder.start()
  const peer = await until(`${first} to answer`, START_LIMIT_MS, () => founder.peerAddress())
  const hosts = [founder]
  for (const name of others) {
    const key = join(dirOf(first), 'swarm.key')
    await processes.run(['join', '--key', key, '--peer', peer, '--dir', dirOf(name), '--name', name])
    const host = await createDemoHost(processes, name, dirOf(name))
    host.start()
    hosts.push(host)
  }
  await until('all agents to answer', START_LIMIT_MS, async () => {
    await Promise.all(hosts.map((host) => host.status()))
    return true
  })
  return hosts
}

async function allReady(hosts: readonly DemoHost[]): Promise<true | null> {
  const views = await Promise.all(hosts.map((host) => host.status()))
  const ready = views.every(
    ({ quiet, hosts: seen, waku, recipients }) =>
      !quiet &&
      waku.works &&
      recipients.length > 0 &&
      seen.filter(({ state, reach, isSelf }) => isSelf || (state === 'alive' && reach === 'direct')).length ===
        hosts.length,
  )
  return ready ? true : null
}

/** The host that serves the node which the receiver is connected to. */
async function hostOfNode(hosts: readonly DemoHost[], receiver: DemoReceiver): Promise<DemoHost> {
  const node = await until('the phone to be connected', START_LIMIT_MS, async () => receiver.node())
  for (const host of hosts) {
    if ((await host.status()).wakuAddresses.some((address) => address === node || node.startsWith(address))) return host
  }
  throw new Error(`no host serves ${node}`)
}

async function verdictOf(host: DemoHost, victim: string, sinceMs: number): Promise<readonly [string, number]> {
  const ms = await until(`${host.name} to conclude`, NOTICE_LIMIT_MS, async () => {
    const fires = (await host.incidents()).some(
      ({ hostName, check, state }) => hostName === victim && check === '' && state === 'firing',
    )
    return fires ? Math.round(performance.now() - sinceMs) : null
  })
  return [host.name, ms]
}

async function sameHistory(hosts: readonly DemoHost[]): Promise<true | null> {
  const [first, ...others] = await Promise.all(hosts.map((host) => host.digest()))
  return others.every((digest) => digest === first) ? true : null
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function tellWhatToTry({ say }: DemoOptions, hosts: readonly DemoHost[], folder: string): void {
  const [first] = hosts
  say('')
  say('The mesh is still up. Try:')
  say(`  npx muster status --watch --dir ${first?.dir}`)
  say(`  npx muster history --host ${hosts[1]?.name} --dir ${first?.dir}`)
  for (const host of hosts) say(`  kill -9 ${host.agent().pid}   # pulls the plug of ${host.name}`)
  say(`To end it: kill ${hosts.map((host) => host.agent().pid).join(' ')} && rm -r ${folder}`)
}
