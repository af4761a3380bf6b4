'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {SetupProblem} = require('./problem.cjs');
const {giveToOwner} = require('./owner.cjs');

const pollMs = 100;
const waitLimitMs = 15 * 60 * 1000;

/** Identifies a process even if its PID is reused: by its start time and PID namespace. */
function identify(pid) {
	try {
		// The name in parentheses may contain spaces; the start time is the 20th field after it (proc(5), field 22).
		const startTime = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')[19];
		return {pid, startTime, pidNamespace: fs.readlinkSync('/proc/self/ns/pid')};
	} catch (error) {
		if (error.code !== 'ENOENT' && error.code !== 'ESRCH') {
			throw error;
		}

		// There is no such process, or no procfs (macOS).
		return {pid, startTime: undefined, pidNamespace: undefined};
	}
}

function isAlive(owner) {
	const now = identify(owner.pid);
	if (owner.pidNamespace !== identify(process.pid).pidNamespace) {
		return true; // From another container, whose PIDs mean nothing here: assume that it is alive.
	}

	if (owner.startTime !== undefined) {
		return now.startTime === owner.startTime;
	}

	try {
		process.kill(owner.pid, 0);
		return true;
	} catch (error) {
		return error.code !== 'ESRCH';
	}
}

/** The owner of a lock, or undefined if there is no lock (any more). */
function readOwner(lock) {
	try {
		return JSON.parse(fs.readFileSync(path.join(lock, 'owner.json'), 'utf8'));
	} catch (error) {
		if (error.code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** Takes a lock if it is free. The folder is prepared elsewhere and then renamed, so that a lock never exists without its owner's name; renaming onto a non-empty folder fails. */
function take(lock) {
	const prepared = fs.mkdtempSync(`${lock}-`);
	fs.writeFileSync(path.join(prepared, 'owner.json'), JSON.stringify(identify(process.pid)));
	try {
		fs.renameSync(prepared, lock);
		return true;
	} catch (error) {
		fs.rmSync(prepared, {recursive: true});
		if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST' || error.code === 'EPERM') {
			return false;
		}

		throw error;
	}
}

/** Releases a lock in one step: if its folder were emptied in place, another launcher could rename its own onto the empty folder, which the rest of our removal would then delete. */
function release(lock) {
	const gone = fs.mkdtempSync(`${lock}-`);
	fs.renameSync(lock, gone);
	fs.rmSync(gone, {recursive: true});
}

/** Removes a lock whose owner is dead. Only the holder of a second lock may do so: otherwise two processes that found the same dead owner could remove each other's new lock. */
function removeStale(lock) {
	const breaking = `${lock}.breaking`;
	if (!take(breaking)) {
		const breaker = readOwner(breaking);
		if (breaker !== undefined && !isAlive(breaker)) {
			throw new SetupProblem(`Process ${breaker.pid} died while it removed the lock of another dead process.`, {state: 'Nothing was installed or built.', hint: `rm -r ${breaking}`});
		}

		return;
	}

	try {
		const owner = readOwner(lock);
		if (owner !== undefined && !isAlive(owner)) {
			release(lock);
		}
	} finally {
		release(breaking);
	}
}

function sleep(milliseconds) {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Creates the folder of the lock, and refuses a user who may not write there: everything that a setup does is below the checkout. */
function folderForLock(context) {
	const folder = path.join(context.root, 'dist');
	try {
		fs.mkdirSync(folder, {recursive: true});
		fs.accessSync(folder, fs.constants.W_OK);
	} catch (error) {
		if (error.code !== 'EACCES' && error.code !== 'EROFS') {
			throw error;
		}

		throw new SetupProblem(`This checkout must be set up (it is new, or something changed), but UID ${context.uid} may not write to ${context.root}.`, {
			state: 'Nothing was installed, built or run.', hint: `Set it up as its owner, or copy it: cd ${context.root} && sudo env "PATH=$PATH" npm run build`,
		});
	}

	return folder;
}

/** Does the work while no other launcher of this checkout is working. */
function withLock(context, work, {limitMs = waitLimitMs} = {}) {
	const lock = path.join(folderForLock(context), '.setup-lock');
	const end = Date.now() + limitMs;
	let announced;
	while (!take(lock)) {
		const owner = readOwner(lock);
		if (owner === undefined) {
			continue; // It was released in between.
		}

		if (!isAlive(owner)) {
			context.say(`The setup by process ${owner.pid} did not finish; removing its lock.`);
			removeStale(lock);
			continue;
		}

		if (announced !== owner.pid) {
			context.say(`Process ${owner.pid} is setting up this checkout; waiting for it to finish.`);
			announced = owner.pid;
		}

		if (Date.now() > end) {
			throw new SetupProblem(`Process ${owner.pid} has been setting up this checkout for more than ${limitMs / 1000} s.`, {
				state: 'Nothing was installed or built here.', hint: `rm -r ${lock}     # if that process no longer exists`,
			});
		}

		sleep(pollMs);
	}

	try {
		return work();
	} finally {
		release(lock);
		giveToOwner(['dist'], context);
	}
}

module.exports = {withLock};
