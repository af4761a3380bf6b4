/**
Finds the cluster as kubectl does: the kubeconfig files, their contexts, or the service account of the pod that the testbed runs in.
*/

import {existsSync} from 'node:fs';
import {homedir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {TestbedError} from '../errors.js';
import type {ClientModule, KubeConfig} from './client.js';
import type {ClusterChoices} from './cluster-pod.js';

/** Where Kubernetes mounts a pod's service account. */
const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** The chosen cluster. `context` is its name for messages. */
export type Connection = {readonly config: KubeConfig; readonly context: string; readonly server: string};

function unreadable(message: string, hint: string, cause?: unknown): TestbedError {
	return new TestbedError('UNREADABLE', {message, state: 'Nothing was read.', hint, ...(cause === undefined ? {} : {cause})});
}

/** The kubeconfig files by kubectl's rules: those that are given, of which those that do not exist are passed over unless they are named one by one. */
function kubeconfigFiles({kubeconfig}: ClusterChoices, environment: NodeJS.ProcessEnv): readonly string[] | undefined {
	if (kubeconfig !== undefined) {
		if (!existsSync(kubeconfig)) {
			throw unreadable(`There is no kubeconfig file ${kubeconfig} (--kubeconfig).`, 'kubectl config view shows what kubectl uses; the file is usually ~/.kube/config.');
		}

		return [kubeconfig];
	}

	const named = (environment['KUBECONFIG'] ?? '').split(path.delimiter).filter(file => file !== '');
	const usual = path.join(environment['HOME'] ?? homedir(), '.kube/config');
	const found = (named.length > 0 ? named : [usual]).filter(file => existsSync(file));
	if (found.length > 0) {
		return found;
	}

	if (named.length === 0 && existsSync(serviceAccount)) {
		return undefined;
	}

	throw unreadable(
		named.length > 0 ? `There is no kubeconfig: KUBECONFIG names ${named.join(', ')}, which ${named.length === 1 ? 'does' : 'do'} not exist.` : `There is no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and ${usual} does not exist.`,
		'Name the file: --kubeconfig FILE. With sudo, the user is root: sudo keeps KUBECONFIG with --preserve-env=KUBECONFIG.',
	);
}

function load(config: KubeConfig, files: readonly string[] | undefined): void {
	if (files === undefined) {
		config.loadFromCluster();
	} else if (files.length === 1) {
		config.loadFromFile(files[0]!);
	} else {
		// The client merges what this variable lists, and this process ends with the reading.
		process.env['KUBECONFIG'] = files.join(path.delimiter);
		// As for kubectl, the first file that says something counts; by default, the client takes the current context of the last.
		config.loadFromDefault({}, true);
	}
}

/**
Reads the kubeconfig and chooses the context.

@throws {TestbedError} UNREADABLE if there is no kubeconfig, if it is not understood, or if it has no such context.
*/
export function connect(client: Pick<ClientModule, 'KubeConfig'>, choices: ClusterChoices, environment: NodeJS.ProcessEnv = process.env): Connection {
	const files = kubeconfigFiles(choices, environment);
	const place = files?.join(', ') ?? 'the service account';
	const config = new client.KubeConfig();
	try {
		load(config, files);
	} catch (error) {
		throw unreadable(`${place} is not a kubeconfig: ${error instanceof Error ? error.message : String(error)}`, 'kubectl config view --kubeconfig FILE shows whether kubectl reads it.', error);
	}

	const names = config.getContexts().map(({name}) => name);
	const {context = config.getCurrentContext()} = choices;
	if (context === undefined || context === '' || !names.includes(context)) {
		throw unreadable(
			context === undefined || context === '' ? `${place} has no current context.` : `${place} has no context ${context}.`,
			names.length === 0 ? 'It has no contexts at all.' : `It has: ${names.join(', ')}. Choose one: --context NAME.`,
		);
	}

	config.setCurrentContext(context);
	const cluster = config.getCurrentCluster();
	if (typeof cluster?.server !== 'string') {
		throw unreadable(`${place}: the context ${context} names a cluster that is not in it.`, 'kubectl config view shows contexts and clusters.');
	}

	return {config, context, server: cluster.server};
}
