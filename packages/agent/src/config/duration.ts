export { formatDuration, parseDuration } from '@muster/checks'
