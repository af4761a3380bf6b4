/**
What a play takes from the kernel and from the actors, raw and as plain data: all that is judged is made of this, in a run and in a replay alike. Nothing here asks the kernel.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {Credentials} from '../../src/scenario/types.js';
import type {SocketOwner} from '../../src/trace/legs.js';
import {
	LoadedRulesError, parseNftListing, parseSavedCounters, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {TestbedError} from '../errors.js';
import type {Recording} from '../tracer/trace-source.js';
import {parseOwners, switchTable} from '../tracer/trace-table.js';

/** What a tool printed of one family's rules; of native nft, which has all families in one text, `family` is null. */
export type RulesText = {readonly family: AddressFamily | null; readonly text: string};

/** What the kernel held at one moment: `nft -n -j list ruleset`, and on iptables-legacy what `iptables-save -c` says as well. */
export type KernelTexts = {
	readonly listing: string;
	readonly saved: ReadonlyArray<{readonly family: AddressFamily; readonly text: string}>;
};

/** How the connection of one probe ended for who opened it. `index` is its place among all that were to be sent; `id` is that of its first socket. */
export type ProbeEnd = {readonly index: number; readonly id: string; readonly label: string; readonly answered: boolean; readonly reason: string};

/** Everything that one round left behind. */
export type RoundEvidence = {
	readonly before: KernelTexts;
	readonly after: KernelTexts;
	readonly recording: Recording;
	readonly ends: readonly ProbeEnd[];
	readonly sockets: readonly SocketRecord[];
	readonly interfaces: ReadonlyArray<readonly [index: number, name: string]>;
	/** `/proc/net/nf_conntrack` afterwards; undefined where the kernel does not show it. */
	readonly flows: string | undefined;
};

/** Who an actor was to be, and what the kernel and the process itself say of it. */
export type ActorEvidence = {
	readonly name: string;
	readonly namespace: string;
	readonly asked: Credentials;
	/** Undefined for who only sends: such an actor has no process. */
	readonly pid: number | undefined;
	/** By /proc; undefined where the process is gone, or is not one user. */
	readonly found: Credentials | undefined;
	/** The owner that the kernel wrote on the sockets that were opened for it, a wrong one before a right one; undefined where there was none. In recordings from before it was noted it is missing. */
	readonly made?: Credentials | undefined;
	/** Why the process ended before its time. */
	readonly ended: string | undefined;
	/** What went wrong with single connections, beyond what the records of sockets say. */
	readonly troubles: readonly string[];
};

/** Everything that a play left behind: the rules as the kernel held them, one round or more, and the actors. */
export type PlayEvidence = {
	readonly held: readonly RulesText[];
	readonly rounds: readonly RoundEvidence[];
	readonly actors: readonly ActorEvidence[];
	/** What the kernel said of the sysctls that the testbed set, by the namespace's name and the sysctl's (`net/ipv4/ip_forward`). In recordings from before they were set it is missing. */
	readonly sysctls?: ReadonlyArray<readonly [namespace: string, sysctls: Readonly<Record<string, string>>]>;
};

/** The rules with their counters (and handles, where the back end has them) as the kernel held them, and the owners that the trace switch noted. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/**
The rules that the tools printed after they were installed, without the testbed's own table.

@throws {ParseError} when a text is not what such a tool prints.
*/
export function parseHeld(held: readonly RulesText[]): RuleSet {
	return {
		tables: held.flatMap(({family, text}) => {
			if (family === null) {
				return parseNft(text).tables.filter(({name}) => name !== switchTable);
			}

			// A namespace that holds no table of a family has nothing to print.
			return text.trim() === '' ? [] : parseSave(text, family).tables;
		}),
	};
}

/**
Reads what the kernel held.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else.
*/
export function parseKernelState({listing, saved}: KernelTexts, backend: Backend): KernelState {
	try {
		return {
			rules: backend === 'iptables-legacy'
				? saved.flatMap(({family, text}) => parseSavedCounters(text, tableFamily(family) as 'ip' | 'ip6'))
				: parseNftListing(listing, [switchTable]),
			owners: parseOwners(listing),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
