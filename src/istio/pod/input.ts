/**
How a pod gets its rules: the first step from a manifest to a rule set.
*/

import {familyOfAddress} from '../../netfilter/address.js';
import type {ScrapePort} from '../../mesh/intent.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {
	defaultAmbientOptions, findAmbientRelease, readVirtualInterfaces, type AmbientOptions,
} from '../ambient/options.js';
import {parseSidecarArguments} from '../options/arguments.js';
import {InputError} from '../../parsing/input-error.js';
import {findRelease, newestRelease, type Release} from '../releases.js';
import {familiesWritten} from '../routing.js';
import {
	annotationNames, annotationWarnings, sidecarAnnotationNames,
} from './annotations.js';
import {tolerantBoolean} from './environment.js';
import {releaseOfImage} from './image.js';
import {commandLineOf, findInitContainer, isValidation} from './init-container.js';
import {scrapePortsOf} from './scrapes.js';
import {leftAloneBecause, pluginArguments} from './plugin.js';
import type {Container, Pod} from './pod.js';
import {injectionOf} from './template.js';

/** What the manifest cannot say. */
export type PodContext = {
	/** For manifests whose images name no release. */
	readonly release?: string;
	/** Overrides the families of `status.podIPs`. */
	readonly families?: readonly AddressFamily[];
	/** Assume that the CNI plug-in writes the pod's rules. */
	readonly cni?: boolean;
};

/** Which program writes the rules, and from what. */
export type PodSource = 'istio-init' | 'istio-cni' | 'annotations';

/** The rules of a pod: as `parseSidecarArguments` takes them, none at all, or ambient ones. `families` is undefined if the manifest has no addresses. */
export type PodInput =
	| {
		readonly kind: 'sidecar';
		readonly workload: string;
		readonly how: PodSource;
		readonly release: string;
		readonly argv: readonly string[];
		readonly environment: Readonly<Record<string, string>>;
		/** The families for which rules are written. */
		readonly families: readonly AddressFamily[] | undefined;
		/** Additional ports on which its proxy answers scrapes. */
		readonly scrapes: readonly ScrapePort[];
		readonly warnings: readonly string[];
		/** A sentence for each case in which a known release is used in place of another. */
		readonly notes: readonly string[];
	}
	| {readonly kind: 'none'; readonly workload: string; readonly reason: string; readonly warnings: readonly string[]}
	| {
		readonly kind: 'ambient';
		readonly workload: string;
		readonly release: string;
		readonly options: AmbientOptions;
		readonly families: readonly AddressFamily[] | undefined;
		readonly warnings: readonly string[];
		readonly notes: readonly string[];
	};

type Known = {readonly pod: Pod; readonly context: PodContext; readonly warnings: string[]; readonly notes: string[]; readonly proxy: Container | undefined};

/**
Determines how a pod gets its rules.

@throws {InputError} for a pod in the node's network, for values that Istio rejects, for a pod without any sign of Istio, and for ambient mode of a release whose ambient rules are not known.
*/
export function podInput(pod: Pod, context: PodContext = {}): PodInput {
	if (pod.hostNetworkAt !== undefined) {
		throw new InputError('a pod in its node\'s network has no rules of its own: they would be the node\'s', pod.hostNetworkAt);
	}

	const known: Known = {
		pod, context, warnings: [...annotationWarnings(pod)], notes: [], proxy: [...pod.containers, ...pod.initContainers].find(({name}) => name === 'istio-proxy'),
	};
	const init = findInitContainer(pod);
	if (context.cni === true) {
		if (init !== undefined && !isValidation(init)) {
			known.warnings.push(`${init.at}: the CNI plug-in ignores a pod with ${init.name}; it is treated as a pod without it`);
		}

		return byPlugin(known, init);
	}

	if (init !== undefined) {
		return isValidation(init) ? byPlugin(known, init) : byInitContainer(known, init);
	}

	const {proxy} = known;
	const isInjected = proxy !== undefined && isRealProxy(proxy, pod);
	if (!isInjected && isAmbient(pod)) {
		return byAmbient(known);
	}

	return isInjected ? byProxyAlone(known) : byAnnotations(known);
}

function byInitContainer(known: Known, init: Container): PodInput {
	const {argv, environment} = commandLineOf(init, known.warnings);
	return sidecar(known, {
		how: 'istio-init', release: releaseFor(known, [init, known.proxy]), argv, environment,
	}, init.at);
}

function byPlugin(known: Known, validation?: Container): PodInput {
	const {pod, proxy, warnings, context} = known;
	const reason = leftAloneBecause(pod, proxy);
	if (reason !== undefined && context.cni !== true) {
		return none(known, `the CNI plug-in ignores the pod: ${reason}`);
	}

	const release = releaseFor(known, [validation, proxy]);
	return sidecar(known, {
		how: 'istio-cni', release, argv: pluginArguments(pod, {proxy, release, warnings}), environment: {},
	});
}

/** A proxy but no init container: either nothing should be captured, or the plug-in writes the rules without a validation container. */
function byProxyAlone(known: Known): PodInput {
	return known.pod.annotations.get(annotationNames.mode)?.value === 'NONE' ? none(known, `${annotationNames.mode} is NONE: nothing is captured`) : byPlugin(known);
}

function byAnnotations(known: Known): PodInput {
	const {pod, proxy, warnings} = known;
	const inject = pod.labels.get(annotationNames.inject) ?? pod.annotations.get(annotationNames.inject);
	if (inject?.value === 'false') {
		return none(known, `${annotationNames.inject} is false: the pod is not injected`);
	}

	const isMeant = inject !== undefined || proxy !== undefined || pod.labels.has(annotationNames.revision) || sidecarAnnotationNames.some(name => pod.annotations.has(name));
	if (!isMeant) {
		if (pod.labels.get(annotationNames.dataplaneMode)?.value === 'none') {
			return none(known, `${annotationNames.dataplaneMode} is none: the pod is excluded from ambient mode`);
		}

		throw new InputError([
			`${pod.workload} has no sign of Istio. Looked for: an init container istio-init or istio-validation, or one that runs istio-iptables; a container istio-proxy;`,
			`annotations traffic.sidecar.istio.io/…, ${annotationNames.mode}, ${annotationNames.proxyConfig}; the labels ${annotationNames.inject}, ${annotationNames.revision}, ${annotationNames.dataplaneMode}.`,
			`If its namespace has it injected, add the label ${annotationNames.inject}: "true"`,
		].join(' '));
	}

	const release = releaseFor(known, [proxy]);
	const injection = injectionOf(pod, {proxy, release, warnings});
	return injection === 'none' ? none(known, 'the interception mode is NONE: nothing is captured') : sidecar(known, {how: 'annotations', release, ...injection}, pod.annotations.get(annotationNames.proxyConfig)?.at);
}

function byAmbient(known: Known): PodInput {
	const {pod: {annotations, addresses, workload}, context, warnings, notes} = known;
	const [ingress, dns, interfaces] = [annotationNames.bypassInbound, annotationNames.dnsCapture, annotationNames.reroute].map(name => annotations.get(name));
	const written = context.families ?? (addresses.length === 0 ? undefined : [...new Set(addresses.flatMap(address => familyOfAddress(address) ?? []))]);
	const {redirectDns} = defaultAmbientOptions;
	warnings.push(...sidecarAnnotationNames.flatMap(name => annotations.get(name) ?? []).map(({at}) => `${at}: no effect, because the pod is in ambient mode and has no sidecar`));
	if (dns === undefined) {
		warnings.push('DNS capture is a setting of the node, so that of a default installation is used');
	}

	const {release, note} = placed('--release', () => findAmbientRelease(context.release ?? newestRelease.name));
	notes.push(...(context.release === undefined ? [standInNote('An ambient pod names no release')] : []), ...(note === undefined ? [] : [note]));
	return {
		kind: 'ambient',
		workload,
		release,
		options: {
			...defaultAmbientOptions,
			ingress: ingress === undefined ? false : tolerantBoolean(ingress.value, {name: ingress.at, otherwise: false, warnings}),
			redirectDns: dns === undefined ? redirectDns : tolerantBoolean(dns.value, {name: dns.at, otherwise: redirectDns, warnings}),
			rerouteVirtualInterfaces: interfaces === undefined ? [] : readVirtualInterfaces(interfaces.value, interfaces.at),
			ipv6: written?.includes('ipv6') ?? false,
		},
		// The agent always writes IPv4 rules.
		families: written && (written.includes('ipv6') ? ['ipv4', 'ipv6'] : ['ipv4']),
		warnings,
		notes,
	};
}

/** In the mesh by ambient mode: requested by label, or marked by the agent. A pod that is to be injected has a sidecar instead. */
function isAmbient({labels, annotations}: Pod): boolean {
	const mode = labels.get(annotationNames.dataplaneMode)?.value;
	const isAsked = mode === 'ambient' || (mode !== 'none' && annotations.get(annotationNames.redirection)?.value === 'enabled');
	return isAsked && (labels.get(annotationNames.inject) ?? annotations.get(annotationNames.inject))?.value !== 'true';
}

/** A container istio-proxy without an image only changes what the injection will add. */
function isRealProxy({image}: Container, {annotations}: Pod): boolean {
	return annotations.has(annotationNames.status) || (image !== undefined && image !== 'auto');
}

/** The known release whose rules the pod gets: its image's, or else the requested one, or the newest. If it replaces another, a note says so. */
function releaseFor({context, warnings, notes}: Known, containers: ReadonlyArray<Container | undefined>): string {
	const asked = askedOf(context);
	const [tagged] = containers.flatMap(container => {
		const version = releaseOfImage(container?.image);
		return container === undefined || version === undefined ? [] : [placed(`${container.at}.image`, () => ({version, release: findRelease(version)}))];
	});
	if (tagged !== undefined && asked !== undefined && asked.asked !== tagged.release.asked) {
		warnings.push(`the image is of release ${tagged.version}, so that one is used and not ${context.release!}`);
	}

	const release = tagged?.release ?? asked;
	if (release !== undefined) {
		notes.push(...(release.note === undefined ? [] : [release.note]));
		return release.asked;
	}

	const image = containers.map(container => container?.image).find(found => found !== undefined);
	notes.push(standInNote(image === undefined ? 'No image names a release' : `The image ${image} names no release`));
	return newestRelease.name;
}

function askedOf({release}: PodContext): Release | undefined {
	return release === undefined ? undefined : placed('--release', () => findRelease(release));
}

/** Says whose rules are used if nothing names a release. */
function standInNote(fault: string): string {
	return `${fault}: these are the rules of ${newestRelease.name}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`;
}

/** Values that istio-iptables rejects are rejected here, with the place that they come from. */
function sidecar({pod, context, warnings, notes, proxy}: Known, found: PodCommandLine, at?: string): PodInput {
	const {dualStack} = placed(at, () => parseSidecarArguments({...found, release: findRelease(found.release)}));
	const families = context.families ?? (pod.addresses.length === 0 ? undefined : familiesWritten(pod.addresses, {dualStack}));
	return {
		kind: 'sidecar', workload: pod.workload, ...found, families, scrapes: scrapePortsOf(pod, {proxy, release: found.release, warnings}), warnings, notes,
	};
}

function placed<Value>(at: string | undefined, read: () => Value): Value {
	try {
		return read();
	} catch (error) {
		throw error instanceof InputError && at !== undefined ? new InputError(error.message, at) : error;
	}
}

type PodCommandLine = {readonly how: PodSource; readonly release: string; readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>>};

function none({pod, warnings}: Known, reason: string): PodInput {
	return {
		kind: 'none', workload: pod.workload, reason, warnings,
	};
}
