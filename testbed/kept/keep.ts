/**
`--keep`: a run whose sandbox stays. Its namespaces get names, and a keeper process keeps its listeners running.
*/

import {randomBytes} from 'node:crypto';
import {furtherNamespaces, noExtension} from '../../src/scenario/topology-extension.js';
import {typeIdsOf} from '../../src/mesh/traffic-types.js';
import {commandLine} from '../system/program-name.js';
import {TestbedError} from '../errors.js';
import type {RunOptions} from '../run/options.js';
import {createActorSandbox, runOn, type RunResult} from '../run/run.js';
import {netnsCookie} from '../syscalls/netns-cookie.js';
import {startDetachedNode} from '../system/exec.js';
import type {Netns} from '../sandbox/netns.js';
import type {FromKeeper, KeeperTask, ToKeeper} from './keeper-protocol.js';
import {writeNote, type KeptNamespace, type KeptSandbox} from './note.js';

const program = new URL('keeper.js', import.meta.url);

/** The result of a run, and its kept sandbox. */
export type KeptRun = RunResult & {readonly kept: KeptSandbox};

/**
Runs and keeps the sandbox, until `keepForMs` is over or `testbed clean` removes it.

@throws {TestbedError} as `runTestbed` does, with nothing kept; ACTOR_FAILED if the listeners cannot be restarted, with the namespaces kept.
*/
export async function runAndKeep(options: RunOptions, {keepForMs}: {readonly keepForMs?: number | undefined} = {}): Promise<KeptRun> {
	const {result, task} = await runToKeep(options);
	// Not earlier: the ports are taken until the run's own actors have ended.
	await startKeeper({...task, keepForMs});
	return {...result, kept: task.kept};
}

async function runToKeep(options: RunOptions): Promise<{readonly result: RunResult; readonly task: KeeperTask}> {
	// All actors of the mesh, whichever types are sent: the user may send others by hand.
	await using ownSandbox = await createActorSandbox({...options, types: typeIdsOf(options.rules.mesh.traffic)});
	const result = await runOn(ownSandbox, options);
	const {actorSet} = await ownSandbox.actorGroup();
	const extension = options.scenario?.extension ?? noExtension;
	const kept: KeptSandbox = {
		id: `testbed-${randomBytes(3).toString('hex')}`,
		namespaces: [],
		actors: actorSet.actors.map(({name, uid, gid, namespace}) => ({
			name, uid, gid, namespace,
		})),
	};
	const namespaces: KeptNamespace[] = [];
	for (const label of ['pod', 'remote', ...furtherNamespaces(extension)]) {
		namespaces.push(await nameNamespace(ownSandbox.sandbox.namespace(label), {...kept, namespaces})); // eslint-disable-line no-await-in-loop -- One after the other: the first `ip netns` call creates its folder.
	}

	return {
		result,
		task: {
			kept: {...kept, namespaces}, actorSet, intent: options.rules.intent, topology: ownSandbox.topology, extension, timeoutMs: options.timeoutMs,
		},
	};
}

async function nameNamespace(netns: Netns, kept: KeptSandbox): Promise<KeptNamespace> {
	const namespace = {
		label: netns.label, name: `${kept.id}-${netns.label}`, inode: netns.inode, cookie: netnsCookie(netns.descriptor),
	};
	// Write the note first: a name without a note would never be removed.
	writeNote({...kept, namespaces: [...kept.namespaces, namespace]});
	await netns.attach(namespace.name);
	return namespace;
}

async function startKeeper(task: KeeperTask): Promise<void> {
	const keeper = startDetachedNode(program);
	try {
		const answer = await new Promise<FromKeeper>(resolve => {
			keeper.onMessage(message => {
				resolve(message as FromKeeper);
			});
			keeper.onEnd(how => {
				resolve({type: 'failed', message: `the process to run them ended ${how}`});
			});
			keeper.send({type: 'start', task} satisfies ToKeeper);
		});
		if (answer.type === 'failed') {
			throw new TestbedError('ACTOR_FAILED', {message: `The sandbox was kept, but its listeners could not be restarted: ${answer.message}.`, hint: `To remove it: ${commandLine('clean')}`});
		}

		keeper.send({type: 'stay'} satisfies ToKeeper);
		await keeper.released;
	} finally {
		keeper.release();
	}
}
