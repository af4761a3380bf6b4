/**
SIGKILL at a random moment of every command that makes namespaces: nothing may be left of it.
*/

import {request} from 'node:http';
import path from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {Tally, wrapOf} from './runs.mjs';
import {isOver, leftoversOf, startRun} from './watch.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The commands, each with what somebody does with it meanwhile. */
const killable = [
	{given: ['run']},
	{given: ['run', '--backend', 'all', '--family', 'both']},
	{given: ['diff', 'release:1.24', 'release:1.31']},
	{given: ['mutate', 'release:1.31', '--sample', '6', '--cases', 'types']},
	{given: ['probe', '--rules', 'release:1.31', '--from', 'app', '--to', '10.244.1.20:8080']},
	{given: ['probe', '--rules', 'release:1.31', '--batch', path.join(root, 'test/fixtures/batch/probes.jsonl')]},
	{given: ['baseline', 'create']},
	{given: ['serve'], use: useServer, usedForMs: 3000},
];

/** What somebody does with the page: requests as the page sends them. */
export const actions = [
	{kind: 'send', question: {kind: 'type', type: '2'}},
	{kind: 'send', question: {kind: 'connection', from: 'app', to: 'remote:8080'}},
	{kind: 'family', family: 'ipv6'},
	{kind: 'rules', rules: {kind: 'generated', input: 'release:1.24'}},
	{kind: 'compare', from: {kind: 'generated', input: 'release:1.24'}, to: {kind: 'generated', input: 'release:1.31'}},
	{kind: 'lesson', name: 'into-the-pod'},
	{kind: 'undo'},
];

/** Asks a server for one action after another until it ends. */
async function useServer(run, random) {
	let said = '';
	run.process.stdout.on('data', text => {
		said += String(text);
	});
	while (!isOver(run)) {
		const url = /Open this page: (?<url>\S+)/u.exec(said)?.groups.url;
		if (url !== undefined) {
			await act(new URL(url), random.pick(actions)); // eslint-disable-line no-await-in-loop -- One after another, as a person does.
		}

		await wait(20); // eslint-disable-line no-await-in-loop
	}
}

/** One request, as the page sends it. What comes back does not matter. */
function act({port, searchParams}, action) {
	return new Promise(resolve => {
		const sent = request({
			host: '127.0.0.1', port, path: '/api/act', method: 'POST', agent: false, headers: {
				host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}`, 'content-type': 'application/json', 'x-testbed-page': 'soak', cookie: `testbed-${port}=${searchParams.get('token')}`,
			},
		}, response => {
			response.resume().once('close', resolve);
		});
		sent.once('error', resolve);
		sent.end(JSON.stringify(action));
	});
}

/** How long each command takes here when it is left alone, in milliseconds: the moments are spread over that, whatever the machine. */
async function durationsOf(task) {
	const durations = new Map();
	for (const {given, usedForMs} of killable) {
		const begun = performance.now();
		const run = await startRun(given, wrapOf(task)); // eslint-disable-line no-await-in-loop -- One after another.
		try {
			if (usedForMs === undefined) {
				await run.process; // eslint-disable-line no-await-in-loop
			} else {
				while (!isOver(run) && run.noteNamespaces() === 0) {
					await wait(15); // eslint-disable-line no-await-in-loop -- It waits for the sandbox.
				}
			}
		} finally {
			await run[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop
		}

		durations.set(given, performance.now() - begun + (usedForMs ?? 0));
	}

	return durations;
}

/** Kills a run after so many milliseconds. */
async function kill({given, use}, afterMs, task) {
	const run = await startRun(given, wrapOf(task));
	try {
		const begun = performance.now();
		const used = use?.(run, task.random);
		while (!isOver(run) && performance.now() - begun < afterMs) {
			run.noteNamespaces();
			await wait(Math.max(1, Math.min(15, afterMs - (performance.now() - begun)))); // eslint-disable-line no-await-in-loop -- The moment of the kill is random on purpose.
		}

		const wasOver = isOver(run);
		run.noteNamespaces();
		run.process.kill('SIGKILL');
		await run.process;
		await used;
		return {wasOver, left: await leftoversOf(run)};
	} finally {
		await run[Symbol.asyncDispose]();
	}
}

/** SIGKILL, so many times. @param {import('./runs.mjs').Task} task @returns {Promise<import('./runs.mjs').PartResult>} */
export async function killedAnywhere(task) {
	const {count, random, say, leftBehind} = task;
	const durations = await durationsOf(task);
	const tally = new Tally();
	const counts = new Map();
	let over = 0;
	for (let index = 0; index < count && !task.isOver(); index++) {
		const command = killable[index % killable.length];
		const after = random.below(Math.ceil(durations.get(command.given)));
		const {wasOver, left} = await kill(command, after, task); // eslint-disable-line no-await-in-loop -- One after another.
		const further = await leftBehind(); // eslint-disable-line no-await-in-loop
		tally.add([...new Set([...left, ...further])].map(one => `\`${command.given.join(' ')}\`, killed after ${after} ms: ${one}`));
		over += wasOver ? 1 : 0;
		const name = command.given[0] + (command.given.includes('--batch') ? ' --batch' : '');
		counts.set(name, (counts.get(name) ?? 0) + 1);
		if ((index + 1) % 20 === 0) {
			say(`${index + 1} of ${count}, ${tally.faults.length} faults`);
		}
	}

	return tally.result({note: `${[...counts].map(([name, times]) => `${name}: ${times}`).join('; ')}; ${over} were over before their moment came`});
}
