/**
Every JSON document that the testbed prints or takes, as JSON Schema: what `npm run schemas` writes into schemas/.
*/

import {jsonSchemaOf, type JsonSchema} from '../parsing/json-schema.js';
import {baselineSchema} from '../baseline/schema.js';
import {scenarioSchema} from '../scenario/file/schema.js';
import {diffSchema} from './comparison/schema.js';
import {batchAnswerSchema, probeSchema} from './probe/schema.js';
import {runSchema} from './run/schema.js';

/** The JSON Schemas by the name of their file, without `.schema.json`. */
export function documentSchemas(): Readonly<Record<string, JsonSchema>> {
	return {
		baseline: jsonSchemaOf(baselineSchema, {title: 'A baseline of the netfilter testbed', about: 'What testbed record writes and testbed verify reads.'}),
		'batch-answer': jsonSchemaOf(batchAnswerSchema, {title: 'An answer of the netfilter testbed to one probe of a batch', about: 'One line of what testbed probe --batch prints.'}),
		diff: jsonSchemaOf(diffSchema, {title: 'A comparison of the netfilter testbed', about: 'What testbed diff --format json prints.'}),
		probe: jsonSchemaOf(probeSchema, {title: 'An answer of the netfilter testbed', about: 'What testbed probe --format json prints.'}),
		run: jsonSchemaOf(runSchema, {title: 'A report of the netfilter testbed', about: 'What testbed run --format json and testbed replay --format json print: one run, or many.'}),
		scenario: scenarioSchema(),
	};
}

/** A JSON Schema as the text of its file. */
export function printJsonSchema(schema: JsonSchema): string {
	return `${JSON.stringify(schema, undefined, '\t')}\n`;
}
