/**
Pods of a cluster for everybody who loads rules. The command line reads the ones that it names before it does anything else (`readBefore`): in a user namespace there is no network, and no credentials of the user's.
*/

import path from 'node:path';
import process from 'node:process';
import {TestbedError} from '../errors.js';
import {isInOwnNamespace, textFromOutside} from '../rootless/note.js';
import {runNodeToEnd} from '../system/commands.js';
import type {ReaderAnswer} from '../live/protocol.js';
import {parsePodName, type ClusterChoices, type ClusterPod} from './cluster-pod.js';
import type {PodRequest} from './read-pod.js';

/** Longest reading: a debug container's image may have to be pulled. */
const limitMs = 180_000;

/** What the command line chose, and the pods that it has read, by what follows `kubectl:`. */
let ofCommandLine: {readonly choices: ClusterChoices; readonly pods: ReadonlyMap<string, ClusterPod>} = {choices: {}, pods: new Map()};

/**
Reads the pods that a command line names, once for the whole command. Takes those that were read before this process entered its user namespace.

@throws {TestbedError} as {@link readClusterPod}.
*/
export function readBefore(names: readonly string[], choices: ClusterChoices): void {
	const outside = textFromOutside();
	const pods = new Map<string, ClusterPod>(outside === undefined ? [] : JSON.parse(outside) as ReadonlyArray<readonly [string, ClusterPod]>);
	ofCommandLine = {choices, pods};
	for (const name of new Set(names)) {
		if (!pods.has(name)) {
			pods.set(name, readNow(name, choices));
		}
	}
}

/** What was read so far, as a text for the same program in a user namespace; undefined for nothing. */
export function textForInside(): string | undefined {
	const {pods} = ofCommandLine;
	return pods.size === 0 ? undefined : JSON.stringify([...pods]);
}

/**
A pod of a cluster, by what follows `kubectl:`; one that the command line names was read already. Without `choices`, those of the command line.

@throws {TestbedError} USAGE for a text that is no name; MACHINE without the client library; UNREADABLE for a pod that cannot be read.
*/
export function readClusterPod(name: string, choices?: ClusterChoices): ClusterPod {
	return choices === undefined ? ofCommandLine.pods.get(name) ?? readNow(name, ofCommandLine.choices) : readNow(name, choices);
}

function readNow(name: string, {kubeconfig, ...choices}: ClusterChoices): ClusterPod {
	const parsed = parsePodName(name);
	if (isInOwnNamespace()) {
		throw new TestbedError('UNREADABLE', {
			message: `kubectl:${name} was not read before the testbed entered its user namespace, where there is no network.`,
			state: 'Nothing was read.',
			hint: 'As an ordinary user, name the pod on the command line, or save its manifest: kubectl get pod -o yaml.',
		});
	}

	const request: PodRequest = {name: parsed, choices: {...choices, ...(kubeconfig === undefined ? {} : {kubeconfig: path.resolve(kubeconfig)})}};
	const answer = JSON.parse(runNodeToEnd(new URL('pod-reader.js', import.meta.url), {
		// The programs that a kubeconfig names for credentials need all of it.
		input: JSON.stringify(request), environment: process.env as Readonly<Record<string, string>>, folder: process.cwd(), timeoutMs: limitMs,
	})) as ReaderAnswer<ClusterPod>;
	if ('fault' in answer) {
		const {code, ...fault} = answer.fault;
		throw new TestbedError(code, fault);
	}

	return answer.pod;
}
