/** Imported rules are what the kernel gets, and its output can be imported again: each match and target, and random sets, with both back ends in both families. */

import {readFileSync} from 'node:fs';
import test from 'ava';
import fastCheck from 'fast-check';
import {iptablesProgram} from '../../src/netfilter/backends.js';
import {importRules} from '../../src/netfilter/import/import-rules.js';
import {normalize} from '../../src/netfilter/iptables/normalize.js';
import {parseSave, printSave} from '../../src/netfilter/iptables/save.js';
import {CommandError} from '../../testbed/system/commands.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {mangleOf, randomRule} from '../helpers/random-rules.js';
import {ruleLines, type RuleLine} from '../helpers/rule-lines.js';
import {root} from '../helpers/root.js';

const combinations = (['iptables-nft', 'iptables-legacy'] as const).flatMap(backend => (['ipv4', 'ipv6'] as const).map(family => ({backend, family})));

const variants = {'iptables-nft': 'nft', 'iptables-legacy': 'legacy'} as const;

type Combination = (typeof combinations)[number];

/** A namespace of its own, with the restore and the save of one back end and family. */
class Kernel implements AsyncDisposable {
	static async create(combination: Combination): Promise<Kernel> {
		return new Kernel(combination, await LockFile.create());
	}

	readonly #netns = Netns.create('import');
	readonly #combination: Combination;
	readonly #lockFile: LockFile;

	private constructor(combination: Combination, lockFile: LockFile) {
		this.#combination = combination;
		this.#lockFile = lockFile;
	}

	async restore(input: string): Promise<void> {
		await this.#netns.run(iptablesProgram(variants[this.#combination.backend], this.#combination.family, 'restore'), [], {input, environment: {XTABLES_LOCKFILE: this.#lockFile.path}});
	}

	/** A dump without comments and counters. */
	async save(table: string): Promise<string> {
		const text = await this.#netns.run(iptablesProgram(variants[this.#combination.backend], this.#combination.family, 'save'), ['-t', table], {environment: {XTABLES_LOCKFILE: this.#lockFile.path}});
		return `${text.trimEnd()}\n`.split('\n').filter(line => !line.startsWith('#')).join('\n').replaceAll(/^(:\S+ \S+) \[\d+:\d+]$/gm, '$1');
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#netns[Symbol.asyncDispose]();
		await this.#lockFile[Symbol.asyncDispose]();
	}
}

function chainsOf(text: string): ReadonlyMap<string, string> {
	return new Map(text.split('\n').flatMap(line => {
		const [, chain, rule] = /^-A (\S+) (.*)$/.exec(line) ?? [];
		return chain === undefined || rule === undefined ? [] : [[chain, rule] as const];
	}));
}

function dumpOf(table: string, rows: readonly RuleLine[]): string {
	return [`*${table}`, ':OTHER -', ...rows.map((_, index) => `:C${index} -`), ...rows.map(({given}, index) => `-A C${index} ${given}`), 'COMMIT', ''].join('\n');
}

for (const combination of combinations) {
	const {backend, family} = combination;
	const own = ruleLines.filter(row => row.family === family);
	for (const table of new Set(own.map(row => row.table))) {
		test.serial(`${backend} ${family} ${table}: each rule is installed as it is written, and printed as expected`, async t => {
			await using kernel = await Kernel.create(combination);
			const rows = own.filter(row => row.table === table && row.refused === undefined);
			await kernel.restore(printSave(parseSave(dumpOf(table, rows), family), family));
			const saved = await kernel.save(table);
			const rules = chainsOf(saved);
			for (const [index, {given, saved: wanted = given}] of rows.entries()) {
				t.is(rules.get(`C${index}`), wanted, given);
			}

			t.is(printSave(parseSave(saved, family), family), saved);
			await kernel.restore(saved);
			t.is(await kernel.save(table), saved);
		});
	}

	for (const row of own.filter(({refused}) => refused !== undefined)) {
		test.serial(`${backend} ${family} ${row.table} ${row.given}: refused because a module or a named object is missing, or printed as it is`, async t => {
			await using kernel = await Kernel.create(combination);
			try {
				await kernel.restore(printSave(parseSave(dumpOf(row.table, [row]), family), family));
			} catch (error) {
				t.true(error instanceof CommandError);
				t.regex((error as CommandError).stderr, row.refused!);
				return;
			}

			t.is(chainsOf(await kernel.save(row.table)).get('C0'), row.given);
		});
	}

	test.serial(`${backend} ${family}: a random rule is read back as one rule with the same conditions, completely, and can be installed again unchanged`, async t => {
		await using kernel = await Kernel.create(combination);
		await fastCheck.assert(fastCheck.asyncProperty(fastCheck.array(randomRule(family), {minLength: 10, maxLength: 30}), async rules => {
			const asked = parseSave(mangleOf(rules), family);
			await kernel.restore(printSave(asked, family));
			const saved = await kernel.save('mangle');
			const installed = parseSave(saved, family);
			t.is(printSave(installed, family), saved);
			t.deepEqual(textsOf(normalize(installed)), textsOf(normalize(asked)));
			await kernel.restore(printSave(normalize(asked), family));
			t.deepEqual(textsOf(normalize(parseSave(await kernel.save('mangle'), family))), textsOf(normalize(asked)));
			await kernel.restore(saved);
			t.is(await kernel.save('mangle'), saved);
		}), {numRuns: 12});
	});
}

function textsOf(ruleSet: ReturnType<typeof parseSave>): readonly string[] {
	return ruleSet.tables[0]!.chains.find(({name}) => name === 'MINE')!.rules.map(({text}) => text);
}

const fixture = (name: string): string => readFileSync(new URL(`test/fixtures/dumps/${name}`, root), 'utf8');

for (const {backend, files} of [{backend: 'iptables-nft', files: ['node.save', 'init-1.1.log', 'init-1.10.log', 'init-1.24.log', 'listing.txt', 'pod-both-families.save']}, {backend: 'iptables-legacy', files: ['node.save', 'init-1.24.log']}] as const) {
	for (const file of files) {
		test.serial(`${backend}: ${file} is installed and read back as the same rules`, async t => {
			const {ruleSet, families} = importRules(fixture(file));
			for (const family of families) {
				// eslint-disable-next-line no-await-in-loop -- The families share nothing but this test's order.
				await assertInstalled({backend, family, input: withoutNamedThings(printSave(ruleSet, family))}, (asked, installed) => {
					t.is(installed, asked);
				});
			}
		});
	}
}

/** Rules that need a set or an accounting object of the machine are refused where it is not there. */
function withoutNamedThings(text: string): string {
	return text.split('\n').filter(line => !/-m (?:set|nfacct) /.test(line)).join('\n');
}

async function assertInstalled({backend, family, input}: Combination & {readonly input: string}, check: (asked: string, installed: string) => void): Promise<void> {
	await using kernel = await Kernel.create({backend, family});
	await kernel.restore(input);
	for (const table of parseSave(input, family).tables) {
		const asked = normalize({tables: [table]});
		// eslint-disable-next-line no-await-in-loop -- One table after the other.
		const installed = normalize(parseSave(await kernel.save(table.name), family));
		check(sorted(printSave(asked, family)), sorted(printSave(installed, family)));
	}
}

/** The legacy tool prints chains by name, so the lines that declare them are put in one order; those of a chain's rules stay in theirs. */
function sorted(text: string): string {
	const lines = text.split('\n');
	const chainOf = (line: string): string => /^(?::|-A )(\S+)/.exec(line)?.[1] ?? '';
	return [
		...lines.filter(line => line.startsWith(':')).toSorted(),
		...lines.filter(line => line.startsWith('-A ')).map((line, index) => ({line, index})).toSorted((one, other) => chainOf(one.line).localeCompare(chainOf(other.line)) || one.index - other.index).map(({line}) => line),
	].join('\n');
}

