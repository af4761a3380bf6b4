/** `--output`: a place for the report of `--format`, and further reports, each with its format. */

import test from 'ava';
import {TestbedError} from '../../../../../testbed/errors.js';
import {destinationReader, refuseMixedOutput, wantedReports} from '../../../../../testbed/cli/output/destinations.js';
import {formats} from '../../../../../testbed/cli/parsers.js';

const read = destinationReader(formats);

/** All values of a command line, one after the other, as commander reads them. */
function readAll(values: readonly string[]) {
	let found: ReturnType<typeof read> | undefined;
	for (const value of values) {
		found = read(value, found);
	}

	return found;
}

for (const [values, expected] of [
	[[], [['text', '-']]],
	[['a.txt'], [['text', 'a.txt']]],
	[['junit=a.xml'], [['text', '-'], ['junit', 'a.xml']]],
	[['junit=a.xml', 'a.txt', 'markdown=a.md', 'junit=b.xml'], [['text', 'a.txt'], ['junit', 'a.xml'], ['markdown', 'a.md'], ['junit', 'b.xml']]],
	[['./junit=a.xml'], [['text', './junit=a.xml']]],
	[['json=a=b'], [['text', '-'], ['json', 'a=b']]],
	[['1=2'], [['text', '1=2']]],
] as const) {
	test(`--output ${values.join(' --output ')}`, t => {
		t.deepEqual(wantedReports({output: readAll(values) ?? []}).map(({format, file}) => [format, file]), expected.map(pair => [...pair]));
	});
}

for (const [values, message] of [
	[['junitt=a.xml'], 'before the equals sign, it must be text, json, html, tap, junit, markdown or github. Did you mean junit? For a file with that name: --output ./junitt=a.xml'],
	[['svg=a.svg'], /^before the equals sign, svg draws one connection, but this command has many/u],
	[['=a.xml'], /^before the equals sign, it must be /u],
	[['junit='], /^it names no file \(an unset variable\?\)\. For example: --output junit=report\.txt$/u],
	[['a.txt', 'b.txt'], 'the report of --format already goes to a.txt. For a second report, name its format: --output junit=b.txt'],
] as const) {
	test(`refused: --output ${values.join(' --output ')}`, t => {
		t.throws(() => readAll(values), {message});
	});
}

test('standard output takes one report', t => {
	t.notThrows(() => {
		refuseMixedOutput(wantedReports({output: readAll(['a.txt', 'json=-']) ?? []}));
	});
	t.throws(() => {
		refuseMixedOutput(wantedReports({output: readAll(['json=-']) ?? []}));
	}, {instanceOf: TestbedError, code: 'USAGE', message: 'Two reports would go to standard output: text and json.'});
});
