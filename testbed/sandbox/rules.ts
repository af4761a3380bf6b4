/**
Puts a rule set into a namespace by the tools of its back end, and reads back what the kernel holds.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import {parseSave, printSave} from '../../src/netfilter/save.js';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {SocketOwner} from '../../src/trace/legs.js';
import {
	LoadedRulesError, parseNftListing, parseSavedCounters, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {CommandError} from '../exec.js';
import {parseOwners, switchTable} from '../tracer/switch-table.js';
import type {Netns} from './netns.js';

const toolPrefix = {ipv4: 'iptables', ipv6: 'ip6tables'} as const satisfies Record<AddressFamily, string>;

/** The name of a back end's program for one family: `ip6tables-nft-restore`. */
export function tool(backend: Backend, family: AddressFamily, act: 'restore' | 'save'): string {
	return `${toolPrefix[family]}-${backend === 'iptables-nft' ? 'nft' : 'legacy'}-${act}`;
}

/**
Installs the rules of the given families and returns what the kernel then holds: numbers, texts and roles are taken from there.

@throws {TestbedError} RULES_REJECTED with the line and the tool's reason. Nothing of that family is loaded then, for a restore is atomic.
*/
export async function installRules(netns: Netns, {ruleSet, backend, families, lockFile}: {
	readonly ruleSet: RuleSet;
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** The lock that iptables-legacy takes. Rules of a namespace of our own need not wait for anybody else's. */
	readonly lockFile: string;
}): Promise<RuleSet> {
	const environment = {XTABLES_LOCKFILE: lockFile};
	const tables = await Promise.all(families.map(async family => {
		const input = printSave(ruleSet, family);
		try {
			await netns.run(tool(backend, family, 'restore'), [], {input, environment});
		} catch (error) {
			throw error instanceof CommandError ? rejection({error, input, backend, family}) : error;
		}

		const saved = await netns.run(tool(backend, family, 'save'), [], {environment});
		const held = parseSave(saved, family);
		assertHeld({asked: ruleSet, held, family});
		return held.tables;
	}));
	return {tables: tables.flat()};
}

function rejection({error, input, backend, family}: {error: CommandError; input: string; backend: Backend; family: AddressFamily}): TestbedError {
	const line = Number(/line:? (?<line>\d+)/u.exec(error.stderr)?.groups?.['line'] ?? 0);
	const text = input.split('\n')[line - 1];
	return new TestbedError('RULES_REJECTED', {
		message: `${tool(backend, family, 'restore')} rejected ${text === undefined || text === 'COMMIT' ? 'the rules' : `line ${line}, \`${text}\``}: ${error.stderr.trim()}`,
		state: 'No traffic was sent and nothing stays installed: the namespace is gone.',
		hint: 'Does the kernel have the match or target? `testbed doctor` tells.',
		cause: error,
	});
}

/** A rule that the tool took and the kernel does not hold would make every result one of another rule set. */
function assertHeld({asked, held, family}: {asked: RuleSet; held: RuleSet; family: AddressFamily}): void {
	const ofFamily = (ruleSet: RuleSet): string => ruleSet.tables
		.filter(table => table.family === tableFamily(family))
		.flatMap(({name, chains}) => chains.filter(({rules}) => rules.length > 0).map(chain => `${name} ${chain.name}: ${chain.rules.length} rules`))
		.toSorted()
		.join('; ');
	const [wanted, found] = [ofFamily(asked), ofFamily(held)];
	if (wanted !== found) {
		throw new TestbedError('RULES_REJECTED', {
			message: `The kernel does not hold what was installed for ${family}.\nasked: ${wanted}\nheld:  ${found}`,
			state: 'No traffic was sent.',
		});
	}
}

/** The rules with their counters (and handles, where the back end has them), as the kernel holds them now, and the owners that the trace switch noted. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/** Reads both at once. */
export async function loadKernelState(netns: Netns, {backend, families, lockFile}: {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
}): Promise<KernelState> {
	// Numeric (-n), so that a user is a number whatever /etc/passwd calls it.
	const listing = netns.run('nft', ['-n', '-j', 'list', 'ruleset']);
	const saved = backend === 'iptables-legacy'
		? families.map(async family => netns.run(tool(backend, family, 'save'), ['-c'], {environment: {XTABLES_LOCKFILE: lockFile}}))
		: [];
	const [text, ...legacy] = await Promise.all([listing, ...saved]);
	try {
		return {
			rules: backend === 'iptables-legacy'
				? legacy.flatMap((dump, index) => parseSavedCounters(dump, tableFamily(families[index]!) as 'ip' | 'ip6'))
				: parseNftListing(text, [switchTable]),
			owners: parseOwners(text),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
