/**
The runs of the real istio-iptables, and what our generator makes of the same input.
*/

import {parseSidecarArguments} from '../../src/istio/arguments.js';
import type {SidecarOptions} from '../../src/istio/options.js';
import {familiesWritten} from '../../src/istio/routing.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {readFixtureRows} from './fixtures.js';

/** One run: see test/fixtures/istio-real/README.md. */
export type RealRun = {
	readonly release: string;
	readonly family: 'ipv4' | 'ipv6' | 'dual';
	readonly argv: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly resolv: readonly string[];
	readonly rc: number;
	readonly v4: string;
	readonly v6: string;
	readonly rules4: readonly string[];
	readonly rules6: readonly string[];
	readonly routes4: string;
};

/** All runs of one file. */
export function readRealRuns(file: 'defaults' | 'random'): readonly RealRun[] {
	return readFixtureRows<RealRun>('istio-real', `${file}.jsonl`);
}

const podAddresses = {
	ipv4: ['10.244.1.10'],
	ipv6: ['2001:db8:1::10'],
	dual: ['10.244.1.10', '2001:db8:1::10'],
} as const satisfies Record<RealRun['family'], readonly string[]>;

/** The options of a run and the families it wrote. The two special cases are told in the README of the fixtures. */
export function inputOf(run: RealRun): {readonly options: SidecarOptions; readonly families: readonly AddressFamily[]} {
	const environment = Object.fromEntries(Object.entries(run.env)
		.filter(([name]) => name !== 'ISTIO_HOST_IPV4_LOOPBACK_CIDR')
		.map(([name, value]) => [name, value.replace('mail', '8')]));
	const options: SidecarOptions = {
		...parseSidecarArguments({argv: run.argv, environment}),
		dnsServersV4: run.resolv.filter(server => !server.includes(':')),
		dnsServersV6: run.resolv.filter(server => server.includes(':')),
	};
	return {options, families: familiesWritten(podAddresses[run.family], options)};
}

/** A title that tells a run from the others. */
export function titleOf({family, argv, env, resolv}: RealRun): string {
	const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	return [family, ...assignments, ...argv.map(word => word === '' ? '""' : word), `resolv=${resolv.join(',')}`].join(' ');
}

/** Chains that hold rules, as `table chain` with their rules: a table that was only touched is no difference. */
export function chainsOf({tables}: RuleSet): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries(tables.flatMap(table => table.chains
		.filter(({rules}) => rules.length > 0)
		.map(chain => [`${table.family} ${table.name} ${chain.name}`, chain.rules.map(({text}) => text)])));
}
