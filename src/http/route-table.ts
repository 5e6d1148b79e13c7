import type { InteractionCode } from '../interactions/request.ts'

/** What a path means: an interaction of R4, or an operation, which has a name of its own. */
export type RouteTarget = InteractionCode | 'operation' | 'async'

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** `needs`: what must be there besides the path. */
export type Route = {
  readonly methods: readonly HttpMethod[]
  readonly path: string
  readonly target: RouteTarget
  readonly needs?: 'criteria' | 'parameters'
}

/**
 * Method and path below [base] → interaction. This table is the only list: matching, `Allow`, bundle entries, the CapabilityStatement and the
 * documentation read it. `{member}` is a type of the compartment or `*` for all of them. POST `/` is `batch` until the Bundle says which.
 * @see https://hl7.org/fhir/R4/http.html#summary
 */
// biome-ignore format: a table
export const routes: readonly Route[] = [
  { methods: ['GET', 'HEAD'],     path: '/',                                target: 'search-system', needs: 'parameters' },
  { methods: ['POST'],            path: '/',                                target: 'batch' },
  { methods: ['GET', 'HEAD'],     path: '/metadata',                        target: 'capabilities' },
  { methods: ['POST'],            path: '/_search',                         target: 'search-system' },
  { methods: ['GET', 'HEAD'],     path: '/_history',                        target: 'history-system' },
  { methods: ['GET', 'DELETE'],   path: '/_async/{job}',                    target: 'async' },
  { methods: ['GET', 'POST'],     path: '/{operation}',                     target: 'operation' },
  { methods: ['GET', 'HEAD'],     path: '/{type}',                          target: 'search-type' },
  { methods: ['POST'],            path: '/{type}',                          target: 'create' },
  { methods: ['PUT'],             path: '/{type}',                          target: 'update', needs: 'criteria' },
  { methods: ['PATCH'],           path: '/{type}',                          target: 'patch', needs: 'criteria' },
  { methods: ['DELETE'],          path: '/{type}',                          target: 'delete', needs: 'criteria' },
  { methods: ['POST'],            path: '/{type}/_search',                  target: 'search-type' },
  { methods: ['GET', 'HEAD'],     path: '/{type}/_history',                 target: 'history-type' },
  { methods: ['GET', 'POST'],     path: '/{type}/{operation}',              target: 'operation' },
  { methods: ['GET', 'HEAD'],     path: '/{type}/{id}',                     target: 'read' },
  { methods: ['PUT'],             path: '/{type}/{id}',                     target: 'update' },
  { methods: ['PATCH'],           path: '/{type}/{id}',                     target: 'patch' },
  { methods: ['DELETE'],          path: '/{type}/{id}',                     target: 'delete' },
  { methods: ['GET', 'HEAD'],     path: '/{type}/{id}/_history',            target: 'history-instance' },
  { methods: ['GET', 'HEAD'],     path: '/{type}/{id}/_history/{vid}',      target: 'vread' },
  { methods: ['POST'],            path: '/{type}/{id}/$break-glass',        target: '$break-glass' },
  { methods: ['GET', 'POST'],     path: '/{type}/{id}/{operation}',         target: 'operation' },
  { methods: ['GET', 'HEAD'],     path: '/{type}/{id}/{member}',            target: 'search-compartment' },
  { methods: ['POST'],            path: '/{type}/{id}/{member}/_search',    target: 'search-compartment' },
]
