/**
The flags and environment variables of istio-iptables as a table (`tools/istio-iptables/pkg/cmd/root.go`, `pkg/constants`, 1.5 to 1.30), each with the releases that have it: see `livesIn`.
*/

import {
	checkBinary, checkDuration, parseWord, readCidrSelection, readExcludedCidrs, readGroups, readGroupSelection, readInterfaces, readLoopbackCidr, readMode, readOwners,
	readPort, readPorts, readPortSelection, type Reading,
} from './option-values.js';
import type {SidecarOptions} from './options.js';

/** How a flag's value becomes an option. */
type Reader = (text: string, reading: Reading) => Partial<SidecarOptions>;

/** A variable. `own` is the one that is named like its flag, `extra` is another name for the same; which of the two wins depends on the release. */
export type Variable = {readonly name: string; readonly kind: 'own' | 'extra'; readonly life?: readonly string[]; readonly isOnByAnyText?: boolean; readonly read?: Reader};

/** One option of the program. `effect` describes it if it does not affect the rules; `refused` says why it cannot be used here. */
export type Flag = {
	readonly long?: string;
	readonly short?: string;
	readonly life?: readonly string[];
	readonly shortLife?: readonly string[];
	readonly variables: readonly Variable[];
	readonly isBoolean?: boolean;
	readonly read?: Reader;
	readonly effect?: string;
	readonly refused?: string;
};

type Row = Omit<Flag, 'long' | 'variables'> & {readonly extras?: readonly Variable[]; readonly ownLife?: readonly string[]};

/** A variable is named like its flag and exists in the same releases; `ownLife` if it exists in fewer. */
function named(long: string, {extras = [], ownLife, ...row}: Row): Flag {
	const life = ownLife ?? row.life;
	const own: Variable = {name: long.slice(2).toUpperCase().replaceAll('-', '_'), kind: 'own', ...(life === undefined ? {} : {life})};
	return {long, variables: [own, ...extras], ...row};
}

function extra(name: string, row: Omit<Variable, 'name' | 'kind'> = {}): Variable {
	return {name, kind: 'extra', ...row};
}

/** An option that only a variable sets. */
function variable(name: string, row: Omit<Flag, 'long' | 'variables'>): Flag {
	return {variables: [{name, kind: 'own', ...(row.life === undefined ? {} : {life: row.life})}], ...row};
}

/** A switch. */
function switched(option: 'redirectDns' | 'captureAllDns' | 'dropInvalid' | 'dualStack' | 'dnsConntrackZones' | 'writesNothing'): Pick<Flag, 'isBoolean' | 'read'> {
	return {isBoolean: true, read: text => ({[option]: text === 'true'})};
}

/** A switch with which the program writes no rule. */
function silencing(flag: string, what: string): Pick<Flag, 'isBoolean' | 'read'> {
	return {
		isBoolean: true,
		read(text, {warn}) {
			if (text !== 'true') {
				return {};
			}

			warn(`${flag}: ${what}, so the rule set is empty`);
			return {writesNothing: true};
		},
	};
}

const onlyProgram = 'it affects the program, not the rules';
const onlyExisting = 'it replaces existing rules; a sandbox starts without any';
const word = (option: 'inboundTproxyMark' | 'inboundTproxyRouteTable'): Reader => text => {
	const value = parseWord(text);
	return value === undefined ? {} : {[option]: value};
};

/** Mark and route table: parsed as numbers if possible; anything else is judged together with the mode, in arguments.ts. */
export const wordFlags: ReadonlySet<string | undefined> = new Set(['--istio-inbound-tproxy-mark', '--istio-inbound-tproxy-route-table']);

/** Every option, in the order of the program's help. */
export const flags: readonly Flag[] = [
	// Its variable disappeared with viper, and came back in 1.20.0 as viper did.
	named('--envoy-port', {short: '-p', ownLife: ['1.5.0', '1.19.5', '1.20.0', '1.20.1'], read: (text, reading) => ({proxyPort: readPort(text, reading)})}),
	named('--inbound-capture-port', {short: '-z', read: (text, reading) => ({inboundCapturePort: readPort(text, reading)})}),
	named('--inbound-tunnel-port', {
		short: '-e', life: ['1.7.0'], read: (text, reading) => ({inboundTunnelPort: readPort(text, reading)}),
	}),
	// Empty UIDs and GIDs are filled in: see arguments.ts.
	named('--proxy-uid', {short: '-u', read: (text, reading) => text === '' ? {} : {proxyUids: readOwners(text, 'uid', reading)}}),
	named('--proxy-gid', {short: '-g', read: (text, reading) => text === '' ? {} : {proxyGids: readOwners(text, 'gid', reading)}}),
	named('--istio-inbound-interception-mode', {short: '-m', read: (text, reading) => ({inboundInterceptionMode: readMode(text, reading)})}),
	named('--istio-inbound-tproxy-mark', {short: '-t', read: word('inboundTproxyMark')}),
	named('--istio-inbound-tproxy-route-table', {short: '-r', read: word('inboundTproxyRouteTable')}),
	named('--istio-inbound-ports', {short: '-b', read: (text, reading) => ({inboundPortsInclude: readPortSelection(text, reading)})}),
	named('--istio-local-exclude-ports', {short: '-d', read: (text, reading) => ({inboundPortsExclude: readPorts(text, reading)})}),
	named('--istio-exclude-interfaces', {
		short: '-c', shortLife: ['1.15.0'], life: ['1.11.3'], read: (text, reading) => ({excludeInterfaces: readInterfaces(text, reading)}),
	}),
	named('--istio-service-cidr', {short: '-i', read: (text, reading) => ({outboundIpRangesInclude: readCidrSelection(text, reading)})}),
	named('--istio-service-exclude-cidr', {
		short: '-x',
		read(text, reading) {
			if (text.startsWith('-')) {
				reading.warn(`${reading.name}: the next word "${text}" is taken as its value, as the program does, so it is no longer a flag; an empty value is ""`);
			}

			return {outboundIpRangesExclude: readExcludedCidrs(text, reading)};
		},
	}),
	named('--istio-outbound-ports', {
		short: '-q', life: ['1.7.0'], read: (text, reading) => ({outboundPortsInclude: readPorts(text, reading)}),
	}),
	named('--istio-local-outbound-ports-exclude', {short: '-o', read: (text, reading) => ({outboundPortsExclude: readPorts(text, reading)})}),
	named('--kube-virt-interfaces', {short: '-k', read: (text, reading) => ({kubeVirtInterfaces: readInterfaces(text, reading)})}),
	named('--redirect-dns', {
		...switched('redirectDns'),
		life: ['1.9.0'],
		extras: [
			extra('DNS_CAPTURE', {life: ['1.6.0', '1.7.0'], isOnByAnyText: true}),
			extra('ISTIO_META_DNS_CAPTURE', {
				life: ['1.7.0', '1.8.0'], isOnByAnyText: true, read: () => ({redirectDns: true, dnsByProxy: true}),
			}),
			// The agent wins over Envoy if both are requested.
			extra('DNS_AGENT', {life: ['1.7.0', '1.8.0'], isOnByAnyText: true, read: () => ({redirectDns: true, dnsByProxy: false})}),
			extra('ISTIO_META_DNS_CAPTURE', {life: ['1.8.0']}),
		],
	}),
	named('--capture-all-dns', {...switched('captureAllDns'), life: ['1.11.0']}),
	named('--drop-invalid', {
		...switched('dropInvalid'), life: ['1.12.2'], extras: [extra('INVALID_DROP', {life: ['1.12.2']})],
	}),
	named('--dual-stack', {
		...switched('dualStack'),
		life: ['1.18.5', '1.19.0', '1.19.1'],
		extras: [extra('ISTIO_AGENT_DUAL_STACK', {life: ['1.17.0', '1.19.0']}), extra('ISTIO_DUAL_STACK', {life: ['1.19.1']})],
	}),
	variable('ISTIO_META_DNS_CONNTRACK_ZONE', {...switched('dnsConntrackZones'), life: ['1.10.3', '1.11.0']}),
	variable('ISTIO_OUTBOUND_OWNER_GROUPS', {life: ['1.14.0'], read: (text, reading) => ({ownerGroupsInclude: readGroupSelection(text, reading)})}),
	variable('ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE', {life: ['1.14.0'], read: (text, reading) => ({ownerGroupsExclude: readGroups(text, reading)})}),
	variable('ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR', {life: ['1.21.0'], read: (text, reading) => ({hostIpv4LoopbackCidr: readLoopbackCidr(text, reading)})}),
	// Used if no UID is given: see arguments.ts.
	variable('ENVOY_USER', {effect: 'it matters only if no UID is given'}),
	named('--dry-run', {short: '-n', ...silencing('--dry-run', 'no rule is written with it')}),
	named('--skip-rule-apply', silencing('--skip-rule-apply', 'no rule is written with it')),
	named('--cleanup-only', {...silencing('--cleanup-only', 'rules are only removed with it'), life: ['1.24.0']}),
	named('--native-nftables', {
		isBoolean: true, life: ['1.27.0'], effect: 'the rules are those of the native nftables back end',
	}),
	named('--iptables-probe-port', {
		read(text, reading) {
			readPort(text, reading);
			return {};
		},
		effect: onlyProgram,
	}),
	named('--probe-timeout', {
		read(text, reading) {
			checkDuration(text, reading);
			return {};
		},
		effect: onlyProgram,
	}),
	named('--run-validation', {isBoolean: true, effect: onlyProgram}),
	named('--network-namespace', {life: ['1.11.0'], effect: onlyProgram}),
	named('--cni-mode', {
		isBoolean: true, life: ['1.11.0'], effect: onlyProgram,
	}),
	named('--reconcile', {
		isBoolean: true, life: ['1.24.0'], effect: onlyExisting,
	}),
	named('--force-apply', {
		isBoolean: true, life: ['1.24.0'], effect: onlyExisting,
	}),
	named('--force-iptables-binary', {
		life: ['1.28.0'],
		read(text, reading) {
			checkBinary(text, reading);
			return {};
		},
		effect: 'the back end is chosen with --backend',
	}),
	named('--restore-format', {
		short: '-f', isBoolean: true, life: ['1.5.0', '1.24.0'], effect: 'the same rules, one by one or in one text',
	}),
	named('--output-paths', {life: ['1.11.0', '1.18.0'], effect: 'a copy of the text'}),
	named('--iptables-trace-logging', {
		isBoolean: true, life: ['1.12.0', '1.26.0'], refused: 'it adds a logging rule before each rule, which no expectation includes',
	}),
	named('--host-nsenter-exec', {
		isBoolean: true, life: ['1.15.0', '1.18.6', '1.19.0', '1.19.4'], effect: onlyProgram,
	}),
	named('--iptables-version', {life: ['1.18.6', '1.19.0', '1.19.4', '1.22.0'], effect: 'it tells the program which iptables is installed'}),
	{long: '--log_output_level', variables: [], effect: onlyProgram},
];
