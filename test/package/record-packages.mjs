// Preloaded with --import: notes every bare package that is resolved, and prints them at the end.
import { isBuiltin, registerHooks } from 'node:module'

const touched = new Set()

registerHooks({
  resolve(specifier, context, next) {
    if (!/^(\.|\/|file:|data:|node:)/.test(specifier) && !isBuiltin(specifier)) {
      touched.add(
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      )
    }
    return next(specifier, context)
  },
})

process.on('exit', () => {
  process.stdout.write(`${JSON.stringify([...touched].sort())}\n`)
})
