/**
Reads from a workload's manifest what determines its rules.
*/

import {parseAddress} from '../../netfilter/address.js';
import {InputError} from '../../parsing/input-error.js';
import {
	booleanOf, child, descend, fieldsOf, isMapping, itemsOf, numberOf, readDocuments, textOf, type Field, type Text,
} from '../../parsing/document.js';

/** Texts by name: labels, annotations. */
export type Texts = ReadonlyMap<string, Text>;

/** A variable of a container; `value` is undefined if it comes from elsewhere (`valueFrom`). */
export type Variable = {readonly value: string | undefined; readonly at: string};

/** The parts of a container that determine the rules. */
export type Container = {
	readonly name: string;
	readonly image: string | undefined;
	/** `command` and `args`, joined as Kubernetes does. */
	readonly words: readonly Text[];
	readonly environment: ReadonlyMap<string, Variable>;
	/** Where variables come from elsewhere, all at once (`envFrom`). */
	readonly environmentFrom: string | undefined;
	readonly runAsUser: number | undefined;
	readonly runAsGroup: number | undefined;
	readonly at: string;
};

/** One workload: a pod, or the template of its pods. */
export type Pod = {
	/** `Deployment shop/cart`, for messages. */
	readonly workload: string;
	readonly labels: Texts;
	readonly annotations: Texts;
	/** Of the workload itself, not of its pods. */
	readonly outerLabels: Texts;
	readonly outerAnnotations: Texts;
	/** The place of `hostNetwork: true`. */
	readonly hostNetworkAt: string | undefined;
	/** The pod's, for containers without their own. */
	readonly runAsUser: number | undefined;
	readonly runAsGroup: number | undefined;
	readonly initContainers: readonly Container[];
	readonly containers: readonly Container[];
	/** `status.podIPs` in order. */
	readonly addresses: readonly string[];
};

/** Where the pod template of a workload is (Kubernetes API: core/v1, apps/v1, batch/v1). */
const templatePaths: ReadonlyMap<string, readonly string[]> = new Map([
	['Pod', []],
	['Deployment', ['spec', 'template']],
	['StatefulSet', ['spec', 'template']],
	['DaemonSet', ['spec', 'template']],
	['ReplicaSet', ['spec', 'template']],
	['ReplicationController', ['spec', 'template']],
	['Job', ['spec', 'template']],
	['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
	['PodTemplate', ['template']],
]);

type Found = {readonly kind: string; readonly name: string; readonly object: Field};

/**
Reads the only workload of a manifest: YAML with one or more documents, or JSON; other objects are ignored.

@throws {InputError} with line, column and key, if it is not understood, or if there is no workload or more than one.
*/
export function parsePod(text: string): Pod {
	const objects = readDocuments(text).flatMap(document => objectsOf(document));
	const workloads = objects.filter(({kind}) => templatePaths.has(kind));
	const [found] = workloads;
	if (found === undefined) {
		const there = objects.length === 0 ? 'it is empty' : `found ${objects.map(object => titleOf(object)).join(', ')}`;
		throw new InputError(`no workload in it: ${there}; expected one of ${[...templatePaths.keys()].join(', ')}`);
	}

	if (workloads.length > 1) {
		throw new InputError(`${workloads.length} workloads in it, but only one is allowed: ${workloads.map(object => `${titleOf(object)} (${object.object.at.split(',')[0]})`).join(', ')}`);
	}

	return readPod(found);
}

function objectsOf(document: Field): readonly Found[] {
	if (!isMapping(document)) {
		throw new InputError('this is not a Kubernetes object: expected a mapping with apiVersion, kind and metadata', document.at);
	}

	const kindField = child(document, 'kind');
	if (kindField === undefined) {
		throw new InputError('the object has no kind', document.at);
	}

	const kind = textOf(kindField).value;
	const items = child(document, 'items');
	if (kind.endsWith('List') && items !== undefined) {
		return itemsOf(items).flatMap(item => objectsOf(item));
	}

	const metadata = child(document, 'metadata');
	const [namespace, name, prefix] = ['namespace', 'name', 'generateName'].map(key => metadata && textIn(metadata, key));
	const base = name?.value ?? (prefix === undefined ? '(no name)' : `${prefix.value}…`);
	return [{kind, name: namespace === undefined ? base : `${namespace.value}/${base}`, object: document}];
}

function titleOf({kind, name}: Found): string {
	return `${kind} ${name}`;
}

function readPod(found: Found): Pod {
	const {kind, object} = found;
	const path = templatePaths.get(kind) ?? [];
	const template = descend(object, path);
	const spec = template && child(template, 'spec');
	if (template === undefined || spec === undefined) {
		throw new InputError(`${kind} without ${[...path, 'spec'].join('.')}`, object.at);
	}

	const isTemplate = path.length > 0;
	const hostNetwork = child(spec, 'hostNetwork');
	const [runAsUser, runAsGroup] = ['runAsUser', 'runAsGroup'].map(key => {
		const field = descend(spec, ['securityContext', key]);
		return field && numberOf(field);
	});
	return {
		workload: titleOf(found),
		labels: textsOf(descend(template, ['metadata', 'labels'])),
		annotations: textsOf(descend(template, ['metadata', 'annotations'])),
		outerLabels: isTemplate ? textsOf(descend(object, ['metadata', 'labels'])) : new Map(),
		outerAnnotations: isTemplate ? textsOf(descend(object, ['metadata', 'annotations'])) : new Map(),
		hostNetworkAt: hostNetwork !== undefined && booleanOf(hostNetwork) ? hostNetwork.at : undefined,
		runAsUser,
		runAsGroup,
		initContainers: containersOf(child(spec, 'initContainers')),
		containers: containersOf(child(spec, 'containers')),
		addresses: isTemplate ? [] : addressesOf(child(object, 'status')),
	};
}

function textsOf(field: Field | undefined): Texts {
	return new Map(field === undefined ? [] : fieldsOf(field).map(([name, value]) => [name, textOf(value)]));
}

function textIn(field: Field, name: string): Text | undefined {
	const value = child(field, name);
	return value && textOf(value);
}

function listIn(field: Field, name: string): readonly Field[] {
	const list = child(field, name);
	return list === undefined ? [] : itemsOf(list);
}

function containersOf(field: Field | undefined): readonly Container[] {
	return (field === undefined ? [] : itemsOf(field)).map(container => {
		const name = textIn(container, 'name');
		if (name === undefined) {
			throw new InputError('a container without a name', container.at);
		}

		const [user, group] = ['runAsUser', 'runAsGroup'].map(key => descend(container, ['securityContext', key]));
		return {
			name: name.value,
			image: textIn(container, 'image')?.value,
			words: ['command', 'args'].flatMap(key => listIn(container, key).map(word => textOf(word))),
			environment: new Map(listIn(container, 'env').map(variable => readVariable(variable))),
			environmentFrom: child(container, 'envFrom')?.at,
			runAsUser: user && numberOf(user),
			runAsGroup: group && numberOf(group),
			at: container.at,
		};
	});
}

function readVariable(field: Field): readonly [name: string, variable: Variable] {
	const name = textIn(field, 'name');
	if (name === undefined) {
		throw new InputError('a variable without a name', field.at);
	}

	// A variable without either is empty (Kubernetes API, EnvVar).
	const isElsewhere = child(field, 'valueFrom') !== undefined;
	return [name.value, {value: isElsewhere ? undefined : textIn(field, 'value')?.value ?? '', at: field.at}];
}

function addressesOf(status: Field | undefined): readonly string[] {
	if (status === undefined) {
		return [];
	}

	const listed = listIn(status, 'podIPs').flatMap(item => child(item, 'ip') ?? []);
	const single = child(status, 'podIP');
	return (listed.length > 0 || single === undefined ? listed : [single]).map(field => {
		const {value, at} = textOf(field);
		if (parseAddress(value) === undefined) {
			throw new InputError(`"${value}" is not an address`, at);
		}

		return value;
	});
}
