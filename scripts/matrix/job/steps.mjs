import fs from 'node:fs';
import path from 'node:path';
import {runToFiles, textOf} from './commands.mjs';

/** All back ends. A copy of `backends` in src/netfilter/types.ts, because the job also tests commits that are built differently; a unit test compares the two. */
export const backends = ['iptables-nft', 'iptables-legacy', 'nftables'];

/** The number of results of `run --backend all --family both`: the six types × back ends × families. */
const checksOfAll = 6 * backends.length * 2;

/** Unit tests that depend on Node itself or on a program of the machine, and of parsers that a newer Node could affect. */
const unitFiles = ['test/unit/scripts/launch.test.ts', 'test/unit/scripts/machine.test.ts', 'test/unit/testbed/errors.test.ts', 'test/unit/testbed/recording/file.test.ts', 'test/unit/testbed/recording/replay.test.ts'];

/** Kernel tests that depend on the distribution's own programs: how they write rules, take locks, and change users. */
const kernelFiles = ['six-types', 'install', 'ambient', 'nft-text', 'replay', 'import', 'sandbox', 'doctor', 'probe'];

/** The most informative line of a log, as a reason in a table: what npm misses in a lockfile, else the last line about an error, else the last line. */
export function lastWords(text, limit = 200) {
	const lines = text.split('\n').map(line => line.trim().replace(/^npm (?:ERR!|error) ?/, '')).filter(line => line !== '' && !/^(?:npm |A complete log)/.test(line));
	const words = (lines.find(line => /Missing: .* from lock ?file/.test(line)) ?? lines.findLast(line => /error|fail|cannot|could not|missing|disabled|too old|✖|✘/i.test(line)) ?? lines.at(-1) ?? 'it printed nothing').replaceAll(/\s+/g, ' ');
	return words.length > limit ? `${words.slice(0, limit - 1)}…` : words;
}

/** The titles of the tests that ava's default reporter prints as failed. */
export function failedTitles(text) {
	return [...new Set([...text.matchAll(/^\s*✘ \[fail]: (.+?)(?: \(?\d[\d.]*m?s\)?)?(?: Error.*)?$/gm)].map(match => match[1]))];
}

/**
Judges ava's statistics and log: all tests must have passed.

@param {{ended: boolean, stats?: Record<string, number>} | undefined} result What the checkout's ava.config.js wrote to its result file.
*/
export function judgeTests(result, {status, ending}, log) {
	const {stats, ended} = result ?? {ended: false};
	if (stats === undefined) {
		return {ok: false, reason: `no test ran (${ending}): ${lastWords(log)}`};
	}

	const bad = stats.failedTests + stats.remainingTests + stats.uncaughtExceptions + stats.unhandledRejections + stats.failedHooks;
	const notTried = stats.skippedTests + stats.todoTests;
	const counts = `${stats.passedTests} passed, ${bad} failed${notTried === 0 ? '' : `, ${notTried} not tried`}`;
	if (status === 0 && ended && bad === 0 && stats.passedTests > 0) {
		return {ok: true, reason: counts};
	}

	const titles = failedTitles(log);
	return {ok: false, reason: `${counts} (${ending})${titles.length === 0 ? '' : `: ${titles.join('; ')}`}`};
}

/** Judges the JSON report of the six types on all back ends and families. */
export function judgeTypes(text, {status, ending}, log, expected = checksOfAll) {
	let summary;
	try {
		({summary} = JSON.parse(text));
	} catch {
		return {ok: false, reason: `no report (${ending}): ${lastWords(log)}`};
	}

	const {passed, failed, inconclusive} = summary;
	const counts = `${passed} passed, ${failed} failed, ${inconclusive} inconclusive`;
	return {ok: status === 0 && passed === expected && failed === 0 && inconclusive === 0, reason: status === 0 ? counts : `${counts} (${ending}): ${lastWords(log)}`};
}

/**
Judges the report of all back ends on a machine without the legacy tables: that back end must be inconclusive, with the command that fixes it, and the two others must be reported.

A back end that could not be tried has a sentence under `inconclusive` instead of types.
*/
export function judgeLacking(text, {status, ending}, log) {
	let runs;
	try {
		({runs} = JSON.parse(text));
	} catch {
		return {ok: false, reason: `no report (${ending}): ${lastWords(log)}`};
	}

	const outcomes = Object.fromEntries(runs.map(({rules, types}) => [rules.backend, types === undefined ? 'inconclusive' : [...new Set(types.map(({outcome}) => outcome))].join('+')]));
	const reason = runs.find(({rules}) => rules.backend === 'iptables-legacy')?.inconclusive ?? '';
	const wanted = {'iptables-nft': 'pass', 'iptables-legacy': 'inconclusive', nftables: 'pass'};
	return {
		ok: status === 3 && /modprobe iptable_/.test(reason) && Object.entries(wanted).every(([backend, outcome]) => outcomes[backend] === outcome),
		reason: `${Object.entries(outcomes).map(([backend, outcome]) => `${backend} ${outcome || 'nothing'}`).join(', ')} (${ending})`,
	};
}

/** The number of packages in a node_modules folder, and their size in megabytes (10^6 bytes). */
export function measurePackages(checkout) {
	const folder = path.join(checkout, 'node_modules');
	if (!fs.existsSync(folder)) {
		return {packages: 0, megabytes: 0};
	}

	let packages = 0;
	let bytes = 0;
	const seen = new Set();
	const walk = at => {
		for (const entry of fs.readdirSync(at, {withFileTypes: true})) {
			const file = path.join(at, entry.name);
			if (entry.isDirectory()) {
				walk(file);
				continue;
			}

			const {size, ino} = fs.lstatSync(file);
			bytes += seen.has(ino) ? 0 : size;
			seen.add(ino);
		}
	};

	walk(folder);
	const lockfile = path.join(folder, '.package-lock.json');
	if (fs.existsSync(lockfile)) {
		packages = Object.keys(JSON.parse(fs.readFileSync(lockfile, 'utf8')).packages).length;
	}

	return {packages, megabytes: Math.round(bytes / 1e5) / 10};
}

const allPassed = ({status, ending}, log) => ({ok: status === 0, reason: status === 0 ? 'ended with 0' : `${ending}: ${lastWords(log)}`});

/**
The steps, by name. Each gets the job and returns `{ok, reason}`, with the reason in one line.

The job: `{checkout, out, source, batch, recordings, testbed(given) → the command, run(name, command, env) → {status, ending, stdout, log}}`.
*/
export const steps = {
	/** A fresh clone and the first command of the README, timed from the clone to the first answers. */
	async first(job) {
		const started = performance.now();
		const clone = await job.run('clone', ['git', 'clone', '--quiet', job.source, job.checkout], {}, '/');
		if (clone.status !== 0) {
			return {ok: false, reason: `git clone ended with ${clone.ending}: ${lastWords(clone.log)}`};
		}

		const ended = await job.run('first', ['npm', 'run', 'testbed']);
		const seconds = (performance.now() - started) / 1000;
		const judged = allPassed(ended, ended.log + ended.stdout);
		return judged.ok ? {...judged, figures: {...measurePackages(job.checkout), seconds: Math.round(seconds * 10) / 10}} : judged;
	},

	/** The same with a Node that is too old: refused with our own message and a fix. */
	async refused(job) {
		const clone = await job.run('clone', ['git', 'clone', '--quiet', job.source, job.checkout], {}, '/');
		if (clone.status !== 0) {
			return {ok: false, reason: `git clone ended with ${clone.ending}: ${lastWords(clone.log)}`};
		}

		const {status, ending, log} = await job.run('refused', ['npm', 'run', 'testbed']);
		const ok = status === 4 && /too old/.test(log) && /^ {2}Do: {2}\S/m.test(log);
		return {ok, reason: ok ? `refused: ${/testbed: (.*too old[^.:]*)/.exec(log)?.[1] ?? 'too old'}` : `${ending}: ${lastWords(log)}`};
	},

	async doctor(job) {
		const ended = await job.run('doctor', job.testbed(['doctor']));
		return allPassed(ended, ended.log + ended.stdout);
	},

	async types(job) {
		const ended = await job.run('types', job.testbed(['run', '--backend', 'all', '--family', 'both', '--format', 'json']));
		return judgeTypes(ended.stdout, ended, ended.log);
	},

	/** Without the legacy tables: that back end must be inconclusive, the two others reported. */
	async lacking(job) {
		const ended = await job.run('lacking', job.testbed(['run', '--backend', 'all', '--family', 'both', '--format', 'json']));
		return judgeLacking(ended.stdout, ended, ended.log);
	},

	/** The batch on every back end. The caller of the job compares the answers with those of another machine. */
	async batch(job) {
		const asked = textOf(job.batch).split('\n').filter(line => line.trim() !== '').length;
		const problems = asked === 0 ? [`no probes in ${job.batch}`] : [];
		for (const backend of backends) {
			// eslint-disable-next-line no-await-in-loop -- One after the other, as a user would do it; they share the machine's two cores.
			const {status, ending, stdout, log} = await job.run(`answers-${backend}`, job.testbed(['probe', '--batch', job.batch, '--follow', '--backend', backend]));
			const answered = stdout.split('\n').filter(line => line !== '').length;
			if (![0, 3].includes(status) || answered !== asked) {
				problems.push(`${backend}: ${answered} of ${asked} answers (${ending}): ${lastWords(log)}`);
			}
		}

		return {ok: problems.length === 0, reason: problems.length === 0 ? `${asked} probes on each back end` : problems.join('; ')};
	},

	async diff(job) {
		const ended = await job.run('diff', job.testbed(['diff', 'release:1.24', 'release:1.30']));
		return allPassed(ended, ended.log + ended.stdout);
	},

	async replay(job) {
		const folder = path.join(job.checkout, 'test/recordings');
		const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter(name => name.endsWith('.testbed')) : [];
		const problems = files.length === 0 ? ['no recordings'] : [];
		for (const file of files) {
			// eslint-disable-next-line no-await-in-loop -- Few, and the first failure is what matters.
			const {status, ending, log} = await job.run('replay', job.testbed(['replay', path.join('test/recordings', file)]));
			if (status !== 0) {
				problems.push(`${file}: ${ending}: ${lastWords(log)}`);
			}
		}

		return {ok: problems.length === 0, reason: problems.length === 0 ? `${files.length} recordings` : problems.join('; ')};
	},

	unit: job => tests(job, 'unit', unitFiles),
	kernel: job => tests(job, 'kernel', kernelFiles.map(name => `test/kernel/${name}.test.ts`)),

	/** The second command of the README, completely. */
	test: job => tests(job, 'test', []),

	/** The six types alone, as tests. */
	sixTypes: job => tests(job, 'sixTypes', ['test/kernel/six-types.test.ts']),
};

async function tests(job, name, files) {
	const absent = files.filter(file => !fs.existsSync(path.join(job.checkout, file)));
	if (absent.length > 0) {
		return {ok: false, reason: `not in this checkout: ${absent.join(', ')}`};
	}

	const result = path.join(job.out, `${name}-ava.json`);
	const ended = await job.run(name, files.length === 0 ? ['npm', 'test'] : ['npm', 'test', '--', ...files], {TESTBED_AVA_RESULT: result});
	return judgeTests(fs.existsSync(result) ? JSON.parse(textOf(result)) : undefined, ended, ended.stdout + ended.log);
}

/** Runs one command of a job, with its output in files in the job's folder. */
export async function runStep({out, env}, name, command, {extra = {}, cwd}) {
	const stdout = path.join(out, `${name}.out`);
	const stderr = path.join(out, `${name}.log`);
	const {status, ending, seconds} = await runToFiles(command, {cwd, env: {...env, ...extra}, stdout, stderr});
	return {status, ending, seconds, stdout: textOf(stdout), log: textOf(stderr)};
}
