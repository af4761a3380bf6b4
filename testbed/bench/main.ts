/**
`npm run bench`: compares the whole command with its indispensable parts, in one run, as ratios. Machines are noisy, so nothing here asserts a time; each figure is the median of several rounds, and each round measures everything once, so that a slow minute affects all figures.

Learned (2 cores, Node 20.20, Linux 6.18):
- The run is limited by processor time, not by waiting: a Node process costs 57 ms of it before it does anything, and no flag of V8 or Node makes that less (pool size, lazy compilation, single thread, no OpenSSL configuration: all 56 to 59 ms). Where NODE_EXTRA_CA_CERTS is set, as it was there, half of that is for certificates (findings/node-extra-ca-certs-at-start.sh): the command's own process pays it, those of the actors do not. Hence one process for all actors of a user in a namespace: three instead of five, 664 → 601 ms of processor time. Forking them at once, before anything else is loaded, beats two at a time.
- Loading the compiled code of an earlier start (load-bundle.cjs): 601 → 541 ms.
- A shell script that traces the same connections by hand (by-hand.sh) is as fast as its waits: with 0.2 s of them it takes three quarters of a run, so the target of half its time asks for a script that sleeps for a second, as most do.
- A thread that reads the trace: 60 ms of processor time to start, and the kernel queues what a group of probes leaves, so this thread reads it after each group: 611 → 578 ms (12 pairs on a busy machine).
- Loading came next: execa and our code as 250 modules took 170 ms, as one bundle 45 ms; CommonJS saves each Node the start of its module loader (10 to 20 ms).
- IPv6 neighbor discovery costs a second in a fresh namespace, so neighbor entries are static.
- What remains besides the parts: loading the bundle and koffi (40 ms), the launcher's check (20 ms), reading counters twice and the rules once (25 ms), the probes themselves (40 ms), ending the actors (18 ms).
- Three starts of Node for the actors take both processors from the first to the last, and before them only one of two works: what can be done then is started as early as it can be. The tools' thread, begun before the bundle is loaded (early-thread.cjs): 0.92 × the time (40 pairs). Versions asked by that thread, without forks of this process and without execa: 0.95 ×. Starting the actors before the bundle is loaded has not been tried: the processor that was idle is now taken by that thread.
- One character outside ASCII (in a regular expression) makes V8 keep the bundle with two bytes for each character: 29 instead of 17 ms to load it (bundle.cjs).
- The state of the rules by netlink instead of by two listings of nft: 17 of 660 ms of processor time.
- Ending the process when the program has ended, instead of letting Node take its heap apart: 702 → 665 ms. Asking the sources for their times instead of reading them: 20 of 45 ms. Compiled code by command: without it, what `--version` had left was used for `run`, 840 instead of 740 ms.
- No gain from: a lower priority for starting actors.
*/

import process from 'node:process';
import {performance} from 'node:perf_hooks';
import path from 'node:path';
import {Command, CommanderError, Option} from 'commander';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorName} from '../../src/mesh/traffic.js';
import {actorsFor, defaultTypesOf} from '../../src/mesh/traffic-types.js';
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
import {timeByHand} from './by-hand.js';

const launcher = path.join(packageRoot, 'scripts/run.cjs');
const families = ['ipv4'] as const;
const backend = defaultBackend;
/** A fixed release, so that figures of different days are for the same rules. */
const rules = loadRuleInput({source: 'release:1.30', source6: undefined, families});
const credentials = credentialsOf({appUid: 1000}, rules.intent);

/** The parts, in the order in which they are printed. */
const partNames = ['Node\'s start', 'namespaces and veth', 'restoring the rules', 'starting the stubs, two at a time'] as const;

type Sample = {readonly parts: Readonly<Record<typeof partNames[number], number>>; readonly whole: number; readonly byHand: number | undefined; readonly steps: ReadonlyMap<string, number>};

async function timed<T>(act: () => Promise<T>): Promise<readonly [number, T]> {
	const start = performance.now();
	const result = await act();
	return [performance.now() - start, result];
}

async function startInPairs(sandbox: Sandbox): Promise<void> {
	const {traffic} = rules.mesh;
	const names = [...actorsFor(traffic, rules.intent, defaultTypesOf(traffic))];
	const actorGroups: ActorGroup[] = [];
	while (names.length > 0) {
		const pair: readonly ActorName[] = names.splice(0, 2);
		actorGroups.push(await ActorGroup.start({ // eslint-disable-line no-await-in-loop -- Starting two at a time is what is measured.
			sandbox,
			topology: defaultTopology,
			intent: rules.intent,
			actorSet: traffic.actors({
				topology: defaultTopology, intent: rules.intent, names: pair, credentials,
			}),
			timeoutMs: 5000,
		}));
	}

	await Promise.all(actorGroups.map(async actorGroup => actorGroup[Symbol.asyncDispose]()));
}

async function stepsOfOneRun(): Promise<ReadonlyMap<string, number>> {
	const marks: Array<readonly [string, number]> = [];
	await runTestbed({
		rules,
		families,
		types: defaultTypesOf(rules.mesh.traffic),
		credentials,
		timeoutMs: 5000,
		traceBufferBytes: defaultBufferBytes,
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
	const byHand = await timeByHand(rules.ruleSet);
	return {
		parts: {
			'Node\'s start': nodeStart, 'namespaces and veth': building, 'restoring the rules': restoring, 'starting the stubs, two at a time': starting,
		},
		whole,
		byHand,
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

/** What the same connections take by hand, if that could be measured. */
function compareByHand(whole: number, byHand: number): string {
	return Number.isNaN(byHand)
		? '\nby hand: not measured, nc is missing (apt-get install netcat-openbsd)\n'
		: `\nthe same connections by a shell script (by-hand.sh): ${byHand.toFixed(0)} ms; whole / by hand = ${(whole / byHand).toFixed(2)} (target: at most 0.50)\n`;
}

function describe(samples: readonly Sample[]): string {
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
		`\nratio: whole / sum of the parts = ${(whole / sum).toFixed(2)} (target: at most 1.40)\n`,
		compareByHand(whole, median(samples.flatMap(({byHand}) => byHand === undefined ? [] : [byHand]))),
		'\nwhere the time goes inside the run (in one process, warm)\n',
		...steps.map(([step, ms]) => row(`  ${step}`, ms, whole)),
		row('  outside: Node, launcher, loading modules, end', whole - inside, whole),
	].join('');
}

/** What can be measured alone, in the order of the whole. */
const partChoices = ['run', 'pages', 'rules', 'probes', 'classes', 'commands', 'many', 'serve'] as const;

type BenchFlags = {readonly rounds: number; readonly inARow: number; readonly json?: boolean; readonly only?: typeof partChoices[number]; readonly old?: string; readonly growth?: string};

/** Each part prints what it has measured. */
const partsByName: Readonly<Record<typeof partChoices[number], (flags: BenchFlags) => Promise<void>>> = {
	run: async ({rounds, json}) => benchRun(rounds, json === true),
	async pages() {
		const {measurePages} = await import('./pages.js');
		print(await measurePages());
	},
	async rules() {
		const {measureRules} = await import('./rules.js');
		print(await measureRules());
	},
	async probes(flags) {
		const [{measureProber}, {measureReuse}] = await Promise.all([import('./prober.js'), import('./reuse.js')]);
		print([...await measureProber(flags.inARow), ...await measureReuse()]);
	},
	async classes() {
		const [{measureClasses}, {measureMutants}] = await Promise.all([import('./classes.js'), import('./mutants.js')]);
		print([...await measureClasses(), ...await measureMutants()]);
	},
	async commands({rounds, old}) {
		const {measureUsualCommands} = await import('./usual-commands.js');
		print(await measureUsualCommands({rounds: Math.min(rounds, commandRounds), old}));
	},
	async many({rounds, old}) {
		const {measureManyRules} = await import('./many-rules.js');
		print(await measureManyRules({rounds: Math.min(rounds, commandRounds), old}));
	},
	async serve() {
		const {measureServe} = await import('./serve.js');
		print(await measureServe());
	},
};

/** Commands take up to two minutes each. */
const commandRounds = 5;

function print(lines: readonly string[]): void {
	process.stdout.write(lines.join(''));
}

/** Measures and prints; returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
	const command = new Command('bench')
		.description('measure the whole run and its indispensable parts; generating, reading, printing and running many rule sets; probes; comparisons and mutants; usual commands, and those on large rule sets')
		.option('--rounds <n>', 'rounds; each figure is a median', text => readNumber(text, {min: 1, max: 1000}), 9)
		.addOption(new Option('--only <part>', 'one part: the whole run, the page of a run, rule sets, probes, comparisons and mutants, usual commands, commands on large rule sets, or the page of serve').choices(partChoices))
		.option('--old <folder>', 'the checkout of an older build, with its packages installed: commands are measured with both in turn')
		.option('--growth <folder>', 'measure only how time and memory grow with the number of rules, and write growth.json and growth.svg to this folder')
		.option('--in-a-row <n>', 'probes that one prober sends in a row', text => readNumber(text, {min: 10, max: 100_000_000}), 100_000)
		.option('--json', 'print the samples of the run as JSON')
		.addHelpText('after', '\nExamples:\n  npm run bench -- --rounds 21\n  npm run bench -- --only commands --old ../older --rounds 3\n  npm run bench -- --growth docs --rounds 3');
	command.exitOverride();
	try {
		command.parse([...argv], {from: 'user'});
	} catch (error) {
		if (error instanceof CommanderError) {
			return error.exitCode;
		}

		throw error;
	}

	const flags = command.opts<BenchFlags>();
	if (flags.growth !== undefined) {
		const {writeGrowth} = await import('./growth.js');
		print(await writeGrowth(flags.growth, flags.rounds));
		return 0;
	}

	for (const name of partChoices.filter(each => flags.only === undefined || flags.only === each)) {
		if (name === 'run' || flags.json !== true) {
			await partsByName[name](flags); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
		}
	}

	return 0;
}

async function benchRun(rounds: number, json: boolean): Promise<void> {
	const samples: Sample[] = [];
	for (let round = 0; round < rounds; round++) {
		if (process.stderr.isTTY) {
			process.stderr.write(`\rround ${round + 1} of ${rounds} `);
		}

		samples.push(await sample()); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
	}

	process.stdout.write(json
		? `${JSON.stringify(samples.map(({steps, ...rest}) => ({...rest, steps: Object.fromEntries(steps)})), undefined, 2)}\n`
		: describe(samples));
}
