/**
The Kubernetes client (@kubernetes/client-node), which is loaded when it is used: the testbed works without it. The types are the parts that the testbed uses.
*/

import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type {Readable, Writable} from 'node:stream';
import {pathToFileURL} from 'node:url';
import {TestbedError} from '../errors.js';
import {packageRoot} from '../system/package-root.js';

/** The package. */
export const clientName = '@kubernetes/client-node';

/** The versions that were tried, as package.json says. */
const clientRange = '1';

/** The variable that names a folder in which the package was installed, if that is not the testbed's own. */
export const clientVariable = 'TESTBED_KUBERNETES_CLIENT';

/** A context of a kubeconfig file. */
export type Context = {readonly name: string; readonly cluster: string; readonly user: string};

/** A kubeconfig, as the client reads it. */
export type KubeConfig = {
	loadFromDefault: (options: object, isFirstContextKept: boolean) => void;
	loadFromFile: (file: string) => void;
	loadFromCluster: () => void;
	getContexts: () => readonly Context[];
	getCurrentContext: () => string | undefined;
	setCurrentContext: (name: string) => void;
	getCurrentCluster: () => {readonly name: string; readonly server: string} | null;
	makeApiClient: (api: unknown) => CoreApi;
};

/** A container's state (Kubernetes API, core/v1, ContainerState). */
export type ContainerState = {
	readonly waiting?: {readonly reason?: string; readonly message?: string};
	readonly running?: object;
	readonly terminated?: {readonly exitCode?: number; readonly reason?: string; readonly message?: string};
};

/** The parts of a pod that are read here; its rules are derived from the whole of it. */
export type ApiPod = {
	readonly metadata?: {readonly name?: string; readonly deletionTimestamp?: unknown};
	readonly spec?: {
		readonly containers?: ReadonlyArray<{readonly name: string}>;
		readonly initContainers?: ReadonlyArray<{readonly name: string}>;
	};
	readonly status?: {
		readonly phase?: string;
		readonly podIP?: string;
		readonly podIPs?: ReadonlyArray<{readonly ip?: string}>;
		readonly ephemeralContainerStatuses?: ReadonlyArray<{readonly name: string; readonly state?: ContainerState}>;
	};
};

/** Calls of the API, core/v1. */
export type CoreApi = {
	readNamespacedPod: (request: {readonly namespace: string; readonly name: string}) => Promise<ApiPod>;
	patchNamespacedPodEphemeralcontainers: (request: {readonly namespace: string; readonly name: string; readonly body: unknown}, options: unknown) => Promise<ApiPod>;
};

/** How a command ended (Kubernetes API, meta/v1, Status). */
export type CommandStatus = {readonly status?: string; readonly message?: string};

/** The connection of a running command. */
export type CommandSocket = {close: () => void; on: (event: 'close', listener: () => void) => void};

/** Runs commands in containers. */
export type Exec = {
	// eslint-disable-next-line max-params -- These are the client's.
	exec: (
		namespace: string, pod: string, container: string, command: readonly string[], stdout: Writable, stderr: Writable, stdin: Readable | null, tty: boolean, ended: (status: CommandStatus) => void,
	) => Promise<CommandSocket>;
};

/** What the package exports, as far as it is used. */
export type ClientModule = {
	readonly KubeConfig: new () => KubeConfig;
	readonly CoreV1Api: unknown;
	readonly Exec: new (config: KubeConfig) => Exec;
	readonly setHeaderOptions: (name: string, value: string) => unknown;
	readonly PatchStrategy: {readonly StrategicMergePatch: string};
};

/** The folder of a checkout where its tests have the package. */
const checkoutFolder = path.join(packageRoot, 'scripts/kubernetes');

/** Where to look for the package: the folder that the user names, else what is beside the testbed, else a checkout's own. */
function foldersToAsk(environment: NodeJS.ProcessEnv): readonly string[] {
	const named = environment[clientVariable];
	return named === undefined || named === '' ? [packageRoot, checkoutFolder] : [path.resolve(named)];
}

function locate(folder: string): string | undefined {
	try {
		return createRequire(path.join(folder, 'package.json')).resolve(clientName);
	} catch {
		return undefined;
	}
}

/** The command that installs the package where this testbed finds it. */
export function installCommand(root = packageRoot): string {
	const marker = `${path.sep}node_modules${path.sep}`;
	const place = root.lastIndexOf(marker);
	if (place === -1) {
		return existsSync(path.join(root, 'scripts/kubernetes/package.json')) ? `(cd ${path.join(root, 'scripts/kubernetes')} && npm ci --ignore-scripts)` : `npm install --prefix ${root} ${clientName}@${clientRange}`;
	}

	const owner = root.slice(0, place);
	return path.basename(owner) === 'lib' ? `npm install --global --prefix ${path.dirname(owner)} ${clientName}@${clientRange}` : `(cd ${owner} && npm install ${clientName}@${clientRange})`;
}

/**
Loads the package.

@throws {TestbedError} MACHINE if it is not installed, or does not run on this Node.
*/
export async function loadClient(environment: NodeJS.ProcessEnv = process.env): Promise<ClientModule> {
	const folders = foldersToAsk(environment);
	const file = folders.map(folder => locate(folder)).find(found => found !== undefined);
	if (file === undefined) {
		throw new TestbedError('MACHINE', {
			message: `kubectl: inputs need the npm package ${clientName}, which is not installed${environment[clientVariable] ? ` in ${folders[0]!}` : ''}.`,
			state: 'Nothing was read.',
			hint: `${installCommand()}     # or anywhere, and ${clientVariable}=FOLDER`,
		});
	}

	try {
		return await import(pathToFileURL(file).href) as ClientModule;
	} catch (error) {
		throw new TestbedError('MACHINE', {
			message: `The npm package ${clientName} in ${path.dirname(file)} cannot be loaded by Node ${process.version}: ${error instanceof Error ? error.message : String(error)}`,
			state: 'Nothing was read.',
			hint: `Version 2 needs Node 22 or later. ${installCommand()}`,
			cause: error,
		});
	}
}
