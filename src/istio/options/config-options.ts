/**
Options by the field names of istio-iptables' own configuration (`tools/common/config`, camelCase), which its tests and its CNI plug-in set directly, without flags or environment.
*/

import type {AddressFamily} from '../../netfilter/types.js';
import {InputError} from '../../parsing/input-error.js';
import {newestRelease} from '../releases.js';
import {
	readCidrSelection, readExcludedCidrs, readGroups, readGroupSelection, readInterfaces, readLoopbackCidr, readMode, readOwners,
	readPort, readPorts, readPortSelection, readRequiredWord, type Reading,
} from './option-values.js';
import {defaultOptions, type SidecarOptions} from './options.js';

/** Field values as in JSON. */
export type ConfigFields = Readonly<Record<string, unknown>>;

/** The options, and the families for which `enableIPv6` requests rules. */
export type ConfiguredSidecar = {readonly options: SidecarOptions; readonly families: readonly AddressFamily[]};

type TextReader = (text: string, reading: Reading) => Partial<SidecarOptions>;

const texts: Readonly<Record<string, TextReader>> = {
	proxyPort: (text, reading) => ({proxyPort: readPort(text, reading)}),
	inboundCapturePort: (text, reading) => ({inboundCapturePort: readPort(text, reading)}),
	inboundTunnelPort: (text, reading) => ({inboundTunnelPort: readPort(text, reading)}),
	proxyUID: (text, reading) => ({proxyUids: readOwners(text, 'uid', reading)}),
	proxyGID: (text, reading) => ({proxyGids: readOwners(text, 'gid', reading)}),
	inboundInterceptionMode: (text, reading) => ({inboundInterceptionMode: readMode(text, reading)}),
	inboundTProxyMark: (text, reading) => ({inboundTproxyMark: readRequiredWord(text, reading)}),
	inboundTProxyRouteTable: (text, reading) => ({inboundTproxyRouteTable: readRequiredWord(text, reading)}),
	inboundPortsInclude: (text, reading) => ({inboundPortsInclude: readPortSelection(text, reading)}),
	inboundPortsExclude: (text, reading) => ({inboundPortsExclude: readPorts(text, reading)}),
	ownerGroupsInclude: (text, reading) => ({ownerGroupsInclude: readGroupSelection(text, reading)}),
	ownerGroupsExclude: (text, reading) => ({ownerGroupsExclude: readGroups(text, reading)}),
	outboundPortsInclude: (text, reading) => ({outboundPortsInclude: readPorts(text, reading)}),
	outboundPortsExclude: (text, reading) => ({outboundPortsExclude: readPorts(text, reading)}),
	outboundIPRangesInclude: (text, reading) => ({outboundIpRangesInclude: readCidrSelection(text, reading)}),
	outboundIPRangesExclude: (text, reading) => ({outboundIpRangesExclude: readExcludedCidrs(text, reading)}),
	rerouteVirtualInterfaces: (text, reading) => ({kubeVirtInterfaces: readInterfaces(text, reading)}),
	excludeInterfaces: (text, reading) => ({excludeInterfaces: readInterfaces(text, reading)}),
	hostIPv4LoopbackCidr: (text, reading) => ({hostIpv4LoopbackCidr: readLoopbackCidr(text, reading)}),
};

const switches: Readonly<Record<string, (isOn: boolean) => Partial<SidecarOptions>>> = {
	redirectDNS: isOn => ({redirectDns: isOn}),
	captureAllDNS: isOn => ({captureAllDns: isOn}),
	dropInvalid: isOn => ({dropInvalid: isOn}),
	dualStack: isOn => ({dualStack: isOn}),
	dryRun: isOn => isOn ? {writesNothing: true} : {},
	skipRuleApply: isOn => isOn ? {writesNothing: true} : {},
	cleanupOnly: isOn => isOn ? {writesNothing: true} : {},
	// Used by the code that writes the rules, or without effect on them.
	enableIPv6: () => ({}),
	runValidation: () => ({}),
	hostFilesystemPodNetwork: () => ({}),
	reconcile: () => ({}),
	forceApply: () => ({}),
	nativeNftables: () => ({}),
};

const lists: Readonly<Record<string, (servers: readonly string[]) => Partial<SidecarOptions>>> = {
	dnsServersV4: servers => ({dnsServersV4: servers}),
	dnsServersV6: servers => ({dnsServersV6: servers}),
};

/** Fields that never affect the rules, whatever their value. */
const withoutRules: ReadonlySet<string> = new Set(['iptablesProbePort', 'probeTimeout', 'networkNamespace', 'hostIP', 'forceIptablesBinary']);

/**
Parses the fields of the newest release's configuration.

@throws {InputError} for an unknown field, and for a value that the field cannot have.
*/
export function sidecarOptionsFromConfig(fields: ConfigFields): ConfiguredSidecar {
	let options: SidecarOptions = {...defaultOptions, dnsServersV4: []};
	for (const [name, value] of Object.entries(fields)) {
		options = {...options, ...readField(name, value)};
	}

	return {options, families: fields['enableIPv6'] === true ? ['ipv4', 'ipv6'] : ['ipv4']};
}

function readField(name: string, value: unknown): Partial<SidecarOptions> {
	const [text, toggle, list] = [texts[name], switches[name], lists[name]];
	if (withoutRules.has(name)) {
		return {};
	}

	if (text !== undefined && typeof value === 'string') {
		return text(value, {name, release: newestRelease, warn: () => undefined});
	}

	if (toggle !== undefined && typeof value === 'boolean') {
		return toggle(value);
	}

	if (list !== undefined && Array.isArray(value) && value.every(item => typeof item === 'string')) {
		return list(value);
	}

	const isKnown = text !== undefined || toggle !== undefined || list !== undefined;
	throw new InputError(isKnown ? `the value ${JSON.stringify(value)} has the wrong type` : 'the configuration has no such field', name);
}
