import { runSeed } from '@muster/simulator'

const from = Number(process.argv[2]),
  count = Number(process.argv[3])
const t = performance.now()
const by: any = {}
for (let s = from; s < from + count; s++) {
  const r = runSeed(s)
  const seen = new Set<string>()
  for (const b of r.broken as any[])
    if (!seen.has(b.invariant)) {
      seen.add(b.invariant)
      ;(by[b.invariant] ??= []).push(`${s}/${r.hosts}`)
    }
}
console.log(count, Math.round(performance.now() - t), 'ms')
for (const [k, v] of Object.entries<any>(by)) console.log(k, v.length, v.slice(0, 15).join(' '))
