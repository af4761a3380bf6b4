/**
Every JSON document that the testbed prints or reads, as JSON Schema. `npm run schemas` writes them to schemas/.
*/

import {jsonSchemaOf, type JsonSchema} from '../parsing/json-schema.js';
import {baselineSchema} from '../baseline/schema.js';
import {lessonJsonSchema} from '../lessons/schema.js';
import {scenarioSchema, type ScenarioMesh} from '../scenario/file/schema.js';
import {shardLineSchema, shardTimesSchema} from '../sharding/schema.js';
import {probeInputSchema} from '../scenario/probe-input-schema.js';
import {bugReportSchema} from './bug-report-schema.js';
import {diffSchema} from './comparison/schema.js';
import {coverageSchema} from './coverage/schema.js';
import {doctorSchema} from './doctor-schema.js';
import {kernelsSchema} from './kernels/schema.js';
import {mutationSchema} from './mutation/schema.js';
import {batchAnswerSchema, probeSchema} from './probe/schema.js';
import {rulesDiffSchema, rulesSchema} from './rules/schema.js';
import {runSchema} from './run/schema.js';
import {verificationSchema} from './verification/schema.js';

/** The JSON Schemas by file name without `.schema.json`. Scenarios can use the given meshes. */
export function documentSchemas(meshes: readonly ScenarioMesh[]): Readonly<Record<string, JsonSchema>> {
	return {
		baseline: jsonSchemaOf(baselineSchema, {title: 'A baseline of the netfilter testbed', about: 'What testbed baseline create writes and testbed baseline check reads.'}),
		'batch-answer': jsonSchemaOf(batchAnswerSchema, {title: 'The testbed\'s answer to one probe of a batch', about: 'One line of what testbed probe --batch prints.'}),
		'batch-question': jsonSchemaOf(probeInputSchema(), {title: 'A probe for the netfilter testbed', about: 'One line of what testbed probe --batch reads.'}),
		'bug-report': jsonSchemaOf(bugReportSchema, {title: 'What a bug report about the netfilter testbed needs to say', about: 'What testbed report writes.'}),
		coverage: jsonSchemaOf(coverageSchema, {title: 'Rule coverage by the netfilter testbed', about: 'What testbed coverage --format json prints.'}),
		diff: jsonSchemaOf(diffSchema, {title: 'A comparison of the netfilter testbed', about: 'What testbed diff --format json prints.'}),
		doctor: jsonSchemaOf(doctorSchema, {title: 'What works on a machine, by the doctor of the netfilter testbed', about: 'What testbed doctor --format json prints.'}),
		kernels: jsonSchemaOf(kernelsSchema, {title: 'What a command of the netfilter testbed said on several kernels', about: 'What testbed kernels --format json prints.'}),
		lesson: lessonJsonSchema(),
		mutation: jsonSchemaOf(mutationSchema, {title: 'Results for the mutants of a rule set by the netfilter testbed', about: 'What testbed mutate --format json prints.'}),
		probe: jsonSchemaOf(probeSchema, {title: 'The testbed\'s answer to a probe', about: 'What testbed probe --format json prints.'}),
		rules: jsonSchemaOf(rulesSchema, {title: 'A rule set of the netfilter testbed', about: 'What testbed rules --format json prints.'}),
		'rules-diff': jsonSchemaOf(rulesDiffSchema, {title: 'The difference of two rule sets of the netfilter testbed', about: 'What testbed rules --diff --format json prints.'}),
		run: jsonSchemaOf(runSchema, {title: 'A report of the netfilter testbed', about: 'What testbed run --format json and testbed replay --format json print: one run, or many.'}),
		scenario: scenarioSchema(meshes),
		shard: jsonSchemaOf(shardLineSchema, {title: 'A line in the file of a shard of the netfilter testbed', about: 'The file is gzipped JSON lines: a header, the plan, a line for each piece, and the checksum of all lines before it. testbed run, diff, mutate and probe --batch write it with --shard-output; testbed merge reads it.'}),
		'shard-times': jsonSchemaOf(shardTimesSchema, {title: 'Times of pieces of work, by the netfilter testbed', about: 'What testbed merge --times writes and --shard-times reads.'}),
		verification: jsonSchemaOf(verificationSchema, {title: 'A baseline check by the netfilter testbed', about: 'What testbed baseline check --format json prints.'}),
	};
}

/** A JSON Schema as the text of its file. */
export function printJsonSchema(schema: JsonSchema): string {
	return `${JSON.stringify(schema, undefined, '\t')}\n`;
}
