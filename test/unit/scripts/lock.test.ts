import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {isolated, load, root, writeTree, type Problem} from './_setup.js';

const {withLock} = load('lock');
const lockOf = (folder: string) => path.join(folder, 'dist/.setup-lock');

/** A process that takes the lock, says so, and keeps it until its stdin ends. */
const holder = (folder: string) => `
	const fs = require('node:fs');
	const {withLock} = require(${JSON.stringify(path.join(root, 'scripts/setup/lock.cjs'))});
	withLock({root: ${JSON.stringify(folder)}, uid: 1000, say() {}}, () => {
		fs.writeSync(1, 'held\\n');
		fs.readSync(0, Buffer.alloc(1));
	});
`;

async function hold(folder: string) {
	const child = spawn(process.execPath, ['-e', holder(folder)], {stdio: ['pipe', 'pipe', 'inherit']});
	const ended = once(child, 'close');
	await once(child.stdout, 'data'); // It says one thing only.
	return {child, ended};
}

test('returns the result of the work, and leaves nothing', async t => {
	await using context = await isolated();
	t.is(withLock(context, () => 7), 7);
	t.deepEqual(fs.readdirSync(path.join(context.root, 'dist')), []);
});

test('is released when the work throws', async t => {
	await using context = await isolated();
	t.throws(() => {
		withLock(context, () => {
			throw new Error('no');
		});
	}, {message: 'no'});
	t.false(fs.existsSync(lockOf(context.root)));
});

test('a living owner is waited for, and named, within a limit', async t => {
	await using context = await isolated();
	const {child, ended} = await hold(context.root);
	const problem = t.throws<Problem>(() => withLock(context, () => 'never', {limitMs: 300}));
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes(String(child.pid)));
	t.deepEqual(context.said, [`Process ${child.pid} is setting up this checkout; waiting for it to finish.`]);
	child.stdin.end('x');
	await ended;
	t.is(withLock(context, () => 'now', {limitMs: 5000}), 'now');
});

test('a killed owner\'s lock is removed', async t => {
	await using context = await isolated();
	const {child, ended} = await hold(context.root);
	child.kill('SIGKILL');
	await ended;
	t.true(fs.existsSync(lockOf(context.root)));
	t.is(withLock(context, () => 'taken', {limitMs: 5000}), 'taken');
	t.true(context.said.join('').includes('removing its lock'));
});

test('a reused PID is not taken for the owner', async t => {
	await using context = await isolated();
	const pidNamespace = fs.readlinkSync('/proc/self/ns/pid');
	writeTree(lockOf(context.root), {'owner.json': JSON.stringify({pid: process.pid, startTime: '1', pidNamespace})});
	t.is(withLock(context, () => 'taken', {limitMs: 5000}), 'taken');
});

test('an owner in another container is assumed to be alive', async t => {
	await using context = await isolated();
	writeTree(lockOf(context.root), {'owner.json': JSON.stringify({pid: 999_999_999, startTime: '1', pidNamespace: 'pid:[1]'})});
	const problem = t.throws<Problem>(() => withLock(context, () => 'never', {limitMs: 100}));
	t.true(problem.hint.startsWith(`rm -r ${lockOf(context.root)}`));
});
