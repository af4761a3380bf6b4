/**
Scenarios that do not contradict each other share their actors.
*/

import type {ReadyScenario} from '../inputs/types.js';
import type {RunOptions} from './options.js';

/** Lets scenarios that do not contradict each other share their actors, so that they share a stage: starting processes costs more than everything else. */
export function shareActors(all: readonly RunOptions[]): readonly RunOptions[] {
	const groups: Array<{readonly key: string; context: SharedActors; readonly members: number[]}> = [];
	for (const [index, {scenario, rules}] of all.entries()) {
		if (scenario === undefined) {
			continue;
		}

		const {proxyPort, inboundCapturePort, ambient, inboundInterceptionMode, inboundTproxyMark} = rules.intent;
		// A pod with further interfaces forwards, so it is another one than that without.
		const key = JSON.stringify([proxyPort, inboundCapturePort, ambient?.mark, inboundInterceptionMode, inboundTproxyMark, scenario.extension.interfaces.length > 0]);
		const group = groups.find(candidate => candidate.key === key && merged(candidate.context, scenario) !== undefined);
		if (group === undefined) {
			groups.push({key, context: scenario, members: [index]});
		} else {
			group.context = merged(group.context, scenario)!;
			group.members.push(index);
		}
	}

	return all.map((options, index) => {
		const context = groups.find(({members}) => members.includes(index))?.context;
		return context === undefined || options.scenario === undefined ? options : {...options, scenario: {...options.scenario, actorSet: context.actorSet, extension: context.extension}};
	});
}

type SharedActors = Pick<ReadyScenario, 'actorSet' | 'extension'>;

/** Two worlds in one; undefined where an actor, a port, a service, an address or an interface would be two things. */
function merged(one: SharedActors, other: SharedActors): SharedActors | undefined {
	const actors = union(one.actorSet.actors, other.actorSet.actors, ({name}) => name);
	const services = union(Object.entries(one.actorSet.services), Object.entries(other.actorSet.services), ([key]) => key);
	const interfaces = union(one.extension.interfaces, other.extension.interfaces, ({name}) => name);
	if (actors === undefined || services === undefined || interfaces === undefined) {
		return undefined;
	}

	const ports = actors.flatMap(({namespace, listeners}) => listeners.map(({protocol, port}) => `${namespace} ${protocol} ${port}`));
	const networks = interfaces.flatMap(({addresses}) => Object.values(addresses).flatMap(({pod, peer}) => [pod, peer]));
	const isClear = [ports, networks, interfaces.map(({namespace}) => namespace)].every(list => new Set(list).size === list.length);
	return isClear
		? {
			actorSet: {actors, services: Object.fromEntries(services)},
			extension: {remoteAddresses: [...new Set([...one.extension.remoteAddresses, ...other.extension.remoteAddresses])], interfaces},
		}
		: undefined;
}

/** All of both lists, each name once; undefined when two of one name are not the same. */
function union<T>(one: readonly T[], other: readonly T[], nameOf: (item: T) => string): readonly T[] | undefined {
	const mine = new Map(one.map(item => [nameOf(item), JSON.stringify(item)]));
	return other.some(item => mine.has(nameOf(item)) && mine.get(nameOf(item)) !== JSON.stringify(item))
		? undefined
		: [...one, ...other.filter(item => !mine.has(nameOf(item)))];
}
