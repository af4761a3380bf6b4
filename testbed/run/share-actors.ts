/**
Lets compatible scenarios share their actors.
*/

import type {ReadyScenario} from '../inputs/types.js';
import type {RunOptions} from './options.js';

/** Gives compatible scenarios the same actors, so that they share a sandbox: starting processes costs more than everything else. */
export function shareActors(all: readonly RunOptions[]): readonly RunOptions[] {
	const groups: Group[] = [];
	const groupOf = all.map(({scenario, rules}) => scenario === undefined ? undefined : join(groups, scenario, rules));
	return all.map((options, index) => {
		const {scenario} = options;
		const context = groupOf[index]?.context;
		return context === undefined || scenario === undefined ? options : {...options, scenario: {...scenario, actorSet: context.actorSet, extension: context.extension}};
	});
}

type Group = {readonly key: string; context: SharedActors};

/** Adds a scenario to the first group that it fits, or makes one for it. */
function join(groups: Group[], scenario: ReadyScenario, {intent}: RunOptions['rules']): Group {
	const {proxyPort, inboundCapturePort, ambient, inboundInterceptionMode, inboundTproxyMark} = intent;
	// A pod with further interfaces forwards packets, so it cannot be shared with one without.
	const {interfaces, podAddresses} = scenario.extension;
	const key = JSON.stringify([proxyPort, inboundCapturePort, ambient?.mark, inboundInterceptionMode, inboundTproxyMark, interfaces.length > 0, podAddresses]);
	for (const group of groups) {
		const context = group.key === key ? merged(group.context, scenario) : undefined;
		if (context !== undefined) {
			group.context = context;
			return group;
		}
	}

	const group: Group = {key, context: scenario};
	groups.push(group);
	return group;
}

type SharedActors = Pick<ReadyScenario, 'actorSet' | 'extension'>;

/** Merges two sets of actors and additions; undefined if an actor, port, service, address or interface conflicts. */
function merged(one: SharedActors, other: SharedActors): SharedActors | undefined {
	const actors = union(one.actorSet.actors, other.actorSet.actors, ({name}) => name);
	const services = union(Object.entries(one.actorSet.services), Object.entries(other.actorSet.services), ([key]) => key);
	const interfaces = union(one.extension.interfaces, other.extension.interfaces, ({name}) => name);
	if (actors === undefined || services === undefined || interfaces === undefined || JSON.stringify(one.extension.without) !== JSON.stringify(other.extension.without)) {
		return undefined;
	}

	const ports = actors.flatMap(({namespace, listeners}) => listeners.map(({protocol, port}) => `${namespace} ${protocol} ${port}`));
	const networks = interfaces.flatMap(({addresses}) => Object.values(addresses).flatMap(({pod, peer}) => [pod, peer]));
	const isClear = [ports, networks, interfaces.map(({namespace}) => namespace)].every(list => new Set(list).size === list.length);
	return isClear
		? {
			actorSet: {actors, services: Object.fromEntries(services)},
			extension: {...one.extension, remoteAddresses: [...new Set([...one.extension.remoteAddresses, ...other.extension.remoteAddresses])], interfaces},
		}
		: undefined;
}

/** All of both lists, each name once; undefined if two items with the same name differ. */
function union<T>(one: readonly T[], other: readonly T[], nameOf: (item: T) => string): readonly T[] | undefined {
	const mine = new Map(one.map(item => [nameOf(item), JSON.stringify(item)]));
	return other.some(item => mine.has(nameOf(item)) && mine.get(nameOf(item)) !== JSON.stringify(item))
		? undefined
		: [...one, ...other.filter(item => !mine.has(nameOf(item)))];
}
