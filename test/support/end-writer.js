// Loaded into a server by NODE_OPTIONS=--import: SIGUSR2 ends its threads from outside, as a fault would.
import process from 'node:process'

process.on('worker', thread => process.on('SIGUSR2', () => thread.terminate()))
