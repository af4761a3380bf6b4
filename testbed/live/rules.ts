/**
The rules of a namespace, of every back end, without making or loading anything: a tool is run only if the kernel already lists tables for it.
*/

import {backendsOf, factsOf} from '../../src/netfilter/backends.js';
import {tableFamily} from '../../src/netfilter/built-in.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {runConfined} from '../confinement/run-confined.js';
import type {LiveRules} from './live-pod.js';
import {hasNfTables} from './nf-tables.js';
import {forBoth} from './netns-facts.js';

/** The tables of ip_tables and ip6_tables that the namespace has, a name per line: /proc/net/ip_tables_names. Undefined if the module is not loaded. */
export type LegacyTables = Readonly<Record<AddressFamily, string | undefined>>;

/** The program of each family among an iptables back end's tools that prints its rules. */
export const savePrograms = {ipv4: /^iptables-.*-save$/u, ipv6: /^ip6tables-.*-save$/u} as const;

/**
Reads them.

@throws {TestbedError} MISSING_PROGRAM or MACHINE; {CommandError} if a tool fails.
*/
export async function readRules(netns: number, legacyTables: LegacyTables): Promise<LiveRules> {
	const print = async (program: string, words: readonly string[] = []): Promise<string> => runConfined(program, words, {netns, loadsModules: false});
	const listing = hasNfTables() ? await print('nft', ['-s', 'list', 'ruleset']) : '';
	const hasTables = (backend: Backend, family: AddressFamily): boolean => factsOf(backend).counters === 'nft-listing'
		? new RegExp(`^table ${tableFamily(family)} `, 'mu').test(listing)
		// If the kernel has none, the tool would load the module, and make tables by asking for them.
		: (legacyTables[family] ?? '').trim() !== '';
	const saved = await Promise.all(backendsOf('iptables').map(async backend => ({
		backend,
		texts: await forBoth(async family => hasTables(backend, family) ? print(factsOf(backend).tools.find(({program}) => savePrograms[family].test(program))!.program) : ''),
	})));
	return {listing, saved};
}
