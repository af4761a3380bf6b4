/**
Fixtures are read relative to the project root, where the tests are started: compiled tests live in `dist/`, fixtures do not.
*/

import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** The text of a file below `test/fixtures`. */
export function readFixture(...names: readonly string[]): string {
	return readFileSync(path.join(process.cwd(), 'test', 'fixtures', ...names), 'utf8');
}

/** The rows of a JSONL file below `test/fixtures`. */
export function readFixtureRows<Row>(...names: readonly string[]): readonly Row[] {
	return readFixture(...names).split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Row);
}
