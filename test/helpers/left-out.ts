/** Tests of what a machine need not have: where a program or a tree of packages is missing, they say so and pass; in CI, where all of it must be, they fail. */

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';
import {load, root} from '../unit/scripts/_setup.js';

/** The Envoy that tests use: the one that the variable ENVOY names, otherwise the pinned one. */
export const envoyForTests = process.env['ENVOY'] ?? load('envoy').envoyFile(root);

/** What a test needs beyond what `npm test` brings: a program of a Debian package, one of the trees of npm packages, Envoy, the schemas of CI files, or a place in the network that the test has asked already. */
export type Needed = {readonly place: string} | {readonly program: 'ruby' | 'shellcheck' | 'tshark' | 'chromium' | 'zsh' | 'fish' | 'mandoc' | 'newuidmap' | 'nc'} | {readonly tree: 'lint' | 'examples' | 'kubernetes'} | {readonly pinned: 'Envoy' | 'schemas of CI files'};

/** The machine as the decision sees it, so that a test of the decision can give another. */
export type Machine = {readonly env: Readonly<Record<string, string | undefined>>; readonly has: (needed: Needed) => boolean};

function has(needed: Needed): boolean {
	if ('pinned' in needed) {
		return needed.pinned === 'Envoy' ? fs.existsSync(envoyForTests) : load('ci-schemas').schemasStand({root});
	}

	if ('place' in needed) {
		return false;
	}

	if ('tree' in needed) {
		return load('packages').packagesStand(needed.tree, load('launch').contextOfProcess());
	}

	return (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean).some(folder => fs.existsSync(path.join(folder, needed.program)));
}

function nameOf(needed: Needed): string {
	if ('place' in needed) {
		return needed.place;
	}

	if ('pinned' in needed) {
		return needed.pinned;
	}

	return 'tree' in needed ? `the npm packages of ${load('trees').trees[needed.tree]!.folder}` : needed.program;
}

const thisMachine: Machine = {env: process.env, has};

/**
Whether the rest of a test is to be left out, for what it needs is not here. Then the test has its result already: it says what was not tried, or in CI it has failed.
*/
export function isLeftOut(t: ExecutionContext, needed: Needed, machine: Machine = thisMachine): boolean {
	if (machine.has(needed)) {
		return false;
	}

	const what = nameOf(needed);
	if (machine.env['CI'] === 'true') {
		t.fail(`Not there: ${what}. In CI nothing is left out. Install it first: npm run ci-tools`);
	} else {
		t.log(`Not tried here: it needs ${what}. To try it: npm run ci-tools`);
		t.pass();
	}

	return true;
}
