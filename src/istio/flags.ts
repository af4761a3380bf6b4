/**
The flags and environment variables of istio-iptables as a table (`tools/istio-iptables/pkg/cmd/root.go`, `pkg/constants`, 1.30).
*/

import {
	readBinary, readBoolean, readCidrSelection, readExcludedCidrs, readGroups, readGroupSelection, readInterfaces, readLoopbackCidr, readMode, readOwners, readPort,
	readPorts, readPortSelection, readWord,
} from './option-values.js';
import type {SidecarOptions} from './options.js';

/** How a flag's value becomes an option. `name` is what the user wrote, for the error. */
type Reader = (text: string, name: string) => Partial<SidecarOptions>;

/** One option of the program. `effect` says what it does when no rule depends on it; `refused` says why it cannot be asked for here. */
export type Flag = {
	readonly long?: string;
	readonly short?: string;
	/** Environment names in the order in which they are read: a later one wins. */
	readonly environment: readonly string[];
	readonly isBoolean?: boolean;
	readonly read?: Reader;
	readonly effect?: string;
	readonly refused?: string;
};

/** A variable is named like its flag, except where the row says otherwise (options.md: `--envoy-port` has none since 1.20.1). */
function named(long: string, row: Omit<Flag, 'long' | 'environment'> & {readonly environment?: readonly string[]}): Flag {
	return {long, environment: [long.slice(2).toUpperCase().replaceAll('-', '_')], ...row};
}

/** A value that is looked at and has no part in the rules. */
function checked(_value: unknown): Partial<SidecarOptions> {
	return {};
}

const onlyProgram = 'it steers the program, not the rules';

/** Every option, in the order of the program's help. */
export const flags: readonly Flag[] = [
	named('--envoy-port', {short: '-p', environment: [], read: (text, name) => ({proxyPort: readPort(text, name)})}),
	named('--inbound-capture-port', {short: '-z', read: (text, name) => ({inboundCapturePort: readPort(text, name)})}),
	named('--inbound-tunnel-port', {short: '-e', read: (text, name) => ({inboundTunnelPort: readPort(text, name)})}),
	// Empty UIDs and GIDs are filled: see `parseSidecarArguments`.
	named('--proxy-uid', {short: '-u', read: (text, name) => text === '' ? {} : {proxyUids: readOwners(text, name)}}),
	named('--proxy-gid', {short: '-g', read: (text, name) => text === '' ? {} : {proxyGids: readOwners(text, name)}}),
	named('--istio-inbound-interception-mode', {short: '-m', read: (text, name) => ({inboundInterceptionMode: readMode(text, name)})}),
	named('--istio-inbound-tproxy-mark', {short: '-t', read: (text, name) => ({inboundTproxyMark: readWord(text, name)})}),
	named('--istio-inbound-tproxy-route-table', {short: '-r', read: (text, name) => ({inboundTproxyRouteTable: readWord(text, name)})}),
	named('--istio-inbound-ports', {short: '-b', read: (text, name) => ({inboundPortsInclude: readPortSelection(text, name)})}),
	named('--istio-local-exclude-ports', {short: '-d', read: (text, name) => ({inboundPortsExclude: readPorts(text, name)})}),
	named('--istio-exclude-interfaces', {short: '-c', read: (text, name) => ({excludeInterfaces: readInterfaces(text, name)})}),
	named('--istio-service-cidr', {short: '-i', read: (text, name) => ({outboundIpRangesInclude: readCidrSelection(text, name)})}),
	named('--istio-service-exclude-cidr', {short: '-x', read: (text, name) => ({outboundIpRangesExclude: readExcludedCidrs(text, name)})}),
	named('--istio-outbound-ports', {short: '-q', read: (text, name) => ({outboundPortsInclude: readPorts(text, name)})}),
	named('--istio-local-outbound-ports-exclude', {short: '-o', read: (text, name) => ({outboundPortsExclude: readPorts(text, name)})}),
	named('--kube-virt-interfaces', {short: '-k', read: (text, name) => ({kubeVirtInterfaces: readInterfaces(text, name)})}),
	named('--redirect-dns', {isBoolean: true, environment: ['REDIRECT_DNS', 'ISTIO_META_DNS_CAPTURE'], read: (text, name) => ({redirectDns: readBoolean(text, name)})}),
	named('--capture-all-dns', {isBoolean: true, read: (text, name) => ({captureAllDns: readBoolean(text, name)})}),
	named('--drop-invalid', {isBoolean: true, environment: ['DROP_INVALID', 'INVALID_DROP'], read: (text, name) => ({dropInvalid: readBoolean(text, name)})}),
	named('--dual-stack', {isBoolean: true, environment: ['DUAL_STACK', 'ISTIO_DUAL_STACK'], read: (text, name) => ({dualStack: readBoolean(text, name)})}),
	{environment: ['ISTIO_OUTBOUND_OWNER_GROUPS'], read: (text, name) => ({ownerGroupsInclude: readGroupSelection(text, name)})},
	{environment: ['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'], read: (text, name) => ({ownerGroupsExclude: readGroups(text, name)})},
	{environment: ['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'], read: (text, name) => ({hostIpv4LoopbackCidr: readLoopbackCidr(text, name)})},
	{environment: ['ENVOY_USER'], refused: 'the UID of that user is known in the pod only; give the number with -u'},
	named('--dry-run', {short: '-n', isBoolean: true, refused: 'with it no rule is written'}),
	named('--skip-rule-apply', {isBoolean: true, refused: 'with it no rule is written'}),
	named('--cleanup-only', {isBoolean: true, refused: 'with it rules are only removed'}),
	named('--native-nftables', {isBoolean: true, refused: 'the native nftables rules are not implemented yet'}),
	named('--iptables-probe-port', {read: (text, name) => checked(readPort(text, name)), effect: onlyProgram}),
	named('--probe-timeout', {effect: onlyProgram}),
	named('--run-validation', {isBoolean: true, effect: onlyProgram}),
	named('--network-namespace', {effect: onlyProgram}),
	named('--cni-mode', {isBoolean: true, effect: onlyProgram}),
	named('--reconcile', {isBoolean: true, effect: 'it replaces rules that are there already; a sandbox begins without any'}),
	named('--force-apply', {isBoolean: true, effect: 'it replaces rules that are there already; a sandbox begins without any'}),
	named('--force-iptables-binary', {read: (text, name) => checked(readBinary(text, name)), effect: 'the back end is chosen with --backend'}),
];
