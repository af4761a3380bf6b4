/** Which actors share a process, that the kernel sees the same user for each, and what the end of a shared process means. */

import {readFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import type {ActorName} from '../../src/mesh/traffic.js';
import {Actor} from '../../testbed/actors/actor.js';
import type {RunOptions} from '../../testbed/run/options.js';
import {outcomesOf, run, sayings, type Variation} from './_run.js';

type OnActors = NonNullable<RunOptions['onActors']>;

/** The names of the actors that listen, by their process, as the testbed groups them. */
function groupsOf(actors: Parameters<OnActors>[0]): readonly string[] {
	const byPid = new Map<number, string[]>();
	for (const [name, actor] of actors) {
		if (actor instanceof Actor && actor.pid !== undefined) {
			byPid.set(actor.pid, [...byPid.get(actor.pid) ?? [], name]);
		}
	}

	return [...byPid.values()].map(names => names.toSorted().join(' ')).toSorted();
}

/** The user and group of a process, as the kernel has them. */
function ownerOf(pid: number): string {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return ['Uid', 'Gid'].map(name => new RegExp(String.raw`^${name}:\t(\d+)`, 'mu').exec(status)![1]).join(':');
}

async function groupsIn(t: ExecutionContext, variation: Variation): Promise<readonly string[]> {
	let groups: readonly string[] = [];
	const report = await run({
		...variation, onActors(actors) {
			groups = groupsOf(actors);
		},
	});
	t.true(report.types.every(({outcome}) => outcome.kind === 'pass'), JSON.stringify(outcomesOf(report)));
	return groups;
}

test.serial('the proxy and its agent share a process, and so do the hosts outside; the app has its own', async t => {
	t.deepEqual(await groupsIn(t, {}), ['agent proxy', 'app', 'istiod remote']);
});

test.serial('an agent with another user than the proxy has its own process, as that user', async t => {
	const owners = new Map<string, string>();
	await run({
		credentials: {agent: {uid: 1337, gid: 1338}},
		onActors(actors) {
			t.deepEqual(groupsOf(actors), ['agent', 'app', 'istiod remote', 'proxy']);
			for (const [name, actor] of actors) {
				if (actor instanceof Actor && actor.pid !== undefined) {
					owners.set(name, ownerOf(actor.pid));
				}
			}
		},
	});
	t.deepEqual(Object.fromEntries(owners), {
		agent: '1337:1338', app: '1000:1000', istiod: '0:0', proxy: '1337:1337', remote: '0:0',
	});
});

for (const [killed, also] of [['proxy', 'agent'], ['istiod', 'remote']] as const satisfies ReadonlyArray<readonly [ActorName, ActorName]>) {
	test.serial(`goes red: the process that ${killed} shares with ${also} is killed: nothing passes, and both are named`, async t => {
		const report = await run({
			timeoutMs: 2000, onActors(actors) {
				(actors.get(killed) as Actor).kill();
			},
		});
		for (const result of report.types) {
			t.is(result.outcome.kind, 'inconclusive');
			const told = sayings(result).join('\n');
			for (const name of [killed, also]) {
				t.regex(told, new RegExp(String.raw`actor-ended: The process of ${name} \(pid \d+\) ended by SIGKILL\.`, 'u'));
			}
		}
	});
}
