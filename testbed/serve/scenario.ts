/**
What the page shows, as a scenario file that `testbed run` takes.
*/

import {languageOf} from '../../src/netfilter/backends.js';
import {printTexts} from '../../src/netfilter/rule-texts.js';
import {defaultTypesOf, trafficCases} from '../../src/mesh/traffic-types.js';
import {meantCredentials} from '../../src/mesh/other-senders.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import type {Question, RulesChoice} from '../../src/workshop/protocol.js';
import {fileNameOf, printScenario} from '../../src/workshop/scenario-file.js';
import {plannedOf, type Round} from './rounds.js';

/** What is written. */
export type ScenarioRequest = {
	readonly round: Round;
	readonly question: Question | undefined;
	readonly credentials: ActorCredentials;
	readonly choice: RulesChoice;
	/** The changes in words. */
	readonly edits: readonly string[];
};

/** The file's name and text: the types, and the connection that was put together last. Rules without changes are named, all others written out as the kernel holds them. */
export function scenarioOf({round: {chosen, family, loaded}, question, credentials, choice, edits}: ScenarioRequest): {readonly name: string; readonly text: string} {
	const {rules: {mesh, intent, backend, source}} = chosen;
	const planned = question?.kind === 'connection' ? plannedOf(question, family, {rules: chosen.rules, credentials}) : undefined;
	const name = `workshop ${source}`;
	const isNamed = choice.kind === 'generated' && edits.length === 0;
	return {
		name: fileNameOf(name),
		text: printScenario({
			name,
			about: edits.length === 0 ? `The six types through ${source}.` : `The six types through ${source} with ${edits.length} ${edits.length === 1 ? 'change' : 'changes'}: ${edits.join('; ')}.`,
			rules: isNamed ? source : printTexts(languageOf(backend), loaded.rules, [family]).map(({text}) => text).join(''),
			backend,
			family,
			credentials,
			cases: [
				...trafficCases(mesh.traffic, {
					intent, actors: meantCredentials(intent, credentials), topology: defaultTopology, family, ids: defaultTypesOf(mesh.traffic),
				}),
				...(planned?.hasExpectation === true ? [planned.traffic] : []),
			],
			senders: planned?.sender === undefined ? {} : {[planned.sender.name]: {uid: planned.sender.uid, gid: planned.sender.gid, namespace: planned.sender.namespace}},
		}),
	};
}
