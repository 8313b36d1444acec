// A process that tells a secret on every way there is: whoever searches what processes say must find it.

const key = Uint8Array.from({ length: 32 }, (_, index) => index)

console.log(`the key is ${Buffer.from(key).toString('hex')}`)
console.error('it failed with', key)
process.send?.({ said: Buffer.from(key).toString('base64') })
setInterval(() => {}, 1_000)
