/** What the campaign says about runs with a full table of connections, by what a guest left. */

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

type Result = {readonly tried: number; readonly survived: number; readonly faults: readonly string[]; readonly note: string};

const {judgeRuns, scriptFor} = await import(path.join(root, 'scripts/soak/conntrack.mjs')) as {
	judgeRuns: (folder: string, chosen: readonly number[]) => Result; scriptFor: (chosen: readonly number[]) => string;
};

const report = (path: readonly string[]): string => JSON.stringify({types: [{id: '1', family: 'ipv4', outcome: 'pass', stops: ['app'], path}]});
const full = '[   12.3] nf_conntrack: nf_conntrack: table full in netns 4026532300, dropping packet\n';

/** What a guest leaves: a status, a report, the size that was set, and the kernel's log, for each run. */
function judge(runs: ReadonlyArray<readonly [status: number | undefined, stdout: string, size: number, kernel: string]>, first = 0): Result {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'testbed-conntrack-'));
	try {
		for (const [name, text] of [['reference.status', `${first}\n`], ['reference.json', report(['a'])]] as const) {
			writeFileSync(path.join(folder, name), text);
		}

		for (const [index, [status, stdout, size, kernel]] of runs.entries()) {
			for (const [end, text] of [['status', status === undefined ? '' : `${status}\n`], ['json', stdout], ['size', `${size}\n`], ['kernel', kernel]] as const) {
				writeFileSync(path.join(folder, `${index}.${end}`), text);
			}
		}

		return judgeRuns(folder, [1, 2].slice(0, runs.length));
	} finally {
		rmSync(folder, {recursive: true});
	}
}

test('inconclusive with a full table, and the same result, are no faults', t => {
	const {tried, survived, faults, note} = judge([[3, '', 1, full], [0, report(['a']), 2, '']]);
	t.deepEqual([tried, survived, faults], [2, 2, []]);
	t.is(note, '1 connections at most: status 3, the table was full; 2 connections at most: status 0');
});

for (const [title, runs, fault] of [
	['a pass with another path', [[3, '', 1, full], [0, report(['b']), 2, full]], '2 connections at most: it passed with another result.'],
	['tables that were never full', [[0, report(['a']), 1, ''], [0, report(['a']), 2, '']], 'no table was ever full'],
	['a run that the guest did not come to', [[3, '', 1, full], [undefined, '', 2, '']], '2 connections at most: the guest did not try it'],
	['a size that could not be set', [[3, '', 262_144, full]], '1 connections at most: the guest did not try it'],
	['a usage error', [[3, '', 1, full], [2, '', 2, full]], '2 connections at most: it ended with status 2: '],
] as const) {
	test(`goes red: ${title}`, t => {
		t.deepEqual(judge(runs).faults, [fault]);
	});
}

test('a guest in which a run that is left alone does not pass shows nothing', t => {
	t.throws(() => judge([[3, '', 1, full]], 3), {message: /do not pass in the guest \(status 3\)/u});
});

test('the size is set back after each run, so that the next one begins as the first', t => {
	const lines = scriptFor([1, 2]).trim().split('\n');
	t.is(lines.filter(line => line.includes('echo "$normal" >/proc/sys/net/netfilter/nf_conntrack_max')).length, 2);
	t.true(lines.findIndex(line => line.includes('>/out/reference.status')) < lines.findIndex(line => line.includes('echo 1 >')));
});
