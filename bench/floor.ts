/** The floor: bare Express 5 that answers the same bytes a read answers. Started by processes.ts; prints its port. */
import { readFileSync } from 'node:fs'
import express from 'express'

const bytes = readFileSync(process.argv[2] as string)
const app = express()
app.disable('x-powered-by')
app.set('etag', false)
app.get('/fhir/:type/:id', (_request, response) => {
  response.set('Content-Type', 'application/fhir+json; charset=utf-8')
  response.set('Content-Length', String(bytes.length))
  response.end(bytes)
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
