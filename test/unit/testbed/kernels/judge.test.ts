/** What a guest's job says about a kernel: nothing passes without results of the kernel that was asked for. */

import test from 'ava';
import {TestbedError} from '../../../../testbed/errors.js';
import {judgeGuest, tallyFor} from '../../../../testbed/kernels/judge.js';
import type {JobResult} from '../../../../testbed/kernels/job.js';
import type {Booted} from '../../../../testbed/kernels/qemu.js';
import {exitStatusOfKernels, outcomeOfKernel} from '../../../../src/report/kernels/types.js';

const kernel = {series: '6.1', name: 'linux-image-6.1.0-57-cloud-amd64', version: '6.1.192-3', release: '6.1.0-57-cloud-amd64'};
const booted: Booted = {upMs: 3000, durationMs: 20_000, lines: ['guest: up after 2.5 s, Linux 6.1.0-57-cloud-amd64', 'guest: testbed'], end: {exitCode: 0, signal: null, text: '', isOverTime: false}};
const job: JobResult = {
	release: kernel.release, exitStatus: 0, tally: {passed: 18, failed: 0, inconclusive: 0}, output: '18 passed\n', errors: '', lacks: [],
};
const judge = (given: Partial<JobResult>, guest: Partial<Booted> = {}) => judgeGuest({
	series: '6.1', kernel, booted: {...booted, ...guest}, job: {...job, ...given}, limitMs: 600_000,
});

test('all passed', t => {
	const result = judge({});
	t.is(outcomeOfKernel(result), 'passed');
	t.deepEqual(result.reasons, []);
	t.is(exitStatusOfKernels({kernels: [result]}), 0);
});

const nothing: Partial<JobResult> = {release: null, exitStatus: null, tally: null, output: ''};
for (const [title, given, guest, reason] of [
	['a kernel that panics', nothing, {upMs: null, lines: ['Kernel panic - not syncing: VFS: Unable to mount root fs', '---[ end ]']}, 'The guest powered off before it had booted. The last that it printed: Kernel panic - not syncing: VFS: Unable to mount root fs'],
	['a guest without its disk', nothing, {upMs: null, lines: ['guest: no disks', '']}, 'The guest powered off before it had booted. The last that it printed: guest: no disks'],
	['a kernel that hangs', nothing, {upMs: null, lines: [], end: {exitCode: null, signal: 'SIGKILL', text: '', isOverTime: true}}, 'The guest did not boot within 600 s and was ended.'],
	['a command that hangs', nothing, {end: {exitCode: null, signal: 'SIGKILL', text: '', isOverTime: true}}, 'The guest booted, but did not finish within 600 s and was ended. The last that it printed: guest: testbed'],
	['a guest that hangs after its results', {}, {end: {exitCode: null, signal: 'SIGKILL', text: '', isOverTime: true}}, 'The guest booted, but did not finish within 600 s and was ended. The last that it printed: guest: testbed'],
	['QEMU that fails', nothing, {upMs: null, lines: [], end: {exitCode: 1, signal: null, text: 'qemu-system-x86_64: cannot set up guest memory\n', isOverTime: false}}, 'QEMU ended with status 1: qemu-system-x86_64: cannot set up guest memory'],
	['QEMU that is killed', {}, {end: {exitCode: null, signal: 'SIGKILL', text: '', isOverTime: false}}, 'QEMU was ended by SIGKILL'],
	['a guest that left no status', {exitStatus: null}, {}, 'The guest ended before its command did. The last that it printed: guest: testbed'],
	['another kernel', {release: '6.18.44'}, {}, 'The guest ran kernel 6.18.44 instead of 6.1.0-57-cloud-amd64.'],
] as ReadonlyArray<readonly [string, Partial<JobResult>, Partial<Booted>, string]>) {
	test(`${title} is inconclusive`, t => {
		const result = judge(given, guest);
		t.is(outcomeOfKernel(result), 'inconclusive');
		t.deepEqual(result.tally, {passed: 0, failed: 0, inconclusive: 1});
		t.deepEqual(result.reasons, [reason]);
		t.is(exitStatusOfKernels({kernels: [judge({}), result]}), 3);
	});
}

test('a failure on one kernel is status 1, whatever else is unknown', t => {
	const failed = judge({exitStatus: 1, tally: {passed: 17, failed: 1, inconclusive: 0}, output: '\n17 passed, 1 failed, 0 inconclusive\n'});
	t.is(outcomeOfKernel(failed), 'failed');
	t.deepEqual(failed.reasons, ['The command ended with status 1: 17 passed, 1 failed, 0 inconclusive']);
	t.is(exitStatusOfKernels({kernels: [failed, judge(nothing)]}), 1);
});

test('an error of the command is its reason, without progress', t => {
	const result = judge({exitStatus: 4, tally: null, output: '', errors: 'testbed: sending …\ntestbed: No rules.\n→ Load them.\n'});
	t.deepEqual(result.reasons, ['The command ended with status 4: No rules. → Load them.']);
	t.is(outcomeOfKernel(result), 'inconclusive');
});

test('a command that is refused is an error of the command line', t => {
	const error = t.throws(() => judge({exitStatus: 2, tally: null, errors: 'testbed: There is no file my.rules.\n'}), {instanceOf: TestbedError});
	t.is(error.code, 'USAGE');
	t.is(error.message, 'The command was refused in the guest: There is no file my.rules.');
});

test('a tally is never better than the exit status', t => {
	const all = {passed: 18, failed: 0, inconclusive: 0};
	t.deepEqual(tallyFor(0, all), all);
	t.deepEqual(tallyFor(1, all), {...all, failed: 1});
	t.deepEqual(tallyFor(3, all), {...all, inconclusive: 1});
	t.deepEqual(tallyFor(4, all), {...all, inconclusive: 1});
	t.deepEqual(tallyFor(0, null), {passed: 1, failed: 0, inconclusive: 0});
	t.deepEqual(tallyFor(1, null), {passed: 0, failed: 1, inconclusive: 0});
	t.deepEqual(tallyFor(137, null), {passed: 0, failed: 0, inconclusive: 1});
	// A status of 0 hides no failure in the report.
	t.is(outcomeOfKernel(judge({tally: {passed: 17, failed: 1, inconclusive: 0}})), 'failed');
	t.is(outcomeOfKernel(judge({tally: {passed: 0, failed: 0, inconclusive: 0}})), 'inconclusive');
});
