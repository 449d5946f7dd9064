// Parts of Node that take milliseconds to load and that a cache without an L2 never needs: they are
// loaded at their first use. An import statement would make every start of a program pay for them.

type Zlib = typeof import('node:zlib')
type Crypto = typeof import('node:crypto')

let zlibModule: Zlib | undefined
let cryptoModule: Crypto | undefined

export function zlib(): Zlib {
  zlibModule ??= process.getBuiltinModule('node:zlib')
  return zlibModule
}

export function crypto(): Crypto {
  cryptoModule ??= process.getBuiltinModule('node:crypto')
  return cryptoModule
}
