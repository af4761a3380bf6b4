/**
`npm run bench`: the whole command against the parts that it cannot do without, in one run, as ratios. The machines are noisy, so nothing here asserts a time; each figure is the median of several rounds, and each round measures everything once, so that a slow minute is slow for all.

Learned (2 cores, Node 20.20, Linux 6.18; whole 0.39 to 0.49 s, ratio 1.62 to 1.65 from run to run):
- The run is bound by processor time, not by waiting: seven or eight Nodes at some 65 ms each on two cores. All actors at once, forked before anything else is loaded, beat two at a time.
- Loading was the next: execa and our rooms as 250 modules took 170 ms, as one bundle 45 ms; CommonJS spares each Node the start of its loader of modules (10 to 20 ms).
- An IPv6 neighbour costs a second in a fresh namespace, so neighbours are set by hand.
- What is left beside the parts: loading the bundle and koffi (40 ms), the launcher's check (20 ms), the trace thread (35 ms), reading counters twice and the rules once (25 ms), the probes themselves (40 ms), ending the actors (18 ms).
- Tried without gain: a lower priority for starting actors, V8's flags for threads and laziness.
*/

import process from 'node:process';
import {performance} from 'node:perf_hooks';
import path from 'node:path';
import {Command, Option} from 'commander';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ActorName} from '../../src/scenario/types.js';
import {actorsFor} from '../../src/scenario/actor-set.js';
import {defaultBackend} from '../../src/netfilter/backends.js';
import {ActorGroup} from '../actors/actor-group.js';
import {readNumber} from '../cli/parsers.js';
import {credentialsOf} from '../inputs/credentials.js';
import {run} from '../system/exec.js';
import {LockFile} from '../system/lock-file.js';
import {loadRuleInput} from '../inputs/rules.js';
import {runTestbed} from '../run/run.js';
import {installRules} from '../sandbox/install.js';
import {Sandbox} from '../sandbox/sandbox.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {packageRoot} from '../system/package-root.js';

const launcher = path.join(packageRoot, 'scripts/run.cjs');
const families = ['ipv4'] as const;
const backend = defaultBackend;
/** Named, so that figures of different days are of the same rules. */
const rules = loadRuleInput({source: 'release:1.30', source6: undefined, families});
const credentials = credentialsOf({appUid: 1000}, rules.intent);

/** The parts, in the order in which they are printed. */
const partNames = ['Node\'s start', 'namespaces and veth', 'restoring the rules', 'starting the stubs, two at a time'] as const;

type Sample = {readonly parts: Readonly<Record<typeof partNames[number], number>>; readonly whole: number; readonly steps: ReadonlyMap<string, number>};

async function timed<T>(act: () => Promise<T>): Promise<readonly [number, T]> {
	const start = performance.now();
	const result = await act();
	return [performance.now() - start, result];
}

async function startInPairs(sandbox: Sandbox): Promise<void> {
	const names = [...actorsFor(defaultTypeIds)];
	const actorGroups: ActorGroup[] = [];
	while (names.length > 0) {
		const pair: readonly ActorName[] = names.splice(0, 2);
		actorGroups.push(await ActorGroup.start({ // eslint-disable-line no-await-in-loop -- Two at a time is what is measured.
			sandbox, topology: defaultTopology, intent: rules.intent, names: pair, credentials, timeoutMs: 5000,
		}));
	}

	await Promise.all(actorGroups.map(async actorGroup => actorGroup[Symbol.asyncDispose]()));
}

async function stepsOfOneRun(): Promise<ReadonlyMap<string, number>> {
	const marks: Array<readonly [string, number]> = [];
	await runTestbed({
		rules,
		families,
		types: defaultTypeIds,
		credentials,
		timeoutMs: 5000,
		traceBufferBytes: defaultBufferBytes,
		keep: false,
		signal: new AbortController().signal,
		onProgress(step) {
			marks.push([step, performance.now()]);
		},
	});
	marks.push(['', performance.now()]);
	return new Map(marks.slice(0, -1).map(([step, at], index) => [step, marks[index + 1]![1] - at]));
}

async function sample(): Promise<Sample> {
	const [nodeStart] = await timed(async () => run(process.execPath, ['-e', '0']));
	const [building, sandbox] = await timed(async () => {
		const made = Sandbox.create();
		await made.configure(defaultTopology);
		return made;
	});
	await using installed = sandbox;
	await using lockFile = await LockFile.create();
	const [restoring] = await timed(async () => installRules(installed.pod, {
		ruleSet: rules.ruleSet, backend, families, lockFile: lockFile.path,
	}));
	const [starting] = await timed(async () => startInPairs(installed));
	const [whole] = await timed(async () => run(process.execPath, [launcher, 'testbed', '--format', 'json']));
	return {
		parts: {
			'Node\'s start': nodeStart, 'namespaces and veth': building, 'restoring the rules': restoring, 'starting the stubs, two at a time': starting,
		},
		whole,
		steps: await stepsOfOneRun(),
	};
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((one, other) => one - other);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function row(name: string, ms: number, whole: number): string {
	return `${name.padEnd(48)}${ms.toFixed(0).padStart(6)} ms${(ms / whole).toFixed(2).padStart(8)}\n`;
}

function print(samples: readonly Sample[]): string {
	const whole = median(samples.map(({whole: one}) => one));
	const parts = partNames.map(name => [name, median(samples.map(one => one.parts[name]))] as const);
	const sum = parts.reduce((total, [, ms]) => total + ms, 0);
	const steps = [...samples[0]!.steps.keys()].map(step => [step, median(samples.map(one => one.steps.get(step) ?? 0))] as const);
	const inside = steps.reduce((total, [, ms]) => total + ms, 0);
	return [
		`${'median of ' + samples.length}`.padEnd(48) + '        ms  of whole\n',
		row('testbed run, the whole command, warm', whole, whole),
		...parts.map(([name, ms]) => row(`  part: ${name}`, ms, whole)),
		row('  sum of the parts', sum, whole),
		`\nratio: whole / sum of the parts = ${(whole / sum).toFixed(2)} (target: at most 1.50)\n`,
		'\nwhere the time goes inside the run (in one process, warm)\n',
		...steps.map(([step, ms]) => row(`  ${step}`, ms, whole)),
		row('  outside: Node, launcher, loading modules, end', whole - inside, whole),
	].join('');
}

/** Measures and prints; returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
	const command = new Command('bench')
		.description('measure the whole run against the parts that it cannot do without, rule sets: making, reading, printing, running many; probes, scenarios; comparisons and mutants')
		.option('--rounds <n>', 'rounds; each figure is a median', text => readNumber(text, {min: 1, max: 1000}), 9)
		.addOption(new Option('--only <part>', 'one part: the whole run, rule sets, probes and scenarios, or comparisons and mutants').choices(['run', 'rules', 'probes', 'classes']))
		.option('--json', 'print the samples of the run as JSON')
		.addHelpText('after', '\nExample:\n  npm run bench -- --rounds 21');
	command.parse([...argv], {from: 'user'});
	const {rounds, json, only} = command.opts<{rounds: number; json?: boolean; only?: 'run' | 'rules' | 'probes' | 'classes'}>();
	if (only === undefined || only === 'run') {
		await benchRun(rounds, json === true);
	}

	if ((only === undefined || only === 'rules') && json !== true) {
		const {measureRules} = await import('./rules.js');
		const lines = await measureRules();
		process.stdout.write(lines.join(''));
	}

	if ((only === undefined || only === 'probes') && json !== true) {
		const [{measureProber}, {measureReuse}] = await Promise.all([import('./prober.js'), import('./reuse.js')]);
		const lines = [...await measureProber(), ...await measureReuse()];
		process.stdout.write(lines.join(''));
		await benchScenarios();
	}

	if ((only === undefined || only === 'classes') && json !== true) {
		const [{measureClasses}, {measureMutants}] = await Promise.all([import('./classes.js'), import('./mutants.js')]);
		const lines = [...await measureClasses(), ...await measureMutants()];
		process.stdout.write(lines.join(''));
	}

	return 0;
}

/** All shipped scenarios on all back ends, by one command. */
async function benchScenarios(): Promise<void> {
	const folder = path.join(packageRoot, 'scenarios');
	const times: number[] = [];
	let last = '';
	for (let round = 0; round < 3; round++) {
		const [ms, text] = await timed(async () => run(process.execPath, [launcher, 'testbed', 'run', folder])); // eslint-disable-line no-await-in-loop -- Side by side they would measure each other.
		times.push(ms);
		last = text.trim().split('\n').at(-1)?.trim() ?? '';
	}

	process.stdout.write(`\nall shipped scenarios on all three back ends, one command (median of ${times.length}; target: under 10 s)\n  ${(median(times) / 1000).toFixed(1)} s   ${last}\n`);
}

async function benchRun(rounds: number, json: boolean): Promise<void> {
	const samples: Sample[] = [];
	for (let round = 0; round < rounds; round++) {
		if (process.stderr.isTTY) {
			process.stderr.write(`\rround ${round + 1} of ${rounds} `);
		}

		samples.push(await sample()); // eslint-disable-line no-await-in-loop -- Rounds side by side would measure each other.
	}

	process.stdout.write(json
		? `${JSON.stringify(samples.map(({steps, ...rest}) => ({...rest, steps: Object.fromEntries(steps)})), undefined, 2)}\n`
		: print(samples));
}
