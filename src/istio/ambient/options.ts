/**
Ambient mode: the settings of a pod for the CNI agent (`cni/pkg/config`, AmbientConfig and PodLevelOverrides), and how a user writes them: `ambient:1.30 --redirect-dns=false --ingress`.
*/

import {familyNames, parseAddress} from '../../netfilter/address.js';
import {ownerMax} from '../../netfilter/iptables/values.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {InputError} from '../../parsing/input-error.js';
import {readBoolean, readInterfaces, strictReading} from '../options/option-values.js';
import {compareVersions, findRelease, releaseLines} from '../releases.js';
import {splitShellWords} from '../../parsing/shell-words.js';

/** Everything that determines the rules that the agent writes for one pod, and on its node. */
export type AmbientOptions = {
	/** DNS goes to ztunnel: the pod's annotation, or else the node's setting. */
	readonly redirectDns: boolean;
	/** Inbound traffic is not captured (`ambient.istio.io/bypass-inbound-capture`). */
	readonly ingress: boolean;
	/** Interfaces of virtual machines, whose traffic is captured as outbound. */
	readonly rerouteVirtualInterfaces: readonly string[];
	/** Whether the agent also writes IPv6 rules, see `ambientFamilies`. */
	readonly ipv6: boolean;
	/** The source that the node gives to its health probes: `HOST_PROBE_SNAT_IP` and `HOST_PROBE_SNAT_IPV6`. */
	readonly hostProbeSnatIp: string;
	readonly hostProbeSnatIpv6: string;
	/** Only in the node's native nft rules: the user of the kubelet process, which the agent looks up. */
	readonly kubeletUid: number;
};

/** The agent's defaults: values of its chart, and of the goldens (`cni/pkg/iptables`, HOST_PROBE_SNAT_IP). */
export const defaultAmbientOptions: AmbientOptions = {
	redirectDns: true,
	ingress: false,
	rerouteVirtualInterfaces: [],
	ipv6: false,
	hostProbeSnatIp: '169.254.7.127',
	hostProbeSnatIpv6: 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff',
	kubeletUid: 0,
};

/** Fixed values (`cni/pkg/iptables`, constants of master 86c9f01f). */
export const ambientConstants = {
	/** Set by ztunnel on its own packets. */
	packetMark: 0x5_39,
	/** Kept on connections that ztunnel opened into the pod. */
	connectionMark: 0x1_11,
	/** The bits of a mark that both use. */
	markMask: 0xF_FF,
	/** Where ztunnel listens in the pod: HBONE, plain inbound, outbound, DNS. */
	tunnelPort: 15_008,
	inboundPort: 15_006,
	outboundPort: 15_001,
	dnsPort: 15_053,
	/** Packets with the connection's mark are delivered locally by this table and a rule with this priority. */
	routeTable: 100,
	rulePriority: 32_764,
	/** The set of pod addresses on the node; the family is appended: `istio-inpod-probes-v4`. */
	probeSet: 'istio-inpod-probes',
} as const;

const oldestLine = '1.30';

/** The release lines whose ambient rules are known, oldest first, up to the newest known line. The rules are those of master 86c9f01f, which is newer than 1.31.0-rc.0; 1.30's are the same. */
export const ambientReleases: readonly [string, ...string[]] = [oldestLine, ...releaseLines.map(({name}) => name).filter(name => compareVersions(name, oldestLine) > 0)];

/** A release whose ambient rules are known; `note` says if it is used in place of a newer one. */
export type AmbientRelease = {readonly release: string; readonly note: string | undefined};

/** A rule input of ambient mode. */
export type AmbientInput = AmbientRelease & {readonly options: AmbientOptions};

type Flag = {readonly isBoolean: boolean; readonly read: (text: string, name: string) => Partial<AmbientOptions>};

/** Option names for the agent's settings, which it reads from its environment and from annotations. */
const flags: Readonly<Record<string, Flag>> = {
	'--redirect-dns': {isBoolean: true, read: (text, name) => ({redirectDns: readBoolean(text, name)})},
	'--ingress': {isBoolean: true, read: (text, name) => ({ingress: readBoolean(text, name)})},
	'--reroute-virtual-interfaces': {isBoolean: false, read: (text, name) => ({rerouteVirtualInterfaces: readVirtualInterfaces(text, name)})},
	'--ipv6': {isBoolean: true, read: (text, name) => ({ipv6: readBoolean(text, name)})},
	'--host-probe-snat-ip': {isBoolean: false, read: (text, name) => ({hostProbeSnatIp: readAddress(text, name, 'ipv4')})},
	'--host-probe-snat-ipv6': {isBoolean: false, read: (text, name) => ({hostProbeSnatIpv6: readAddress(text, name, 'ipv6')})},
	'--kubelet-uid': {isBoolean: false, read: (text, name) => ({kubeletUid: readUid(text, name)})},
};

const prefix = 'ambient:';

/**
Parses `ambient:VERSION` and flags.

@throws {InputError} naming the release or the option.
*/
export function parseAmbientInput(text: string): AmbientInput {
	const [first = '', ...argv] = splitShellWords(text);
	if (!first.startsWith(prefix)) {
		throw new InputError(`"${text}" does not begin with ${prefix}VERSION`, 'release');
	}

	return {...findAmbientRelease(first.slice(prefix.length)), options: parseAmbientArguments(argv)};
}

/**
The release whose ambient rules a version means, found as by {@link findRelease}.

@throws {InputError} for an invalid version, and for a release older than the oldest one whose ambient rules are known.
*/
export function findAmbientRelease(version: string): AmbientRelease {
	const {name, asked, note} = findRelease(version);
	const [oldest] = ambientReleases;
	if (compareVersions(name, oldest) < 0) {
		throw new InputError(`release ${version} is older than ${oldest}, the oldest one whose ambient rules are known; the nearest is ${oldest}`);
	}

	return {release: asked, note};
}

/**
Parses flags by the grammar of pflag (`--flag value`, `--flag=value`, `--switch`, `--switch=false`) over the agent's defaults.

@throws {InputError} naming the option.
*/
export function parseAmbientArguments(argv: readonly string[]): AmbientOptions {
	let options = defaultAmbientOptions;
	for (let index = 0; index < argv.length; index++) {
		const word = argv[index] ?? '';
		const [, name = word, inlineValue] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
		const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
		if (flag === undefined) {
			throw new InputError(name.startsWith('-') ? `ambient mode has no such flag; it has ${Object.keys(flags).join(', ')}` : 'this is not a flag; a value comes after its flag', name);
		}

		const text = inlineValue ?? (flag.isBoolean ? 'true' : argv[++index]);
		if (text === undefined) {
			throw new InputError('a value is missing after it', name);
		}

		options = {...options, ...flag.read(text, name)};
	}

	return options;
}

/** The families for which the agent writes rules. */
export function ambientFamilies({ipv6}: Pick<AmbientOptions, 'ipv6'>): readonly AddressFamily[] {
	return ipv6 ? ['ipv4', 'ipv6'] : ['ipv4'];
}

/**
Names of interfaces, comma-separated; unlike istio-iptables, the agent trims blanks.

@throws {InputError} for an invalid interface name.
*/
export function readVirtualInterfaces(text: string, option: string): readonly string[] {
	return readInterfaces(text.split(',').map(item => item.trim()).join(','), strictReading(option));
}

function readAddress(text: string, option: string, family: AddressFamily): string {
	if (parseAddress(text, family) === undefined) {
		throw new InputError(`"${text}" is not an ${familyNames[family]} address`, option);
	}

	return text;
}

function readUid(text: string, option: string): number {
	if (!/^\d{1,10}$/.test(text) || Number(text) > ownerMax) {
		throw new InputError(`"${text}" is not a UID`, option);
	}

	return Number(text);
}
