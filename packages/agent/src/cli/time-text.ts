/** Times and durations as people read them. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The two largest units: "21 s", "6 min 12 s", "3 h 5 min", "2 d 4 h". Negative counts as nothing. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms / SECOND)) * SECOND
  if (whole < MINUTE) return `${whole / SECOND} s`
  const [largeMs, smallMs] = whole < HOUR ? [MINUTE, SECOND] : whole < DAY ? [HOUR, MINUTE] : [DAY, HOUR]
  const count = Math.floor(whole / largeMs)
  const rest = Math.floor((whole - count * largeMs) / smallMs)
  return rest === 0 ? `${count} ${UNIT[largeMs]}` : `${count} ${UNIT[largeMs]} ${rest} ${UNIT[smallMs]}`
}

/** How long something lasted whose two ends are shown as times: in whole seconds, so that all three agree. */
export function spanText(fromUnixMs: number, toUnixMs: number): string {
  return durationText((Math.floor(toUnixMs / SECOND) - Math.floor(fromUnixMs / SECOND)) * SECOND)
}

const UNIT: Readonly<Record<number, string>> = { [SECOND]: 's', [MINUTE]: 'min', [HOUR]: 'h', [DAY]: 'd' }

/** One short unit for a narrow column: "now", "3 s", "6 m", "9 h", "2 d". */
export function ageText(ms: number): string {
  if (ms < SECOND) return 'now'
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** "03:13:44", with the date before it when that is not today's. */
export function clockText(unixMs: number, nowUnixMs: number, timeZone?: string): string {
  const { date, time } = partsOf(unixMs, timeZone)
  return date === partsOf(nowUnixMs, timeZone).date ? time : `${date} ${time}`
}

/** The same with the zone's name: "03:13:44 CET". */
export function zonedText(unixMs: number, nowUnixMs: number, timeZone?: string): string {
  return `${clockText(unixMs, nowUnixMs, timeZone)} ${zoneName(unixMs, timeZone)}`
}

/** "2026-11-21 03:13:44". */
export function dateTimeText(unixMs: number, timeZone?: string): string {
  const { date, time } = partsOf(unixMs, timeZone)
  return `${date} ${time}`
}

function partsOf(unixMs: number, timeZone?: string): { date: string; time: string } {
  const format = new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  // A time that no calendar holds comes from a lying clock; it is shown as the beginning of time.
  const date = Number.isFinite(unixMs) && Math.abs(unixMs) <= 8.64e15 ? new Date(unixMs) : new Date(0)
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]))
  return {
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}:${part.second}`,
  }
}

/** "CET", "PST", or "GMT+9" where a zone has no letters in any English. */
export function zoneName(unixMs: number, timeZone?: string): string {
  const names = ['en-GB', 'en-US', 'en-AU'].map((locale) => {
    const format = new Intl.DateTimeFormat(locale, {
      timeZoneName: 'short',
      ...(timeZone === undefined ? {} : { timeZone }),
    })
    const date = Number.isFinite(unixMs) && Math.abs(unixMs) <= 8.64e15 ? new Date(unixMs) : new Date(0)
    return format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC'
  })
  return names.find((name) => !/^GMT[+-]/.test(name)) ?? names[0] ?? 'UTC'
}
