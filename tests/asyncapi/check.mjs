// Parses the document given as argument; prints every diagnosis as JSON and exits 1 where there is an error.
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'))
const errors = diagnostics.filter(one => one.severity === 0)
console.log(JSON.stringify(diagnostics.map(one => ({ severity: one.severity, message: one.message, path: one.path })), null, 1))
process.exit(document === undefined || errors.length > 0 ? 1 : 0)
