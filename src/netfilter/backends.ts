/**
What is known of each back end without asking a kernel. What has to run a program is in its driver (`testbed/sandbox/backends/`), which has these facts as well. Nothing else compares the name of a back end with a literal: a unit test checks it.
*/

import {
	backends, type AddressFamily, type Backend, type RuleLanguage,
} from './types.js';

/** A program of a back end that is run confined, the Debian package that has it, and kernel modules that it cannot load itself when it is confined. */
export type BackendTool = {readonly program: string; readonly debianPackage: string; readonly modules: readonly string[]};

/** A netlink stream of trace messages: those of nf_tables (NFNLGRP_NFTRACE), or the TRACE target's log messages of ip_tables (NFLOG). */
export type TraceStream = 'nft' | 'nflog';

/** All streams, in the order in which they are read: nft's first, because its messages say which packets there are. */
export const traceStreams = ['nft', 'nflog'] as const satisfies readonly TraceStream[];

/** The stream of the table that switches tracing on. That table is nft's, whatever the back end. */
const switchStream: TraceStream = 'nft';

/** Which of the kernel's answers has the counters of a back end's rules: `nft -j list ruleset`, or `iptables-save -c`. */
export type CounterSource = 'nft-listing' | 'iptables-save';

/** The facts of one back end. */
export type BackendFacts = {
	readonly language: RuleLanguage;
	/** The programs that take its rules and print them. */
	readonly tools: readonly BackendTool[];
	/** The program whose version a report gives as that of iptables. For a back end without iptables it is the one that the distribution uses by default. */
	readonly iptablesProgram: string;
	readonly counters: CounterSource;
	/** The stream that tells which of its rules a packet met. */
	readonly traceStream: TraceStream;
};

const programPrefix = {ipv4: 'iptables', ipv6: 'ip6tables'} as const satisfies Record<AddressFamily, string>;

/** The two builds of iptables that can be installed side by side. */
export type IptablesVariant = 'nft' | 'legacy';

/** The name of a program of iptables for one family: `ip6tables-nft-restore`. */
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
		traceStream: 'nft',
	},
	'iptables-legacy': {
		language: 'iptables',
		// It talks to the kernel by options of sockets that are not there before these are loaded. All other modules the kernel loads by itself, when a rule or a table first asks for them.
		tools: iptablesTools('legacy', ['ip_tables', 'ip6_tables']),
		iptablesProgram: 'iptables-legacy',
		counters: 'iptables-save',
		traceStream: 'nflog',
	},
	nftables: {
		language: 'nft',
		tools: [{program: 'nft', debianPackage: 'nftables', modules: []}],
		iptablesProgram: 'iptables-nft',
		counters: 'nft-listing',
		traceStream: 'nft',
	},
};

/** What is known of a back end. */
export function factsOf(backend: Backend): BackendFacts {
	return facts[backend];
}

/** The language that the rules of a back end are written in. */
export function languageOf(backend: Backend): RuleLanguage {
	return facts[backend].language;
}

/** The back ends that take rules of a language, in the order of `backends`. */
export function backendsOf(language: RuleLanguage): readonly Backend[] {
	return backends.filter(backend => facts[backend].language === language);
}

/** The back end that is meant where nobody names one. */
export const defaultBackend: Backend = backends[0];

/** The same for rules of a language. */
export function defaultBackendOf(language: RuleLanguage): Backend {
	return backendsOf(language)[0]!;
}

/** The streams that a trace of a back end's rules is read from: the switch's, and the rules' own where that is another. */
export function streamsOf(backend: Backend): readonly TraceStream[] {
	return traceStreams.filter(stream => stream === switchStream || stream === facts[backend].traceStream);
}

/** The tools of all back ends, each program once. */
export const backendTools: readonly BackendTool[] = [...new Map(backends.flatMap(backend => facts[backend].tools).map(tool => [tool.program, tool])).values()];
