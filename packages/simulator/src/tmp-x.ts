import { runScenario } from './scenarios/run-scenario.ts'
import { drawScenario } from './scenarios/draw.ts'
import { realCore } from './real-core.ts'
const [seed, hosts, from, to, kinds] = process.argv.slice(2)
const scenario = drawScenario(Number(seed), hosts === '-' ? undefined : Number(hosts))
runScenario(scenario, realCore, [], h => {
  if (h.atMs < Number(from) || h.atMs > Number(to)) return
  if (h.kind === 'arrived' && (!kinds || kinds.includes(h.record.domain))) console.log(h.atMs, h.host, 'arrived', h.from, h.record.signer, h.record.domain, JSON.stringify(h.record.body, (k, v) => k === 'evidence' || k === 'votes' || k === 'observers'? undefined : v).slice(0, 260))
  if (h.kind === 'effect' && !['report', 'keep-record', 'send-heartbeat'].includes(h.effect.kind) && (!kinds || kinds.includes('effect'))) console.log(h.atMs, h.host, 'EFFECT', JSON.stringify(h.effect, (k, v) => k === 'evidence' || k === 'votes'|| k === 'observers' ? undefined : v).slice(0, 260))
  if (h.kind === 'effect' && h.effect.kind === 'send-heartbeat' && (!kinds || kinds.includes('effect'))) console.log(h.atMs, h.host, 'BEAT', JSON.stringify(h.effect.to), h.effect.heartbeat.body.beat, h.effect.heartbeat.body.life, h.effect.riders.length)
  if (['mode', 'link', 'fault'].includes(h.kind)) console.log(JSON.stringify(h))
})
