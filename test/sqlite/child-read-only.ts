import { realClock } from '../../src/kernel/real-clock.ts'
import { sqlite } from '../../src/sqlite.ts'

// Run with the path of a file that only its owner may write to. Root may write to everything.
const path = process.argv[2] as string
// Nothing else keeps this process alive while the thread starts on a busy machine.
const patience = setTimeout(() => {}, 10_000)
const store = sqlite({ path })
if (process.getuid?.() === 0) process.setuid?.('nobody')
const session = store.open({
  clock: realClock,
  random: Math.random,
  space: 's',
  onState: ({ state, error }) => {
    process.stdout.write(`${state} ${error?.message}\n`)
    clearTimeout(patience)
    void session.close()
  },
})
