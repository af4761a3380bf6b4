/**
`npm run conformance`: compares our rule sets with those of the real istio-iptables, rule by rule.
*/

import {open} from 'node:fs/promises';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {Command, CommanderError, Option} from 'commander';
import {compareGolden, withGroupNumbers, type GoldenEntry} from '../../src/istio/conformance/golden.js';
import {
	backendOf, compareRun, printRun, type RunDifference, type RealRun, type RunComparison, type RunInput,
} from '../../src/istio/conformance/real-run.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {otherProxies, programVariableOf, type OtherProxy} from '../actors/proxy.js';
import {exitStatusOf, TestbedError} from '../errors.js';
import {packageRoot} from '../system/package-root.js';

const shippedFolder = path.join(packageRoot, 'test/fixtures/istio-real/');

const goldenFolder = path.join(packageRoot, 'test/fixtures/istio-goldens/');
const ambientGoldens = path.join(packageRoot, 'test/fixtures/istio-ambient/goldens.jsonl');

/** Every file of runs in the folder, so that a new one counts as soon as it is there. */
function shippedFiles(): readonly string[] {
	return readdirSync(shippedFolder).filter(name => name.endsWith('.jsonl')).toSorted().map(name => path.join(shippedFolder, name));
}

/** A shipped golden: its options and its text. */
type ShippedGolden = {readonly entry: GoldenEntry; readonly text: string};

/** All of Istio's goldens; those of ambient mode are in a separate file, next to the kernel's version of them. */
function readShippedGoldens(): readonly ShippedGolden[] {
	const {entries} = JSON.parse(withGroupNumbers(readFileSync(`${goldenFolder}index.json`, 'utf8'))) as {readonly entries: readonly GoldenEntry[]};
	const ambient = new Map(readFileSync(ambientGoldens, 'utf8').split('\n').filter(line => line !== '').map(line => {
		const {file, golden} = JSON.parse(line) as {readonly file: string; readonly golden: string};
		return [file, golden] as const;
	}));
	return entries.map(entry => ({entry, text: withGroupNumbers(ambient.get(entry.file) ?? readFileSync(path.join(goldenFolder, entry.file), 'utf8'))}));
}

type Tally = Record<RunComparison['kind'], number>;

/** Compares or prints; returns the exit status: 0 if nothing differs. */
export async function main(argv: readonly string[]): Promise<number> {
	const command = new Command('conformance')
		.description('compare the generated rules with those of the real istio-iptables; by default with the runs in test/fixtures/istio-real and all of Istio\'s goldens')
		.argument('[files...]', 'runs, one JSON object per line, as in test/fixtures/istio-real; - is standard input')
		.option('--print', 'print what is generated for each line instead, one JSON object per line; results in the input are ignored')
		.addOption(new Option('--proxy <name>', 'compare the proxy stub with a real one on this kernel instead; needs root').choices(otherProxies))
		.addOption(new Option('--backend <name>', 'with --proxy: only this back end (default: all)').choices(backends))
		.addHelpText('after', `\nExit status: 0 if all are equal, 1 if something differs, 2 if a file cannot be read;\nwith --proxy, 3 if some comparison is inconclusive, 4 if the program is not there.\n\nExamples:\n  npm run conformance\n  npm run -s conformance -- --print runs.jsonl${otherProxies.map(name => `\n  npm run conformance -- --proxy ${name} --${name} ./${name}`).join('')}`);
	for (const name of otherProxies) {
		command.option(`--${name} <file>`, `with --proxy ${name}: the program (default: the variable ${programVariableOf(name)}, or ${name} in PATH)`);
	}

	command.exitOverride();
	if (!process.stdout.listeners('error').includes(ignoreError)) {
		process.stdout.on('error', ignoreError);
	}

	try {
		command.parse([...argv], {from: 'user'});
		const {print = false, proxy, backend, ...programs} = command.opts<{print?: boolean; proxy?: OtherProxy; backend?: Backend} & Partial<Record<OtherProxy, string>>>();
		if (proxy !== undefined) {
			return await compareProxies({
				print, files: command.args, proxy, program: programs[proxy], backend,
			});
		}

		const named = otherProxies.find(name => programs[name] !== undefined);
		if (named !== undefined || backend !== undefined) {
			throw new TestbedError('USAGE', {message: `--${named ?? 'backend'} goes with --proxy ${named ?? otherProxies.join(' or ')}.`, hint: 'npm run conformance -- --help'});
		}

		const files = command.args.length === 0 ? shippedFiles() : command.args;
		return print ? await printFiles(files) : await compareFiles(files, command.args.length === 0 ? readShippedGoldens() : []);
	} catch (error) {
		if (error instanceof CommanderError) {
			return error.exitCode === 0 ? 0 : exitStatusOf.USAGE; // Commander has printed it.
		}

		if (error instanceof TestbedError) {
			process.stderr.write(`${[error.message, error.hint].filter(line => line !== undefined).join('\n→ ')}\n`);
			return exitStatusOf[error.code];
		}

		// The reader has closed the pipe: `| head`.
		if ((error as NodeJS.ErrnoException).code === 'EPIPE') {
			return 0;
		}

		throw error;
	}
}

/** Compares the stub with another proxy. The engine is loaded only here: the rest needs no kernel. */
async function compareProxies({print, files, proxy, program, backend}: {
	readonly print: boolean; readonly files: readonly string[]; readonly proxy: OtherProxy; readonly program: string | undefined; readonly backend: Backend | undefined;
}): Promise<number> {
	if (print || files.length > 0) {
		throw new TestbedError('USAGE', {message: '--proxy compares what two proxies do, and takes neither files nor --print.', hint: `npm run conformance -- --proxy ${proxy}`});
	}

	const {compareWithStub} = await import('./proxy/conform.js');
	const {status, lines} = await compareWithStub(proxy, {program, ...(backend === undefined ? {} : {backends: [backend]})});
	await write(`${lines.join('\n')}\n`);
	return status;
}

async function printFiles(files: readonly string[]): Promise<number> {
	for (const file of files) {
		for await (const {run} of runsOf(file)) { // eslint-disable-line no-await-in-loop -- Output keeps the order of the input.
			await write(`${JSON.stringify(printRun(run))}\n`);
		}
	}

	return 0;
}

async function compareFiles(files: readonly string[], goldens: readonly ShippedGolden[]): Promise<number> {
	const tallies = new Map<string, Tally>();
	const differences: string[] = [];
	const refusals: string[] = [];
	for (const file of files) {
		for await (const {run, place} of runsOf(file)) { // eslint-disable-line no-await-in-loop -- One file after the other: only the disk is waited for.
			const real = withResult(run, place);
			const backend = backendOf(real);
			const comparison = compareRun(real);
			tallyOf(tallies, real.release, backend)[comparison.kind]++;
			if (comparison.kind === 'different') {
				differences.push(describe(real, place, comparison.difference));
			} else if (comparison.kind === 'refused') {
				refusals.push(describeRefusal(`${place}  ${real.release} ${real.family}`, comparison));
			}
		}
	}

	for (const {entry, text} of goldens) {
		const comparison = compareGolden(entry, text);
		tallyOf(tallies, 'goldens', entry.file.split('/')[0] ?? '')[comparison.kind]++;
		if (comparison.kind === 'different') {
			differences.push(describeDifference(entry.file, comparison.difference));
		}
	}

	await write(table(tallies) + refusals.join('') + differences.map(text => `\n${text}`).join(''));
	return differences.length === 0 ? 0 : 1;
}

/** Each write reports its error to its caller; without a listener the stream would also end the program. */
function ignoreError(): undefined {
	return undefined;
}

/** Writes to standard output and waits for a slow reader; rejects if the reader goes away. */
async function write(text: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		process.stdout.write(text, error => {
			if (error) {
				reject(error);
			} else {
				resolve();
			}
		});
	});
}

/** The lines of a file as runs, each with its place for messages. */
async function * runsOf(file: string): AsyncGenerator<{readonly run: RunInput; readonly place: string}> {
	let number = 0;
	for await (const line of await linesOf(file)) {
		number++;
		if (line.trim() !== '') {
			yield {run: parseRun(line, `${file}:${number}`), place: `${path.basename(file)}:${number}`};
		}
	}
}

async function linesOf(file: string): Promise<AsyncIterable<string>> {
	if (file === '-') {
		return createInterface({input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY});
	}

	try {
		const handle = await open(file);
		const stat = await handle.stat();
		if (stat.isDirectory()) {
			await handle.close();
			throw new Error('it is a directory');
		}

		return handle.readLines();
	} catch (error) {
		throw new TestbedError('INPUT', {message: `The runs in ${file} cannot be read: ${(error as Error).message}`, cause: error});
	}
}

function parseRun(line: string, place: string): RunInput {
	let run: Partial<RunInput>;
	try {
		run = JSON.parse(line) as Partial<RunInput>;
	} catch (error) {
		throw new TestbedError('INPUT', {message: `${place} is not JSON: ${(error as Error).message}`, cause: error});
	}

	const {release, family, argv, env = {}, resolv = []} = run;
	if (typeof release !== 'string' || !['ipv4', 'ipv6', 'dual'].includes(family ?? '') || !isTexts(argv) || !isTexts(resolv) || !isTexts(Object.values(env))) {
		throw new TestbedError('INPUT', {message: `${place} is not a run: it needs release, family (ipv4, ipv6 or dual) and argv, and may have env and resolv.`});
	}

	return {
		...run, release, family: family ?? 'ipv4', argv, env, resolv,
	};
}

function isTexts(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.every(item => typeof item === 'string');
}

function withResult(run: RunInput, place: string): RealRun {
	const {rc, error = '', v4 = '', v6 = '', nft = '', rules4 = [], rules6 = [], routes4 = ''} = run as Partial<RealRun>;
	if (typeof rc !== 'number') {
		throw new TestbedError('INPUT', {message: `${place} has no result to compare with (rc, v4, v6 …).`, hint: 'Use --print to see what is generated for it.'});
	}

	return {
		...run, rc, error, v4, v6, nft, rules4, rules6, routes4,
	};
}

function tallyOf(tallies: Map<string, Tally>, release: string, backend: string): Tally {
	const key = `${release} ${backend}`;
	const tally = tallies.get(key) ?? {
		equal: 0, different: 0, refused: 0,
	};
	tallies.set(key, tally);
	return tally;
}

function describe({release, family, argv, env, resolv}: RealRun, place: string, {place: where, ours, theirs}: Extract<RunComparison, {kind: 'different'}>['difference']): string {
	const words = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv].map(word => /^[\w,.:/=+-]+$/.test(word) ? word : `'${word}'`);
	return describeDifference(`${place}  ${release} ${family} ${words.join(' ')}${resolv.length === 0 ? '' : `  (servers ${resolv.join(', ')})`}`, {place: where, ours, theirs});
}

/** Why both sides refuse a run, so that a reader sees whether it is for the same reason. */
function describeRefusal(what: string, {ours, theirs}: Extract<RunComparison, {kind: 'refused'}>): string {
	return `\n${what}, refused by both:\n    ours  ${ours}\n    real  ${theirs.split('\n', 1)[0]!}\n`;
}

function describeDifference(what: string, {place: where, ours, theirs}: RunDifference): string {
	const at = [...ours.keys(), ...theirs.keys()].find(index => ours[index] !== theirs[index]) ?? 0;
	return [
		what,
		`  ${where}, first difference at ${at + 1}:`,
		`    ours  ${ours[at] ?? '(nothing)'}`,
		`    real  ${theirs[at] ?? '(nothing)'}`,
		'',
	].join('\n');
}

function table(tallies: ReadonlyMap<string, Tally>): string {
	const order = new Intl.Collator('en', {numeric: true});
	const sum: Tally = {
		equal: 0, different: 0, refused: 0,
	};
	const rows = [...tallies].toSorted(([one], [other]) => order.compare(one, other)).map(([key, tally]) => {
		for (const kind of Object.keys(sum) as Array<keyof Tally>) {
			sum[kind] += tally[kind];
		}

		const [release = '', backend = ''] = key.split(' ');
		return row([release, backend, ...figures(tally)]);
	});
	return [row(['release', 'back end', 'compared', 'equal', 'different', 'refused alike']), ...rows, row(['all', '', ...figures(sum)])].join('');
}

/** The numbers of compared rule sets, by result. */
function figures({equal, different, refused}: Tally): readonly string[] {
	return [equal + different + refused, equal, different, refused].map(String);
}

function row(cells: readonly string[]): string {
	const widths = [10, 14, 10, 8, 11, 15];
	return `${cells.map((cell, index) => index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)).join('')}\n`;
}
