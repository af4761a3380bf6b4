/**
Pods whose rules the CNI plug-in writes (`cni/pkg/plugin`): it reads annotations and the container istio-proxy, but no command line.
*/

import {InputError} from '../../parsing/input-error.js';
import {
	annotationNames, excludedInboundPorts, flagsOf, interceptionMode,
} from './annotations.js';
import {tolerantBoolean} from './environment.js';
import type {Container, Pod} from './pod.js';
import {parseProxyConfig} from './proxy-config.js';
import {isAtLeast} from './since.js';

/** Added to the excluded inbound ports, and the default if no annotation names any. */
const excludedInbound = ['15020', '15021', '15090'];
const defaultExcludedInbound = ['15020'];

/** Passed if no annotation excludes outbound ports, since the named release. */
const defaultExcludedOutbound = {port: '15020', since: '1.7.0'};

/** The variables of the proxy that the plug-in reads, each with the corresponding flags and the first release. */
const switches: ReadonlyArray<{readonly name: string; readonly argv: readonly string[]; readonly since: string}> = [
	{name: 'ISTIO_META_DNS_CAPTURE', argv: ['--redirect-dns', '--capture-all-dns'], since: '1.11.0'},
	{name: 'INVALID_DROP', argv: ['--drop-invalid'], since: '1.12.2'},
	// Read since 1.17.0; the flag that expresses it here exists since 1.19.1. It does not affect the rules.
	{name: 'ISTIO_DUAL_STACK', argv: ['--dual-stack'], since: '1.19.1'},
];

const nodeVariables = ['ISTIO_OUTBOUND_OWNER_GROUPS', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE', 'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'];

/** Why the plug-in ignores a pod; undefined if it does not. */
export function leftAloneBecause({annotations, labels}: Pod, proxy: Container | undefined): string | undefined {
	const type = proxy?.words[0]?.value === 'proxy' ? proxy.words[1]?.value : undefined;
	if (type !== undefined && !type.startsWith('-') && type !== 'sidecar') {
		return `its proxy has type ${type}, which is not a sidecar`;
	}

	if (proxy?.environment.has('DISABLE_ENVOY') === true) {
		return 'its proxy has DISABLE_ENVOY set';
	}

	const inject = labels.get(annotationNames.inject) ?? annotations.get(annotationNames.inject);
	return inject?.value === 'false' ? `${annotationNames.inject} is false` : undefined;
}

/**
What the plug-in does with a pod, as arguments of istio-iptables.

@throws {InputError} naming line and annotation, for values that the webhook or the plug-in rejects.
*/
export function pluginArguments({annotations}: Pod, {proxy, release, warnings}: {readonly proxy: Container | undefined; readonly release: string; readonly warnings: string[]}): readonly string[] {
	const mode = interceptionMode(annotations) ?? 'REDIRECT';
	if (mode === 'NONE') {
		throw new InputError('the CNI plug-in accepts only REDIRECT and TPROXY, and makes the pod fail', annotations.get(annotationNames.mode)?.at);
	}

	// The plug-in reads no command line, so the short name, which was added later than the option, must not be required.
	const flags = flagsOf(annotations, {writer: 'plugin', release, warnings}).map(word => word === '-c' ? '--istio-exclude-interfaces' : word);
	const excluded = [...new Set([...excludedInboundPorts(annotations) ?? defaultExcludedInbound, ...excludedInbound])];
	return [
		'-p', '15001', '-z', '15006', '-u', ownerOf(proxy?.runAsUser), '-g', ownerOf(proxy?.runAsGroup), '-m', mode, '-d', excluded.map(port => port.trim()).join(','), ...flags,
		...(!flags.includes('-o') && isAtLeast(release, defaultExcludedOutbound.since) ? ['-o', defaultExcludedOutbound.port] : []),
		...switchArguments(environmentOf(annotations, {proxy, warnings}), release, warnings),
	];
}

function ownerOf(id: number | undefined): string {
	return id === undefined || id === 0 ? '1337' : String(id);
}

function switchArguments(environment: ReadonlyMap<string, string>, release: string, warnings: string[]): readonly string[] {
	return switches.flatMap(({name, argv, since}) => {
		const text = environment.get(name);
		return text !== undefined && isAtLeast(release, since) && tolerantBoolean(text, {name, otherwise: false, warnings}) ? argv : [];
	});
}

/** The variables of the proxy; a pod that is not injected yet will get them from its ProxyConfig. */
function environmentOf(annotations: Pod['annotations'], {proxy, warnings}: {readonly proxy: Container | undefined; readonly warnings: string[]}): ReadonlyMap<string, string> {
	const config = annotations.get(annotationNames.proxyConfig);
	const values = new Map(Object.entries(proxy === undefined && config !== undefined ? parseProxyConfig(config).metadata : {}));
	for (const [name, {value, at}] of proxy?.environment ?? []) {
		if (value !== undefined) {
			values.set(name, value);
		} else if (switches.some(row => row.name === name)) {
			warnings.push(`${at}: the value of ${name} comes from elsewhere (valueFrom) and is not in the manifest; it is treated as not set`);
		}
	}

	const unread = nodeVariables.filter(name => values.has(name));
	warnings.push(`owner groups and the loopback range are settings of the CNI plug-in on the node, so its defaults are used${unread.length === 0 ? '' : `, and ${unread.join(', ')} of the pod has no effect`}`);
	return values;
}
