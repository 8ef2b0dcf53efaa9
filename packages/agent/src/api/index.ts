export { fingerprintOf } from './guard.ts'
export { type ApiOptions, type ApiServer, createApiServer } from './server.ts'
export type * from './shapes.ts'
