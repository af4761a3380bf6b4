/** What git tracks: no file that .gitignore names, and no large one. */

import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {root} from './_setup.js';

const {complaintsAboutTracked} = await import(path.join(root, 'scripts/checks/tracked.mjs')) as {complaintsAboutTracked: (root: string) => string[]};

test('goes red: an ignored file that was added before it was ignored, and a large one', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	mkdirSync(path.join(folder, '.tools'));
	writeFileSync(path.join(folder, '.tools/program'), 'x');
	writeFileSync(path.join(folder, 'large'), 'x'.repeat(1_000_001));
	writeFileSync(path.join(folder, 'untracked'), 'x'.repeat(1_000_001));
	const git = (...given: readonly string[]): void => {
		execFileSync('git', given, {cwd: folder, stdio: 'ignore'});
	};

	git('init', '-q');
	t.deepEqual(complaintsAboutTracked(folder), []);
	git('add', '.tools', 'large');
	writeFileSync(path.join(folder, '.gitignore'), '.tools/\n');
	t.deepEqual(complaintsAboutTracked(folder), [
		'.tools/program is tracked, and .gitignore says that it should not be. Untrack it: git rm --cached .tools/program',
		'large has 1000001 bytes; a tracked file has at most 1000000. Fetch or generate it instead.',
	]);
});
