/**
Static facts about each back end. Anything that has to run a program is in its driver (`testbed/sandbox/backends/`), which includes these facts. Nothing else compares a back end's name with a literal; a unit test checks that.
*/

import {
	backends, type AddressFamily, type Backend, type RuleLanguage,
} from './types.js';

/** A program of a back end that runs confined, its Debian package, and kernel modules that it cannot load itself while confined. */
export type BackendTool = {readonly program: string; readonly debianPackage: string; readonly modules: readonly string[]};

/** A netlink stream of trace messages: from nf_tables (NFNLGRP_NFTRACE), or log messages of ip_tables' TRACE target (NFLOG). */
export type TraceStream = 'nft' | 'nflog';

/** All streams, in the order in which they are read: nft's first, because its messages establish which packets exist. */
export const traceStreams = ['nft', 'nflog'] as const satisfies readonly TraceStream[];

/** The stream of the table that switches tracing on. That table is always an nft table. */
const switchStream: TraceStream = 'nft';

/** The kernel output that contains the counters of a back end's rules: `nft -j list ruleset`, or `iptables-save -c`. */
export type CounterSource = 'nft-listing' | 'iptables-save';

/** The facts of one back end. */
export type BackendFacts = {
	readonly language: RuleLanguage;
	/** The programs that load and print its rules. */
	readonly tools: readonly BackendTool[];
	/** The program whose version a report gives as that of iptables. For a back end without iptables, it is the distribution's default. */
	readonly iptablesProgram: string;
	readonly counters: CounterSource;
	/** The command with which a person lists its rules with their counters. */
	readonly listCommand: string;
	/** The stream that reports which of its rules a packet hit. */
	readonly traceStream: TraceStream;
};

const programPrefix = {ipv4: 'iptables', ipv6: 'ip6tables'} as const satisfies Record<AddressFamily, string>;

/** The two builds of iptables that can be installed side by side. */
export type IptablesVariant = 'nft' | 'legacy';

/** The name of an iptables program for one family: `ip6tables-nft-restore`. */
export function iptablesProgram(variant: IptablesVariant, family: AddressFamily, act: 'restore' | 'save'): string {
	return `${programPrefix[family]}-${variant}-${act}`;
}

function iptablesTools(variant: IptablesVariant, modules: readonly string[]): readonly BackendTool[] {
	return (['ipv4', 'ipv6'] as const).flatMap(family => (['restore', 'save'] as const).map(act => ({
		program: iptablesProgram(variant, family, act), debianPackage: 'iptables', modules,
	})));
}

const facts: Readonly<Record<Backend, BackendFacts>> = {
	'iptables-nft': {
		language: 'iptables',
		tools: iptablesTools('nft', []),
		iptablesProgram: 'iptables-nft',
		counters: 'nft-listing',
		listCommand: 'iptables-nft-save -c',
		traceStream: 'nft',
	},
	'iptables-legacy': {
		language: 'iptables',
		// It talks to the kernel through socket options that exist only when these modules are loaded. The kernel loads all other modules itself when a rule or a table first needs them.
		tools: iptablesTools('legacy', ['ip_tables', 'ip6_tables']),
		iptablesProgram: 'iptables-legacy',
		counters: 'iptables-save',
		listCommand: 'iptables-legacy-save -c',
		traceStream: 'nflog',
	},
	nftables: {
		language: 'nft',
		tools: [{program: 'nft', debianPackage: 'nftables', modules: []}],
		iptablesProgram: 'iptables-nft',
		counters: 'nft-listing',
		listCommand: 'nft list ruleset',
		traceStream: 'nft',
	},
};

/** The facts about a back end. */
export function factsOf(backend: Backend): BackendFacts {
	return facts[backend];
}

/** The language of a back end's rules. */
export function languageOf(backend: Backend): RuleLanguage {
	return facts[backend].language;
}

/** The back ends that accept rules of a language, in the order of `backends`. */
export function backendsOf(language: RuleLanguage): readonly Backend[] {
	return backends.filter(backend => facts[backend].language === language);
}

/** The default back end. */
export const defaultBackend: Backend = backends[0];

/** The default back end for rules of a language. */
export function defaultBackendOf(language: RuleLanguage): Backend {
	return backendsOf(language)[0]!;
}

/** The streams from which a trace of a back end's rules is read: that of the trace table, and that of the rules if it is a different one. */
export function streamsOf(backend: Backend): readonly TraceStream[] {
	return traceStreams.filter(stream => stream === switchStream || stream === facts[backend].traceStream);
}

/** The tools of all back ends, each program once. */
export const backendTools: readonly BackendTool[] = [...new Map(backends.flatMap(backend => facts[backend].tools).map(tool => [tool.program, tool])).values()];
