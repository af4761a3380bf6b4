/**
Reads the pods of clusters that a command line names, before the command begins: as an ordinary user it then goes on in a user namespace, where there is no network.
*/

import type {Command} from 'commander';
import {TestbedError} from '../errors.js';
import {tell} from '../system/streams.js';
import {liveNameOf} from '../inputs/source.js';
import {parsePodName, type ClusterChoices} from '../kubernetes/cluster-pod.js';
import {readBefore} from '../kubernetes/read-cluster.js';
import {isInOwnNamespace} from '../rootless/note.js';
import {isQuiet} from './output/terminal.js';

/** The options about clusters, by their attributes. */
const clusterOptions = {kubeconfig: '--kubeconfig', context: '--context', debugImage: '--debug-image'} as const satisfies Readonly<Record<keyof ClusterChoices, string>>;

/** Options with which live pods are not read: nothing is sent, or they are refused. */
const unreadWith = ['check', 'watch'] as const;

/** Arguments that are rule inputs, by their names in the command lines. */
const inputArguments: ReadonlySet<string> = new Set(['input', 'inputs', 'rules']);

/** The rule inputs of a command line, in arguments and options. */
function inputsOf(command: Command): readonly string[] {
	const {args, registeredArguments} = command;
	const words = registeredArguments.flatMap((argument, place) => inputArguments.has(argument.name()) ? (argument.variadic ? args.slice(place) : args.slice(place, place + 1)) : []);
	const values = command.options.filter(({flags}) => flags.includes('<input>')).map(option => command.getOptionValue(option.attributeName()) as unknown);
	return [...words, ...values.filter(value => typeof value === 'string')];
}

/** Whether something else than the command line may name a pod: a scenario, or a baseline. */
function mayNameElsewhere(command: Command): boolean {
	return command.getOptionValue('allowOutside') === true || command.registeredArguments.some(argument => argument.name() === 'baseline');
}

/**
Reads them.

@throws {TestbedError} USAGE for options without such an input, and for names that are none; UNREADABLE and MACHINE as `readClusterPod`.
*/
export function readPods(command: Command): void {
	// A report holds files only, and refuses live pods.
	if (command.name() === 'report') {
		return;
	}

	const names = inputsOf(command).map(source => liveNameOf(source)).filter(named => named?.kind === 'kubectl').map(named => named!.name);
	const given = command.opts<ClusterChoices>();
	const choices = Object.fromEntries(Object.keys(clusterOptions).map(key => [key, given[key as keyof ClusterChoices]])) as ClusterChoices;
	if (names.length === 0) {
		refuseIdle(command);
	}

	for (const name of names) {
		parsePodName(name);
	}

	const isUnread = unreadWith.some(option => command.getOptionValue(option) === true);
	if (choices.debugImage !== undefined && names.length > 0 && !isUnread && !isInOwnNamespace() && !isQuiet()) {
		tell(`reading ${names.map(name => `kubectl:${name}`).join(' and ')} by a debug container of ${choices.debugImage}, which stays in the pod's status …\n`);
	}

	readBefore(isUnread ? [] : names, choices);
}

/** @throws {TestbedError} USAGE for an option about clusters on a command line that names no pod of one. */
function refuseIdle(command: Command): void {
	for (const [attribute, option] of Object.entries(clusterOptions)) {
		if (command.getOptionValueSource(attribute) === 'cli' && !mayNameElsewhere(command)) {
			throw new TestbedError('USAGE', {message: `${option} works only with kubectl:NAMESPACE/POD, and no rule input here is one.`, hint: 'For example: testbed rules kubectl:default/cart-6f7c9'});
		}
	}
}
