/** Where a recording is written, and that an unfinished run does not damage an existing file. */

import {
	existsSync, mkdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {TestbedError} from '../../../../testbed/errors.js';
import {judgeEvidence} from '../../../../testbed/run/report.js';
import {Recorder} from '../../../../testbed/recording/recorder.js';
import {replay} from '../../../../testbed/recording/replay.js';
import {evidenceOf} from '../../../helpers/run-recordings.js';

const evidence = evidenceOf('run-1-iptables-nft');
const report = judgeEvidence(evidence);

test('what was noted is written, of one run and of many, those that never were among them', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'run');
	const recorder = Recorder.create(file);
	t.false(existsSync(file));
	recorder.note(report, evidence);
	await recorder.writeRun(report);
	t.deepEqual(replay(readFileSync(file), file), {what: 'run', report});

	const {rules: {source, release, backend}} = report;
	const entries = [
		{kind: 'rejected', source: 'a', release: null, backend, reason: 'The kernel said no.'},
		{kind: 'inconclusive', source: 'a', release: null, backend: 'iptables-legacy', reason: 'There is no such back end here.'},
		{
			kind: 'report', source, release, backend, report,
		},
	] as const;
	await recorder.writeRuns({entries, durationMs: 5});
	t.deepEqual(replay(readFileSync(file), file), {what: 'runs', runs: {entries, durationMs: 5}});
	await cleanup();
});

test('a file that is there stays as it is until there is something to put in its place', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'run');
	writeFileSync(file, 'before');
	Recorder.create(file);
	t.is(readFileSync(file, 'utf8'), 'before');
	await cleanup();
});

test('a file that cannot be written is named before anything is run; one that can no longer be, after it', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	for (const bad of [folder, path.join(folder, 'not-there', 'run')]) {
		const error = t.throws(() => Recorder.create(bad), {instanceOf: TestbedError, code: 'INPUT'});
		t.true(error.message.startsWith(`The recording cannot be written to ${bad}: `), error.message);
		t.is(error.state, 'Nothing was run.');
	}

	const file = path.join(folder, 'run');
	const recorder = Recorder.create(file);
	recorder.note(report, evidence);
	mkdirSync(file);
	const error = await t.throwsAsync(recorder.writeRun(report), {instanceOf: TestbedError, code: 'INPUT'});
	t.is(error.state, 'The run itself is complete, and its report is printed.');
	rmSync(file, {recursive: true});
	await cleanup();
});

test('a report whose evidence nobody noted is a bug', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const recorder = Recorder.create(path.join(folder, 'run'));
	await t.throwsAsync(recorder.writeRun(report), {instanceOf: RangeError, message: 'there is no evidence for this report'});
	await cleanup();
});
