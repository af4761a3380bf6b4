/**
The match modules whose options are understood, as a table. A row without `read` is known to iptables but has no field: it becomes an `opaque` match.
*/

import type {Match} from '../types.js';
import {
	parseMark, parseOwner, parsePortRange, parsePortRanges, parseStates,
} from './values.js';

/** How many values an option takes, and the match that they make. `alias` is the name that `iptables-save` prints, if it is different. */
export type MatchOption = {
	readonly values: number;
	readonly alias?: string;
	readonly read?: (value: string, negated: boolean) => Match;
};

type MatchModule = ReadonlyMap<string, MatchOption>;

const sourcePort: MatchOption = {values: 1, read: (value, negated) => ({kind: 'source-port', negated, ranges: [parsePortRange(value)]})};
const destinationPort: MatchOption = {values: 1, read: (value, negated) => ({kind: 'destination-port', negated, ranges: [parsePortRange(value)]})};
const sourcePorts: MatchOption = {values: 1, read: (value, negated) => ({kind: 'source-port', negated, ranges: parsePortRanges(value)})};
const destinationPorts: MatchOption = {values: 1, read: (value, negated) => ({kind: 'destination-port', negated, ranges: parsePortRanges(value)})};
const states: MatchOption = {values: 1, read: (value, negated) => ({kind: 'conntrack-state', negated, states: parseStates(value)})};
const ports = [['--sport', sourcePort], ['--source-port', {...sourcePort, alias: '--sport'}], ['--dport', destinationPort], ['--destination-port', {...destinationPort, alias: '--dport'}]] as const;

function opaque(values: number, ...names: readonly string[]): ReadonlyArray<readonly [string, MatchOption]> {
	return names.map(name => [name, {values}] as const);
}

function mark(kind: 'mark' | 'connmark'): MatchModule {
	return new Map([['--mark', {values: 1, read: (value: string, negated: boolean): Match => ({kind, negated, ...parseMark(value)})}]]);
}

function owner(kind: 'uid' | 'gid'): MatchOption {
	return {values: 1, read: (value, negated) => ({kind, negated, ...parseOwner(value, kind)})};
}

/** The modules by name, each with its options (iptables-extensions(8) 1.8.9). */
export const matchModules: ReadonlyMap<string, MatchModule> = new Map<string, MatchModule>([
	['tcp', new Map([...ports, ...opaque(2, '--tcp-flags'), ...opaque(0, '--syn'), ...opaque(1, '--tcp-option')])],
	['udp', new Map(ports)],
	['sctp', new Map([...ports, ...opaque(2, '--chunk-types')])],
	['dccp', new Map([...ports, ...opaque(1, '--dccp-types', '--dccp-option')])],
	['icmp', new Map(opaque(1, '--icmp-type'))],
	['icmp6', new Map(opaque(1, '--icmpv6-type'))],
	['esp', new Map(opaque(1, '--espspi'))],
	['ah', new Map(opaque(1, '--ahspi'))],
	['multiport', new Map<string, MatchOption>([
		['--sports', sourcePorts],
		['--source-ports', {...sourcePorts, alias: '--sports'}],
		['--dports', destinationPorts],
		['--destination-ports', {...destinationPorts, alias: '--dports'}],
		...opaque(1, '--ports', '--port'),
	])],
	['owner', new Map<string, MatchOption>([
		['--uid-owner', owner('uid')],
		['--gid-owner', owner('gid')],
		['--socket-exists', {values: 0, read: (_value, negated) => ({kind: 'socket-exists', negated})}],
		...opaque(0, '--suppl-groups'),
	])],
	['mark', mark('mark')],
	['connmark', mark('connmark')],
	['conntrack', new Map([
		['--ctstate', states],
		...opaque(1, '--ctproto', '--ctorigsrc', '--ctorigdst', '--ctreplsrc', '--ctrepldst', '--ctorigsrcport', '--ctorigdstport', '--ctreplsrcport', '--ctrepldstport', '--ctstatus', '--ctexpire', '--ctdir'),
	])],
	['state', new Map([['--state', states]])],
	['comment', new Map<string, MatchOption>([['--comment', {values: 1, read: text => ({kind: 'comment', text})}]])],
]);

/** The protocols that have a module of the same name with ports; the module requires `-p` (iptables-extensions(8)). */
export const portProtocols: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp', 'dccp']);

/** The module that a protocol implies without `-m`, which iptables loads on first use. */
export function optionsOfProtocol(protocol: string | undefined): {readonly name: string; readonly options: MatchModule} | undefined {
	if (protocol === undefined) {
		return undefined;
	}

	const name = protocol === 'ipv6-icmp' ? 'icmp6' : protocol;
	const options = portProtocols.has(protocol) || ['icmp', 'icmp6', 'esp', 'ah'].includes(name) ? matchModules.get(name) : undefined;
	return options === undefined ? undefined : {name, options};
}

/** Modules that match nothing without an option: iptables rejects them. */
export const modulesThatNeedAnOption: ReadonlySet<string> = new Set(['multiport', 'owner', 'mark', 'connmark', 'conntrack', 'state', 'comment']);

/** Modules that only look at the packet, so that their order in a rule has no meaning. Any other module may count, remember or be random (`limit`, `recent`, `statistic`), so the matches before it determine how often it runs. */
export const modulesWithoutMemory: ReadonlySet<string> = new Set([
	'addrtype ah bpf cgroup comment connbytes connmark conntrack cpu dccp devgroup dscp dst ecn esp eui64 frag hbh helper hl icmp icmp6 iprange ipv6header',
	'ipvs length mac mark mh multiport owner physdev pkttype policy realm rpfilter rt sctp socket state string tcp time tos ttl u32 udp',
].flatMap(line => line.split(' ')));

/** The modules that have an option, for the hint of an error. */
export function modulesWithOption(option: string): readonly string[] {
	return [...matchModules].filter(([, options]) => options.has(option)).map(([name]) => name);
}
