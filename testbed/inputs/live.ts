/**
`netns:NAME`, `pid:PID`, `container:ID`: the rules of a live pod, and who its proxy is.
*/

import {defaultBackend, languageOf} from '../../src/netfilter/backends.js';
import {ParseError} from '../../src/netfilter/parse-error.js';
import {
	addressFamilies, defaultTopology, usualPodInterface, withPodAddresses, type AddressPair, type Topology,
} from '../../src/mesh/topology.js';
import type {AppContainer} from '../../src/mesh/other-senders.js';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import type {Credentials, Intent} from '../../src/mesh/traffic.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {LiveListener, LivePod} from '../live/live-pod.js';
import {readLive} from '../live/read-live.js';
import {inputsOfParts} from './dump.js';
import {reachableAddresses} from './live-families.js';
import {describeTables, rulesByBackend, type BackendRules} from './live-rules.js';
import type {RuleInput} from './types.js';
import {usualOptions, type InputRequest, type LoadedInputs} from './request.js';
import {nodeNameOf} from './source.js';

/**
Loads the rules that a live pod has, with the routing and the users that it has. A pod without rules has an empty set.

@throws {TestbedError} UNREADABLE if the pod cannot be read, if its rules are not understood, or if several back ends have rules and none is named; USAGE.
*/
export function ofLive(request: InputRequest): LoadedInputs {
	const {source, source6, families, backends} = request;
	if (source6 !== undefined) {
		throw new TestbedError('USAGE', {message: `${(request.options ?? usualOptions).rules6} works only with a dump; a live pod is read in both families.`});
	}

	const live = request.live ?? readNamed(source);
	const all = understood(source, live);
	const filled = all.filter(({isFilled}) => isFilled);
	const chosen = chosenOf(filled, request);
	const {inputs} = inputsOfParts(chosen?.parts ?? [], {...request, backends: backends ?? [chosen?.backend ?? defaultBackend]}, {
		language: chosen?.language ?? languageOf(backends?.[0] ?? defaultBackend),
	});
	const beside = filled.filter(each => each !== chosen).map(({backend}) => backend);
	const {place, addresses, devices, listeners, nameservers} = live;
	const own = ownAddressesOf(live);
	const podInterface = interfaceOf(live);
	const reachable = withPodAddresses(defaultTopology, own);
	const topology: Topology = {...reachable ?? defaultTopology, ...(podInterface === undefined ? {} : {podInterface})};
	return {
		inputs: inputs.map((input): RuleInput => {
			const users = usersOf(live, input.intent);
			return {
				...input,
				routing: routingOf(live.routing, families),
				beside,
				topology,
				...(users.proxy === undefined ? {} : {proxy: users.proxy}),
				...(users.apps.length === 0 ? {} : {apps: users.apps}),
				notes: [
					...chosen === undefined ? [] : input.notes,
					...notesOf(live, {all, chosen}),
					...reachable === undefined ? [`The sandbox needs ${Object.values(own).join(' or ')} for another host, so its pod has ${addressFamilies.map(family => defaultTopology.places.pod[family]).join(' and ')}.`] : [],
					...users.notes,
				],
				warnings: [
					...chosen === undefined ? [`${place} has no rules at all, in no back end: nothing is captured.`] : [],
					...modulesWarning(live.modules),
					...input.warnings,
					...users.warnings,
				],
				live: {
					place, addresses, devices, listeners, nameservers, filled: filled.map(({backend}) => backend), proxyFault: users.warnings[0],
				},
			};
		}),
		missing: [],
	};
}

function readNamed(source: string): LivePod {
	const {kind, name} = nodeNameOf(source)!;
	return readLive(kind, name);
}

function understood(source: string, {rules, place}: LivePod): readonly BackendRules[] {
	try {
		return rulesByBackend(rules);
	} catch (error) {
		throw error instanceof ParseError
			? new TestbedError('UNREADABLE', {message: `${source}: the rules of ${place} are not understood: ${error.message}`, state: 'They were read, and nothing was changed.', hint: 'Please report this, with the output of iptables-save or nft list ruleset.', cause: error})
			: error;
	}
}

/**
The back end to read: the only one with rules, or one that --backend names.

@throws {TestbedError} UNREADABLE if several have rules and the request does not choose: together they decide what happens, and a sandbox holds one.
*/
function chosenOf(filled: readonly BackendRules[], {source, backends}: InputRequest): BackendRules | undefined {
	const named = filled.filter(({backend}) => backends?.includes(backend) === true);
	if (filled.length < 2 || (backends?.length === 1 && named.length === 1)) {
		return named[0] ?? filled[0];
	}

	throw new TestbedError('UNREADABLE', {
		message: `${source}: ${filled.length} back ends have rules there, and the kernel asks all of them: ${filled.map(each => `${each.backend} has ${describeTables(each)}`).join('; ')}.`,
		state: 'They were read, and nothing was changed. What they do together cannot be told from one of them.',
		hint: `Usually one is a leftover, or of another tool. To look at one alone: --backend ${filled.map(({backend}) => backend).join(', or --backend ')}.`,
	});
}

/** The first address of each family that others can reach the pod at: the one from which it connects. */
function ownAddressesOf(live: LivePod): Partial<AddressPair> {
	const reachable = reachableAddresses(live);
	return Object.fromEntries(addressFamilies.flatMap(family => {
		const first = reachable.find(address => address.family === family);
		return first === undefined ? [] : [[family, first.address] as const];
	}));
}

/** The interface with the first address at which others can reach the pod, if its name is one that tools take without quotes. Undefined for the usual name. */
function interfaceOf(live: LivePod): string | undefined {
	const [first] = reachableAddresses(live).toSorted((one, other) => addressFamilies.indexOf(one.family) - addressFamilies.indexOf(other.family));
	return first === undefined || first.device === usualPodInterface || !/^[\w.:-]{1,15}$/u.test(first.device) ? undefined : first.device;
}

/** Iptables-nft asks the kernel about each match and target that it prints (NFNL_SUBSYS_NFT_COMPAT), and the kernel may load the module of one that the rules use in nft's own form. Another program may also have loaded them. */
export function modulesWarning(modules: readonly string[]): readonly string[] {
	return modules.length === 0 ? [] : [`While the pod was read, the kernel loaded ${modules.length === 1 ? 'a module' : 'modules'}: ${modules.join(', ')}.`];
}

/** The routing of the requested families. */
function routingOf({loopbackAddresses, markRules, localRoutes}: SidecarRouting, families: readonly AddressFamily[]): SidecarRouting {
	const isAsked = ({family}: {readonly family: AddressFamily}): boolean => families.includes(family);
	return {loopbackAddresses: loopbackAddresses.filter(entry => isAsked(entry)), markRules: markRules.filter(entry => isAsked(entry)), localRoutes: localRoutes.filter(entry => isAsked(entry))};
}

/** Every back end and what it has, and the facts that replace defaults. */
function notesOf(live: LivePod, {all, chosen}: {readonly all: readonly BackendRules[]; readonly chosen: BackendRules | undefined}): readonly string[] {
	const emptyOnes = all.filter(({isFilled}) => !isFilled).map(({backend}) => backend);
	const {place, nameservers} = live;
	const own = reachableAddresses(live);
	return [
		`Read from ${place}: ${chosen === undefined ? '' : `${chosen.backend} has ${describeTables(chosen)}; `}${emptyOnes.length === 0 ? '' : `${emptyOnes.join(' and ')} ${emptyOnes.length === 1 ? 'has' : 'have'} no rules`}.`.replace(/; \.$/u, '.'),
		own.length === 0 ? 'The pod has no address of its own.' : `Its addresses: ${own.map(({device, address, prefixLength}) => `${device} ${address}/${prefixLength}`).join(', ')}.`,
		...nameservers === null || nameservers.length === 0 ? [] : [`Its name servers: ${nameservers.join(', ')}.`],
	];
}

type Users = {readonly proxy: Credentials | undefined; readonly apps: readonly AppContainer[]; readonly notes: readonly string[]; readonly warnings: readonly string[]};

function ownerOf({uid, gid}: LiveListener): Credentials {
	return {uid, gid: gid ?? uid};
}

/** The users of the processes that listen: the proxy is the one on the ports that the rules redirect to, all others are apps. */
function usersOf({listeners}: LivePod, {proxyPort, inboundCapturePort, proxyUids, proxyGids}: Pick<Intent, 'proxyPort' | 'inboundCapturePort' | 'proxyUids' | 'proxyGids'>): Users {
	const ports = [...new Set([proxyPort, inboundCapturePort])];
	const ofProxy = listeners.filter(({protocol, port}) => protocol === 'tcp' && ports.includes(port));
	const [first] = ofProxy;
	const proxy = first === undefined ? undefined : ownerOf(first);
	const seen = new Set(proxy === undefined ? [] : [proxy.uid]);
	const apps = listeners.filter(({uid}) => !seen.has(uid) && seen.add(uid).has(uid)).map((listener): AppContainer => ({container: appName(listener), ...ownerOf(listener)}));
	const shown = [...new Set(ofProxy.map(({port}) => port))].toSorted((one, other) => one - other).join(' and ');
	const isExempt = proxy === undefined || proxyUids.includes(proxy.uid) || proxyGids.includes(proxy.gid);
	return {
		proxy,
		apps,
		notes: [
			first === undefined
				? `Nothing listens on ${ports.join(' or ')}, where the proxy should be, so its user is an assumption.`
				: `The proxy${first.process === null ? '' : ` (${first.process})`} listens on ${shown} as UID ${proxy!.uid}${first.gid === null ? ', of unknown group' : `, GID ${first.gid}`}.`,
			...apps.map(({container, uid, gid}) => `Another listener (${container}) has UID ${uid}, GID ${gid}, and is taken for an app.`),
		],
		warnings: isExempt ? [] : [`The proxy listens as UID ${proxy.uid}, GID ${proxy.gid}, but the rules exempt ${[...proxyUids.map(uid => `UID ${uid}`), ...proxyGids.map(gid => `GID ${gid}`)].join(', ') || 'nobody'}: the proxy's own connections are captured as well.`],
	};
}

/** A name for an actor: the process's, of letters, digits and hyphens, and its user's number. */
function appName({process, uid}: LiveListener): string {
	const name = (process ?? '').toLowerCase().replaceAll(/[^a-z\d]+/gu, '-').replaceAll(/^-|-$/gu, '');
	return `${name === '' ? 'uid' : name}-${uid}`;
}
