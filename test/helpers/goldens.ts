/**
Texts that a test compares with a file of `test/goldens`. To write them again, from the project's root: `UPDATE_GOLDENS=1 npx ava dist/test/unit/report`; then read the difference with git. In CI they are only compared.
*/

import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';

/** Compares with a golden, or writes it when that was asked for. */
export function compareWithGolden(t: ExecutionContext, name: string, text: string): void {
	const file = path.join(process.cwd(), 'test', 'goldens', name);
	if (process.env['UPDATE_GOLDENS'] === '1') {
		if (process.env['CI'] !== undefined) {
			throw new Error('UPDATE_GOLDENS is set in CI, where goldens are compared and never written');
		}

		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, text);
	}

	t.true(existsSync(file), `${file} is not there; UPDATE_GOLDENS=1 writes it`);
	t.is(text, existsSync(file) ? readFileSync(file, 'utf8') : '', `${file} differs; UPDATE_GOLDENS=1 writes it anew`);
}
