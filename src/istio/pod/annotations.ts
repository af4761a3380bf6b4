/**
The annotations that affect redirection, their validation (istiod's webhook, `pkg/kube/inject/validate.go`), and how the injection template and the CNI plug-in read them.
*/

import {InputError} from '../../parsing/input-error.js';
import {readCidrs, readInterfaces, readPort, strictReading} from '../options/option-values.js';
import type {Text} from '../../parsing/document.js';
import {didYouMean} from '../../parsing/did-you-mean.js';
import type {Pod, Texts} from './pod.js';
import {isAtLeast} from './since.js';

/** An annotation that becomes one flag of istio-iptables. */
type FlagAnnotation = {
	/** In order of precedence: the first one present counts. */
	readonly names: ReadonlyArray<{readonly name: string; readonly since?: string}>;
	readonly flag: string;
	/** The default without the annotation; undefined: the flag is not passed. */
	readonly absent: string | undefined;
	/** The releases whose template or plug-in read it. */
	readonly since: {readonly template?: string; readonly plugin?: string};
	readonly check: (text: Text) => string;
};

const mode = 'sidecar.istio.io/interceptionMode';
const reroute = 'istio.io/reroute-virtual-interfaces';
const statusPort = 'status.sidecar.istio.io/port';
const traffic = 'traffic.sidecar.istio.io/';

/** Names that other files use. */
export const annotationNames = {
	mode,
	reroute,
	statusPort,
	proxyConfig: 'proxy.istio.io/config',
	inject: 'sidecar.istio.io/inject',
	status: 'sidecar.istio.io/status',
	revision: 'istio.io/rev',
	dataplaneMode: 'istio.io/dataplane-mode',
	redirection: 'ambient.istio.io/redirection',
	bypassInbound: 'ambient.istio.io/bypass-inbound-capture',
	dnsCapture: 'ambient.istio.io/dns-capture',
	excludeInbound: `${traffic}excludeInboundPorts`,
} as const;

/** Annotations → flags, in the order of the template. The excluded inbound ports are separate, because both writers add to them. */
export const flagAnnotations: readonly FlagAnnotation[] = [
	{
		names: [{name: `${traffic}includeOutboundIPRanges`}], flag: '-i', absent: '*', since: {}, check: ({value, at}) => value === '*' ? value : checkCidrs(value, at),
	},
	{
		names: [{name: `${traffic}excludeOutboundIPRanges`}], flag: '-x', absent: '', since: {}, check: ({value, at}) => checkCidrs(value, at),
	},
	{
		names: [{name: `${traffic}includeInboundPorts`}], flag: '-b', absent: '*', since: {}, check: ({value, at}) => value === '*' ? value : checkPorts(value, at),
	},
	{
		names: [{name: `${traffic}includeOutboundPorts`}], flag: '-q', absent: undefined, since: {template: '1.7.0'}, check: ({value, at}) => checkPorts(value, at),
	},
	{
		names: [{name: `${traffic}excludeOutboundPorts`}], flag: '-o', absent: undefined, since: {}, check: ({value, at}) => checkPorts(value, at),
	},
	{
		names: [{name: `${traffic}excludeInterfaces`}], flag: '-c', absent: undefined, since: {template: '1.15.0', plugin: '1.11.3'}, check: ({value, at}) => checkInterfaces(value, at),
	},
	{
		names: [{name: reroute, since: '1.25.0'}, {name: `${traffic}kubevirtInterfaces`}],
		flag: '-k',
		absent: undefined,
		since: {},
		check: ({value, at}) => checkInterfaces(value, at),
	},
];

const trafficNames: readonly string[] = [...flagAnnotations.flatMap(({names}) => names.map(({name}) => name)), annotationNames.excludeInbound];
const ambientNames: readonly string[] = [annotationNames.redirection, annotationNames.bypassInbound, annotationNames.dnsCapture];

/** Annotations that indicate a sidecar. */
export const sidecarAnnotationNames: readonly string[] = [...trafficNames.filter(name => name !== reroute), mode, statusPort, annotationNames.proxyConfig];

/** Known annotations that do not affect redirection (istio.io/api, annotations of ambient mode). */
const otherNames: ReadonlySet<string> = new Set(['ambient.istio.io/waypoint-inbound-binding']);

/**
The flags for a writer of rules according to the annotations, with the defaults of a default installation.

@throws {InputError} naming line and annotation, for a value that the webhook rejects.
*/
export function flagsOf(annotations: Texts, {writer, release, warnings}: {readonly writer: 'template' | 'plugin'; readonly release: string; readonly warnings: string[]}): readonly string[] {
	return flagAnnotations.flatMap(({names, flag, absent, since, check}) => {
		const read = names.filter(row => {
			const from = row.since ?? since[writer];
			const isRead = from === undefined || isAtLeast(release, from);
			if (!isRead && annotations.has(row.name)) {
				warnings.push(`${row.name} is read since ${from}; release ${release} ignores it`);
			}

			return isRead;
		});
		const [text] = read.flatMap(({name}) => annotations.get(name) ?? []);
		const value = text === undefined ? absent : check(text);
		return value === undefined ? [] : [flag, value];
	});
}

/**
Warnings about annotations without effect: misspelled ones, and those on the workload instead of its pods.
*/
export function annotationWarnings({annotations, outerAnnotations, outerLabels}: Pod): readonly string[] {
	const known = [...trafficNames, mode, statusPort, annotationNames.proxyConfig, ...ambientNames];
	const outerLabelNames: ReadonlySet<string> = new Set([annotationNames.inject, annotationNames.dataplaneMode]);
	return [
		...[...annotations].flatMap(([name, {at}]) => {
			if (known.includes(name) || otherNames.has(name)) {
				return [];
			}

			const meant = didYouMean(name, known);
			const isOfRedirection = name.startsWith(traffic) || name.startsWith('ambient.istio.io/');
			return isOfRedirection || (meant !== '' && name.includes('istio.io')) ? [`${at}: Istio has no such annotation and ignores it.${meant}`] : [];
		}),
		...[...outerAnnotations].filter(([name]) => known.includes(name)).map(([, {at}]) => `${at}: it is on the workload, not on its pods, and has no effect; move it to the template's metadata`),
		...[...outerLabels].filter(([name]) => outerLabelNames.has(name)).map(([, {at}]) => `${at}: it is on the workload, not on its pods, and has no effect; move it to the template's metadata`),
	];
}

/**
The excluded inbound ports of the annotation, or undefined without it; including blanks, because both writers compare them with blanks when they look for duplicates (`cni/pkg/plugin`, `pkg/kube/inject`).

@throws {InputError} naming line and annotation.
*/
export function excludedInboundPorts(annotations: Texts): readonly string[] | undefined {
	const text = annotations.get(annotationNames.excludeInbound);
	if (text === undefined) {
		return undefined;
	}

	checkPorts(text.value, text.at);
	return text.value.trim() === '' ? [] : text.value.trim().split(',');
}

/** 16-bit ports; blanks around each are removed, because iptables ignores them too. */
function checkPorts(value: string, at: string): string {
	const trimmed = value.trim();
	return trimmed === '' ? '' : trimmed.split(',').map(item => checkPort(item, at)).join(',');
}

/**
A 16-bit port.

@throws {InputError} naming line and annotation.
*/
export function checkPort(item: string, at: string): string {
	const port = item.trim();
	if (!/^\d+$/.test(port)) {
		throw new InputError(`"${item}" is not a port; the webhook accepts numbers from 0 to 65535, comma-separated`, at);
	}

	// A leading zero passes the webhook, but iptables then reads the number as octal.
	return String(readPort(port, strictReading(at)));
}

function checkCidrs(value: string, at: string): string {
	for (const item of value === '' ? [] : value.split(',')) {
		if (item === '') {
			throw new InputError('an empty item in the list; the webhook rejects it', at);
		}

		readCidrs(item, strictReading(at));
	}

	return value;
}

function checkInterfaces(value: string, at: string): string {
	readInterfaces(value, strictReading(at));
	return value;
}

/**
The interception mode; undefined without the annotation.

@throws {InputError} naming line and annotation.
*/
export function interceptionMode(annotations: Texts): 'REDIRECT' | 'TPROXY' | 'NONE' | undefined {
	const text = annotations.get(mode);
	return text && checkMode(text);
}

/**
A mode that the webhook accepts.

@throws {InputError} naming line and annotation.
*/
export function checkMode({value, at}: Text): 'REDIRECT' | 'TPROXY' | 'NONE' {
	if (value === 'REDIRECT' || value === 'TPROXY' || value === 'NONE') {
		return value;
	}

	throw new InputError(`"${value}" is none of REDIRECT, TPROXY, NONE`, at);
}
