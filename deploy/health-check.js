// What the image asks itself: exit code 0 while the server takes traffic. Plain JavaScript and nothing loaded but Node: it runs every few seconds.
import { get } from 'node:http'

const port = process.env.SIMPUL_PORT || 8080
const asked = get({ host: '127.0.0.1', port, path: '/health/ready', timeout: 3000 }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
asked.on('timeout', () => process.exit(1))
asked.on('error', () => process.exit(1))
