/** A host's outbox: encode, ask the core once more, hand over to Waku, and say how it went. */
import type { Effect } from '@muster/protocol'
import type { VirtualHost } from './host.ts'
import type { VirtualRecipient, World } from './world.ts'

type SendNotice = Extract<Effect, { kind: 'send-notice' }>

/** The notices that a process has under way. */
export interface Outbox {
  readonly send: (effect: SendNotice) => void
  readonly depart: (attempt: number) => void
  readonly abandon: (attempt: number) => void
  readonly forget: () => void
}

/** A recipient's answer that nobody hears. */
const ANSWER_LOSS = 0.1
/** How likely a host whose Waku answers hears a recipient's answer. */
const ANSWER_HEARD = 0.7

/** Makes the empty outbox of one host. */
export function createOutbox(world: World, host: VirtualHost): Outbox {
  const underWay = new Map<number, SendNotice>()
  const chance = world.chance.waku

  const settle = (attempt: number, outcome: 'accepted' | 'refused'): void => {
    // The first outcome counts: what comes after the time-out is not news to the core.
    if (!underWay.delete(attempt)) return
    host.deliver((at) => ({ kind: 'sent', at, attempt, outcome }))
  }
  const whileAlive = (delayMs: number, run: () => void): void => {
    const generation = host.generation()
    world.after(delayMs, () => {
      if (host.generation() === generation) run()
    })
  }

  return {
    send: (effect) => {
      underWay.set(effect.attempt, effect)
      host.later(chance.int(1, 40), (at) => ({ kind: 'departing', at, attempt: effect.attempt }))
      whileAlive(effect.timeoutMs, () => settle(effect.attempt, 'refused'))
    },
    depart: (attempt) => {
      const sending = underWay.get(attempt)
      if (sending === undefined) return
      const handing = world.waku.hand(host.index)
      if (handing.outcome === 'accepted') {
        // Once handed over, the bytes travel whatever becomes of this host.
        world.after(Math.floor(handing.answerMs / 2), () => take(world, host, sending, handing.storedMs))
      }
      const { outcome, answerMs, storedMs } = handing
      if (outcome !== null) whileAlive(answerMs, () => settle(attempt, outcome))
      if (outcome === 'accepted' && storedMs !== null && chance.chance(0.9)) {
        host.later(answerMs + storedMs, (at) => ({ kind: 'sent', at, attempt, outcome: 'stored' }))
      }
    },
    abandon: (attempt) => {
      underWay.delete(attempt)
    },
    forget: () => underWay.clear(),
  }
}

/** Waku has it: from here it reaches the recipient, now or when it is back, unless Waku loses it. */
function take(world: World, host: VirtualHost, sending: SendNotice, storedMs: number | null): void {
  const { recipient: id, notice, attempt } = sending
  world.state({ kind: 'copy', atMs: world.now(), host: host.setup.id, attempt, recipient: id, notice })
  const recipient = world.recipients.find((one) => one.id === id)
  if (recipient === undefined || storedMs === null) return
  const arrive = (): void => {
    if (recipient.online) receive(world, recipient, sending)
    else recipient.waiting.push(arrive)
  }
  world.after(world.chance.waku.int(20, 250), arrive)
}

function receive(world: World, recipient: VirtualRecipient, { notice }: SendNotice): void {
  const chance = world.chance.waku
  for (const line of recipient.device.receive(notice)) {
    world.state({ kind: 'shown', atMs: world.now(), recipient: recipient.id, ...line })
  }
  if (chance.chance(ANSWER_LOSS)) return
  const incidents = notice.incidents.map((told) => told.id)
  for (const host of world.hosts) {
    if (!world.waku.answers(host.index) || !chance.chance(ANSWER_HEARD)) continue
    const { transition } = notice
    host.later(chance.int(50, 600), (at) => ({ kind: 'delivered', at, incidents, transition, recipient: recipient.id }))
  }
}
